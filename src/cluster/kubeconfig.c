#include "cluster/kubeconfig.h"

#include "base/base64.h"
#include "base/limits.h"
#include "base/map.h"
#include "format/yaml.h"

struct reader {
	struct hf_arena *arena;
	hf_sv folder;
	struct hf_err *err;
	int code; /* of the first failure */
};

static void refuse(struct reader *r, const struct hf_yaml_node *at, const char *why)
{
	if (r->code == HF_OK)
		r->code = hf_fail(r->err, HF_E_FORMAT, "line %u, column %u: %s", at->line, at->column, why);
}

static hf_sv keep(struct reader *r, hf_sv s)
{
	return s.len ? hf_arena_dup(r->arena, s) : s;
}

static hf_sv string_of(struct reader *r, const struct hf_yaml_node *map, const char *key)
{
	const struct hf_yaml_node *n = hf_yaml_get(map, hf_sv_of(key));
	hf_sv s = { 0 };

	if (!n || hf_yaml_null(n))
		return s;
	if (!hf_yaml_string(n, &s))
		refuse(r, n, "a string is wanted here");
	return keep(r, s);
}

static hf_sv path_of(struct reader *r, const struct hf_yaml_node *map, const char *key)
{
	hf_sv s = string_of(r, map, key);

	if (!s.len || s.ptr[0] == '/' || !r->folder.ptr)
		return s;
	return hf_arena_fmt(r->arena, "%.*s/%.*s", HF_SV_FMT(r->folder), HF_SV_FMT(s));
}

/* kubectl reads YAML 1.1, which has more words for it. */
static bool bool_of(struct reader *r, const struct hf_yaml_node *map, const char *key)
{
	static const hf_sv yes[] = { HF_SV_INIT("yes"), HF_SV_INIT("on"), HF_SV_INIT("y") };
	static const hf_sv no[] = { HF_SV_INIT("no"), HF_SV_INIT("off"), HF_SV_INIT("n") };
	const struct hf_yaml_node *n = hf_yaml_get(map, hf_sv_of(key));
	bool b = false;

	if (!n || hf_yaml_null(n) || hf_yaml_bool(n, &b))
		return b;
	for (size_t i = 0; n->type == HF_YAML_SCALAR && n->plain && i < HF_ARRAY_SIZE(yes); i++) {
		if (hf_sv_eq_ascii(n->text, yes[i]))
			return true;
		if (hf_sv_eq_ascii(n->text, no[i]))
			return false;
	}
	refuse(r, n, "true or false is wanted here");
	return false;
}

/* Line breaks are let pass in Base64, as Go does. */
static hf_sv data_of(struct reader *r, const struct hf_yaml_node *map, const char *key)
{
	const struct hf_yaml_node *n = hf_yaml_get(map, hf_sv_of(key));
	hf_sv s = string_of(r, map, key);

	if (!s.len)
		return s;
	char *plain = hf_arena_alloc(r->arena, s.len, 1);
	size_t len = 0;
	for (size_t i = 0; plain && i < s.len; i++)
		if (s.ptr[i] != '\n' && s.ptr[i] != '\r')
			plain[len++] = s.ptr[i];
	hf_sv bytes = hf_base64_decode(r->arena, (hf_sv){ plain, len });
	if (!bytes.ptr && !r->arena->over)
		refuse(r, n, "this is no Base64");
	return bytes;
}

static const struct hf_yaml_node *child_of(struct reader *r, const struct hf_yaml_node *map, const char *key,
					   enum hf_yaml_type type)
{
	const struct hf_yaml_node *n = hf_yaml_get(map, hf_sv_of(key));

	if (!n || hf_yaml_null(n))
		return NULL;
	if (n->type == type)
		return n;
	refuse(r, n, type == HF_YAML_MAPPING ? "a mapping is wanted here" : "a list is wanted here");
	return NULL;
}

