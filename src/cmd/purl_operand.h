/* The operands of `plumbing match` and `db search`: a purl and what stands beside it, as a package and its system. */
#pragma once
#include "base/arena.h"
#include "model/os.h"
#include "model/package.h"

struct hf_purl_operand {
	struct hf_package package; /* purl is the text as given */
	struct hf_os os;           /* of --distro, else of the distro qualifier and the namespace; id empty: not said */
};

/* @distro "ID:VERSION" and @source "NAME@VERSION" may be empty. Views live in @a and the arguments.
 * HF_E_FORMAT where @purl is none, or of a type that has no packages here. */
int hf_purl_operand(hf_sv purl, hf_sv distro, hf_sv source, struct hf_arena *a, struct hf_purl_operand *ret,
		    struct hf_err *err);
