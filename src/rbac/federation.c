#include "rbac/federation.h"

static const struct {
	const char *group, *kind, *program, *secret, *server, *namespace, *account;
} kinds[] = {
#define HF_RBAC_FEDERATION(group, kind, program, secret, server, namespace, account) \
	{ group, kind, program, secret, server, namespace, account },
#include "rbac/federation.def"
#undef HF_RBAC_FEDERATION
};

struct finding_credentials {
	const struct hf_kube_objects *all;
	hf_sv cluster;
	struct hf_arena *arena;
	struct hf_map
		addresses; /* "host:port" -> the name of a cluster (struct hf_rbac_credential is none of its business) */
	struct hf_map seen;     /* secrets, by namespace/name */
	HF_VEC(hf_sv) clusters; /* the others */
	HF_VEC(struct hf_rbac_credential) list;
};

static hf_sv label(const struct hf_kube_object *o, const char *key)
{
	return hf_value_get_text(hf_value_get(o->metadata, HF_SV("labels")), hf_sv_of(key));
}

/* "https://host:6443/path" -> "host:6443". */
static hf_sv host_of(struct hf_arena *a, hf_sv server)
{
	size_t scheme = hf_sv_find(server, HF_SV("://"));
	hf_sv host = scheme == SIZE_MAX ? server : hf_sv_skip(server, scheme + 3), path;

	hf_sv_cut(host, '/', &host, &path);
	host = hf_sv_trim(host);
	bool has_port = hf_sv_last_index(host, ':') != SIZE_MAX && !hf_sv_ends(host, HF_SV("]"));
	return has_port || !host.len ? host : hf_arena_concat(a, host, HF_SV(":443"));
}

static void add_address(struct finding_credentials *f, hf_sv server, const hf_sv *cluster)
{
	hf_sv host = host_of(f->arena, server);
	struct hf_map_entry *e = host.len ? hf_map_put(&f->addresses, host) : NULL;

	if (e && !e->value)
		e->value = (void *)(uintptr_t)cluster;
}

/* The words behind "key:" in lines of a text. */
static hf_sv line_value(hf_sv text, const char *key)
{
	size_t at = hf_sv_find(text, hf_sv_of(key));
	hf_sv value = at == SIZE_MAX ? HF_SV("") : hf_sv_skip(text, at + strlen(key)), rest;

	hf_sv_cut(value, '\n', &value, &rest);
	value = hf_sv_trim(value);
	if (value.len > 1 && (value.ptr[0] == '"' || value.ptr[0] == '\''))
		value = hf_sv_slice(value, 1, value.len - 2);
	return value;
}

/* Where another cluster says itself that its API server is. */
static void addresses_of(struct finding_credentials *f, const hf_sv *cluster)
{
	const struct hf_kube_object *info =
		hf_kube_find(f->all, *cluster, HF_KUBE_CONFIG_MAP, HF_SV("kube-public"), HF_SV("cluster-info"));
	const struct hf_kube_object *kubeadm =
		hf_kube_find(f->all, *cluster, HF_KUBE_CONFIG_MAP, HF_SV("kube-system"), HF_SV("kubeadm-config"));
	const struct hf_kube_object *own =
		hf_kube_find(f->all, *cluster, HF_KUBE_ENDPOINTS, HF_SV("default"), HF_SV("kubernetes"));

	if (info)
		add_address(f, line_value(hf_value_text(hf_value_at(info->root, "data.kubeconfig")), "server:"),
			    cluster);
	if (kubeadm)
		add_address(f,
			    line_value(hf_value_text(hf_value_at(kubeadm->root, "data.ClusterConfiguration")),
				       "controlPlaneEndpoint:"),
			    cluster);
	hf_value_elements(own ? hf_value_get(own->root, HF_SV("subsets")) : NULL, s)
		hf_value_elements(hf_value_get(s, HF_SV("addresses")), ip)
			hf_value_elements(hf_value_get(s, HF_SV("ports")), port)
	{
		int64_t number = 443;
		hf_sv host = hf_value_get_text(ip, HF_SV("ip"));
		hf_value_int(hf_value_get(port, HF_SV("port")), &number);
		add_address(f, hf_arena_fmt(f->arena, "%.*s:%lld", HF_SV_FMT(host), (long long)number), cluster);
	}
}

