#include "cmd/kube/kube_cluster.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cluster/discover.h"
#include "cluster/kubeconfig_files.h"
#include "cluster/list.h"
#include "cmd/kube/kube_object_text.h"
#include "kube/object.h"

struct reading {
	const struct kube_cluster_sink *sink;
	struct hf_cluster *cluster;
	struct hf_arena arena;
	hf_sv context;
	bool partial;
};

struct resource {
	int fd;
	bool secret;
};

bool kube_cluster_target(const char *target, const char **ret_context)
{
	static const char prefix[] = "cluster:";

	if (strncmp(target, prefix, sizeof prefix - 1) != 0)
		return false;
	target += sizeof prefix - 1;
	*ret_context = *target ? target : NULL;
	return true;
}

static int keep(int fd, hf_sv bytes, struct hf_err *err)
{
	return hf_fd_write_all(fd, bytes) ? HF_OK : hf_fail_errno(err, "memory for objects");
}

/* A Table of secrets as a list of secrets without data. */
static int write_secrets(int fd, hf_sv json, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(2 * HF_CLUSTER_PAGE_MAX);
	size_t type_at = SIZE_MAX;
	int code = kube_secrets_write(json, &type_at, &out, err);

	return code < 0 ? code : keep(fd, hf_buf_view(&out), err);
}

static int take_page(void *ctx, hf_sv json, struct hf_err *err)
{
	const struct resource *r = ctx;

	if (r->secret)
		return write_secrets(r->fd, json, err);
	int code = keep(r->fd, json, err);
	return code < 0 ? code : keep(r->fd, HF_SV("\n"), err);
}

static int take_restart(void *ctx, struct hf_err *err)
{
	const struct resource *r = ctx;

	if (ftruncate(r->fd, 0) || lseek(r->fd, 0, SEEK_SET))
		return hf_fail_errno(err, "memory for objects");
	return HF_OK;
}

static void miss(struct reading *r, hf_sv name, const char *why)
{
	r->partial = true;
	r->sink->missing(r->sink->ctx, name, why);
}

static int read_resource(struct reading *r, const struct hf_cluster_resource *found, bool secret, struct hf_err *err)
{
	const char *dot = found->group.len ? "." : "";
	hf_sv name = hf_arena_fmt(&r->arena, "%.*s: %.*s%s%.*s", HF_SV_FMT(r->context), HF_SV_FMT(found->name), dot,
				  HF_SV_FMT(found->group));
	hf_cleanup(hf_fd_close) int fd = memfd_create("objects", MFD_CLOEXEC);
	struct resource resource = { .fd = fd, .secret = secret };
	const struct hf_cluster_list list = {
		.what = { .group = found->group, .version = found->version, .resource = found->name },
		.accept = secret ? KUBE_CLUSTER_TABLE : NULL,
		.total_max = HF_KUBE_INPUT_MAX,
		.page = take_page,
		.restart = take_restart,
		.ctx = &resource
	};
	struct hf_cluster_listed listed;
	struct hf_err why = { 0 };

	if (fd < 0)
		return hf_fail_errno(err, "memory for objects");
	if (!hf_cluster_resource_can(found, HF_SV("list")))
		return HF_OK;
	int code = hf_cluster_list(r->cluster, &list, &listed, &why);
	if (code < 0) {
		/* What came of it before it failed is of use too. */
		miss(r, name, why.msg);
		if (!listed.pages)
			return HF_OK;
	}
	return r->sink->resource(r->sink->ctx, fd, name, r->context, err);
}

static int read_all(struct reading *r, struct hf_err *err)
{
	struct hf_cluster_resources served;
	int code = hf_cluster_discover(r->cluster, &r->arena, &served, err);

	if (code < 0)
		return hf_wrap(err, "context %.*s", HF_SV_FMT(r->context));
	for (size_t i = 0; i < served.missing_n; i++) {
		hf_sv name = hf_arena_fmt(&r->arena, "%.*s: %.*s", HF_SV_FMT(r->context),
					  HF_SV_FMT(served.missing[i].group));
		hf_sv why = hf_arena_fmt(&r->arena, "%.*s", HF_SV_FMT(served.missing[i].reason));
		miss(r, name, why.ptr ? why.ptr : "the server does not answer for it");
	}
	for (size_t kind = 1; kind < HF_KUBE_KINDS; kind++) {
		const struct hf_kube_kind_row *row = &hf_kube_kinds[kind];
		const struct hf_cluster_resource *found =
			hf_cluster_resource_find(&served, hf_sv_of(row->group), hf_sv_of(row->plural));
		if (found && (code = read_resource(r, found, kind == HF_KUBE_SECRET, err)) < 0)
			return code;
	}
	return r->partial ? HF_PARTIAL : HF_OK;
}

int kube_cluster_select(const char *kubeconfig, const char *context, struct hf_arena *a,
			struct hf_kubeconfig_target *ret, struct hf_err *err)
{
	const struct hf_kubeconfig_sources sources = hf_kubeconfig_sources_here(kubeconfig);
	struct hf_kubeconfig config;
	int code = hf_kubeconfig_read(&sources, a, &config, err);

	return code == HF_OK ? hf_kubeconfig_select(&config, hf_sv_of(context), a, ret, err) : code;
}

int kube_cluster_read(const char *kubeconfig, const char *context, const struct kube_cluster_sink *sink,
		      struct hf_err *err)
{
	struct reading r = { .sink = sink, .arena = HF_ARENA(HF_KUBECONFIG_ARENA_MAX + HF_CLUSTER_DISCOVERY_MAX) };
	struct hf_kubeconfig_target target;
	int code = kube_cluster_select(kubeconfig, context, &r.arena, &target, err);

	if (code == HF_OK) {
		struct hf_credentials *credentials = hf_credentials_open(&target);
		r.cluster = hf_cluster_open(credentials, NULL);
		r.context = target.context;
		code = read_all(&r, err);
		hf_cluster_close(r.cluster);
		hf_credentials_close(credentials);
	}
	hf_arena_done(&r.arena);
	return code;
}
