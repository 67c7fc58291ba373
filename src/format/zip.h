/* A reader of zip archives by their central directory, over bytes that are held or mapped whole: only the directory and
 * the members that are asked for are touched, nothing is allocated a member.
 *
 *     struct hf_zip z;
 *     struct hf_zip_member m;
 *     int r = hf_zip_open(&z, bytes, err);
 *     …
 *     while (hf_zip_next(&z, &m))
 *         if (hf_sv_ends(m.name, HF_SV(".json")))
 *             r = hf_zip_read(&z, &m, HF_MIB(1), &scratch, &text, err);
 *     if (z.why)
 *         … the directory is broken from here on
 *
 * Source: PKWARE APPNOTE.TXT 6.3; what is not read stands in docs/formats/zip.md. */
#pragma once
#include "base/buffer.h"
#include "base/cursor.h"

struct hf_zip {
	hf_sv bytes;
	hf_sv comment;
	uint64_t base;      /* bytes in front of the archive (a launch script): offsets count from here */
	uint64_t members_n; /* as the end record says; not trusted */
	struct hf_cur directory;
	uint64_t seen_n; /* members handed out by hf_zip_next */
	const char
		*why; /* NULL while the directory is whole; else what is wrong with it, and hf_zip_next ended there */
};

struct hf_zip_member {
	hf_sv name; /* as it stands: any bytes, see hf_zip_name_flaw; a folder's ends with '/'. Lives in the archive. */
	uint64_t size;   /* plain, as promised */
	uint64_t packed; /* in the archive */
	uint64_t header; /* offset of the local header, `base` not counted */
	uint32_t crc32;
	uint32_t mode;   /* st_mode where the archive was made on Unix; 0 elsewhere */
	uint16_t method; /* 0 stored, 8 deflated; others are refused when read */
	uint16_t flags;  /* general purpose bits */
	bool encrypted;
};

/* Finds the end record and the central directory. @bytes must outlive *@z. A second archive appended to a first hides
 * the first, as for every reader that goes by the directory.
 * @return HF_OK; HF_E_FORMAT no end record, or its numbers lead nowhere; HF_E_UNSUPPORTED split over several disks,
 *         or the directory is encrypted. */
hf_nodiscard int hf_zip_open(struct hf_zip *z, hf_sv bytes, struct hf_err *err);
/* The next member in the order of the directory, duplicates included; false at the end, and where z->why is set: a
 * broken record, more than HF_ZIP_MEMBERS_MAX, or in the end another number than the end record promised. */
bool hf_zip_next(struct hf_zip *z, struct hf_zip_member *ret);
/* Starts over. */
void hf_zip_rewind(struct hf_zip *z);
/* The member's content: of a stored member a view of the archive (its CRC-32 is not looked at), of a deflated one a
 * view of
 * @scratch, which is emptied first, whose `max` is set, and which stays good until it is used again.
 * @size_max what promises more is refused before it is inflated
 * @return HF_OK; HF_E_UNSUPPORTED encrypted, or another method; HF_E_LIMIT; HF_E_TRUNCATED; HF_E_FORMAT broken, or
 *         not the promised size or CRC-32. */
hf_nodiscard int hf_zip_read(const struct hf_zip *z, const struct hf_zip_member *m, uint64_t size_max,
			     struct hf_buf *scratch, hf_sv *ret, struct hf_err *err);
/* What makes a member's name unfit as a relative path, or NULL: empty, a NUL byte, absolute, a ".." component, too
 * long. */
const char *hf_zip_name_flaw(hf_sv name);
