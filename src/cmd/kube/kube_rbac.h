/* kube rbac: what its subcommands share. */
#pragma once
#include "cmd/kube/kube_run.h"
#include "format/json_writer.h"
#include "rbac/findings.h"

enum rbac_task { RBAC_CHECK, RBAC_CAN, RBAC_WHO_CAN, RBAC_LIST, RBAC_UNUSED, RBAC_AUDIT };

struct rbac_ask {
	struct hf_arena arena; /* of words that are put together */
	enum rbac_task task;
	const char *words[3]; /* of can and who-can: verb, resource, name */
	size_t words_n;
	const char *as, *namespace, *name, *subresource, *audit_log;
	uint32_t shows, fails; /* bits 1u << enum hf_severity; shows 0: all */
	hf_sv *groups;
	size_t groups_n;
	bool all_namespaces, exact_groups, all, json, yaml, patch, apply;
	enum hf_rbac_defaults defaults;
};

/* One cluster's answer is being written. */
struct rbac_writer {
	const struct rbac_ask *ask;
	struct kube_run *run;
	const struct hf_rbac_model *model;
	const struct hf_rbac_powers *powers; /* once a task has asked for them */
	struct hf_arena *arena;
	struct hf_out *out;
	struct hf_json_writer *json; /* NULL: as a table; else within the cluster's object */
	hf_sv *rule_texts;           /* by number of the rule, of this model */
	const struct hf_rbac_model *rule_texts_of;
};

/* Each writes its part and returns bits of KUBE_*, or a negative code. */
int rbac_can(struct rbac_writer *, struct hf_err *);
int rbac_who_can(struct rbac_writer *, struct hf_err *);
int rbac_list(struct rbac_writer *, struct hf_err *);
int rbac_unused(struct rbac_writer *, struct hf_err *);
int rbac_audit(struct rbac_writer *, struct hf_err *);
int rbac_check(struct rbac_writer *, struct hf_err *);
struct hf_rbac_audit;
int rbac_patch(struct rbac_writer *, const struct hf_rbac_audit *, struct hf_err *);

/* Rows of cells that are aligned; what stands in cells is escaped. */
struct rbac_table {
	struct hf_arena *arena;
	const char *indent;
	size_t columns;
	HF_VEC(hf_sv) cells;
};
void rbac_table_add(struct rbac_table *, hf_sv cell);
void rbac_table_print(struct rbac_table *, struct hf_out *);

/* A line of escaped text. */
void rbac_print_line(struct rbac_writer *, const char *indent, hf_sv);
/* "file.yaml:12" of the object, or of a value in it; "built in". */
hf_sv rbac_place(struct rbac_writer *, const struct hf_kube_object *, const struct hf_value *);
/* "get,list pods,services", "get secrets (db)", "get /healthz". */
hf_sv rbac_rule_text(struct rbac_writer *, const struct hf_rbac_rule *);
/* Members of the object at hand: subject; binding, role and rule, each with where it stands. */
void rbac_json_subject(struct hf_json_writer *, const char *key, const struct hf_rbac_subject *);
void rbac_json_grant(struct rbac_writer *, const char *key, const struct hf_rbac_grant *);
