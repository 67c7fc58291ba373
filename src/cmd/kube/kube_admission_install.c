/* kube admission install, uninstall, policies: what a cluster is told. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admission/configuration.h"
#include "admission/server.h"
#include "base/limits.h"
#include "cluster/kubeconfig_files.h"
#include "cluster/post.h"
#include "cmd/command.h"
#include "cmd/kube/kube_admission.h"
#include "cmd/log.h"
#include "format/value.h"

static hf_sv configuration_name(const struct kube_admission *k)
{
	return hf_sv_of(k->configuration ? k->configuration : "holdfast");
}

/* "NAMESPACE/NAME" or "NAMESPACE/NAME:PORT" */
static bool service_of(const struct kube_admission *k, struct hf_admission_webhook *ret)
{
	hf_sv rest, port = { 0 };
	uint64_t number = 443;

	if (!hf_sv_cut(hf_sv_of(k->service), '/', &ret->service_namespace, &rest))
		return false;
	if (!hf_sv_cut(rest, ':', &ret->service_name, &port))
		ret->service_name = rest;
	else if (!hf_sv_to_u64(port, &number) || !number || number > 65535)
		return false;
	ret->service_port = (unsigned)number;
	return ret->service_namespace.len && ret->service_name.len;
}

/* The host of "https://HOST:PORT/…"; empty where it is no such URL. */
static hf_sv host_of(hf_sv url)
{
	hf_sv rest = hf_sv_skip(url, 8), host, port;

	if (!hf_sv_starts(url, HF_SV("https://")))
		return (hf_sv){ 0 };
	if (hf_sv_cut(rest, '/', &host, &port))
		rest = host;
	if (hf_sv_starts(rest, HF_SV("[")))
		return hf_sv_cut(hf_sv_skip(rest, 1), ']', &host, &port) ? host : (hf_sv){ 0 };
	return hf_sv_cut_last(rest, ':', &host, &port) ? host : rest;
}

int kube_admission_check_webhook(struct kube_admission *k, const char *word)
{
	struct hf_admission_webhook hook = { 0 };

	if (!k->url == !k->service)
		return hf_command_usage("kube admission", "%s wants --url or --service", word);
	if (k->url && !host_of(hf_sv_of(k->url)).len)
		return hf_command_usage("kube admission", "'%s' is no https URL", k->url);
	if (k->service && !service_of(k, &hook))
		return hf_command_usage("kube admission", "--service wants NAMESPACE/NAME or NAMESPACE/NAME:PORT");
	if (!k->certificates && !k->ca)
		return hf_command_usage("kube admission", "%s wants --certificates FOLDER or --ca FILE", word);
	if (k->timeout_s > 30)
		return hf_command_usage("kube admission", "--timeout-s is 30 at most");
	if (!k->names.n) {
		hf_sv *name = hf_vec_push(&k->arena, &k->names);
		if (name)
			*name = k->url ? host_of(hf_sv_of(k->url))
				       : hf_arena_fmt(&k->arena, "%.*s.%.*s.svc", HF_SV_FMT(hook.service_name),
						      HF_SV_FMT(hook.service_namespace));
	}
	return 0;
}

static int make_configuration(struct kube_admission *k, hf_sv authority, struct hf_buf *out, struct hf_err *err)
{
	struct hf_admission_webhook hook = { .name = configuration_name(k),
					     .url = hf_sv_of(k->url ? k->url : ""),
					     .authority = authority,
					     .timeout_s = k->timeout_s,
					     .resources = k->resources.at,
					     .resources_n = k->resources.n };
	int r = HF_OK;

	if (k->url && hf_sv_index(hf_sv_skip(hook.url, 8), '/') == SIZE_MAX)
		hook.url = hf_arena_concat(&k->arena, hook.url, HF_SV("/validate"));
	if (k->service)
		service_of(k, &hook);
	if (!authority.len && k->ca)
		r = kube_admission_read_text(k, k->ca, &hook.authority, err);
	return r < 0 ? r : hf_admission_configuration(&k->settings, &k->policies, &hook, out, err);
}