static const hf_sv *strings_of(struct reader *r, const struct hf_yaml_node *map, const char *key, size_t *ret_n)
{
	const struct hf_yaml_node *list = child_of(r, map, key, HF_YAML_SEQUENCE);
	hf_sv *strings = list ? hf_arena_array(r->arena, hf_sv, list->n) : NULL;

	*ret_n = 0;
	for (size_t i = 0; strings && i < list->n; i++) {
		hf_sv s = HF_SV("");
		if (!hf_yaml_null(list->elements[i]) && !hf_yaml_string(list->elements[i], &s))
			refuse(r, list->elements[i], "a string is wanted here");
		strings[(*ret_n)++] = keep(r, s);
	}
	return strings;
}

static void read_cluster(struct reader *r, hf_sv name, const struct hf_yaml_node *map,
			 struct hf_kubeconfig_cluster *ret)
{
	*ret = (struct hf_kubeconfig_cluster){
		.name = name,
		.server = string_of(r, map, "server"),
		.ca_file = path_of(r, map, "certificate-authority"),
		.ca_data = data_of(r, map, "certificate-authority-data"),
		.tls_server_name = string_of(r, map, "tls-server-name"),
		.proxy_url = string_of(r, map, "proxy-url"),
		.insecure = bool_of(r, map, "insecure-skip-tls-verify"),
	};
}

static void read_environment(struct reader *r, const struct hf_yaml_node *map, struct hf_kubeconfig_exec *ret)
{
	const struct hf_yaml_node *list = child_of(r, map, "env", HF_YAML_SEQUENCE);
	struct hf_kubeconfig_pair *pairs = list ? hf_arena_array(r->arena, struct hf_kubeconfig_pair, list->n) : NULL;

	for (size_t i = 0; pairs && i < list->n; i++)
		pairs[i] = (struct hf_kubeconfig_pair){ string_of(r, list->elements[i], "name"),
							string_of(r, list->elements[i], "value") };
	ret->environment = pairs;
	ret->environment_n = pairs ? list->n : 0;
}

static const struct hf_kubeconfig_exec *read_exec(struct reader *r, const struct hf_yaml_node *user)
{
	const struct hf_yaml_node *map = child_of(r, user, "exec", HF_YAML_MAPPING);
	struct hf_kubeconfig_exec *exec = map ? hf_arena_new(r->arena, struct hf_kubeconfig_exec) : NULL;

	if (!exec)
		return NULL;
	*exec = (struct hf_kubeconfig_exec){
		.api_version = string_of(r, map, "apiVersion"),
		.command = string_of(r, map, "command"),
		.install_hint = string_of(r, map, "installHint"),
		.interactive_mode = string_of(r, map, "interactiveMode"),
		.provide_cluster_info = bool_of(r, map, "provideClusterInfo"),
	};
	if (hf_sv_index(exec->command, '/') != SIZE_MAX)
		exec->command = path_of(r, map, "command");
	exec->arguments = strings_of(r, map, "args", &exec->arguments_n);
	read_environment(r, map, exec);
	return exec;
}

static void read_extra(struct reader *r, const struct hf_yaml_node *user, struct hf_kubeconfig_user *ret)
{
	const struct hf_yaml_node *map = child_of(r, user, "as-user-extra", HF_YAML_MAPPING);
	HF_VEC(struct hf_kubeconfig_pair) pairs = { 0 };

	for (size_t i = 0; map && i < map->n; i++) {
		size_t n = 0;
		hf_sv key = { 0 };
		if (!hf_yaml_string(map->pairs[i].key, &key))
			refuse(r, map->pairs[i].key, "a string is wanted here");
		const struct hf_yaml_node one = { .type = HF_YAML_MAPPING, .n = 1, .pairs = &map->pairs[i] };
		hf_sv name = keep(r, key);
		const hf_sv *values = name.ptr ? strings_of(r, &one, name.ptr, &n) : NULL;
		for (size_t k = 0; k < n; k++) {
			struct hf_kubeconfig_pair *p = hf_vec_push(r->arena, &pairs);
			if (p)
				*p = (struct hf_kubeconfig_pair){ name, values[k] };
		}
	}
	ret->as_extra = pairs.at;
	ret->as_extra_n = pairs.n;
}

