/* What an engine says of a container, within bounds. The parsers read into the fields of a struct hf_container, of which they
 * leave alone what is the table's (state, gone, cgroup, times). What is over a bound is cut and ends with "…", and of labels that
 * are too many a label "holdfast.left_out" tells the number: names are had even where somebody wrote a megabyte of labels. */
#pragma once
#include "engine/container.h"
#include "format/json.h"

enum {
	HF_FACT_NAME_MAX = 512,
	HF_FACT_VALUE_MAX = 1024,
	HF_FACT_LABELS_MAX = 64,
	HF_FACT_LIST_MAX = 64,
};

/* Cuts at @max bytes, not inside of a UTF-8 sequence, and adds "…". */
hf_sv hf_fact_bounded(struct hf_arena *a, hf_sv s, size_t max);
/* The next value: a list of strings within bounds. */
void hf_fact_list(struct hf_json *j, struct hf_arena *a, const hf_sv **ret, size_t *ret_n);
/* Adds one element, within bounds. */
struct hf_fact_strings {
	hf_sv at[HF_FACT_LIST_MAX + 1];
	size_t n;
	bool cut;
};
void hf_fact_add(struct hf_fact_strings *l, hf_sv s);
/* A copy in the arena, with "…" as the last one where something was cut. */
void hf_fact_strings_keep(const struct hf_fact_strings *l, struct hf_arena *a, const hf_sv **ret, size_t *ret_n);

/* Pairs of labels while they are collected. */
struct hf_fact_label {
	hf_sv key, value;
};
struct hf_fact_labels {
	HF_VEC(struct hf_fact_label) list;
	size_t left_out;
};
void hf_fact_label_add(struct hf_fact_labels *l, struct hf_arena *a, hf_sv key, hf_sv value);
/* Sorts, the last of equal keys wins, cuts; writes labels and labels_n, and pod_* where labels of Kubernetes tell them. */
void hf_fact_labels_keep(struct hf_fact_labels *l, struct hf_arena *a, struct hf_container *ret);
/* The next value: an object of strings. */
void hf_fact_labels_read(struct hf_json *j, struct hf_arena *a, struct hf_fact_labels *l);

/* One block of memory with all that @facts and, where it says nothing, @old (NULL: nothing) say; *ret gets views into it, and
 * nothing else of it is changed. free() it. Strings and lists alone: privileged is copied too. */
void *hf_facts_pack(const struct hf_container *facts, const struct hf_container *old, struct hf_container *ret,
		    size_t *ret_size);
