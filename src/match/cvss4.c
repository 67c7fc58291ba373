#include "match/cvss4.h"

#include <math.h>

/* The score in tenths of each MacroVector, -1 where there is none: one line a value of EQ1, EQ2, EQ3; in it EQ4, EQ5,
 * EQ6. Data of FIRST's reference calculator, specification 1.2 section 8.2 (BSD-2-Clause, Copyright FIRST, Red Hat and
 * contributors). */
static const signed char scores[] = {
	100, 99, 98, 95, 95, 92, 100, 96, 93, 87, 91, 81, 93, 90, 89, 80, 81, 68, 98, 95, 95, 92, 90, 84, 93, 92, 89,
	81,  81, 65, 88, 80, 78, 70,  69, 48, -1, 92, -1, 82, -1, 72, -1, 79, -1, 69, -1, 50, -1, 69, -1, 55, -1, 27,
	99,  97, 95, 92, 92, 85, 95,  91, 90, 83, 84, 71, 92, 81, 82, 71, 72, 53, 95, 93, 92, 85, 85, 73, 92, 82, 80,
	72,  70, 59, 84, 70, 71, 52,  50, 30, -1, 86, -1, 75, -1, 52, -1, 71, -1, 52, -1, 29, -1, 63, -1, 29, -1, 17,
	98,  95, 94, 87, 91, 81, 94,  89, 86, 74, 77, 64, 87, 75, 74, 63, 63, 49, 94, 89, 88, 77, 76, 67, 86, 76, 74,
	58,  59, 50, 72, 57, 57, 52,  52, 25, -1, 83, -1, 70, -1, 54, -1, 65, -1, 58, -1, 26, -1, 53, -1, 21, -1, 13,
	95,  90, 88, 76, 76, 70, 90,  77, 75, 62, 61, 53, 77, 66, 68, 59, 52, 30, 89, 78, 76, 67, 62, 58, 74, 59, 57,
	57,  47, 23, 61, 52, 57, 29,  24, 16, -1, 71, -1, 59, -1, 30, -1, 58, -1, 26, -1, 15, -1, 23, -1, 13, -1, 6,
	93,  87, 86, 72, 75, 58, 86,  74, 74, 61, 56, 34, 70, 54, 52, 40, 40, 22, 85, 75, 74, 55, 62, 51, 72, 57, 55,
	41,  46, 19, 53, 36, 34, 19,  19, 8,  -1, 64, -1, 51, -1, 20, -1, 47, -1, 21, -1, 11, -1, 24, -1, 9,  -1, 4,
	88,  75, 73, 53, 60, 50, 73,  55, 59, 40, 41, 20, 54, 43, 45, 22, 20, 11, 75, 55, 58, 45, 40, 21, 61, 51, 48,
	18,  20, 9,  46, 18, 17, 7,   8,  2,  -1, 53, -1, 24, -1, 14, -1, 24, -1, 12, -1, 5,  -1, 10, -1, 3,  -1, 1,
};

const char *const hf_cvss4_names[HF_CVSS4_METRICS] = {
	"AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"
};

/* In order of severity, the worst first; a step of distance each. */
static const char *const orders[HF_CVSS4_METRICS] = { "NALP", "LH",  "NP",  "NLH", "NPA", "HLN",
						      "HLN",  "HLN", "HLN", "HLN", "HLN" };

enum { AV, AC, AT, PR, UI, VC, VI, VA, SC, SI, SA };

static int step(unsigned metric, char letter)
{
	const char *at = letter ? strchr(orders[metric], letter) : NULL;

	return at ? (int)(at - orders[metric]) : -1;
}

static double table(const unsigned eq[6])
{
	static const unsigned sizes[6] = { 3, 2, 3, 3, 3, 2 };
	unsigned at = 0;

	for (unsigned i = 0; i < 6; i++) {
		if (eq[i] >= sizes[i])
			return -1;
		at = at * sizes[i] + eq[i];
	}
	return scores[at] < 0 ? -1 : scores[at] / 10.0;
}

