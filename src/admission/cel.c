/* Rules as expressions of CEL. Each is true where all is well. */
#include "admission/configuration.h"

#include <stdio.h>

#include "base/limits.h"
#include "format/json_writer.h"
#include "format/value.h"

#define CONFINED " in ['RuntimeDefault', 'Localhost']"

/* By the control's id. Variables: spec, security (of the pod), containers, contexts (of each container), all (security and contexts),
 * annotations (of the template). */
static const struct {
	const char *id, *expression;
} controls[] = {
	{ "appArmorProfile",
	  "variables.all.all(s, s.?appArmorProfile.?type.orValue('RuntimeDefault')" CONFINED ") && "
	  "variables.annotations.all(k, !k.startsWith('container.apparmor.security.beta.kubernetes.io/') || "
	  "variables.annotations[k] in ['', 'runtime/default'] || variables.annotations[k].startsWith('localhost/'))" },
	{ "capabilities_baseline",
	  "variables.contexts.all(s, s.?capabilities.?add.orValue([]).all(c, c in ['AUDIT_WRITE', 'CHOWN', "
	  "'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', "
	  "'SETUID', 'SYS_CHROOT']))" },
	{ "hostNamespaces", "!variables.spec.?hostNetwork.orValue(false) && !variables.spec.?hostPID.orValue(false) && "
			    "!variables.spec.?hostIPC.orValue(false)" },
	{ "hostPathVolumes", "variables.spec.?volumes.orValue([]).all(v, !has(v.hostPath))" },
	{ "hostPorts", "variables.containers.all(c, c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0))" },
	{ "hostProbesAndHostLifecycle",
	  "variables.containers.all(c, [c.?livenessProbe, c.?readinessProbe, c.?startupProbe, c.?lifecycle.?postStart, "
	  "c.?lifecycle.?preStop].all(h, h.?httpGet.?host.orValue('') == '' && h.?tcpSocket.?host.orValue('') == "
	  "''))" },
	{ "privileged", "variables.contexts.all(s, !s.?privileged.orValue(false))" },
	{ "procMount", "variables.contexts.all(s, s.?procMount.orValue('Default') == 'Default')" },
	{ "seLinuxOptions", NULL },
	{ "seccompProfile_baseline",
	  "variables.all.all(s, s.?seccompProfile.?type.orValue('RuntimeDefault')" CONFINED ")" },
	{ "sysctls", NULL },
	{ "windowsHostProcess", "variables.all.all(s, !s.?windowsOptions.?hostProcess.orValue(false))" },
	{ "allowPrivilegeEscalation", "variables.contexts.all(s, !s.?allowPrivilegeEscalation.orValue(true))" },
	{ "capabilities_restricted", "variables.contexts.all(s, 'ALL' in s.?capabilities.?drop.orValue([]) && "
				     "s.?capabilities.?add.orValue([]).all(c, c == 'NET_BIND_SERVICE'))" },
	{ "restrictedVolumes",
	  "variables.spec.?volumes.orValue([]).all(v, has(v.configMap) || has(v.csi) || has(v.downwardAPI) || "
	  "has(v.emptyDir) || has(v.ephemeral) || has(v.image) || has(v.persistentVolumeClaim) || has(v.projected) || "
	  "has(v.secret))" },
	{ "runAsNonRoot", "variables.security.?runAsNonRoot.orValue(true) && variables.contexts.all(s, "
			  "s.?runAsNonRoot.orValue(variables.security.?runAsNonRoot.orValue(false)))" },
	{ "runAsUser", "variables.all.all(s, s.?runAsUser.orValue(1) != 0)" },
	{ "seccompProfile_restricted", "variables.security.?seccompProfile.?type.orValue('RuntimeDefault')" CONFINED
				       " && variables.contexts.all(s, s.?seccompProfile.?type.orValue("
				       "variables.security.?seccompProfile.?type.orValue(''))" CONFINED ")" },
};

