/* What names an object that is not there. */
#include "check/workload.h"

enum named { ACCOUNTS, SECRETS, CONFIG_MAPS, CLAIMS, SERVICES, NAMED };
static const enum hf_kube_kind kind_of[NAMED] = { HF_KUBE_SERVICE_ACCOUNT, HF_KUBE_SECRET, HF_KUBE_CONFIG_MAP,
						  HF_KUBE_PERSISTENT_VOLUME_CLAIM, HF_KUBE_SERVICE };

/* Of a check in one cluster: the namespaces of which all objects of its kind were read, and what it is asked about at the moment. */
struct memo {
	struct hf_map whole;
	bool listed; /* the live cluster handed all of them out */
};

/* What a live cluster did not list is noted as "CONTEXT: RESOURCE". */
static bool was_listed(const struct hf_check_run *r, enum hf_kube_kind kind)
{
	hf_sv plural = hf_sv_of(hf_kube_kinds[kind].plural);

	if (!r->live)
		return false;
	for (size_t i = 0; i < r->all->notes_n; i++) {
		const struct hf_kube_note *n = &r->all->notes[i];
		if (n->kind == HF_KUBE_NOTE_MISSING && hf_sv_starts(n->source, r->cluster) &&
		    hf_sv_ends(n->source, plural))
			return false;
	}
	return true;
}

/* Who has one object of a namespace with a uid has saved what a server handed out for it; manifests alone may rely on what others made. */
static struct memo *memo_of(struct hf_check_run *r, enum hf_kube_kind kind)
{
	struct memo *m = r->memo;

	if (m || !(m = hf_arena_new(r->arena, struct memo)))
		return m;
	*m = (struct memo){ .whole = HF_MAP(r->arena), .listed = was_listed(r, kind) };
	for (size_t i = 0; i < r->set->of_kind_n[kind]; i++) {
		const struct hf_kube_object *o = r->set->of_kind[kind][i];
		if (hf_value_get_text(o->metadata, HF_SV("uid")).len)
			hf_map_put(&m->whole, o->namespace);
	}
	r->memo = m;
	return m;
}

/* The references of one pod or object, as they come. */
struct asked {
	struct hf_check_run *r;
	enum hf_kube_kind kind;
	struct hf_map seen;
	bool failed;
	hf_sv unknown; /* the first one that may be there */
};

static void ask_for(struct asked *q, const struct hf_value *at, hf_sv name)
{
	struct hf_check_run *r = q->r;
	hf_sv space = r->object->namespace;
	const struct memo *m = memo_of(r, q->kind);

	if (!name.len || !m || hf_map_find(&q->seen, name) || !hf_map_put(&q->seen, name) ||
	    hf_kube_find(r->set, r->object->cluster, q->kind, space, name))
		return;
	if (!m->listed && !hf_map_find(&m->whole, space)) {
		q->unknown = q->unknown.len ? q->unknown : name;
		return;
	}
	q->failed = true;
	hf_check_fail(r, at, "%s %.*s is not in namespace %.*s", hf_kube_kinds[q->kind].kind, HF_SV_FMT(name),
		      HF_SV_FMT(space));
}

static void ask_member(struct asked *q, const struct hf_value *holder, const char *member)
{
	if (holder && !hf_value_true(hf_value_get(holder, HF_SV("optional"))))
		ask_for(q, holder, hf_value_get_text(holder, hf_sv_of(member)));
}

static void end(struct asked *q)
{
	if (!q->failed && q->unknown.len)
		hf_check_not_assessable(q->r, "%s %.*s is not in the input, and may be in the cluster",
					hf_kube_kinds[q->kind].kind, HF_SV_FMT(q->unknown));
}

static struct asked ask(struct hf_check_run *r, enum named what)
{
	return (struct asked){ .r = r, .kind = kind_of[what], .seen = HF_MAP(r->arena) };
}

/* Every namespace has one of the name default. */
static void no_account(struct hf_check_run *r)
{
	struct asked q = ask(r, ACCOUNTS);
	const struct hf_value *at = hf_value_get(r->pod->spec, HF_SV("serviceAccountName"));

	if (!hf_sv_eq(r->pod->service_account, HF_SV("default")))
		ask_for(&q, at ? at : hf_value_get(r->pod->spec, HF_SV("serviceAccount")), r->pod->service_account);
	end(&q);
}

static void ask_environment(struct asked *q, const char *key_ref, const char *all_ref)
{
	for (size_t i = 0; i < q->r->pod->containers_n; i++) {
		const struct hf_value *c = q->r->pod->containers[i].value;
		hf_value_elements(hf_value_get(c, HF_SV("env")), e)
		{
			ask_member(q, hf_value_get(hf_value_get(e, HF_SV("valueFrom")), hf_sv_of(key_ref)), "name");
		}
		hf_value_elements(hf_value_get(c, HF_SV("envFrom")), e)
		{
			ask_member(q, hf_value_get(e, hf_sv_of(all_ref)), "name");
		}
	}
}