static void read_user(struct reader *r, hf_sv name, const struct hf_yaml_node *map, struct hf_kubeconfig_user *ret)
{
	const struct hf_yaml_node *provider = child_of(r, map, "auth-provider", HF_YAML_MAPPING);

	*ret = (struct hf_kubeconfig_user){
		.name = name,
		.certificate_file = path_of(r, map, "client-certificate"),
		.certificate_data = data_of(r, map, "client-certificate-data"),
		.key_file = path_of(r, map, "client-key"),
		.key_data = data_of(r, map, "client-key-data"),
		.token = string_of(r, map, "token"),
		.token_file = path_of(r, map, "tokenFile"),
		.username = string_of(r, map, "username"),
		.password = string_of(r, map, "password"),
		.exec = read_exec(r, map),
		.as = string_of(r, map, "as"),
		.as_uid = string_of(r, map, "as-uid"),
	};
	if (provider) {
		hf_sv of = string_of(r, provider, "name");
		ret->auth_provider = of.len ? of : HF_SV("without a name");
	}
	ret->as_groups = strings_of(r, map, "as-groups", &ret->as_groups_n);
	read_extra(r, map, ret);
}

static void read_context(struct reader *r, hf_sv name, const struct hf_yaml_node *map,
			 struct hf_kubeconfig_context *ret)
{
	*ret = (struct hf_kubeconfig_context){
		.name = name,
		.cluster = string_of(r, map, "cluster"),
		.user = string_of(r, map, "user"),
		.namespace = string_of(r, map, "namespace"),
	};
}

/* The list under @key: each element has a name and, under @inner, what it names. NULL where there is none. */
static const struct hf_yaml_node *named(struct reader *r, const struct hf_yaml_node *root, const char *key)
{
	const struct hf_yaml_node *list = child_of(r, root, key, HF_YAML_SEQUENCE);
	struct hf_map names = HF_MAP(r->arena);

	for (size_t i = 0; list && i < list->n && r->code == HF_OK; i++) {
		const struct hf_yaml_node *e = list->elements[i];
		hf_sv name = HF_SV("");
		if (e->type != HF_YAML_MAPPING)
			refuse(r, e, "a mapping is wanted here");
		hf_yaml_string(hf_yaml_get(e, HF_SV("name")), &name);
		if (hf_map_find(&names, name))
			refuse(r, e, "this name was used before");
		hf_map_put(&names, name);
	}
	if (list && list->n > HF_KUBECONFIG_ENTRIES_MAX && r->code == HF_OK)
		r->code = hf_fail(r->err, HF_E_LIMIT, "more than %d %s", HF_KUBECONFIG_ENTRIES_MAX, key);
	return r->code == HF_OK ? list : NULL;
}

static void read_config(struct reader *r, const struct hf_yaml_node *root, struct hf_kubeconfig *ret)
{
	const struct hf_yaml_node *clusters = named(r, root, "clusters"), *users = named(r, root, "users"),
				  *contexts = named(r, root, "contexts");

	ret->current_context = string_of(r, root, "current-context");
	ret->clusters = hf_arena_array(r->arena, struct hf_kubeconfig_cluster, clusters ? clusters->n : 0);
	for (size_t i = 0; ret->clusters && clusters && i < clusters->n; i++) {
		const struct hf_yaml_node *e = clusters->elements[i];
		read_cluster(r, string_of(r, e, "name"), child_of(r, e, "cluster", HF_YAML_MAPPING),
			     &ret->clusters[ret->clusters_n++]);
	}
	ret->users = hf_arena_array(r->arena, struct hf_kubeconfig_user, users ? users->n : 0);
	for (size_t i = 0; ret->users && users && i < users->n; i++) {
		const struct hf_yaml_node *e = users->elements[i];
		read_user(r, string_of(r, e, "name"), child_of(r, e, "user", HF_YAML_MAPPING),
			  &ret->users[ret->users_n++]);
	}
	ret->contexts = hf_arena_array(r->arena, struct hf_kubeconfig_context, contexts ? contexts->n : 0);
	for (size_t i = 0; ret->contexts && contexts && i < contexts->n; i++) {
		const struct hf_yaml_node *e = contexts->elements[i];
		read_context(r, string_of(r, e, "name"), child_of(r, e, "context", HF_YAML_MAPPING),
			     &ret->contexts[ret->contexts_n++]);
	}
}