/* What is allowed since which version. */
static const struct {
	const char *control, *word;
	unsigned since;
} words[] = {
	{ "sysctls", "kernel.shm_rmid_forced", 0 },
	{ "sysctls", "net.ipv4.ip_local_port_range", 0 },
	{ "sysctls", "net.ipv4.tcp_syncookies", 0 },
	{ "sysctls", "net.ipv4.ping_group_range", 0 },
	{ "sysctls", "net.ipv4.ip_unprivileged_port_start", 0 },
	{ "sysctls", "net.ipv4.ip_local_reserved_ports", 27 },
	{ "sysctls", "net.ipv4.tcp_keepalive_time", 29 },
	{ "sysctls", "net.ipv4.tcp_fin_timeout", 29 },
	{ "sysctls", "net.ipv4.tcp_keepalive_intvl", 29 },
	{ "sysctls", "net.ipv4.tcp_keepalive_probes", 29 },
	{ "sysctls", "net.ipv4.tcp_rmem", 32 },
	{ "sysctls", "net.ipv4.tcp_wmem", 32 },
	{ "seLinuxOptions", "", 0 },
	{ "seLinuxOptions", "container_t", 0 },
	{ "seLinuxOptions", "container_init_t", 0 },
	{ "seLinuxOptions", "container_kvm_t", 0 },
	{ "seLinuxOptions", "container_engine_t", 31 },
};

static void add_words(struct hf_buf *out, const char *control, unsigned minor)
{
	bool first = true;

	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++) {
		if (strcmp(words[i].control, control) != 0 || words[i].since > minor)
			continue;
		hf_buf_addf(out, "%s'%s'", first ? "[" : ", ", words[i].word);
		first = false;
	}
	hf_buf_add_char(out, ']');
}

/* False where there is no expression for it. */
static bool add_control(struct hf_buf *out, const struct hf_pss_control *c, unsigned minor)
{
	size_t i = 0;

	while (i < HF_ARRAY_SIZE(controls) && strcmp(controls[i].id, c->id) != 0)
		i++;
	/* Before seccomp had a field, an annotation named each container. */
	if (i == HF_ARRAY_SIZE(controls) || (!strcmp(c->id, "seccompProfile_baseline") && minor < 19))
		return false;
	if (minor >= c->windows_from)
		hf_buf_add(out, HF_SV("variables.windows || "));
	if (!strcmp(c->id, "sysctls")) {
		hf_buf_add(out, HF_SV("variables.security.?sysctls.orValue([]).all(s, s.name in "));
		add_words(out, c->id, minor);
		hf_buf_add(out, HF_SV(")"));
	} else if (!strcmp(c->id, "seLinuxOptions")) {
		hf_buf_add(out, HF_SV("variables.all.all(s, s.?seLinuxOptions.?type.orValue('') in "));
		add_words(out, c->id, minor);
		hf_buf_add(out, HF_SV(" && s.?seLinuxOptions.?user.orValue('') == '' && "
				      "s.?seLinuxOptions.?role.orValue('') == '')"));
	} else {
		hf_buf_add(out, hf_sv_of(controls[i].expression));
	}
	return true;
}

/* A regular expression of RE2 for a text as it stands, and for patterns with '*'. No quote, backslash or line break is left in it that would
 * end a raw string of CEL. */
static void add_pattern(struct hf_buf *out, hf_sv text, bool stars)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c == '*' && stars)
			hf_buf_add(out, HF_SV(".*"));
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80 ||
			 strchr("/-_:@", c))
			hf_buf_add_char(out, (char)c);
		else
			hf_buf_addf(out, "\\x%02x", c);
	}
}

static void add_patterns(struct hf_buf *out, const hf_sv *list, size_t n)
{
	hf_buf_add(out, HF_SV("r'(?s)^("));
	for (size_t i = 0; i < n; i++) {
		hf_buf_add(out, i ? HF_SV("|") : HF_SV(""));
		add_pattern(out, list[i], true);
	}
	hf_buf_add(out, HF_SV(")$'"));
}