/* Threat and requirements are at their defaults, the worst: EQ5 is 0, and EQ6 asks for any high impact. */
static void classes(const char *v, unsigned eq[6])
{
	unsigned open = (v[AV] == 'N') + (v[PR] == 'N') + (v[UI] == 'N');
	bool high = v[VC] == 'H' || v[VI] == 'H' || v[VA] == 'H';

	eq[0] = open == 3 ? 0 : open && v[AV] != 'P' ? 1 : 2;
	eq[1] = v[AC] == 'L' && v[AT] == 'N' ? 0 : 1;
	eq[2] = v[VC] == 'H' && v[VI] == 'H' ? 0 : high ? 1 : 2;
	eq[3] = v[SC] == 'H' || v[SI] == 'H' || v[SA] == 'H' ? 1 : 2;
	eq[4] = 0;
	eq[5] = high ? 0 : 1;
}

/* Steps from the first of the worst combinations that is nowhere milder than @v. */
static int distance(const char *v, const unsigned *metrics, unsigned n, const char *const *worst)
{
	for (; *worst; worst++) {
		int sum = 0;
		for (unsigned i = 0; i < n && sum >= 0; i++) {
			int d = step(metrics[i], v[metrics[i]]) - step(metrics[i], (*worst)[i]);
			sum = d < 0 ? -1 : sum + d;
		}
		if (sum >= 0)
			return sum;
	}
	return 0;
}

static double lower(const unsigned eq[6], unsigned which)
{
	unsigned next[6], other[6];

	memcpy(next, eq, sizeof next);
	memcpy(other, eq, sizeof other);
	if (which != 2) {
		next[which]++;
		return table(next);
	}
	/* EQ3 and EQ6 go together; with defaults they are 00, 10 or 21. */
	if (eq[2] == 0) {
		next[5]++;
		other[2]++;
		return fmax(table(next), table(other));
	}
	next[eq[2] == 1 ? 5 : 2]++;
	return eq[2] == 1 ? table(next) : -1;
}

double hf_cvss4_score(const char v[HF_CVSS4_METRICS])
{
	static const unsigned m1[] = { AV, PR, UI }, m2[] = { AC, AT }, m3[] = { VC, VI, VA }, m4[] = { SC, SI, SA };
	static const char *const w1[3][4] = { { "NNN" }, { "ANN", "NLN", "NNP" }, { "PNN", "ALP" } };
	static const char *const w2[2][3] = { { "LN" }, { "HN", "LP" } };
	static const char *const w3[3][3] = { { "HHH" }, { "LHH", "HLH" }, { "LLL" } };
	static const char *const w4[3][2] = { { NULL }, { "HHH" }, { "LLL" } };
	static const double d1[] = { 1, 4, 5 }, d2[] = { 1, 2 }, d3[] = { 7, 8, 10 }, d4[] = { 6, 5, 4 };
	unsigned eq[6], n = 0;
	double sum = 0;

	for (unsigned i = 0; i < HF_CVSS4_METRICS; i++)
		if (step(i, v[i]) < 0)
			return -1;
	if (v[VC] == 'N' && v[VI] == 'N' && v[VA] == 'N' && v[SC] == 'N' && v[SI] == 'N' && v[SA] == 'N')
		return 0;
	classes(v, eq);
	const double share[5] = {
		distance(v, m1, 3, w1[eq[0]]) / d1[eq[0]],
		distance(v, m2, 2, w2[eq[1]]) / d2[eq[1]],
		distance(v, m3, 3, w3[eq[2]]) / d3[eq[2]],
		distance(v, m4, 3, w4[eq[3]]) / d4[eq[3]],
		0,
	};
	double top = table(eq);
	for (unsigned i = 0; i < 5; i++) {
		double below = lower(eq, i);
		if (below < 0)
			continue;
		n++;
		sum += (top - below) * share[i];
	}
	double score = n ? top - sum / n : top;
	return fmin(10, fmax(0, floor(score * 10 + 0.5 + 1e-9) / 10));
}
