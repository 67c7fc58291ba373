/* Events of a fanotify group, as read(2) gives them, to structs. Pure.
 *
 * Source: fanotify(7), linux/fanotify.h: struct fanotify_event_metadata (version 3) and the information records FID, DFID_NAME,
 * DFID, OLD_DFID_NAME, NEW_DFID_NAME. Other records (PIDFD, ERROR, RANGE …) are passed over by their length. */
#pragma once
#include "base/error.h"

/* A folder or file without its path: file system and file handle, as bytes to compare, and a name in it. */
struct hf_fanotify_object {
	hf_sv handle; /* fsid, length, type and bytes of the handle; empty: not told. Borrowed from the event. */
	hf_sv name;   /* empty for a file of its own, "." for the folder itself */
};

struct hf_fanotify_event {
	uint64_t mask; /* FAN_… */
	int32_t fd;    /* FAN_NOFD (-1): none */
	int32_t pid;
	struct hf_fanotify_object file, entry, old_entry, new_entry;
};

/* Takes one event off the front of *@rest. @return 1; 0 at the end; HF_E_FORMAT: *rest is then empty. */
int hf_fanotify_next(hf_sv *rest, struct hf_fanotify_event *ret, struct hf_err *err);
