#include "check/secret_shape.h"

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_upper(c) || is_digit(c) || (c >= 'a' && c <= 'z');
}

static size_t token_length(hf_sv s)
{
	size_t n = 0;

	while (n < s.len && (is_alnum(s.ptr[n]) || s.ptr[n] == '_' || s.ptr[n] == '-'))
		n++;
	return n;
}

/* What the issuers of tokens put in front of them, and how many characters follow at least. */
static const struct {
	const char *prefix;
	size_t rest_min;
	bool upper; /* capitals and digits alone follow */
	const char *what;
} prefixes[] = {
	{ "AKIA", 16, true, "a key of AWS" },
	{ "ASIA", 16, true, "a key of AWS" },
	{ "AIza", 35, false, "a key of Google" },
	{ "ghp_", 36, false, "a token of GitHub" },
	{ "gho_", 36, false, "a token of GitHub" },
	{ "ghs_", 36, false, "a token of GitHub" },
	{ "ghu_", 36, false, "a token of GitHub" },
	{ "ghr_", 36, false, "a token of GitHub" },
	{ "github_pat_", 22, false, "a token of GitHub" },
	{ "glpat-", 20, false, "a token of GitLab" },
	{ "xoxb-", 20, false, "a token of Slack" },
	{ "xoxp-", 20, false, "a token of Slack" },
	{ "sk_live_", 20, false, "a key of Stripe" },
	{ "rk_live_", 20, false, "a key of Stripe" },
	{ "npm_", 36, false, "a token of npm" },
	{ "pypi-AgE", 40, false, "a token of PyPI" },
	{ "dckr_pat_", 24, false, "a token of Docker Hub" },
	{ "hvs.", 24, false, "a token of Vault" },
};

static const char *prefix_shape(hf_sv s)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(prefixes); i++) {
		hf_sv prefix = hf_sv_of(prefixes[i].prefix), rest = hf_sv_skip(s, prefix.len);
		size_t n = 0;
		if (!hf_sv_starts(s, prefix))
			continue;
		while (prefixes[i].upper && n < rest.len && (is_upper(rest.ptr[n]) || is_digit(rest.ptr[n])))
			n++;
		if (!prefixes[i].upper)
			n = token_length(hf_sv_first(rest, 200));
		if (n >= prefixes[i].rest_min)
			return prefixes[i].what;
	}
	return NULL;
}

/* Three parts of base64url, of which the first two are JSON objects. */
static bool is_jwt(hf_sv s)
{
	size_t first = hf_sv_starts(s, HF_SV("eyJ")) ? token_length(s) : 0;
	hf_sv rest = hf_sv_skip(s, first + 1);

	if (first < 10 || first >= s.len || s.ptr[first] != '.' || !hf_sv_starts(rest, HF_SV("eyJ")))
		return false;
	size_t second = token_length(rest);
	return second < rest.len && rest.ptr[second] == '.' && token_length(hf_sv_skip(rest, second + 1)) >= 10;
}

/* Behind certificates too. */
static bool has_private_key(hf_sv text)
{
	for (size_t at; (at = hf_sv_find(text, HF_SV("-----BEGIN "))) != SIZE_MAX; text = hf_sv_skip(text, at + 11))
		if (hf_sv_find(hf_sv_slice(text, at, 60), HF_SV("PRIVATE KEY-----")) != SIZE_MAX)
			return true;
	return false;
}

/* scheme://user:password@host, where the password is no reference. @s stands behind "://". */
static bool has_password(hf_sv s)
{
	size_t n = 0;

	while (n < s.len && n < 500 && s.ptr[n] > ' ' && s.ptr[n] != '/' && s.ptr[n] != '@' && s.ptr[n] != '"')
		n++;
	if (n >= s.len || s.ptr[n] != '@')
		return false;
	hf_sv user, password;
	return hf_sv_cut(hf_sv_first(s, n), ':', &user, &password) && password.len && password.ptr[0] != '$' &&
	       password.ptr[0] != '<' && password.ptr[0] != '{' && password.ptr[0] != '*' && password.ptr[0] != '%';
}