static void ask_volumes(struct asked *q, const char *source, const char *member)
{
	hf_value_elements(hf_value_get(q->r->pod->spec, HF_SV("volumes")), v)
	{
		ask_member(q, hf_value_get(v, hf_sv_of(source)), member);
		hf_value_elements(hf_value_at(v, "projected.sources"), s)
		{
			ask_member(q, hf_value_get(s, hf_sv_of(source)), "name");
		}
	}
}

static void no_secret(struct hf_check_run *r)
{
	struct asked q = ask(r, SECRETS);

	ask_volumes(&q, "secret", "secretName");
	ask_environment(&q, "secretKeyRef", "secretRef");
	hf_value_elements(hf_value_get(r->pod->spec, HF_SV("imagePullSecrets")), e)
	{
		ask_member(&q, e, "name");
	}
	end(&q);
}

/* Certificates of an Ingress, and of a Gateway's listeners; those of other namespaces a ReferenceGrant is for. */
static void no_certificate(struct hf_check_run *r)
{
	struct asked q = ask(r, SECRETS);

	hf_value_elements(hf_value_get(r->object->spec, HF_SV("tls")), t)
	{
		ask_member(&q, t, "secretName");
	}
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("listeners")), l)
	{
		hf_value_elements(hf_value_at(l, "tls.certificateRefs"), c)
		{
			hf_sv kind = hf_value_get_text(c, HF_SV("kind")),
			      space = hf_value_get_text(c, HF_SV("namespace"));
			if ((!kind.len || hf_sv_eq(kind, HF_SV("Secret"))) &&
			    !hf_value_get_text(c, HF_SV("group")).len &&
			    (!space.len || hf_sv_eq(space, r->object->namespace)))
				ask_member(&q, c, "name");
		}
	}
	end(&q);
}

/* The cluster's authority is put into every namespace. */
static void no_config_map(struct hf_check_run *r)
{
	struct asked q = ask(r, CONFIG_MAPS);

	hf_map_put(&q.seen, HF_SV("kube-root-ca.crt"));
	ask_volumes(&q, "configMap", "name");
	ask_environment(&q, "configMapKeyRef", "configMapRef");
	end(&q);
}

static void no_claim(struct hf_check_run *r)
{
	struct asked q = ask(r, CLAIMS);

	ask_volumes(&q, "persistentVolumeClaim", "claimName");
	end(&q);
}

static void no_service(struct hf_check_run *r)
{
	struct asked q = ask(r, SERVICES);

	ask_member(&q, hf_value_at(r->object->spec, "defaultBackend.service"), "name");
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("rules")), rule)
	{
		hf_value_elements(hf_value_at(rule, "http.paths"), p)
		{
			ask_member(&q, hf_value_at(p, "backend.service"), "name");
		}
	}
	end(&q);
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-921",
	  .name = "absent-service-account",
	  .title = "A pod names a ServiceAccount that is not there",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "No pod of it starts; and whoever may make accounts there decides what it will run as.",
	  .fix = "Make the ServiceAccount, or name one that is there.",
	  .references = "NSA-rbac kube-linter:non-existent-service-account",
	  .evaluate = no_account },
	{ .id = "HF-K8S-922",
	  .name = "absent-secret",
	  .title = "A pod needs a Secret that is not there",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "It does not start, or pulls its images without credentials; and whoever may make Secrets there "
		 "decides what it will trust.",
	  .fix = "Make the Secret, or mark the reference as optional where the program does without.",
	  .references = "NSA-secrets",
	  .evaluate = no_secret },
	{ .id = "HF-K8S-923",
	  .name = "absent-config-map",
	  .title = "A pod needs a ConfigMap that is not there",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "It does not start; and whoever may make ConfigMaps there decides how it will be configured.",
	  .fix = "Make the ConfigMap, or mark the reference as optional where the program does without.",
	  .references = "MITRE-T1565",
	  .evaluate = no_config_map },
	{ .id = "HF-K8S-924",
	  .name = "absent-claim",
	  .title = "A pod needs a PersistentVolumeClaim that is not there",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "It is never scheduled; and whoever may make claims there decides which volume it will write to.",
	  .fix = "Make the claim, or take one that is there.",
	  .references = "MITRE-T1565",
	  .evaluate = no_claim },
	{ .id = "HF-K8S-925",
	  .name = "ingress-absent-service",
	  .title = "An Ingress leads to a Service that is not there",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_INGRESS },
	  .why = "Its name is published and answers nothing, until somebody makes a Service of that name and takes "
		 "what is sent there.",
	  .fix = "Take the rule away, or name the Service that is meant.",
	  .references = "NSA-network-policies kube-linter:dangling-ingress",
	  .evaluate = no_service },
	{ .id = "HF-K8S-926",
	  .name = "absent-certificate",
	  .title = "An Ingress or Gateway names a certificate's Secret that is not there",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_INGRESS, HF_KUBE_GATEWAY },
	  .why = "Its hosts are answered with the controller's own certificate or not at all; and whoever may make "
		 "Secrets there decides what they are answered with.",
	  .fix = "Make the Secret, or name the one that is meant.",
	  .references = "NSA-secrets",
	  .evaluate = no_certificate },
};

const struct hf_check_group hf_check_group_reference = { .name = "reference",
							 .checks = checks,
							 .checks_n = HF_ARRAY_SIZE(checks) };
