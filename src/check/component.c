#include "check/component.h"

#include <stdio.h>

const char *const hf_check_program_names[HF_CHECK_PROGRAMS] = { "kube-apiserver", "kube-controller-manager",
								"kube-scheduler", "etcd" };

struct components {
	HF_VEC(struct hf_check_component) of[HF_CHECK_PROGRAMS];
};

static void add(struct components *c, struct hf_arena *a, struct hf_check_component component)
{
	struct hf_check_component *slot = hf_vec_push(a, &c->of[component.program]);

	if (slot)
		*slot = component;
}

static bool program_of(const struct hf_kube_container *c, enum hf_check_program *ret)
{
	const struct hf_value *command = hf_value_get(c->value, HF_SV("command"));
	const struct hf_value *args = hf_value_get(c->value, HF_SV("args"));
	const struct hf_value *words = hf_value_count(command, HF_VALUE_ARRAY) ? command : args;
	hf_sv first = hf_value_count(words, HF_VALUE_ARRAY) ? hf_sv_basename(hf_value_text(&words->elements[0]))
							    : (hf_sv){ 0 };

	for (unsigned p = 0; p < HF_CHECK_PROGRAMS; p++)
		if (hf_sv_eq(first, hf_sv_of(hf_check_program_names[p]))) {
			*ret = p;
			return true;
		}
	return false;
}

static void add_pods(struct components *c, const struct hf_check_run *r)
{
	for (size_t i = 0; i < r->pods_n; i++) {
		for (size_t k = 0; k < r->pods[i].containers_n; k++) {
			const struct hf_kube_container *container = &r->pods[i].containers[k];
			enum hf_check_program program;
			if (container->role != HF_CONTAINER_REGULAR)
				continue;
			if (program_of(container, &program))
				add(c, r->arena,
				    (struct hf_check_component){
					    .program = program, .object = r->pods[i].object, .container = container });
		}
	}
}

static void add_configurations(struct components *c, const struct hf_check_run *r)
{
	static const char *const places[HF_CHECK_PROGRAMS] = { "apiServer", "controllerManager", "scheduler",
							       "etcd.local" };

	for (unsigned p = 0; p < HF_CHECK_PROGRAMS; p++)
		for (size_t i = 0; !c->of[p].n && i < r->set->of_kind_n[HF_KUBE_CLUSTER_CONFIGURATION]; i++) {
			const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_CLUSTER_CONFIGURATION][i];
			if (p == HF_CHECK_ETCD && hf_value_at(o->root, "etcd.external"))
				continue;
			add(c, r->arena,
			    (struct hf_check_component){
				    .program = p,
				    .object = o,
				    .arguments = hf_value_get(hf_value_at(o->root, places[p]), HF_SV("extraArgs")) });
		}
}

const struct hf_check_component *hf_check_components(struct hf_check_run *r, enum hf_check_program program,
						     size_t *ret_n)
{
	struct components *c = r->shared[HF_CHECK_SHARED_COMPONENTS];

	if (!c) {
		r->shared[HF_CHECK_SHARED_COMPONENTS] = c = hf_arena_new(r->arena, struct components);
		*ret_n = 0;
		if (!c)
			return NULL;
		add_pods(c, r);
		add_configurations(c, r);
	}
	*ret_n = c->of[program].n;
	return c->of[program].at;
}