static void find_clusters(struct finding_credentials *f)
{
	struct hf_map seen = HF_MAP(f->arena);

	for (size_t i = 0; i < f->all->n; i++) {
		hf_sv cluster = f->all->objects[i]->cluster;
		if (hf_sv_eq(cluster, f->cluster) || (i && hf_sv_eq(cluster, f->all->objects[i - 1]->cluster)) ||
		    hf_map_find(&seen, cluster) || !hf_map_put(&seen, cluster))
			continue;
		hf_sv *slot = hf_vec_push(f->arena, &f->clusters);
		if (slot)
			*slot = cluster;
	}
	for (size_t i = 0; i < f->clusters.n; i++)
		addresses_of(f, &f->clusters.at[i]);
}

/* By its address; else the longest name of a cluster that the object's name holds. */
static hf_sv cluster_of(const struct finding_credentials *f, hf_sv server, hf_sv named)
{
	struct hf_map_entry *e = server.len ? hf_map_find(&f->addresses, host_of(f->arena, server)) : NULL;
	hf_sv best = { 0 };

	if (e)
		return *(const hf_sv *)e->value;
	for (size_t i = 0; i < f->clusters.n; i++) {
		hf_sv cluster = f->clusters.at[i];
		if (cluster.len > best.len && hf_sv_find(named, cluster) != SIZE_MAX)
			best = cluster;
	}
	return best;
}

static struct hf_rbac_credential *add(struct finding_credentials *f, const char *program, hf_sv namespace, hf_sv name)
{
	hf_sv key = hf_arena_fmt(f->arena, "%.*s/%.*s", HF_SV_FMT(namespace), HF_SV_FMT(name));
	struct hf_map_entry *e = hf_map_put(&f->seen, key);
	struct hf_rbac_credential *c = e && !e->value ? hf_vec_push(f->arena, &f->list) : NULL;

	if (!c)
		return NULL;
	e->value = f;
	*c = (struct hf_rbac_credential){
		.secret = hf_kube_find(f->all, f->cluster, HF_KUBE_SECRET, namespace, name),
		.namespace = namespace,
		.name = name,
		.program = program,
	};
	return c;
}

/* '*' is the object's name. */
static hf_sv filled_in(struct hf_arena *a, const char *pattern, hf_sv name)
{
	hf_sv before, after;

	if (!hf_sv_cut(hf_sv_of(pattern), '*', &before, &after))
		return hf_sv_of(pattern);
	return hf_arena_fmt(a, "%.*s%.*s%.*s", HF_SV_FMT(before), HF_SV_FMT(name), HF_SV_FMT(after));
}

static void look_at_kinds(struct finding_credentials *f, const struct hf_kube_object *o)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(kinds); i++) {
		if (!hf_sv_eq(o->kind_name, hf_sv_of(kinds[i].kind)) ||
		    !hf_sv_eq(hf_kube_group_of(o->api_version), hf_sv_of(kinds[i].group)))
			continue;
		const struct hf_value *ref = hf_value_at(o->root, kinds[i].secret);
		hf_sv name = hf_value_is(ref, HF_VALUE_STRING) ? hf_value_text(ref)
							       : hf_value_get_text(ref, HF_SV("name")),
		      namespace = hf_value_is(ref, HF_VALUE_STRING) ? HF_SV("")
								    : hf_value_get_text(ref, HF_SV("namespace"));
		namespace = namespace.len ? namespace : hf_value_get_text(o->metadata, HF_SV("namespace"));
		struct hf_rbac_credential *c = name.len ? add(f, kinds[i].program, namespace, name) : NULL;
		if (!c)
			continue;
		c->by = o;
		c->server = kinds[i].server[0] ? hf_value_text(hf_value_at(o->root, kinds[i].server)) : HF_SV("");
		c->as = kinds[i].account[0] ? HF_RBAC_AS_ACCOUNT : HF_RBAC_AS_UNKNOWN;
		c->as_namespace = hf_sv_of(kinds[i].namespace);
		c->as_account = filled_in(f->arena, kinds[i].account, o->name);
		/* A managed account stands in the namespace of its cluster. */
		c->cluster = cluster_of(f, c->server,
					hf_arena_fmt(f->arena, "%.*s %.*s", HF_SV_FMT(o->name), HF_SV_FMT(namespace)));
	}
}