struct writer {
	const struct hf_admission_settings *settings;
	const struct hf_policies *policies;
	struct hf_arena arena;
	hf_sv name;
	struct hf_buf *out, comments, json;
	struct hf_json_writer w;
	bool pod_security;
	enum hf_policy_action action;
};

static void pair(struct writer *t, const char *name, hf_sv expression)
{
	hf_jw_object(&t->w);
	hf_jw_kv(&t->w, "name", hf_sv_of(name));
	hf_jw_kv(&t->w, "expression", expression);
	hf_jw_object_end(&t->w);
}

static void write_variables(struct writer *t)
{
	enum { FOR_ALL = 4, FOR_IMAGES = 8 }; /* from there on */
	static const char *const variables[][2] = {
		{ "template",
		  "object.kind == 'Pod' ? object : object.kind == 'PodTemplate' ? object.template : object.kind == "
		  "'CronJob' ? object.spec.jobTemplate.spec.template : object.spec.template" },
		{ "spec", "variables.template.?spec.orValue({})" },
		{ "annotations", "variables.template.?metadata.?annotations.orValue({})" },
		{ "containers", "variables.spec.?initContainers.orValue([]) + variables.spec.?containers.orValue([]) + "
				"variables.spec.?ephemeralContainers.orValue([])" },
		{ "security", "variables.spec.?securityContext.orValue({})" },
		{ "contexts", "variables.containers.map(c, c.?securityContext.orValue({}))" },
		{ "all", "[variables.security] + variables.contexts" },
		{ "windows", "variables.spec.?os.?name.orValue('') == 'windows'" },
		{ "images", "variables.containers.map(c, c.?image.orValue(''))" },
		/* As review.c's whole_name. */
		{ "names", "variables.images.map(i, i.matches(r'^([^/]*[.:A-Z][^/]*|localhost)/') && "
			   "!i.matches(r'^(index[.])?docker[.]io/') ? i : [i.matches(r'^(index[.])?docker[.]io/') ? "
			   "i.substring(i.indexOf('/') + 1) : i].map(r, r.contains('/') ? 'docker.io/' + r : "
			   "'docker.io/library/' + r)[0])" },
	};

	hf_jw_key(&t->w, "variables");
	hf_jw_array(&t->w);
	for (size_t i = 0; i < HF_ARRAY_SIZE(variables); i++)
		if (i < FOR_ALL || t->pod_security == (i < FOR_IMAGES))
			pair(t, variables[i][0], hf_sv_of(variables[i][1]));
	if (t->pod_security && t->settings->exempt_runtime_classes_n) {
		struct hf_buf e = HF_BUF(HF_KIB(64));
		hf_buf_add(&e, HF_SV("variables.spec.?runtimeClassName.orValue('') != '' && "
				     "variables.spec.runtimeClassName.matches("));
		add_patterns(&e, t->settings->exempt_runtime_classes, t->settings->exempt_runtime_classes_n);
		hf_buf_add(&e, HF_SV(")"));
		pair(t, "exempt", hf_buf_view(&e));
		hf_buf_done(&e);
	}
	hf_jw_array_end(&t->w);
}

static void condition(struct writer *t, const char *name, const char *subject, const hf_sv *list, size_t n)
{
	struct hf_buf e = HF_BUF(HF_KIB(64));

	if (!n)
		return;
	hf_buf_addf(&e, "!%s.matches(", subject);
	add_patterns(&e, list, n);
	hf_buf_add_char(&e, ')');
	pair(t, name, hf_buf_view(&e));
	hf_buf_done(&e);
}

static void write_conditions(struct writer *t)
{
	const struct hf_admission_settings *s = t->settings;

	hf_jw_key(&t->w, "matchConditions");
	hf_jw_array(&t->w);
	pair(t, "changes",
	     HF_SV("request.operation == 'CREATE' || object.?spec != oldObject.?spec || object.?template != "
		   "oldObject.?template || object.metadata.?labels != oldObject.metadata.?labels || "
		   "object.metadata.?annotations != oldObject.metadata.?annotations"));
	condition(t, "not-ignored", "request.namespace", s->ignored_namespaces, s->ignored_namespaces_n);
	if (t->pod_security) {
		condition(t, "namespace-not-exempt", "request.namespace", s->exempt_namespaces, s->exempt_namespaces_n);
		condition(t, "user-not-exempt", "request.userInfo.username", s->exempt_users, s->exempt_users_n);
	}
	hf_jw_array_end(&t->w);
}

