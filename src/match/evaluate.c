#include "match/evaluate.h"

/* Installed against one stretch. */
static enum hf_holds within(const struct hf_range *g, hf_sv v, const struct hf_version_scheme *s)
{
	hf_sv end = g->fixed.len ? g->fixed : g->last_affected.len ? g->last_affected : g->limit;
	bool inclusive = !g->fixed.len && g->last_affected.len;

	if (g->introduced.len && !hf_sv_eq(g->introduced, HF_SV("0"))) {
		enum hf_order o = s->compare(v, g->introduced);
		if (o == HF_ORDER_LESS)
			return HF_HOLDS_NO;
		if (o == HF_ORDER_UNKNOWN)
			return HF_HOLDS_UNKNOWN;
	}
	if (!end.len || hf_sv_eq(end, HF_SV("*")))
		return HF_HOLDS_YES;
	switch (s->compare(v, end)) {
	case HF_ORDER_LESS:
		return HF_HOLDS_YES;
	case HF_ORDER_EQUAL:
		return inclusive ? HF_HOLDS_YES : HF_HOLDS_NO;
	case HF_ORDER_GREATER:
		return HF_HOLDS_NO;
	case HF_ORDER_UNKNOWN:
	default:
		return HF_HOLDS_UNKNOWN;
	}
}

/* From @version upwards along the fixes, until no stretch holds any more. The stretches are few; the bound is for
 * hostile ones. */
static hf_sv lowest_fix(const struct hf_affected_entry *e, hf_sv version, const struct hf_version_scheme *s)
{
	hf_sv at = version;

	for (unsigned step = 0; step < 64; step++) {
		struct hf_cur ranges = e->ranges;
		struct hf_range g;
		bool inside = false;
		while (hf_affected_entry_range(&ranges, &g)) {
			if (within(&g, at, s) != HF_HOLDS_YES)
				continue;
			if (!g.fixed.len)
				return (hf_sv){ 0 };
			at = g.fixed;
			inside = true;
			break;
		}
		if (!inside)
			return step ? at : (hf_sv){ 0 };
	}
	return (hf_sv){ 0 };
}

static bool listed(const struct hf_affected_entry *e, hf_sv version, const struct hf_version_scheme *s, hf_sv *ret)
{
	struct hf_cur versions = e->versions;

	while (hf_affected_entry_text(&versions, ret))
		if (hf_sv_eq(*ret, version) || s->compare(version, *ret) == HF_ORDER_EQUAL)
			return true;
	return false;
}

void hf_evaluate(const struct hf_affected_entry *e, hf_sv version, const struct hf_version_scheme *s,
		 struct hf_evaluation *ret)
{
	struct hf_cur ranges = e->ranges;
	struct hf_range g;

	*ret = (struct hf_evaluation){ 0 };
	if (listed(e, version, s, &ret->listed)) {
		ret->holds = HF_HOLDS_YES;
		ret->fixed = lowest_fix(e, version, s);
		return;
	}
	while (hf_affected_entry_range(&ranges, &g)) {
		enum hf_holds holds = within(&g, version, s);
		if (holds == HF_HOLDS_YES) {
			ret->holds = holds;
			ret->range = g;
			ret->has_fix = false;
			ret->fixed = lowest_fix(e, version, s);
			return;
		}
		if (holds == HF_HOLDS_UNKNOWN) {
			ret->holds = holds;
			ret->range = g;
		} else if (g.fixed.len && s->compare(version, g.fixed) != HF_ORDER_LESS) {
			ret->has_fix = true;
			ret->fixed = g.fixed;
			if (ret->holds == HF_HOLDS_NO)
				ret->range = g;
		} else if (ret->holds == HF_HOLDS_NO && !ret->has_fix) {
			ret->range = g;
		}
	}
	if (ret->holds == HF_HOLDS_UNKNOWN)
		ret->has_fix = false;
}