static bool has_key(const struct hf_kube_object *o, const char *key)
{
	return hf_value_get(hf_value_get(o->root, HF_SV("data")), hf_sv_of(key)) ||
	       hf_value_get(hf_value_get(o->root, HF_SV("stringData")), hf_sv_of(key));
}

static hf_sv server_of_machine_cluster(struct finding_credentials *f, const struct hf_kube_object *secret, hf_sv name)
{
	for (size_t i = 0; i < f->all->n; i++) {
		const struct hf_kube_object *o = f->all->objects[i];
		int64_t port = 6443;
		hf_sv host = hf_value_text(hf_value_at(o->root, "spec.controlPlaneEndpoint.host"));
		if (!host.len || !hf_sv_eq(o->cluster, f->cluster) || !hf_sv_eq(o->name, name) ||
		    !hf_sv_eq(hf_value_get_text(o->metadata, HF_SV("namespace")), secret->namespace) ||
		    !hf_sv_eq(hf_kube_group_of(o->api_version), HF_SV("cluster.x-k8s.io")))
			continue;
		hf_value_int(hf_value_at(o->root, "spec.controlPlaneEndpoint.port"), &port);
		return hf_arena_fmt(f->arena, "%.*s:%lld", HF_SV_FMT(host), (long long)port);
	}
	return HF_SV("");
}

/* Whom the secret acts as, by what the program that made it writes on it. */
static const char *program_of(const struct hf_kube_object *o, enum hf_rbac_as *as, const char **namespace,
			      const char **account)
{
	*as = HF_RBAC_AS_UNKNOWN;
	if (hf_sv_eq(label(o, "argocd.argoproj.io/secret-type"), HF_SV("cluster"))) {
		*as = HF_RBAC_AS_ACCOUNT;
		*namespace = "kube-system";
		*account = "argocd-manager";
		return "Argo CD";
	}
	if (hf_sv_eq(hf_value_get_text(o->root, HF_SV("type")), HF_SV("cluster.x-k8s.io/secret")) &&
	    hf_sv_ends(o->name, HF_SV("-kubeconfig"))) {
		*as = HF_RBAC_AS_MASTERS;
		return "Cluster API";
	}
	if (hf_sv_eq(label(o, "istio/multiCluster"), HF_SV("true"))) {
		*as = HF_RBAC_AS_ACCOUNT;
		*namespace = "istio-system";
		*account = "istio-reader-service-account";
		return "Istio";
	}
	if (hf_sv_starts(o->name, HF_SV("submariner-broker")))
		return "Submariner";
	if (hf_sv_eq(o->name, HF_SV("hub-kubeconfig-secret")) ||
	    label(o, "authentication.open-cluster-management.io/is-managed-serviceaccount").len)
		return "Open Cluster Management";
	if (label(o, "liqo.io/remote-cluster-id").len || label(o, "discovery.liqo.io/cluster-id").len)
		return "Liqo";
	if (has_key(o, "kubeconfig") || has_key(o, "kubeconfig.yaml") || has_key(o, "admin.conf"))
		return "a kubeconfig";
	return NULL;
}

static void look_at_secret(struct finding_credentials *f, const struct hf_kube_object *o)
{
	const char *namespace = "", *account = "";
	enum hf_rbac_as as;
	const char *program = program_of(o, &as, &namespace, &account);
	hf_sv named = label(o, "cluster.x-k8s.io/cluster-name");
	struct hf_rbac_credential *c = program ? add(f, program, o->namespace, o->name) : NULL;

	if (!c)
		return;
	c->as = as;
	c->as_namespace = hf_sv_of(namespace);
	c->as_account = hf_sv_of(account);
	if (as == HF_RBAC_AS_MASTERS)
		c->server = server_of_machine_cluster(
			f, o, named.len ? named : hf_sv_first(o->name, o->name.len - strlen("-kubeconfig")));
	c->cluster = cluster_of(f, c->server, named.len ? named : o->name);
}