static int change(struct kube_admission *k, enum hf_cluster_change what, hf_sv document, struct hf_err *err)
{
	const struct hf_kubeconfig_sources sources = hf_kubeconfig_sources_here(k->kubeconfig);
	const struct hf_cluster_post post = {
		.change = what,
		.what = { .group = HF_SV("admissionregistration.k8s.io"),
			  .version = HF_SV("v1"),
			  .resource = HF_SV("validatingwebhookconfigurations"),
			  .name = configuration_name(k) },
		.document = document,
	};
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_KUBECONFIG_ARENA_MAX);
	struct hf_kubeconfig config;
	struct hf_kubeconfig_target target;
	struct hf_cluster_answer answer;

	int r = hf_kubeconfig_read(&sources, &a, &config, err);
	if (r >= 0)
		r = hf_kubeconfig_select(&config, hf_sv_of(k->context ? k->context : ""), &a, &target, err);
	if (r < 0)
		return r;
	struct hf_credentials *credentials = hf_credentials_open(&target);
	struct hf_cluster *cluster = hf_cluster_open(credentials, NULL);
	r = hf_cluster_post(cluster, &post, &answer, err);
	hf_buf_done(&answer.body);
	hf_cluster_close(cluster);
	hf_credentials_close(credentials);
	return r;
}

int kube_admission_publish(void *ctx, hf_sv authority, struct hf_err *err)
{
	struct kube_admission *k = ctx;
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_ADMISSION_CONFIGURATION_MAX);
	int r = make_configuration(k, authority, &text, err);

	return r < 0 ? r : change(k, HF_CLUSTER_APPLY, hf_buf_view(&text), err);
}

static int print_yaml(struct kube_admission *k, hf_sv authority, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_ADMISSION_CONFIGURATION_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf yaml = HF_BUF(HF_ADMISSION_CONFIGURATION_MAX);
	struct hf_value v;
	size_t used;
	int r = make_configuration(k, authority, &text, err);

	if (r >= 0)
		r = hf_value_of_json(hf_buf_view(&text), 0, &k->arena, (struct hf_value_notes){ 0 }, &v, &used, err);
	if (r < 0)
		return r;
	hf_value_write_yaml(&yaml, &v);
	return yaml.over || fwrite(yaml.ptr, 1, yaml.len, stdout) != yaml.len || fflush(stdout)
		       ? hf_fail(err, HF_E_IO, "standard output")
		       : HF_OK;
}

int kube_admission_install(struct kube_admission *k, struct hf_err *err)
{
	struct hf_certificate server = { 0 };
	hf_sv authority = { 0 };
	int r = HF_OK;

	if (!k->ca)
		r = hf_admission_certificates(k->certificates, k->names.at, k->names.n, 0, (int64_t)time(NULL),
					      &k->arena, &authority, &server, err);
	if (r < 0)
		return r;
	if (k->print)
		return print_yaml(k, authority, err);
	r = kube_admission_publish(k, authority, err);
	if (r >= 0)
		log_note("ValidatingWebhookConfiguration %.*s is installed", HF_SV_FMT(configuration_name(k)));
	return r < 0 ? r : HF_OK;
}

int kube_admission_uninstall(struct kube_admission *k, struct hf_err *err)
{
	int r = change(k, HF_CLUSTER_DELETE, (hf_sv){ 0 }, err);

	if (r >= 0 || r == HF_E_MISSING)
		log_note("ValidatingWebhookConfiguration %.*s %s", HF_SV_FMT(configuration_name(k)),
			 r >= 0 ? "is removed" : "was not there");
	return r == HF_E_MISSING ? HF_OK : r < 0 ? r : HF_OK;
}

int kube_admission_policies(struct kube_admission *k, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_ADMISSION_CONFIGURATION_MAX);
	int r = hf_admission_cel(&k->settings, &k->policies, configuration_name(k), &text, err);

	if (r < 0)
		return r;
	return fwrite(text.ptr ? text.ptr : "", 1, text.len, stdout) != text.len || fflush(stdout)
		       ? hf_fail(err, HF_E_IO, "standard output")
		       : HF_OK;
}
