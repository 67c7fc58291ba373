#include "cluster/credentials.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/limits.h"
#include "cluster/exec_credential.h"
#include "cluster/exec_plugin.h"

enum {
	FILES_S = 60, /* as client-go reads a token file again */
	PLUGIN_MS = 60000,
	EARLY_S = 10, /* before it expires, so that it does not while a request is under way */
};

struct hf_credentials {
	pthread_mutex_t lock; /* held while files are read and the plugin runs: all others wait for what comes of it */
	struct hf_kubeconfig_target target;
	struct hf_arena target_arena;
	/* What was read last. */
	struct hf_arena arena;
	hf_sv ca, certificate, key, token;
	uint64_t generation;
	int64_t read_s, expires_s; /* read_s: monotonic; expires_s: since 1970 */
	bool refused;
};

static int64_t now_s(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec;
}

static const hf_sv *copy_strings(struct hf_arena *a, const hf_sv *from, size_t n)
{
	hf_sv *to = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; to && i < n; i++)
		to[i] = hf_arena_dup(a, from[i]);
	return to;
}

static const struct hf_kubeconfig_pair *copy_pairs(struct hf_arena *a, const struct hf_kubeconfig_pair *from, size_t n)
{
	struct hf_kubeconfig_pair *to = hf_arena_array(a, struct hf_kubeconfig_pair, n);

	for (size_t i = 0; to && i < n; i++)
		to[i] = (struct hf_kubeconfig_pair){ hf_arena_dup(a, from[i].name), hf_arena_dup(a, from[i].value) };
	return to;
}

static void copy_all(struct hf_arena *a, hf_sv *const fields[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i]->len)
			*fields[i] = hf_arena_dup(a, *fields[i]);
}

static const struct hf_kubeconfig_exec *copy_exec(struct hf_arena *a, const struct hf_kubeconfig_exec *from)
{
	struct hf_kubeconfig_exec *to = hf_arena_new(a, struct hf_kubeconfig_exec);

	if (!to)
		return NULL;
	*to = *from;
	copy_all(a, (hf_sv *const[]){ &to->api_version, &to->command, &to->install_hint, &to->interactive_mode }, 4);
	to->arguments = copy_strings(a, from->arguments, from->arguments_n);
	to->environment = copy_pairs(a, from->environment, from->environment_n);
	return to;
}

struct hf_credentials *hf_credentials_open(const struct hf_kubeconfig_target *target)
{
	struct hf_credentials *c = hf_calloc(1, sizeof *c);
	struct hf_kubeconfig_target *t = &c->target;
	struct hf_arena *a = &c->target_arena;

	pthread_mutex_init(&c->lock, NULL);
	c->target_arena = HF_ARENA(SIZE_MAX); /* the target came out of a bounded one */
	c->arena = HF_ARENA(16 * HF_CLUSTER_CREDENTIAL_MAX);
	*t = *target;
	copy_all(a,
		 (hf_sv *const[]){ &t->context, &t->namespace, &t->cluster.name, &t->cluster.server,
				   &t->cluster.ca_file, &t->cluster.ca_data, &t->cluster.tls_server_name,
				   &t->cluster.proxy_url, &t->user.name, &t->user.certificate_file,
				   &t->user.certificate_data, &t->user.key_file, &t->user.key_data, &t->user.token,
				   &t->user.token_file, &t->user.username, &t->user.password, &t->user.as,
				   &t->user.as_uid },
		 19);
	t->user.as_groups = copy_strings(a, t->user.as_groups, t->user.as_groups_n);
	t->user.as_extra = copy_pairs(a, t->user.as_extra, t->user.as_extra_n);
	if (t->user.exec)
		t->user.exec = copy_exec(a, t->user.exec);
	return c;
}

const struct hf_kubeconfig_target *hf_credentials_target(const struct hf_credentials *c)
{
	return &c->target;
}

/* Secrets do not stay behind in freed memory. */
static void wipe(struct hf_arena *a, const hf_sv *secrets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (secrets[i].len)
			explicit_bzero((void *)(uintptr_t)secrets[i].ptr, secrets[i].len);
	hf_arena_reset(a);
}

