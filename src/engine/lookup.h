/* Asks the engines, on two threads: one follows Docker's events, so that a container's names are there before its first process,
 * one answers what is asked of it from Docker's API, from Docker's folder where the API is silent, and from OCI bundles. Nothing
 * here blocks the caller. Internal to the folder. */
#pragma once
#include "engine/container.h"

enum hf_lookup_kind {
	HF_LOOKUP_ANNOUNCED, /* Docker made it or gave it another name: id, name, image_name, labels, perhaps image_digest */
	HF_LOOKUP_DESTROYED,
	HF_LOOKUP_FOUND,     /* an answer to what was asked */
	HF_LOOKUP_NOT_FOUND, /* facts has the id alone; why is set */
};

struct hf_lookup_result {
	struct hf_lookup_result *next;
	enum hf_lookup_kind kind;
	bool definite; /* of NOT_FOUND: all engines answered */
	struct hf_container facts;
	void *block; /* what facts has its views in */
	char why[256];
};

struct hf_lookup;

int hf_lookup_open(const struct hf_containers_options *, struct hf_lookup **ret, struct hf_err *err);
void hf_lookup_close(struct hf_lookup *);
/* False where too much waits already: ask again later. @image_name: where it is known, for its digest. */
bool hf_lookup_ask(struct hf_lookup *, hf_sv id, hf_sv engine, hf_sv image_name);
/* Readable while there are results. */
int hf_lookup_fd(const struct hf_lookup *);
/* All that have come, oldest first; free each. */
struct hf_lookup_result *hf_lookup_take(struct hf_lookup *);
void hf_lookup_result_free(struct hf_lookup_result *);
/* Writes one line; true where Docker answers. */
bool hf_lookup_engine(struct hf_lookup *, char *line, size_t size);