const char *hf_secret_shape(hf_sv text)
{
	text = hf_sv_first(text, 1u << 20);
	if (has_private_key(text))
		return "a private key";
	for (size_t i = 0; i + 8 < text.len; i++) {
		hf_sv s = hf_sv_skip(text, i);
		if (s.ptr[0] == ':' && hf_sv_starts(s, HF_SV("://")) && has_password(hf_sv_skip(s, 3)))
			return "a URL with a password";
		if (!is_alnum(s.ptr[0]) ||
		    (i && (is_alnum(text.ptr[i - 1]) || text.ptr[i - 1] == '_' || text.ptr[i - 1] == '-')))
			continue;
		const char *shape = prefix_shape(s);
		if (shape || is_jwt(s))
			return shape ? shape : "a JSON web token";
	}
	return NULL;
}

enum { WORDS_MAX = 3, WORD_MAX = 16 };

struct words {
	char at[WORDS_MAX][WORD_MAX + 1]; /* the last ones, small letters */
	size_t n;
};

static void close_word(struct words *w, const char *word, size_t len)
{
	if (!len)
		return;
	if (w->n == WORDS_MAX)
		memmove(w->at[0], w->at[1], sizeof w->at - sizeof w->at[0]);
	else
		w->n++;
	memset(w->at[w->n - 1], 0, sizeof w->at[0]);
	memcpy(w->at[w->n - 1], word, len <= WORD_MAX ? len : 0);
}

/* "dbPassword", "DB_PASSWORD", "--db-password" are the words db and password. */
static void split(hf_sv name, struct words *w)
{
	char word[WORD_MAX + 1];
	size_t len = 0;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool hump = is_upper(c) && i && !is_upper(name.ptr[i - 1]);
		if (!is_alnum(c) || hump) {
			close_word(w, word, len);
			len = 0;
		}
		if (!is_alnum(c))
			continue;
		if (len < WORD_MAX)
			word[len] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
		len++;
	}
	close_word(w, word, len);
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

bool hf_secret_name(hf_sv name)
{
	static const char *const tails[] = { "prod", "production", "dev", "test",   "staging", "default", "old",
					     "new",  "value",      "b64", "base64", "current", NULL };
	static const char *const alone[] = { "password",    "passwd",    "passphrase", "pwd",         "secret",
					     "token",       "apikey",    "credential", "credentials", "privatekey",
					     "secretkey",   "accesskey", "pass",       "dbpassword",  "authtoken",
					     "accesstoken", NULL };
	static const char *const owners[] = { "api",     "private", "secret",  "access", "encryption",
					      "signing", "master",  "account", NULL };
	static const char *const pointers[] = { "existing", "pull", "csrf", "xsrf", "next", "page", "by", NULL };
	struct words w = { 0 };

	split(hf_sv_first(name, 200), &w);
	if (w.n > 1 && (is_one_of(w.at[w.n - 1], tails) || is_digit(w.at[w.n - 1][0])))
		w.n--;
	for (size_t len = w.n ? strlen(w.at[w.n - 1]) : 0; len > 1 && is_digit(w.at[w.n - 1][len - 1]); len--)
		w.at[w.n - 1][len - 1] = 0;
	const char *last = w.n ? w.at[w.n - 1] : "", *before = w.n > 1 ? w.at[w.n - 2] : "";
	if (is_one_of(last, alone))
		return !is_one_of(before, pointers);
	return !strcmp(last, "key") && is_one_of(before, owners);
}

static bool is_number(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_digit(s.ptr[i]) && s.ptr[i] != '.')
			return false;
	return true;
}

bool hf_secret_value(hf_sv value)
{
	static const char *const references[] = { "/",       "./",       "$",         "{{",        "<",    "*",
						  "http://", "https://", "file:",     "vault:",    "ref+", "arn:",
						  "op://",   "env:",     "projects/", "secretref:" };
	static const char *const nothing[] = { "true", "false", "null", "none", "nil", "yes", "no" };

	if (value.len > 1 && (value.ptr[0] == '"' || value.ptr[0] == '\''))
		value = hf_sv_slice(value, 1, value.len - 2);
	if (value.len < 3 || value.len > 4096 || (is_number(value) && value.len < 6))
		return false;
	for (size_t i = 0; i < HF_ARRAY_SIZE(references); i++)
		if (hf_sv_starts(value, hf_sv_of(references[i])))
			return false;
	for (size_t i = 0; i < HF_ARRAY_SIZE(nothing); i++)
		if (hf_sv_eq_ascii(value, hf_sv_of(nothing[i])))
			return false;
	return true;
}
