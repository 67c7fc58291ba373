/* A file of an artifact as a parser sees it, and what parsers hand their results to. */
#pragma once
#include "base/span.h"
#include "model/os.h"
#include "model/package.h"

struct hf_file {
	hf_sv path;                 /* relative to the root, normalised: no leading '/', no ".", "..", "//" */
	hf_sv bytes;                /* the whole content; borrowed for the call */
	uint32_t mode;              /* permission bits; 0 where not known */
	const struct hf_span *held; /* the parts of `bytes` that are there, the rest reads as zeros; NULL: all are */
	size_t held_n;
};

/* Where a cataloger puts what it finds. Each returns HF_OK or a negative code, which the parser passes on at once.
 * Views are borrowed for the call: the sink copies what it keeps. */
struct hf_emit {
	int (*package)(struct hf_emit *, const struct hf_package *, struct hf_err *);
	/* The distribution's package @package_name (as emitted by the same cataloger) owns @path (relative, no leading '/'). */
	int (*owns)(struct hf_emit *, enum hf_package_type type, hf_sv package_name, hf_sv path, struct hf_err *);
	int (*os)(struct hf_emit *, const struct hf_os *, struct hf_err *);
	/* Part of the file (or of a file nested in it: @path is the whole path, "a.jar!/b.jar") was not understood.
	 * The parser goes on and returns HF_PARTIAL in the end. */
	int (*unparsed)(struct hf_emit *, hf_sv path, hf_sv reason, struct hf_err *);
};