int hf_kubeconfig_parse(hf_sv text, hf_sv folder, struct hf_arena *a, struct hf_kubeconfig *ret, struct hf_err *err)
{
	struct reader r = { .arena = a, .folder = folder, .err = err };
	struct hf_kubeconfig config = { 0 };
	struct hf_yaml_document *documents;
	size_t n;

	if (text.len > HF_KUBECONFIG_SIZE_MAX)
		return hf_fail(err, HF_E_LIMIT, "more than %zu bytes", (size_t)HF_KUBECONFIG_SIZE_MAX);
	int code = hf_yaml_parse(text, a, &documents, &n, err);
	if (code < 0)
		return code;
	const struct hf_yaml_node *root = n ? documents[0].root : NULL;
	if (root && !hf_yaml_null(root)) {
		hf_sv kind = HF_SV("Config"), version = HF_SV("v1");
		if (root->type != HF_YAML_MAPPING)
			return hf_fail(err, HF_E_FORMAT, "this is no kubeconfig: no mapping");
		hf_yaml_string(hf_yaml_get(root, HF_SV("kind")), &kind);
		hf_yaml_string(hf_yaml_get(root, HF_SV("apiVersion")), &version);
		if (!hf_sv_eq(kind, HF_SV("Config")) || !hf_sv_eq(version, HF_SV("v1")))
			return hf_fail(err, HF_E_FORMAT, "this is no kubeconfig: kind %.*s, apiVersion %.*s",
				       HF_SV_FMT(hf_sv_first(kind, 60)), HF_SV_FMT(hf_sv_first(version, 60)));
		read_config(&r, root, &config);
	}
	if (r.code < 0)
		return r.code;
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "more than %zu bytes of memory", a->cap);
	*ret = config;
	return HF_OK;
}

/* Appends the elements of @from whose name @into does not have. Names are few: kubeconfigs are written by people. */
#define MERGE(into, from, what, a)                                                                                   \
	do {                                                                                                         \
		size_t before = (into)->what##_n, total = before + (from)->what##_n;                                 \
		__typeof__((into)->what) all = hf_arena_calloc((a), total, sizeof *all, _Alignof(__typeof__(*all))); \
		for (size_t i = 0; all && i < before; i++)                                                           \
			all[i] = (into)->what[i];                                                                    \
		size_t n = before;                                                                                   \
		for (size_t i = 0; all && i < (from)->what##_n; i++) {                                               \
			size_t k = 0;                                                                                \
			while (k < before && !hf_sv_eq(all[k].name, (from)->what[i].name))                           \
				k++;                                                                                 \
			if (k == before)                                                                             \
				all[n++] = (from)->what[i];                                                          \
		}                                                                                                    \
		if (all) {                                                                                           \
			(into)->what = all;                                                                          \
			(into)->what##_n = n;                                                                        \
		}                                                                                                    \
	} while (0)

int hf_kubeconfig_merge(struct hf_kubeconfig *into, const struct hf_kubeconfig *from, struct hf_arena *a,
			struct hf_err *err)
{
	if (!into->current_context.len)
		into->current_context = from->current_context;
	MERGE(into, from, clusters, a);
	MERGE(into, from, users, a);
	MERGE(into, from, contexts, a);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "kubeconfig: more than %zu bytes of memory", a->cap);
	return HF_OK;
}