static void write_constraints(struct writer *t)
{
	static const hf_sv operations[] = { HF_SV_INIT("CREATE"), HF_SV_INIT("UPDATE") }, any = HF_SV_INIT("*");
	static const hf_sv core[] = { HF_SV_INIT("pods"), HF_SV_INIT("pods/ephemeralcontainers"),
				      HF_SV_INIT("pods/resize"), HF_SV_INIT("podtemplates"),
				      HF_SV_INIT("replicationcontrollers") },
			   apps[] = { HF_SV_INIT("daemonsets"), HF_SV_INIT("deployments"), HF_SV_INIT("replicasets"),
				      HF_SV_INIT("statefulsets") },
			   batch[] = { HF_SV_INIT("cronjobs"), HF_SV_INIT("jobs") };
	const struct {
		hf_sv group;
		const hf_sv *resources;
		size_t n;
	} rules[] = { { HF_SV(""), core, 5 }, { HF_SV("apps"), apps, 4 }, { HF_SV("batch"), batch, 2 } };

	hf_jw_key(&t->w, "matchConstraints");
	hf_jw_object(&t->w);
	hf_jw_key(&t->w, "resourceRules");
	hf_jw_array(&t->w);
	for (size_t i = 0; i < HF_ARRAY_SIZE(rules); i++) {
		hf_jw_object(&t->w);
		hf_jw_strings(&t->w, "apiGroups", &rules[i].group, 1);
		hf_jw_strings(&t->w, "apiVersions", &any, 1);
		hf_jw_strings(&t->w, "operations", operations, 2);
		hf_jw_strings(&t->w, "resources", rules[i].resources, rules[i].n);
		hf_jw_object_end(&t->w);
	}
	hf_jw_array_end(&t->w);
	hf_jw_object_end(&t->w);
}

static void validation(struct writer *t, hf_sv expression, hf_sv message)
{
	hf_jw_object(&t->w);
	hf_jw_kv(&t->w, "expression", expression);
	hf_jw_kv(&t->w, "message", message);
	hf_jw_kv(&t->w, "reason", HF_SV("Forbidden"));
	hf_jw_object_end(&t->w);
}

static void write_controls(struct writer *t, const struct hf_pss_policy *p)
{
	unsigned minor = p->minor > HF_PSS_NEWEST ? HF_PSS_NEWEST : (unsigned)p->minor;
	char version[24];

	for (size_t i = 0; i < HF_PSS_CONTROLS; i++) {
		const struct hf_pss_control *c = hf_pss_controls[i];
		struct hf_buf e = HF_BUF(HF_KIB(64));
		if (c->level > p->level || minor < c->since ||
		    (p->level == HF_PSS_RESTRICTED && minor >= c->overridden_from))
			continue;
		bool exempts = t->settings->exempt_runtime_classes_n != 0;
		hf_buf_add(&e, exempts ? HF_SV("variables.exempt || (") : HF_SV(""));
		if (add_control(&e, c, minor)) {
			hf_buf_add(&e, exempts ? HF_SV(")") : HF_SV(""));
			validation(t, hf_buf_view(&e),
				   hf_arena_fmt(&t->arena, "pod-security: violates %s:%.*s: %s (%s)",
						hf_pss_level_name(p->level),
						HF_SV_FMT(hf_pss_version_text(p->minor, version)), c->id, c->what));
		} else {
			hf_buf_addf(
				&t->comments,
				"# Not held here: %s of version 1.%u, which asks for annotations by the containers' "
				"names.\n",
				c->id, minor);
		}
		hf_buf_done(&e);
	}
}