void hf_credentials_close(struct hf_credentials *c)
{
	if (!c)
		return;
	wipe(&c->arena, (hf_sv[]){ c->key, c->token }, 2);
	hf_arena_done(&c->arena);
	wipe(&c->target_arena, (hf_sv[]){ c->target.user.key_data, c->target.user.token, c->target.user.password }, 3);
	hf_arena_done(&c->target_arena);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int read_file(struct hf_credentials *c, hf_sv path, hf_sv *ret, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf bytes = HF_BUF(HF_CLUSTER_CREDENTIAL_MAX);
	hf_cleanup(hf_fd_close) int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return hf_fail_errno(err, "%.*s", HF_SV_FMT(path));
	if (hf_fd_read_all(fd, 0, &bytes, err) < 0)
		return hf_wrap(err, "%.*s", HF_SV_FMT(path));
	*ret = hf_arena_dup(&c->arena, hf_buf_view(&bytes));
	if (bytes.len)
		explicit_bzero(bytes.ptr, bytes.len);
	return HF_OK;
}

static int data_or_file(struct hf_credentials *c, hf_sv data, hf_sv file, hf_sv *ret, struct hf_err *err)
{
	if (data.len)
		*ret = hf_arena_dup(&c->arena, data);
	else if (file.len)
		return read_file(c, file, ret, err);
	return HF_OK;
}

static int ask_plugin(struct hf_credentials *c, struct hf_err *err)
{
	const struct hf_kubeconfig_exec *exec = c->target.user.exec;
	hf_cleanup(hf_buf_done) struct hf_buf answer = HF_BUF(HF_CLUSTER_CREDENTIAL_MAX);
	struct hf_exec_credential given;

	int code = hf_exec_plugin_run(exec, &c->target.cluster, c->ca, PLUGIN_MS, &answer, err);
	if (code < 0)
		return code;
	hf_sv text = hf_arena_dup(&c->arena, hf_buf_view(&answer));
	code = hf_exec_credential_parse(text, exec, &c->arena, &given, err);
	if (answer.len)
		explicit_bzero(answer.ptr, answer.len);
	if (code < 0)
		return hf_wrap(err, "exec plugin %.*s", HF_SV_FMT(hf_sv_first(hf_sv_basename(exec->command), 100)));
	c->expires_s = given.expires_s;
	if (given.token.len)
		c->token = given.token;
	if (given.key.len) {
		c->certificate = given.certificate;
		c->key = given.key;
	}
	return HF_OK;
}

/* Everything anew, into an arena that is new. */
static int read_anew(struct hf_credentials *c, struct hf_err *err)
{
	const struct hf_kubeconfig_user *u = &c->target.user;
	int code;

	wipe(&c->arena, (hf_sv[]){ c->key, c->token }, 2);
	c->ca = c->certificate = c->key = c->token = (hf_sv){ 0 };
	c->expires_s = INT64_MAX;
	c->generation++;
	if ((code = data_or_file(c, c->target.cluster.ca_data, c->target.cluster.ca_file, &c->ca, err)) < 0 ||
	    (code = data_or_file(c, u->certificate_data, u->certificate_file, &c->certificate, err)) < 0 ||
	    (code = data_or_file(c, u->key_data, u->key_file, &c->key, err)) < 0)
		return code;
	if (u->token_file.len && (code = read_file(c, u->token_file, &c->token, err)) < 0 && !u->token.len)
		return code;
	if (u->token_file.len && code == HF_OK)
		c->token = hf_sv_trim(c->token);
	if (!c->token.len && u->token.len)
		c->token = hf_arena_dup(&c->arena, u->token);
	/* What the kubeconfig itself has goes before the plugin, as in client-go. */
	if (u->exec && !c->token.len && !u->username.len && (code = ask_plugin(c, err)) < 0)
		return code;
	if (c->arena.over)
		return hf_fail(err, HF_E_LIMIT, "credentials: more than %zu bytes", c->arena.cap);
	if (c->key.len && hf_sv_find(c->key, HF_SV("ENCRYPTED")) != SIZE_MAX)
		return hf_fail(err, HF_E_UNSUPPORTED, "the client's key is under a passphrase");
	return HF_OK;
}

static bool reads_files(const struct hf_credentials *c)
{
	const struct hf_kubeconfig_user *u = &c->target.user;

	return u->token_file.len || u->certificate_file.len || u->key_file.len || c->target.cluster.ca_file.len;
}

/* The plugin is not run for files' sake; where there is one, files are read again with it alone. */
static bool is_old(const struct hf_credentials *c)
{
	if (!c->generation || c->refused)
		return true;
	if (c->expires_s != INT64_MAX && now_s(CLOCK_REALTIME) >= c->expires_s - EARLY_S)
		return true;
	return reads_files(c) && !c->target.user.exec && now_s(CLOCK_MONOTONIC) - c->read_s >= FILES_S;
}

static int copy_out(struct hf_credentials *c, struct hf_credential *of, struct hf_err *err)
{
	const struct hf_kubeconfig_user *u = &c->target.user;
	hf_cleanup(hf_buf_done) struct hf_buf header = HF_BUF(HF_CLUSTER_CREDENTIAL_MAX),
					      basic = HF_BUF(HF_CLUSTER_CREDENTIAL_MAX);

	hf_credential_done(of);
	of->arena = HF_ARENA(16 * HF_CLUSTER_CREDENTIAL_MAX);
	of->ca = hf_arena_dup(&of->arena, c->ca);
	of->certificate = hf_arena_dup(&of->arena, c->certificate);
	of->key = hf_arena_dup(&of->arena, c->key);
	if (c->token.len) {
		hf_buf_addf(&header, "Authorization: Bearer %.*s", HF_SV_FMT(c->token));
	} else if (u->username.len || u->password.len) {
		hf_buf_addf(&basic, "%.*s:%.*s", HF_SV_FMT(u->username), HF_SV_FMT(u->password));
		hf_buf_add(&header, HF_SV("Authorization: Basic "));
		hf_base64_add(&header, hf_buf_view(&basic));
		explicit_bzero(basic.ptr, basic.len);
	}
	if (header.over || basic.over)
		return hf_fail(err, HF_E_LIMIT, "credentials: a token of more than %zu bytes",
			       (size_t)HF_CLUSTER_CREDENTIAL_MAX);
	for (size_t i = 0; i < header.len; i++)
		if ((unsigned char)header.ptr[i] < ' ' || header.ptr[i] == 0x7f)
			return hf_fail(err, HF_E_FORMAT, "credentials: control bytes in the token");
	if (header.len) {
		of->authorization = hf_arena_dup(&of->arena, hf_buf_view(&header));
		explicit_bzero(header.ptr, header.len);
	}
	of->generation = c->generation;
	return HF_OK;
}

int hf_credentials_get(struct hf_credentials *c, struct hf_credential *of, struct hf_err *err)
{
	int code = HF_OK;

	pthread_mutex_lock(&c->lock);
	if (is_old(c)) {
		code = read_anew(c, err);
		c->read_s = now_s(CLOCK_MONOTONIC);
	}
	if (code == HF_OK && of->generation != c->generation)
		code = copy_out(c, of, err);
	c->refused = code < 0; /* so that the next one tries again */
	pthread_mutex_unlock(&c->lock);
	return code;
}

bool hf_credentials_refused(struct hf_credentials *c, uint64_t generation)
{
	pthread_mutex_lock(&c->lock);
	bool can_change = c->target.user.exec || reads_files(c);
	if (can_change && generation == c->generation)
		c->refused = true;
	pthread_mutex_unlock(&c->lock);
	return can_change;
}

void hf_credential_done(struct hf_credential *of)
{
	wipe(&of->arena, (hf_sv[]){ of->key, of->authorization }, 2);
	hf_arena_done(&of->arena);
	*of = (struct hf_credential){ 0 };
}
