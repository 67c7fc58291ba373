#include "cluster/kubeconfig_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

struct hf_kubeconfig_sources hf_kubeconfig_sources_here(const char *file)
{
	return (struct hf_kubeconfig_sources){
		.file = file,
		.list = getenv("KUBECONFIG"),
		.home = getenv("HOME"),
		.service_host = getenv("KUBERNETES_SERVICE_HOST"),
		.service_port = getenv("KUBERNETES_SERVICE_PORT"),
		.service_account = SERVICE_ACCOUNT,
	};
}

static int read_all(const char *path, struct hf_buf *text, struct hf_err *err)
{
	hf_cleanup(hf_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return hf_fail_errno(err, "%s", path);
	return hf_fd_read_all(fd, 0, text, err) < 0 ? hf_wrap(err, "%s", path) : HF_OK;
}

/* HF_E_MISSING where there is no such file. */
static int add_file(const char *path, struct hf_arena *a, struct hf_kubeconfig *into, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_KUBECONFIG_SIZE_MAX);
	struct hf_kubeconfig config;
	hf_sv folder = hf_sv_dirname(hf_sv_of(path));

	if (path[0] != '/') {
		char *here = getcwd(NULL, 0);
		folder = hf_arena_fmt(a, "%s/%.*s", here ? here : "", HF_SV_FMT(folder));
		free(here);
	} else if (!folder.len) {
		folder = HF_SV("");
	}
	int code = read_all(path, &text, err);
	if (code < 0)
		return code;
	code = hf_kubeconfig_parse(hf_buf_view(&text), folder, a, &config, err);
	if (code < 0)
		return hf_wrap(err, "%s", path);
	return hf_kubeconfig_merge(into, &config, a, err);
}

static int add_if_there(const char *path, struct hf_arena *a, struct hf_kubeconfig *into, size_t *read,
			struct hf_err *err)
{
	struct hf_err why = { 0 };
	int code = add_file(path, a, into, &why);

	if (code == HF_OK)
		(*read)++;
	if (code == HF_OK || (code == HF_E_MISSING && why.sys_errno))
		return HF_OK;
	if (err)
		*err = why;
	return code;
}

static int add_list(const char *list, struct hf_arena *a, struct hf_kubeconfig *into, size_t *read, struct hf_err *err)
{
	hf_sv rest = hf_sv_of(list), path;
	int code = HF_OK;

	for (size_t n = 0; code == HF_OK && hf_sv_next(&rest, ':', &path); n++) {
		if (n == HF_KUBECONFIG_FILES_MAX)
			return hf_fail(err, HF_E_LIMIT, "KUBECONFIG: more than %d files", HF_KUBECONFIG_FILES_MAX);
		if (path.len && (path = hf_arena_dup(a, path)).ptr)
			code = add_if_there(path.ptr, a, into, read, err);
	}
	return code;
}

/* What client-go does in a pod, said as a kubeconfig. */
static int in_cluster(const struct hf_kubeconfig_sources *s, struct hf_arena *a, struct hf_kubeconfig *ret,
		      struct hf_err *err)
{
	bool v6 = strchr(s->service_host, ':') != NULL;
	hf_cleanup(hf_buf_done) struct hf_buf namespace = HF_BUF(HF_KIB(1));
	struct hf_err ignored = { 0 };

	*ret = (struct hf_kubeconfig){
		.current_context = HF_SV("in-cluster"), .clusters_n = 1, .users_n = 1, .contexts_n = 1
	};
	ret->clusters = hf_arena_new(a, struct hf_kubeconfig_cluster);
	ret->users = hf_arena_new(a, struct hf_kubeconfig_user);
	ret->contexts = hf_arena_new(a, struct hf_kubeconfig_context);
	if (!ret->clusters || !ret->users || !ret->contexts)
		return hf_fail(err, HF_E_LIMIT, "kubeconfig: more than %zu bytes of memory", a->cap);
	*ret->clusters = (struct hf_kubeconfig_cluster){
		.name = ret->current_context,
		.server = hf_arena_fmt(a, "https://%s%s%s:%s", v6 ? "[" : "", s->service_host, v6 ? "]" : "",
				       s->service_port && *s->service_port ? s->service_port : "443"),
		.ca_file = hf_arena_fmt(a, "%s/ca.crt", s->service_account),
	};
	*ret->users = (struct hf_kubeconfig_user){ .name = ret->current_context,
						   .token_file = hf_arena_fmt(a, "%s/token", s->service_account) };
	*ret->contexts = (struct hf_kubeconfig_context){
		ret->current_context, ret->current_context, ret->current_context, { 0 }
	};
	hf_sv path = hf_arena_fmt(a, "%s/namespace", s->service_account);
	if (path.ptr && read_all(path.ptr, &namespace, &ignored) == HF_OK)
		ret->contexts->namespace = hf_arena_dup(a, hf_sv_trim(hf_buf_view(&namespace)));
	return a->over ? hf_fail(err, HF_E_LIMIT, "kubeconfig: more than %zu bytes of memory", a->cap) : HF_OK;
}

int hf_kubeconfig_read(const struct hf_kubeconfig_sources *s, struct hf_arena *a, struct hf_kubeconfig *ret,
		       struct hf_err *err)
{
	struct hf_kubeconfig config = { 0 };
	size_t read = 0;
	int code = HF_OK;

	if (s->file) {
		code = add_file(s->file, a, &config, err);
		read = 1;
	} else if (s->list && *s->list) {
		code = add_list(s->list, a, &config, &read, err);
	} else if (s->home && *s->home) {
		hf_sv path = hf_arena_fmt(a, "%s/.kube/config", s->home);
		if (path.ptr)
			code = add_if_there(path.ptr, a, &config, &read, err);
	}
	if (code == HF_OK && !read && s->service_host && *s->service_host && s->service_account)
		code = in_cluster(s, a, &config, err);
	else if (code == HF_OK && !read)
		code = hf_fail(err, HF_E_MISSING, "no kubeconfig: neither %s nor a pod's service account is there",
			       s->list && *s->list ? "a file of KUBECONFIG" : "~/.kube/config");
	if (code == HF_OK)
		*ret = config;
	return code;
}
