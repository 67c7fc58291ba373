/* Reads rpm headers as rpm's databases store them: without the magic of the package file.
 *
 *   offset  size     all numbers big-endian
 *   0       4        entries of the index, n (1 to 65535)
 *   4       4        bytes of the data, m (at most 256 MiB)
 *   8       16 * n   entries: tag, type, offset into the data, count; four bytes each
 *   8+16n   m        data
 * The first entry is a region tag (61 image, 62 signatures, 63 immutable) whose 16 bytes of data, an entry themselves,
 * say with a negative offset how many entries are as they were in the package file. The entries behind them
 * ("dribbles") were added at installation and win over those of the region. A region whose entry has offset 0, or none
 * at all (packages of rpm 3), covers the whole index. Source: rpm 4.18 docs/manual/format.md and hregions.md; the
 * limits of lib/header.c. */
#pragma once
#include "base/view.h"

enum hf_rpm_type {
	HF_RPM_NULL = 0,
	HF_RPM_CHAR,
	HF_RPM_INT8,
	HF_RPM_INT16,
	HF_RPM_INT32,
	HF_RPM_INT64,
	HF_RPM_STRING,
	HF_RPM_BIN,
	HF_RPM_STRING_ARRAY,
	HF_RPM_I18NSTRING,
	HF_RPM_TYPES,
};

/* docs/manual/tags.md */
enum hf_rpm_tag {
	HF_RPMTAG_NAME = 1000,
	HF_RPMTAG_VERSION = 1001,
	HF_RPMTAG_RELEASE = 1002,
	HF_RPMTAG_EPOCH = 1003,
	HF_RPMTAG_VENDOR = 1011,
	HF_RPMTAG_LICENSE = 1014,
	HF_RPMTAG_ARCH = 1022,
	HF_RPMTAG_OLDFILENAMES = 1027,
	HF_RPMTAG_SOURCERPM = 1044,
	HF_RPMTAG_DIRINDEXES = 1116,
	HF_RPMTAG_BASENAMES = 1117,
	HF_RPMTAG_DIRNAMES = 1118,
	HF_RPMTAG_MODULARITYLABEL = 5096,
};

struct hf_rpmhdr_value {
	uint32_t tag;   /* given by the caller */
	uint32_t count; /* 0: the header has no such tag */
	enum hf_rpm_type type;
	hf_sv data; /* numbers: all of them; strings: from the first one to the end of the header's data */
};

/* Goes through the index of @blob once and fills values[i] for values[i].tag, for each of @n values. Each entry's type,
 * alignment, count and place are checked; one that is wrong is passed over.
 * @return HF_OK; HF_PARTIAL: an entry or the region is wrong, the rest was read; HF_E_FORMAT: not a header, the sizes
 * do not agree, or over HF_RPM_TAGS_MAX. *@ret_why is a sentence about the first thing that is wrong, for these two. */
int hf_rpmhdr_read(hf_sv blob, struct hf_rpmhdr_value *values, size_t n, const char **ret_why);
/* The first string; ptr NULL where the value is absent, no string, or not ended. Of translations the first is the "C"
 * locale's. */
hf_sv hf_rpmhdr_string(const struct hf_rpmhdr_value *v);
/* Number @i of a HF_RPM_INT32 value; false where there is none. */
bool hf_rpmhdr_u32(const struct hf_rpmhdr_value *v, uint32_t i, uint32_t *ret);
/* True for the three types of strings, which hf_cur_cstr over v->data gives one after the other, v->count of them. */
bool hf_rpmhdr_is_strings(const struct hf_rpmhdr_value *v);