const struct hf_rbac_credential *hf_rbac_credentials(const struct hf_kube_objects *all, hf_sv cluster,
						     struct hf_arena *a, size_t *ret_n)
{
	struct finding_credentials f = {
		.all = all, .cluster = cluster, .arena = a, .addresses = HF_MAP(a), .seen = HF_MAP(a)
	};

	find_clusters(&f);
	for (size_t i = 0; i < all->n && !a->over; i++)
		if (all->objects[i]->kind == HF_KUBE_OTHER && !all->objects[i]->replaced &&
		    hf_sv_eq(all->objects[i]->cluster, cluster))
			look_at_kinds(&f, all->objects[i]);
	for (size_t i = 0; i < all->of_kind_n[HF_KUBE_SECRET] && !a->over; i++)
		if (hf_sv_eq(all->of_kind[HF_KUBE_SECRET][i]->cluster, cluster))
			look_at_secret(&f, all->of_kind[HF_KUBE_SECRET][i]);
	*ret_n = f.list.n;
	return f.list.at;
}

static const struct hf_rbac_powers *powers_of(const struct hf_kube_objects *all, hf_sv cluster, struct hf_map *powers,
					      struct hf_arena *a)
{
	struct hf_map_entry *e = hf_map_put(powers, cluster);

	if (!e || e->value)
		return e ? e->value : NULL;
	const struct hf_kube_objects *there = hf_kube_of_cluster(all, cluster, a);
	const struct hf_rbac_model *m = there ? hf_rbac_build(there, cluster, HF_RBAC_DEFAULTS_AUTO, a) : NULL;
	const struct hf_rbac_powers *p = m ? hf_rbac_powers(m, a) : NULL;
	e = hf_map_find(powers, cluster);
	if (e)
		e->value = (void *)(uintptr_t)p;
	return p;
}

static const struct hf_rbac_worth *worth(struct hf_arena *a, bool known, bool everything, hf_sv text,
					 const hf_sv *steps, size_t n)
{
	struct hf_rbac_worth *w = hf_arena_new(a, struct hf_rbac_worth);
	hf_sv *one = hf_arena_new(a, hf_sv);

	if (!w || !one)
		return NULL;
	*one = text;
	*w = (struct hf_rbac_worth){ known, everything, n ? steps : one, n ? n : 1, text };
	return w;
}

/* Its steps to cluster-admin there, each with the place of what allows it. */
static const struct hf_rbac_worth *way_there(const struct hf_rbac_powers *p, const struct hf_rbac_subject *s,
					     hf_sv text, struct hf_arena *a)
{
	size_t n;
	const struct hf_rbac_step *way = hf_rbac_steps(p, s, a, &n);
	hf_sv *steps = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; steps && i < n; i++) {
		const struct hf_rbac_power *power = way[i].way->power;
		hf_sv binding = power ? hf_rbac_binding_text(power->binding, a) : HF_SV("");
		steps[i] = power ? hf_arena_fmt(a, "%.*s, by %.*s (%.*s:%u)", HF_SV_FMT(way[i].text),
						HF_SV_FMT(binding), HF_SV_FMT(power->binding->object->source->name),
						hf_kube_line(power->binding->object, NULL))
				 : way[i].text;
	}
	return worth(a, true, true, text, steps, steps ? n : 0);
}

const struct hf_rbac_worth *hf_rbac_worth_of(const struct hf_kube_objects *all, const struct hf_rbac_credential *c,
					     struct hf_map *powers, struct hf_arena *a)
{
	if (c->as == HF_RBAC_AS_MASTERS)
		return worth(a, c->cluster.len > 0, true, HF_SV("as a member of system:masters: everything"), NULL, 0);
	if (c->as == HF_RBAC_AS_UNKNOWN || !c->cluster.len)
		return worth(
			a, false, false,
			c->as == HF_RBAC_AS_UNKNOWN
				? HF_SV("as whom is not in the input")
				: HF_SV("what it may do there is not assessable: that cluster is not in the input"),
			NULL, 0);
	const struct hf_rbac_powers *p = powers_of(all, c->cluster, powers, a);
	hf_sv user = hf_arena_fmt(a, "system:serviceaccount:%.*s:%.*s", HF_SV_FMT(c->as_namespace),
				  HF_SV_FMT(c->as_account));
	const struct hf_rbac_subject *s = p ? hf_rbac_find_subject(p->model, false, user) : NULL;