static int both(hf_sv what, hf_sv name, const char *one, const char *other, struct hf_err *err)
{
	return hf_fail(err, HF_E_FORMAT, "%.*s %.*s: %s and %s are both given", HF_SV_FMT(what), HF_SV_FMT(name), one,
		       other);
}

static int check_cluster(struct hf_kubeconfig_cluster *c, struct hf_arena *a, struct hf_err *err)
{
	if (!c->server.len)
		return hf_fail(err, HF_E_FORMAT, "cluster %.*s: no server", HF_SV_FMT(c->name));
	if (c->ca_file.len && c->ca_data.len)
		return both(HF_SV("cluster"), c->name, "certificate-authority", "certificate-authority-data", err);
	if (c->insecure && (c->ca_file.len || c->ca_data.len))
		return both(HF_SV("cluster"), c->name, "insecure-skip-tls-verify", "a certificate authority", err);
	if (c->proxy_url.len && !hf_sv_starts(c->proxy_url, HF_SV("http://")) &&
	    !hf_sv_starts(c->proxy_url, HF_SV("https://")) && !hf_sv_starts(c->proxy_url, HF_SV("socks5://")))
		return hf_fail(err, HF_E_FORMAT, "cluster %.*s: proxy-url is not http, https or socks5",
			       HF_SV_FMT(c->name));
	if (hf_sv_find(c->server, HF_SV("://")) == SIZE_MAX) {
		bool tls = c->ca_file.len || c->ca_data.len || c->insecure;
		c->server = hf_arena_concat(a, tls ? HF_SV("https://") : HF_SV("http://"), c->server);
	}
	while (hf_sv_ends(c->server, HF_SV("/")))
		c->server.len--;
	if (!hf_sv_starts(c->server, HF_SV("https://")) && !hf_sv_starts(c->server, HF_SV("http://")))
		return hf_fail(err, HF_E_FORMAT, "cluster %.*s: server is not http or https", HF_SV_FMT(c->name));
	for (size_t i = 0; i < c->server.len; i++)
		if ((unsigned char)c->server.ptr[i] <= ' ' || strchr("?#\x7f", c->server.ptr[i]))
			return hf_fail(err, HF_E_FORMAT, "cluster %.*s: server is no URL of a server",
				       HF_SV_FMT(c->name));
	return HF_OK;
}

static int check_exec(const struct hf_kubeconfig_user *u, struct hf_err *err)
{
	const struct hf_kubeconfig_exec *e = u->exec;
	const char *missing = !e->command.len ? "command" : !e->api_version.len ? "apiVersion" : NULL;
	bool v1 = hf_sv_eq(e->api_version, HF_SV("client.authentication.k8s.io/v1"));

	if (!missing && v1 && !e->interactive_mode.len)
		missing = "interactiveMode";
	if (missing)
		return hf_fail(err, HF_E_FORMAT, "user %.*s: exec: no %s", HF_SV_FMT(u->name), missing);
	if (!v1 && !hf_sv_eq(e->api_version, HF_SV("client.authentication.k8s.io/v1beta1")))
		return hf_fail(
			err, HF_E_UNSUPPORTED,
			"user %.*s: exec: apiVersion %.*s is neither client.authentication.k8s.io/v1 nor v1beta1",
			HF_SV_FMT(u->name), HF_SV_FMT(hf_sv_first(e->api_version, 60)));
	if (e->interactive_mode.len && !hf_sv_eq(e->interactive_mode, HF_SV("Never")) &&
	    !hf_sv_eq(e->interactive_mode, HF_SV("IfAvailable")) && !hf_sv_eq(e->interactive_mode, HF_SV("Always")))
		return hf_fail(err, HF_E_FORMAT, "user %.*s: exec: interactiveMode is not Never, IfAvailable or Always",
			       HF_SV_FMT(u->name));
	for (size_t i = 0; i < e->environment_n; i++)
		if (!e->environment[i].name.len)
			return hf_fail(err, HF_E_FORMAT, "user %.*s: exec: a variable without a name",
				       HF_SV_FMT(u->name));
	return HF_OK;
}