/* What kubeadm writes into the manifests of its static pods unasked, as far as a check asks for it. */
static hf_sv kubeadm_default(enum hf_check_program program, hf_sv flag)
{
	static const struct {
		enum hf_check_program program;
		const char *flag, *value;
	} table[] = {
		{ HF_CHECK_API_SERVER, "authorization-mode", "Node,RBAC" },
		{ HF_CHECK_API_SERVER, "client-ca-file", "/etc/kubernetes/pki/ca.crt" },
		{ HF_CHECK_API_SERVER, "enable-admission-plugins", "NodeRestriction" },
		{ HF_CHECK_API_SERVER, "etcd-cafile", "/etc/kubernetes/pki/etcd/ca.crt" },
		{ HF_CHECK_API_SERVER, "etcd-certfile", "/etc/kubernetes/pki/apiserver-etcd-client.crt" },
		{ HF_CHECK_API_SERVER, "etcd-keyfile", "/etc/kubernetes/pki/apiserver-etcd-client.key" },
		{ HF_CHECK_API_SERVER, "etcd-servers", "https://127.0.0.1:2379" },
		{ HF_CHECK_API_SERVER, "kubelet-client-certificate",
		  "/etc/kubernetes/pki/apiserver-kubelet-client.crt" },
		{ HF_CHECK_API_SERVER, "kubelet-client-key", "/etc/kubernetes/pki/apiserver-kubelet-client.key" },
		{ HF_CHECK_API_SERVER, "secure-port", "6443" },
		{ HF_CHECK_API_SERVER, "service-account-key-file", "/etc/kubernetes/pki/sa.pub" },
		{ HF_CHECK_API_SERVER, "tls-cert-file", "/etc/kubernetes/pki/apiserver.crt" },
		{ HF_CHECK_API_SERVER, "tls-private-key-file", "/etc/kubernetes/pki/apiserver.key" },
		{ HF_CHECK_CONTROLLER_MANAGER, "bind-address", "127.0.0.1" },
		{ HF_CHECK_CONTROLLER_MANAGER, "root-ca-file", "/etc/kubernetes/pki/ca.crt" },
		{ HF_CHECK_CONTROLLER_MANAGER, "service-account-private-key-file", "/etc/kubernetes/pki/sa.key" },
		{ HF_CHECK_CONTROLLER_MANAGER, "use-service-account-credentials", "true" },
		{ HF_CHECK_SCHEDULER, "bind-address", "127.0.0.1" },
		{ HF_CHECK_ETCD, "cert-file", "/etc/kubernetes/pki/etcd/server.crt" },
		{ HF_CHECK_ETCD, "client-cert-auth", "true" },
		{ HF_CHECK_ETCD, "key-file", "/etc/kubernetes/pki/etcd/server.key" },
		{ HF_CHECK_ETCD, "listen-client-urls", "https://127.0.0.1:2379" },
		{ HF_CHECK_ETCD, "peer-cert-file", "/etc/kubernetes/pki/etcd/peer.crt" },
		{ HF_CHECK_ETCD, "peer-client-cert-auth", "true" },
		{ HF_CHECK_ETCD, "peer-key-file", "/etc/kubernetes/pki/etcd/peer.key" },
		{ HF_CHECK_ETCD, "peer-trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt" },
		{ HF_CHECK_ETCD, "trusted-ca-file", "/etc/kubernetes/pki/etcd/ca.crt" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(table); i++)
		if (table[i].program == program && hf_sv_eq(flag, hf_sv_of(table[i].flag)))
			return hf_sv_of(table[i].value);
	return (hf_sv){ 0 };
}

/* Flags that are lists: those that are given several times add up. etcd has none such. */
static bool adds_up(const struct hf_check_component *c, hf_sv flag)
{
	static const char *const lists[] = {
		"authorization-mode", "disable-admission-plugins", "enable-admission-plugins", "etcd-servers",
		"feature-gates",      "tls-cipher-suites"
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(lists) && c->program != HF_CHECK_ETCD; i++)
		if (hf_sv_eq(flag, hf_sv_of(lists[i])))
			return true;
	return false;
}

struct flag {
	const struct hf_check_component *of;
	hf_sv name;
	hf_sv value; /* empty pointer: not set */
	const struct hf_value *at;
	struct hf_arena *arena;
};

static void set(struct flag *f, const struct hf_value *at, hf_sv value)
{
	f->value = f->value.len && adds_up(f->of, f->name)
			   ? hf_arena_fmt(f->arena, "%.*s,%.*s", HF_SV_FMT(f->value), HF_SV_FMT(value))
		   : value.ptr ? value
			       : HF_SV("");
	f->at = at;
}

/* v1beta4 has a list of names and values, those before have a map. */
static void extra_argument(struct flag *f, const struct hf_value *arguments)
{
	const struct hf_value *v = hf_value_get(arguments, f->name);

	if (v)
		set(f, v, hf_value_text(v));
	hf_value_elements(arguments, e)
	{
		v = hf_value_get(e, HF_SV("value"));
		if (v && hf_sv_eq(hf_value_get_text(e, HF_SV("name")), f->name))
			set(f, v, hf_value_text(v));
	}
}

/* etcd takes each of its flags from the environment as well: ETCD_CERT_FILE. The command line comes first. */
static const struct hf_value *etcd_variable(const struct hf_kube_container *c, const char *flag)
{
	char name[64];
	int n = snprintf(name, sizeof name, "ETCD_%s", flag);

	for (int i = 5; i < n && i < (int)sizeof name - 1; i++)
		name[i] = (char)(name[i] == '-' ? '_' : name[i] >= 'a' && name[i] <= 'z' ? name[i] - 32 : name[i]);
	hf_value_elements(hf_value_get(c->value, HF_SV("env")), e)
	{
		if (hf_sv_eq(hf_value_get_text(e, HF_SV("name")), hf_sv_of(name)))
			return hf_value_get(e, HF_SV("value"));
	}
	return NULL;
}

/* What stands behind the flag's name in a word: nothing, or '=' and the value. Programs of Kubernetes take '_' for '-' in names, and etcd
 * takes one dash for two. */
static bool names(const struct flag *f, hf_sv word, hf_sv *ret_rest)
{
	bool etcd = f->of->program == HF_CHECK_ETCD;
	size_t dashes = hf_sv_starts(word, HF_SV("--")) ? 2 : etcd && hf_sv_starts(word, HF_SV("-")) ? 1 : 0;
	hf_sv name = hf_sv_skip(word, dashes);

	if (!dashes || name.len < f->name.len)
		return false;
	for (size_t i = 0; i < f->name.len; i++)
		if (name.ptr[i] != f->name.ptr[i] && (etcd || name.ptr[i] != '_' || f->name.ptr[i] != '-'))
			return false;
	*ret_rest = hf_sv_skip(name, f->name.len);
	return !ret_rest->len || ret_rest->ptr[0] == '=';
}

static void read_words(struct flag *f, const struct hf_value *words)
{
	for (size_t i = 0; i < hf_value_count(words, HF_VALUE_ARRAY); i++) {
		hf_sv rest;
		if (!names(f, hf_value_text(&words->elements[i]), &rest))
			continue;
		hf_sv next = i + 1 < words->n ? hf_value_text(&words->elements[i + 1]) : (hf_sv){ 0 };
		bool alone = !next.len || next.ptr[0] == '-';
		set(f, &words->elements[i], rest.len ? hf_sv_skip(rest, 1) : alone ? HF_SV("true") : next);
	}
}

hf_sv hf_check_component_flag(const struct hf_check_run *r, const struct hf_check_component *c, const char *flag,
			      const struct hf_value **ret_at)
{
	struct flag f = { .of = c, .name = hf_sv_of(flag), .arena = r->arena };

	if (!c->container) {
		extra_argument(&f, c->arguments);
		if (!f.at)
			f.value = kubeadm_default(c->program, f.name);
	} else {
		read_words(&f, hf_value_get(c->container->value, HF_SV("command")));
		read_words(&f, hf_value_get(c->container->value, HF_SV("args")));
		if (!f.at && c->program == HF_CHECK_ETCD) {
			f.at = etcd_variable(c->container, flag);
			f.value = hf_value_text(f.at);
		}
	}
	if (ret_at)
		*ret_at = f.at;
	return f.value;
}

static bool unit_of(hf_sv *rest, uint64_t *ret_milliseconds)
{
	static const struct {
		const char *unit;
		uint64_t milliseconds;
	} units[] = { { "ms", 1 }, { "us", 0 }, { "ns", 0 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 } };

	for (size_t i = 0; i < HF_ARRAY_SIZE(units); i++)
		if (hf_sv_starts(*rest, hf_sv_of(units[i].unit))) {
			*rest = hf_sv_skip(*rest, strlen(units[i].unit));
			*ret_milliseconds = units[i].milliseconds;
			return true;
		}
	return false;
}

bool hf_check_duration(hf_sv s, int64_t *ret_seconds)
{
	uint64_t total = 0, n, unit;

	*ret_seconds = 0;
	if (hf_sv_eq(s, HF_SV("0")))
		return true;
	if (!s.len)
		return false;
	while (s.len) {
		size_t digits = 0;
		while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
			digits++;
		if (!hf_sv_to_u64(hf_sv_first(s, digits), &n) || n > 1000000000)
			return false;
		s = hf_sv_skip(s, digits);
		/* Fractions matter to nobody who asks here. */
		if (s.len && s.ptr[0] == '.')
			for (s = hf_sv_skip(s, 1); s.len && s.ptr[0] >= '0' && s.ptr[0] <= '9';)
				s = hf_sv_skip(s, 1);
		if (!unit_of(&s, &unit))
			return false;
		total += n * unit;
	}
	*ret_seconds = (int64_t)(total / 1000);
	return true;
}

bool hf_check_list_has(hf_sv list, hf_sv word)
{
	hf_sv rest = list.ptr ? list : HF_SV(""), item;

	while (hf_sv_next(&rest, ',', &item))
		if (hf_sv_eq(hf_sv_trim(item), word))
			return true;
	return false;
}

hf_sv hf_check_weak_cipher(hf_sv suites)
{
	static const char *const strong[] = { "TLS_AES_128_GCM_SHA256",
					      "TLS_AES_256_GCM_SHA384",
					      "TLS_CHACHA20_POLY1305_SHA256",
					      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
					      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
					      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
					      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
					      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
					      "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
					      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
					      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" };
	hf_sv rest = suites.ptr ? suites : HF_SV(""), suite;

	while (hf_sv_next(&rest, ',', &suite)) {
		size_t i = 0;
		suite = hf_sv_trim(suite);
		while (i < HF_ARRAY_SIZE(strong) && !hf_sv_eq(suite, hf_sv_of(strong[i])))
			i++;
		if (i == HF_ARRAY_SIZE(strong))
			return suite;
	}
	return (hf_sv){ 0 };
}
