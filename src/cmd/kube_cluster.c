#include "cmd/kube_cluster.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cluster/discover.h"
#include "cluster/kubeconfig_files.h"
#include "cluster/list.h"
#include "format/json.h"
#include "format/json_writer.h"
#include "kube/object.h"

#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io"

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

static int write_all(int fd, hf_sv bytes, struct hf_err *err)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);
		if (n < 0)
			return hf_fail_errno(err, "memory for objects");
		bytes = hf_sv_skip(bytes, (size_t)n);
	}
	return HF_OK;
}

/* A member that is no object goes over as it is. Of annotations, the one in which kubectl keeps the whole object stays behind. */
static void write_metadata(struct hf_json *j, struct hf_json_writer *w)
{
	hf_sv key, inner;

	hf_jw_object(w);
	hf_json_members(j, &key) {
		if (hf_json_peek(j) == HF_JSON_STRING) {
			hf_jw_key_sv(w, key);
			hf_jw_string(w, hf_json_string(j));
		} else if (hf_sv_eq(key, HF_SV("labels")) || hf_sv_eq(key, HF_SV("annotations"))) {
			hf_jw_key_sv(w, key);
			hf_jw_object(w);
			hf_json_members(j, &inner) {
				hf_sv value = hf_json_string(j);
				if (hf_sv_eq(inner, HF_SV("kubectl.kubernetes.io/last-applied-configuration")))
					continue;
				hf_jw_key_sv(w, inner);
				hf_jw_string(w, value);
			}
			hf_jw_object_end(w);
		} else {
			hf_json_skip(j);
		}
	}
	hf_jw_object_end(w);
}

/* {"cells": ["name", "Opaque", 2, "5d"], "object": {"metadata": …}} */
static void write_row(struct hf_json *j, size_t type_at, struct hf_json_writer *w)
{
	hf_sv key, type = { 0 };

	hf_jw_object(w);
	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("cells"))) {
			size_t i = 0;
			hf_json_elements(j) {
				hf_sv cell = hf_json_string(j);
				if (i++ == type_at)
					type = cell;
			}
		} else if (hf_sv_eq(key, HF_SV("object"))) {
			hf_json_members(j, &key) {
				if (!hf_sv_eq(key, HF_SV("metadata"))) {
					hf_json_skip(j);
					continue;
				}
				hf_jw_key(w, "metadata");
				write_metadata(j, w);
			}
		} else {
			hf_json_skip(j);
		}
	}
	hf_jw_kv_if(w, "type", type);
	hf_jw_object_end(w);
}

static size_t column_of_type(struct hf_json *j)
{
	size_t i = 0, at = SIZE_MAX;
	hf_sv key;

	hf_json_elements(j) {
		hf_json_members(j, &key) {
			if (!hf_sv_eq(key, HF_SV("name")))
				hf_json_skip(j);
			else if (hf_sv_eq(hf_json_string(j), HF_SV("Type")))
				at = i;
		}
		i++;
	}
	return at;
}

/* A Table of secrets as a list of secrets without data. */
static int write_secrets(int fd, hf_sv json, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(2 * HF_CLUSTER_PAGE_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(2 * HF_CLUSTER_PAGE_MAX);
	struct hf_json_writer w = { .out = &out, .compact = true };
	struct hf_json j = hf_json_of(json, &a);
	size_t type_at = SIZE_MAX;
	bool table = false;
	hf_sv key;

	hf_jw_object(&w);
	hf_jw_kv(&w, "apiVersion", HF_SV("v1"));
	hf_jw_kv(&w, "kind", HF_SV("SecretList"));
	hf_jw_key(&w, "items");
	hf_jw_array(&w);
	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("kind"))) {
			table = hf_sv_eq(hf_json_string(&j), HF_SV("Table"));
		} else if (hf_sv_eq(key, HF_SV("columnDefinitions"))) {
			type_at = column_of_type(&j);
		} else if (hf_sv_eq(key, HF_SV("rows"))) {
			hf_json_elements(&j) {
				write_row(&j, type_at, &w);
			}
		} else {
			hf_json_skip(&j);
		}
	}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	if (!table)
		return hf_fail(err, HF_E_UNSUPPORTED, "the server has no tables: secrets are not read");
	int code = hf_jw_finish(&w, err);
	return code < 0 ? code : write_all(fd, hf_buf_view(&out), err);
}

static int take_page(void *ctx, hf_sv json, struct hf_err *err)
{
	const struct resource *r = ctx;

	if (r->secret)
		return write_secrets(r->fd, json, err);
	int code = write_all(r->fd, json, err);
	return code < 0 ? code : write_all(r->fd, HF_SV("\n"), err);
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
		.accept = secret ? TABLE : NULL,
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

int kube_cluster_read(const char *kubeconfig, const char *context, const struct kube_cluster_sink *sink,
		      struct hf_err *err)
{
	const struct hf_kubeconfig_sources sources = hf_kubeconfig_sources_here(kubeconfig);
	struct reading r = { .sink = sink, .arena = HF_ARENA(HF_KUBECONFIG_ARENA_MAX + HF_CLUSTER_DISCOVERY_MAX) };
	struct hf_kubeconfig config;
	struct hf_kubeconfig_target target;

	int code = hf_kubeconfig_read(&sources, &r.arena, &config, err);
	if (code == HF_OK)
		code = hf_kubeconfig_select(&config, hf_sv_of(context), &r.arena, &target, err);
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