static int check_user(const struct hf_kubeconfig_user *u, struct hf_err *err)
{
	bool certificate = u->certificate_file.len || u->certificate_data.len, key = u->key_file.len || u->key_data.len;
	int ways = (u->token.len != 0) + (u->username.len || u->password.len) + certificate;

	if (u->auth_provider.len)
		return hf_fail(
			err, HF_E_UNSUPPORTED,
			"user %.*s: auth-provider %.*s: these were taken out of Kubernetes 1.26; use an exec plugin",
			HF_SV_FMT(u->name), HF_SV_FMT(hf_sv_first(u->auth_provider, 60)));
	if (u->certificate_file.len && u->certificate_data.len)
		return both(HF_SV("user"), u->name, "client-certificate", "client-certificate-data", err);
	if (u->key_file.len && u->key_data.len)
		return both(HF_SV("user"), u->name, "client-key", "client-key-data", err);
	if (certificate && !key)
		return hf_fail(err, HF_E_FORMAT, "user %.*s: a client certificate without its key", HF_SV_FMT(u->name));
	if (ways > 1)
		return hf_fail(err, HF_E_FORMAT, "user %.*s: more than one of token, username and client certificate",
			       HF_SV_FMT(u->name));
	if ((u->as_uid.len || u->as_groups_n || u->as_extra_n) && !u->as.len)
		return hf_fail(err, HF_E_FORMAT, "user %.*s: as-uid, as-groups or as-user-extra without as",
			       HF_SV_FMT(u->name));
	return u->exec ? check_exec(u, err) : HF_OK;
}

int hf_kubeconfig_select(const struct hf_kubeconfig *config, hf_sv context, struct hf_arena *a,
			 struct hf_kubeconfig_target *ret, struct hf_err *err)
{
	const struct hf_kubeconfig_context *c = NULL;
	struct hf_kubeconfig_target target = { .context = context.len ? context : config->current_context };
	bool found = false;
	int code;

	if (!target.context.len)
		return hf_fail(err, HF_E_MISSING, "kubeconfig: no current context: name one with --context");
	for (size_t i = 0; i < config->contexts_n && !c; i++)
		if (hf_sv_eq(config->contexts[i].name, target.context))
			c = &config->contexts[i];
	if (!c)
		return hf_fail(err, HF_E_MISSING, "kubeconfig: no context is named %.*s",
			       HF_SV_FMT(hf_sv_first(target.context, 200)));
	target.namespace = c->namespace;
	for (size_t i = 0; i < config->clusters_n && !found; i++) {
		found = hf_sv_eq(config->clusters[i].name, c->cluster);
		if (found)
			target.cluster = config->clusters[i];
	}
	if (!found)
		return hf_fail(err, HF_E_MISSING, "kubeconfig: context %.*s: no cluster is named %.*s",
			       HF_SV_FMT(hf_sv_first(c->name, 100)), HF_SV_FMT(hf_sv_first(c->cluster, 100)));
	for (size_t i = 0; i < config->users_n; i++)
		if (c->user.len && hf_sv_eq(config->users[i].name, c->user))
			target.user = config->users[i];
	if (c->user.len && !target.user.name.len)
		return hf_fail(err, HF_E_MISSING, "kubeconfig: context %.*s: no user is named %.*s",
			       HF_SV_FMT(hf_sv_first(c->name, 100)), HF_SV_FMT(hf_sv_first(c->user, 100)));
	code = check_cluster(&target.cluster, a, err);
	if (code == HF_OK)
		code = check_user(&target.user, err);
	if (code < 0)
		return hf_wrap(err, "kubeconfig: context %.*s", HF_SV_FMT(hf_sv_first(c->name, 100)));
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "kubeconfig: more than %zu bytes of memory", a->cap);
	if (hf_sv_starts(target.cluster.server, HF_SV("http://")))
		target.user = (struct hf_kubeconfig_user){ .name = target.user.name };
	*ret = target;
	return HF_OK;
}