static void write_images(struct writer *t)
{
	const struct hf_admission_settings *s = t->settings;
	struct hf_buf e = HF_BUF(HF_KIB(256));

	if (s->registries_n) {
		hf_buf_add(&e, HF_SV("variables.names.all(n, n.matches(r'^("));
		for (size_t i = 0; i < s->registries_n; i++) {
			hf_buf_add(&e, i ? HF_SV("|") : HF_SV(""));
			add_pattern(&e, s->registries[i], false);
			if (!hf_sv_ends(s->registries[i], HF_SV("/")))
				hf_buf_add(&e, hf_sv_index(s->registries[i], '/') == SIZE_MAX ? HF_SV("(/|$)")
											      : HF_SV("([/:@]|$)"));
		}
		hf_buf_add(&e, HF_SV(")'))"));
		validation(t, hf_buf_view(&e), HF_SV("image-registry: an image is from no registry that is allowed"));
	}
	if (s->require_digest)
		validation(t, HF_SV("variables.images.all(i, i.matches(r'(?s)@sha256:.{64}$'))"),
			   HF_SV("image-digest: an image is not pinned by its digest"));
	if (s->denied_images_n) {
		e.len = 0;
		hf_buf_add(&e, HF_SV("(variables.names + variables.images).all(n, !n.matches("));
		add_patterns(&e, s->denied_images, s->denied_images_n);
		hf_buf_add(&e, HF_SV("))"));
		validation(t, hf_buf_view(&e), HF_SV("image-denied: an image is denied"));
	}
	t->w.failed |= e.over;
	hf_buf_done(&e);
}

/* Takes the JSON that was written, and adds it as a document. */
static int end_document(struct writer *t, struct hf_err *err)
{
	struct hf_value v;
	size_t used;
	int r = t->json.over || t->w.failed ? hf_fail(err, HF_E_LIMIT, "the policies are too large")
					    : hf_value_of_json(hf_buf_view(&t->json), 0, &t->arena,
							       (struct hf_value_notes){ 0 }, &v, &used, err);

	if (r < 0)
		return r;
	hf_buf_add(t->out, HF_SV("---\n"));
	hf_buf_add(t->out, hf_buf_view(&t->comments));
	hf_value_write_yaml(t->out, &v);
	t->json.len = t->comments.len = 0;
	t->w = (struct hf_json_writer){ .out = &t->json, .compact = true };
	return HF_OK;
}

static void begin_object(struct writer *t, const char *kind, hf_sv name)
{
	hf_jw_object(&t->w);
	hf_jw_kv(&t->w, "apiVersion", HF_SV("admissionregistration.k8s.io/v1"));
	hf_jw_kv(&t->w, "kind", hf_sv_of(kind));
	hf_jw_key(&t->w, "metadata");
	hf_jw_object(&t->w);
	hf_jw_kv(&t->w, "name", name);
	hf_jw_key(&t->w, "labels");
	hf_jw_object(&t->w);
	hf_jw_kv(&t->w, "app.kubernetes.io/managed-by", HF_SV("holdfast"));
	hf_jw_object_end(&t->w);
	hf_jw_object_end(&t->w);
	hf_jw_key(&t->w, "spec");
	hf_jw_object(&t->w);
}

static int write_binding(struct writer *t, hf_sv name, struct hf_err *err)
{
	static const hf_sv actions[] = { HF_SV_INIT("Deny"), HF_SV_INIT("Warn"), HF_SV_INIT("Audit") };

	begin_object(t, "ValidatingAdmissionPolicyBinding", name);
	hf_jw_kv(&t->w, "policyName", name);
	hf_jw_strings(&t->w, "validationActions", &actions[t->action], 1);
	hf_jw_key(&t->w, "matchResources");
	hf_jw_object(&t->w);
	hf_jw_key(&t->w, "namespaceSelector");
	hf_jw_object(&t->w);
	hf_jw_key(&t->w, "matchExpressions");
	hf_jw_array(&t->w);
	hf_jw_object(&t->w);
	hf_jw_kv(&t->w, "key", HF_SV("kubernetes.io/metadata.name"));
	hf_jw_kv(&t->w, "operator", HF_SV("NotIn"));
	hf_jw_strings(&t->w, "values", &HF_SV("kube-system"), 1);
	hf_jw_object_end(&t->w);
	hf_jw_array_end(&t->w);
	hf_jw_object_end(&t->w);
	hf_jw_object_end(&t->w);
	hf_jw_object_end(&t->w);
	hf_jw_object_end(&t->w);
	return end_document(t, err);
}

