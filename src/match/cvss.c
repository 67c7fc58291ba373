#include "match/cvss.h"

#include <math.h>

#include "match/cvss4.h"

enum { METRICS_MAX = 64 };

struct metric {
	const char *name;
	const char *values; /* one letter each */
	double weights[5];
};

struct vector {
	hf_sv names[METRICS_MAX], values[METRICS_MAX];
	size_t n;
};

static bool split(hf_sv s, struct vector *v)
{
	hf_sv part;

	v->n = 0;
	while (s.ptr && hf_sv_next(&s, '/', &part)) {
		if (v->n == METRICS_MAX || !hf_sv_cut(part, ':', &v->names[v->n], &v->values[v->n]) ||
		    !v->values[v->n].len)
			return false;
		for (size_t i = 0; i < v->n; i++)
			if (hf_sv_eq(v->names[i], v->names[v->n]))
				return false;
		v->n++;
	}
	return v->n > 0;
}

/* The value of a base metric; NULL where it is missing. */
static const hf_sv *value_of(const struct vector *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (hf_sv_eq(v->names[i], hf_sv_of(name)))
			return &v->values[i];
	return NULL;
}

static bool weights_of(const struct vector *v, const struct metric *metrics, size_t n, double *ret, char *ret_letters)
{
	for (size_t i = 0; i < n; i++) {
		const hf_sv *value = value_of(v, metrics[i].name);
		const char *at =
			value && value->len == 1 && value->ptr[0] ? strchr(metrics[i].values, value->ptr[0]) : NULL;
		if (!at)
			return false;
		ret[i] = metrics[i].weights[at - metrics[i].values];
		ret_letters[i] = *at;
	}
	return true;
}

static double score2(const struct vector *v)
{
	static const struct metric metrics[] = {
		{ "AV", "LAN", { 0.395, 0.646, 1.0 } }, { "AC", "HML", { 0.35, 0.61, 0.71 } },
		{ "Au", "MSN", { 0.45, 0.56, 0.704 } }, { "C", "NPC", { 0, 0.275, 0.66 } },
		{ "I", "NPC", { 0, 0.275, 0.66 } },     { "A", "NPC", { 0, 0.275, 0.66 } },
	};
	double w[6];
	char letters[6];

	if (!weights_of(v, metrics, 6, w, letters))
		return -1;
	double impact = 10.41 * (1 - (1 - w[3]) * (1 - w[4]) * (1 - w[5]));
	double exploitability = 20 * w[0] * w[1] * w[2];
	double score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact > 0 ? 1.176 : 0);
	return fmax(0, round(score * 10) / 10);
}

/* v3.1's appendix A, in integers so that floating point's residue does not round up; v3.0 takes the ceiling of the
 * same. */
static double round_up(double score)
{
	long n = lround(score * 100000);

	return n % 10000 == 0 ? (double)n / 100000 : ((double)(n / 10000) + 1) / 10;
}

static double score3(const struct vector *v, bool v30)
{
	static const struct metric metrics[] = {
		{ "AV", "NALP", { 0.85, 0.62, 0.55, 0.2 } },
		{ "AC", "LH", { 0.77, 0.44 } },
		{ "PR", "NLH", { 0.85, 0.62, 0.27 } },
		{ "UI", "NR", { 0.85, 0.62 } },
		{ "S", "UC", { 0, 1 } },
		{ "C", "HLN", { 0.56, 0.22, 0 } },
		{ "I", "HLN", { 0.56, 0.22, 0 } },
		{ "A", "HLN", { 0.56, 0.22, 0 } },
	};
	double w[8];
	char letters[8];

	if (!weights_of(v, metrics, 8, w, letters))
		return -1;
	bool changed = letters[4] == 'C';
	if (changed && letters[2] == 'L')
		w[2] = 0.68;
	if (changed && letters[2] == 'H')
		w[2] = 0.5;
	double iss = 1 - (1 - w[5]) * (1 - w[6]) * (1 - w[7]);
	double impact = changed ? 7.52 * (iss - 0.029) - 3.25 * pow(iss - 0.02, 15) : 6.42 * iss;
	double exploitability = 8.22 * w[0] * w[1] * w[2] * w[3];
	if (impact <= 0)
		return 0;
	double score = fmin(changed ? 1.08 * (impact + exploitability) : impact + exploitability, 10);
	return v30 ? ceil(score * 10 - 1e-9) / 10 : round_up(score);
}

unsigned hf_cvss_version(hf_sv s)
{
	if (hf_sv_starts(s, HF_SV("CVSS:4.0/")))
		return 40;
	if (hf_sv_starts(s, HF_SV("CVSS:3.1/")))
		return 31;
	if (hf_sv_starts(s, HF_SV("CVSS:3.0/")))
		return 30;
	if (hf_sv_starts(s, HF_SV("AV:")) || hf_sv_starts(s, HF_SV("CVSS:2.0/")) || hf_sv_starts(s, HF_SV("(AV:")))
		return 20;
	return 0;
}

double hf_cvss_base_score(hf_sv s)
{
	unsigned version = hf_cvss_version(s);
	struct vector v;
	char letters[HF_CVSS4_METRICS];

	if (version == 20 && s.ptr[0] == '(' && hf_sv_ends(s, HF_SV(")")))
		s = hf_sv_slice(s, 1, s.len - 2);
	else if (version != 20 || hf_sv_starts(s, HF_SV("CVSS:")))
		s = hf_sv_skip(s, 9);
	if (!version || !split(s, &v))
		return -1;
	if (version == 20)
		return score2(&v);
	if (version < 40)
		return score3(&v, version == 30);
	for (size_t i = 0; i < HF_CVSS4_METRICS; i++) {
		const hf_sv *value = value_of(&v, hf_cvss4_names[i]);
		if (!value || value->len != 1)
			return -1;
		letters[i] = value->ptr[0];
	}
	return hf_cvss4_score(letters);
}
