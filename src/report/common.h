/* What several reports need: places in layers, identities that stay the same from run to run, time stamps, JSON of
 * the parts that several documents share. */
#pragma once
#include "format/json_writer.h"
#include "report/report.h"

enum { HF_REPORT_ID_SIZE = 33, HF_REPORT_UUID_SIZE = 37, HF_REPORT_TIME_SIZE = 21 };

/* Working memory of one report; freed by hf_arena_done. */
struct hf_arena hf_report_arena(void);
const char *hf_report_version(const struct hf_report_options *o);

/* The layer with this index; NULL for -1 and for what is not there. */
const struct hf_layer *hf_report_layer(const struct hf_scan_report *r, int64_t index);
/* Its diff_id; empty where not known. */
hf_sv hf_report_diff_id(const struct hf_scan_report *r, int64_t index);
/* The package that a finding is about; NULL where its index is none. */
const struct hf_package *hf_report_package(const struct hf_scan_report *r, int64_t index);
/* The name for people: a jar whose group is not known is named by its artifact, without the ":" in front. */
hf_sv hf_report_name(const struct hf_package *p);
/* The files that give the package: p->paths, or p->path alone. *@ret_n may be 0. */
const hf_sv *hf_report_paths(const struct hf_package *p, size_t *ret_n);

/* 128 bits of SHA-256 over the parts (each with its length, so that they can't run together) as 32 hex digits. */
void hf_report_id(char out[HF_REPORT_ID_SIZE], const hf_sv *parts, size_t n);
/* A UUID of version 8 (RFC 9562, "custom") over what the document is about: target, packages and their places. */
void hf_report_uuid(char out[HF_REPORT_UUID_SIZE], const struct hf_scan_report *r);
/* "2024-01-31T12:00:00Z" */
void hf_report_time(char out[HF_REPORT_TIME_SIZE], int64_t seconds);

/* Totals of what is shown. */
struct hf_report_totals {
	uint64_t by_severity[HF_SEV_MAX]; /* of findings that count; negligible is in low */
	uint64_t counted, fixable, kev, suppressed, kernel_headers, unimportant, informational;
	uint64_t filtered; /* findings that count but are not shown */
};
struct hf_report_totals hf_report_totals(const struct hf_scan_report *r, const struct hf_filter *filter);

/* A writer that sends its bytes to @out. */
struct hf_json_writer hf_report_json(struct hf_out *out);
/* Ends a JSON document: what went wrong in the writer or in the output. */
int hf_report_json_finish(struct hf_json_writer *w, struct hf_out *out, struct hf_err *err);
/* "target": {…}, "os": {…} where known, "packages": […], "unparsed": […] of cli.md. */
void hf_report_json_target(struct hf_json_writer *w, const struct hf_scan_report *r);
void hf_report_json_os(struct hf_json_writer *w, const struct hf_scan_report *r);
void hf_report_json_packages(struct hf_json_writer *w, const struct hf_scan_report *r);
void hf_report_json_unparsed(struct hf_json_writer *w, const struct hf_scan_report *r);
/* The members of one layer's object that `scan` and `layers` share. */
void hf_report_json_layer(struct hf_json_writer *w, const struct hf_layer_report *l);
/* Layers as layer reports: those of the report, or made from the artifact's where there are none. In @a. */
const struct hf_layer_report *hf_report_layers(struct hf_arena *a, const struct hf_scan_report *r, size_t *ret_n);
