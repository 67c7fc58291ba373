#include "admission/certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { BACKDATED_S = 300 }; /* clocks of a cluster differ */

static int fail(struct hf_err *err, const char *what)
{
	return hf_fail(err, HF_E_SYSTEM, "certificate: %s failed in the cryptographic library", what);
}

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	bool good = e && X509_add_ext(certificate, e, -1);
	X509_EXTENSION_free(e);
	return good;
}

static bool set_serial(X509 *certificate)
{
	unsigned char bytes[16];
	BIGNUM *n = RAND_bytes(bytes, sizeof bytes) == 1 ? BN_bin2bn(bytes, sizeof bytes, NULL) : NULL;
	bool good = n && BN_clear_bit(n, 127) >= 0 && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(certificate));

	BN_free(n);
	return good;
}

/* A certificate with everything but its extensions and signature. */
static X509 *begin(EVP_PKEY *key, const char *name, X509_NAME *issuer, unsigned days)
{
	X509 *c = X509_new();
	X509_NAME *subject = c ? X509_get_subject_name(c) : NULL;

	if (c && X509_set_version(c, X509_VERSION_3) && set_serial(c) &&
	    X509_gmtime_adj(X509_getm_notBefore(c), -BACKDATED_S) &&
	    X509_gmtime_adj(X509_getm_notAfter(c), (long)days * 86400) && X509_set_pubkey(c, key) &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) &&
	    X509_set_issuer_name(c, issuer ? issuer : subject))
		return c;
	X509_free(c);
	return NULL;
}

static hf_sv text_of(BIO *bio, struct hf_arena *a)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	return n > 0 ? hf_arena_dup(a, (hf_sv){ p, (size_t)n }) : (hf_sv){ 0 };
}

static bool to_pem(X509 *c, EVP_PKEY *key, struct hf_arena *a, struct hf_certificate *ret)
{
	BIO *certificate = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
	bool good = certificate && secret && PEM_write_bio_X509(certificate, c) &&
		    PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);

	if (good)
		*ret = (struct hf_certificate){ text_of(certificate, a), text_of(secret, a) };
	BIO_free(certificate);
	BIO_free(secret);
	return good && ret->certificate_pem.len && ret->key_pem.len;
}

int hf_certificate_authority(unsigned days, struct hf_arena *a, struct hf_certificate *ret, struct hf_err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *c = key ? begin(key, "holdfast admission", NULL, days) : NULL;
	bool good = c && add_extension(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		    add_extension(c, c, NID_key_usage, "critical,keyCertSign,cRLSign") &&
		    add_extension(c, c, NID_subject_key_identifier, "hash") && X509_sign(c, key, EVP_sha256()) &&
		    to_pem(c, key, a, ret);

	X509_free(c);
	EVP_PKEY_free(key);
	return good ? HF_OK : fail(err, "making an authority");
}

static X509 *read_certificate(hf_sv pem)
{
	BIO *b = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *c = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	return c;
}

static EVP_PKEY *read_key(hf_sv pem)
{
	BIO *b = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	return key;
}

static bool is_address(hf_sv name)
{
	char text[64];

	if (!name.len || name.len >= sizeof text)
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
	ASN1_OCTET_STRING_free(address);
	return address != NULL;
}

/* Names go into OpenSSL's own little language, so nothing but letters, digits, '.', '-' and ':' may stand in them. */
static bool is_plain(hf_sv name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !strchr(".-:", c))
			return false;
	}
	return name.len > 0 && name.len < 254;
}

int hf_certificate_server(const struct hf_certificate *authority, const hf_sv *names, size_t names_n, unsigned days,
			  struct hf_arena *a, struct hf_certificate *ret, struct hf_err *err)
{
	hf_sv list = HF_SV("");

	for (size_t i = 0; i < names_n; i++) {
		if (!is_plain(names[i]))
			return hf_fail(err, HF_E_USAGE, "'%.*s' is neither a DNS name nor an address",
				       HF_SV_FMT(names[i]));
		list = hf_arena_fmt(a, "%.*s%s%s:%.*s", HF_SV_FMT(list), i ? "," : "",
				    is_address(names[i]) ? "IP" : "DNS", HF_SV_FMT(names[i]));
	}
	X509 *issuer = read_certificate(authority->certificate_pem);
	EVP_PKEY *issuer_key = read_key(authority->key_pem), *key = EVP_EC_gen("P-256");
	if (!issuer || !issuer_key) {
		X509_free(issuer);
		EVP_PKEY_free(issuer_key);
		EVP_PKEY_free(key);
		return hf_fail(err, HF_E_FORMAT, "the certificate authority could not be read");
	}
	X509 *c = key ? begin(key, "holdfast admission webhook", X509_get_subject_name(issuer), days) : NULL;
	bool good = c && list.len && add_extension(c, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
		    add_extension(c, issuer, NID_key_usage, "critical,digitalSignature") &&
		    add_extension(c, issuer, NID_ext_key_usage, "serverAuth") &&
		    add_extension(c, issuer, NID_authority_key_identifier, "keyid") &&
		    add_extension(c, issuer, NID_subject_alt_name, list.ptr) &&
		    X509_sign(c, issuer_key, EVP_sha256()) && to_pem(c, key, a, ret);
	X509_free(c);
	X509_free(issuer);
	EVP_PKEY_free(issuer_key);
	EVP_PKEY_free(key);
	return good ? HF_OK : fail(err, "making a server certificate");
}

static bool is_for(X509 *c, hf_sv name)
{
	char text[256];

	if (name.len >= sizeof text)
		return false;
	memcpy(text, name.ptr, name.len);
	text[name.len] = 0;
	return is_address(name) ? X509_check_ip_asc(c, text, 0) == 1 : X509_check_host(c, text, name.len, 0, NULL) == 1;
}

int hf_certificate_look(hf_sv pem, int64_t now, const hf_sv *names, size_t names_n, int64_t *ret_seconds_left,
			bool *ret_names_match, struct hf_err *err)
{
	X509 *c = read_certificate(pem);
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)now);
	int days, seconds;

	if (!c || !at || !ASN1_TIME_diff(&days, &seconds, at, X509_get0_notAfter(c))) {
		X509_free(c);
		ASN1_TIME_free(at);
		return hf_fail(err, HF_E_FORMAT, "the certificate could not be read");
	}
	*ret_seconds_left = (int64_t)days * 86400 + seconds;
	*ret_names_match = true;
	for (size_t i = 0; i < names_n; i++)
		*ret_names_match &= is_for(c, names[i]);
	X509_free(c);
	ASN1_TIME_free(at);
	return HF_OK;
}
