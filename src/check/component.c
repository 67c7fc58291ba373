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

/* v1beta4 has a list of names and values, of which the last one counts; those before have a map. */
static const struct hf_value *extra_argument(const struct hf_value *arguments, hf_sv flag)
{
	const struct hf_value *found = hf_value_get(arguments, flag);

	hf_value_elements(arguments, e) if (hf_sv_eq(hf_value_get_text(e, HF_SV("name")), flag)) found =
		hf_value_get(e, HF_SV("value"));
	return found;
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

static const struct hf_value *word_of(const struct hf_value *words, hf_sv flag, const struct hf_value *found)
{
	hf_value_elements(words, e)
	{
		hf_sv word = hf_value_text(e);
		if (hf_sv_starts(word, flag) && (word.len == flag.len || word.ptr[flag.len] == '='))
			found = e;
	}
	return found;
}

hf_sv hf_check_component_flag(const struct hf_check_run *r, const struct hf_check_component *c, const char *flag,
			      const struct hf_value **ret_at)
{
	const struct hf_value *at = NULL;
	hf_sv value = { 0 };

	if (!c->container) {
		at = extra_argument(c->arguments, hf_sv_of(flag));
		value = at ? hf_value_text(at) : kubeadm_default(c->program, hf_sv_of(flag));
	} else {
		hf_sv dashed = hf_arena_fmt(r->arena, "--%s", flag);
		value = hf_check_flag(c->container, dashed.len ? dashed.ptr : flag);
		if (value.ptr) {
			at = word_of(hf_value_get(c->container->value, HF_SV("command")), dashed, NULL);
			at = word_of(hf_value_get(c->container->value, HF_SV("args")), dashed, at);
		} else if (c->program == HF_CHECK_ETCD) {
			at = etcd_variable(c->container, flag);
			value = hf_value_text(at);
		}
	}
	if (ret_at)
		*ret_at = at;
	return value;
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
