/* One OSV record between its two steps: read as the schema says, then put into the model's words. Used by adv_osv.c
 * alone. */
#pragma once
#include "advisory/feed.h"

typedef HF_VEC(struct hf_range) hf_range_vec;

struct hf_osv_entry {
	struct hf_affected affected;
	hf_sv purl;
	bool never_affected; /* every range ends where it begins: never affected */
};

struct hf_osv_record {
	struct hf_advisory adv; /* its lists are set by hf_osv_normalise */
	struct hf_arena *arena;
	hf_sv details, word; /* word: the record's severity as it spells it */
	hf_sv_vec aliases, upstream, related;
	HF_VEC(struct hf_cvss) cvss;
	HF_VEC(struct hf_osv_entry) entries;
	hf_sv reference; /* the first of type ADVISORY, else the first of type WEB */
	bool reference_is_advisory;
	bool malicious, unmaintained, notice;
	const char *complaint; /* the first piece that is not as the schema says; NULL: none */
	unsigned complaints;
};

/* Reads one record into @rec, whose arena is set. Pieces that break the schema are left out and counted in
 * rec->complaints. rec->adv.id is empty where there is no id: such a record cannot be used.
 * @return HF_OK; HF_E_FORMAT not JSON, or an object without any of OSV's fields; HF_E_LIMIT over the arena's cap. */
int hf_osv_parse(struct hf_osv_record *rec, hf_sv text, struct hf_err *err);
/* Fills rec->adv: kind, severities, upstream, states, modules, channels by the habits of each database. HF_OK or
 * HF_E_LIMIT. */
int hf_osv_normalise(struct hf_osv_record *rec, struct hf_err *err);

/* Shared by the two files that read a record. */

/* Counts a piece that is not as the schema says; the first one is kept for the message. */
void hf_osv_complain(struct hf_osv_record *rec, const char *what);
/* Enters a list; null stands for the empty one, another type is a complaint. */
bool hf_osv_enter_list(struct hf_osv_record *rec, struct hf_json *j, const char *complaint);
/* Reads the `ranges` of one affected entry (@json, as it stands; ptr NULL: none) into stretches. Events that do not
 * stand as pairs are put into the order of the versions of @ecosystem first, and versions that are short for one of its
 * scheme's ("13.0" for 13.0.0) are written out: docs/formats/osv.md. */
void hf_osv_read_ranges(struct hf_osv_record *rec, hf_sv json, hf_sv ecosystem, hf_range_vec *ranges);