	if (!s)
		return worth(a, false, false,
			     hf_arena_fmt(a, "as sa %.*s/%.*s, which is not in the input of that cluster",
					  HF_SV_FMT(c->as_namespace), HF_SV_FMT(c->as_account)),
			     NULL, 0);
	bool all_of_it = hf_rbac_has(p, s, HF_RBAC_EVERYTHING, HF_SV("")) != NULL, can = p->ways[s->number].steps > 0;
	const char *what = all_of_it                ? "everything"
			   : can                    ? "can become cluster-admin"
			   : p->powers_n[s->number] ? hf_rbac_risks[p->powers[s->number][0].risk].title
						    : "nothing that is known to be of risk";
	hf_sv text = hf_arena_fmt(a, "as sa %.*s/%.*s: %s", HF_SV_FMT(c->as_namespace), HF_SV_FMT(c->as_account), what);
	return all_of_it || can ? way_there(p, s, text, a) : worth(a, true, false, text, NULL, 0);
}

/* The first of the subject's own bindings that allows the request. */
static bool allows(const struct hf_rbac_subject *s, const struct hf_rbac_request *r, struct hf_rbac_grant *ret)
{
	for (size_t i = 0; i < s->bindings_n; i++) {
		const struct hf_rbac_binding *b = s->bindings[i];
		if (!b->role || b->builtin || (b->namespace.len && !hf_sv_eq(b->namespace, r->namespace)))
			continue;
		for (size_t n = 0; n < b->role->rules_n; n++)
			if (hf_rbac_rule_allows(b->role->rules[n], r)) {
				*ret = (struct hf_rbac_grant){ s, b, b->role->rules[n] };
				return true;
			}
	}
	return false;
}

struct hf_rbac_grant hf_rbac_takes(const struct hf_rbac_powers *p, const struct hf_rbac_subject *s,
				   const struct hf_rbac_credential *c, const struct hf_rbac_power **ret_power)
{
	static const char *const verbs[] = { "get", "list", "watch" };
	static const enum hf_rbac_risk pods[] = { HF_RBAC_CREATE_PODS, HF_RBAC_CREATE_WORKLOADS,
						  HF_RBAC_CONTROLLER_REVISIONS };
	struct hf_rbac_grant g = { 0 };

	*ret_power = NULL;
	for (size_t v = 0; v < HF_ARRAY_SIZE(verbs); v++) {
		struct hf_rbac_request r = { .verb = hf_sv_of(verbs[v]),
					     .group = HF_SV(""),
					     .resource = HF_SV("secrets"),
					     .subresource = HF_SV(""),
					     .name = c->name, /* a list may ask for one name */
					     .namespace = c->namespace,
					     .url = HF_SV("") };
		if (allows(s, &r, &g))
			return g;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(pods) && !*ret_power; i++) {
		*ret_power = hf_rbac_has(p, s, pods[i], c->namespace);
		if (*ret_power && (*ret_power)->binding->builtin)
			*ret_power = NULL;
	}
	if (*ret_power)
		g = (struct hf_rbac_grant){ s, (*ret_power)->binding, (*ret_power)->rule };
	return g;
}

bool hf_rbac_is_system(const struct hf_rbac_subject *s)
{
	if (s->kind == HF_RBAC_ACCOUNT)
		return hf_sv_eq(s->namespace, HF_SV("kube-system"));
	return hf_sv_starts(s->name, HF_SV("system:kube-")) || hf_sv_eq(s->name, HF_SV("system:masters")) ||
	       hf_sv_eq(s->name, HF_SV("system:nodes"));
}
