#include "cluster/exec_credential.h"

#include "base/base64.h"
#include "base/moment.h"
#include "format/json.h"
#include "format/json_writer.h"

void hf_exec_info_write(const struct hf_kubeconfig_exec *exec, const struct hf_kubeconfig_cluster *cluster, hf_sv ca,
			bool interactive, struct hf_buf *out)
{
	struct hf_json_writer w = { .out = out, .compact = true };

	hf_jw_object(&w);
	hf_jw_kv(&w, "kind", HF_SV("ExecCredential"));
	hf_jw_kv(&w, "apiVersion", exec->api_version);
	hf_jw_key(&w, "spec");
	hf_jw_object(&w);
	if (exec->provide_cluster_info) {
		hf_cleanup(hf_buf_done) struct hf_buf data = HF_BUF(ca.len * 2 + 16);
		hf_base64_add(&data, ca);
		hf_jw_key(&w, "cluster");
		hf_jw_object(&w);
		hf_jw_kv(&w, "server", cluster->server);
		hf_jw_kv_if(&w, "tls-server-name", cluster->tls_server_name);
		if (cluster->insecure)
			hf_jw_kv_bool(&w, "insecure-skip-tls-verify", true);
		hf_jw_kv_if(&w, "certificate-authority-data", hf_buf_view(&data));
		hf_jw_kv_if(&w, "proxy-url", cluster->proxy_url);
		hf_jw_object_end(&w);
	}
	hf_jw_kv_bool(&w, "interactive", interactive);
	hf_jw_object_end(&w);
	hf_jw_object_end(&w);
}

struct answer {
	hf_sv kind, api_version, expires;
	bool has_status;
	struct hf_exec_credential credential;
};

static void read_status(struct hf_json *j, struct answer *ret)
{
	hf_sv key;

	ret->has_status = hf_json_peek(j) == HF_JSON_OBJECT;
	hf_json_members(j, &key) {
		if (hf_sv_eq(key, HF_SV("token")))
			ret->credential.token = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("clientCertificateData")))
			ret->credential.certificate = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("clientKeyData")))
			ret->credential.key = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("expirationTimestamp")))
			ret->expires = hf_json_string(j);
		else
			hf_json_skip(j);
	}
}

int hf_exec_credential_parse(hf_sv json, const struct hf_kubeconfig_exec *exec, struct hf_arena *a,
			     struct hf_exec_credential *ret, struct hf_err *err)
{
	struct hf_json j = hf_json_of(json, a);
	struct answer x = { 0 };
	hf_sv key;

	hf_json_members(&j, &key) {
		if (hf_sv_eq(key, HF_SV("kind")))
			x.kind = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("apiVersion")))
			x.api_version = hf_json_string(&j);
		else if (hf_sv_eq(key, HF_SV("status")))
			read_status(&j, &x);
		else
			hf_json_skip(&j);
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "the answer is too long");
	if (!hf_json_end(&j))
		return hf_fail(err, HF_E_FORMAT, "the answer is no JSON: byte %zu: %s", j.at,
			       j.why ? j.why : "more behind the end");
	if (!hf_sv_eq(x.kind, HF_SV("ExecCredential")))
		return hf_fail(err, HF_E_FORMAT, "the answer is no ExecCredential");
	if (!hf_sv_eq(x.api_version, exec->api_version))
		return hf_fail(err, HF_E_FORMAT, "the answer is of another apiVersion than %.*s",
			       HF_SV_FMT(exec->api_version));
	if (!x.has_status)
		return hf_fail(err, HF_E_FORMAT, "the answer has no status");
	if (!x.credential.certificate.len != !x.credential.key.len)
		return hf_fail(err, HF_E_FORMAT, "the answer has only one of clientCertificateData and clientKeyData");
	if (!x.credential.token.len && !x.credential.key.len)
		return hf_fail(err, HF_E_FORMAT, "the answer has neither token nor client certificate");
	x.credential.expires_s = INT64_MAX;
	if (x.expires.len && !hf_moment_parse(x.expires, &x.credential.expires_s))
		return hf_fail(err, HF_E_FORMAT, "the answer's expirationTimestamp is no time");
	*ret = x.credential;
	return HF_OK;
}