/* @level: NULL for images. */
static int write_policy(struct writer *t, const char *suffix, enum hf_policy_action action,
			const struct hf_pss_policy *level, struct hf_err *err)
{
	hf_sv name = hf_arena_fmt(&t->arena, "%.*s-%s", HF_SV_FMT(t->name), suffix);

	t->pod_security = level != NULL;
	t->action = action;
	begin_object(t, "ValidatingAdmissionPolicy", name);
	hf_jw_kv(&t->w, "failurePolicy", t->settings->fail_open ? HF_SV("Ignore") : HF_SV("Fail"));
	write_constraints(t);
	write_conditions(t);
	write_variables(t);
	hf_jw_key(&t->w, "validations");
	hf_jw_array(&t->w);
	if (level)
		write_controls(t, level);
	else
		write_images(t);
	hf_jw_array_end(&t->w);
	hf_jw_object_end(&t->w);
	hf_jw_object_end(&t->w);
	int r = end_document(t, err);
	return r < 0 ? r : write_binding(t, name, err);
}

static void note_policies(struct writer *t)
{
	char id[128];

	if (t->settings->from_labels)
		hf_buf_add(t->out, HF_SV("# Not held here: from_labels: the levels below hold whatever the labels of a "
					 "namespace ask for.\n"));
	for (size_t i = 0; i < t->policies->n; i++) {
		const struct hf_policy *p = &t->policies->at[i];
		hf_escape_controls(id, sizeof id, p->id);
		if (p->check.len)
			hf_buf_addf(t->out,
				    "# Not held here: policy %s, a check of holdfast's own: it has no expression "
				    "in CEL.\n",
				    id);
		else
			hf_buf_addf(t->out,
				    "# Not held here: policy %s, a program of jq: CEL has no functions of one's own, "
				    "and its cost is bounded.\n",
				    id);
	}
}

int hf_admission_cel(const struct hf_admission_settings *s, const struct hf_policies *policies, hf_sv name,
		     struct hf_buf *out, struct hf_err *err)
{
	struct writer t = { .settings = s,
			    .policies = policies,
			    .arena = HF_ARENA(HF_MIB(16)),
			    .name = name,
			    .out = out,
			    .comments = HF_BUF(HF_KIB(64)),
			    .json = HF_BUF(HF_ADMISSION_CONFIGURATION_MAX) };
	const struct {
		const char *suffix;
		enum hf_policy_action action;
		const struct hf_pss_policy *level;
	} modes[] = { { "pod-security-deny", HF_POLICY_DENY, &s->enforce },
		      { "pod-security-warn", HF_POLICY_WARN, &s->warn },
		      { "pod-security-audit", HF_POLICY_AUDIT, &s->audit } };
	int r = HF_OK;

	t.w = (struct hf_json_writer){ .out = &t.json, .compact = true };
	note_policies(&t);
	for (size_t i = 0; i < HF_ARRAY_SIZE(modes) && r >= 0; i++)
		if (modes[i].level->level != HF_PSS_PRIVILEGED)
			r = write_policy(&t, modes[i].suffix, modes[i].action, modes[i].level, err);
	if (r >= 0 && (s->registries_n || s->require_digest || s->denied_images_n))
		r = write_policy(&t, "images", s->images_action, NULL, err);
	hf_buf_done(&t.json);
	hf_buf_done(&t.comments);
	hf_arena_done(&t.arena);
	return r < 0 || !out->over ? r : hf_fail(err, HF_E_LIMIT, "the policies are too large");
}
