/* Files of containers, by fanotify: never a permission event, so no open ever waits for us.
 *
 * Two groups. One has the files that were chosen (opened, written) by a mark on each inode, and everything that is closed after
 * writing on a container's overlay by one mark on its file system: a close after reading costs nothing. The other has folders
 * (those of programs and libraries, and where the chosen files lie): made, removed, renamed, attributes, by the folder's handle
 * and the name. Overlay gives no handle that can be opened unless it is mounted with nfs_export, so the whole file system cannot
 * be watched for these: what happens in other folders is seen when it is written or run.
 *
 * Not seen: what came before hf_files_container (the first milliseconds), writes through a mapping that outlives its
 * descriptor, file systems mounted into the container (volumes) except for chosen files on them. */
#pragma once
#include "sensor/feed.h"

struct hf_files;
struct hf_perf;

/* A chosen file, absolute in the container's root; with "/" at its end a folder, then all that lies in it. What is not there is
 * waited for, where the folder above is there. */
struct hf_file_watch {
	hf_sv path;
	bool opens; /* tell of opening for reading too */
};

struct hf_files_options {
	const struct hf_file_watch *watches; /* besides the built-in folders of programs and libraries */
	size_t watches_n;
	size_t known_max; /* 0: 32768 */
	struct hf_perf *
		perf; /* is told to forget a container's mappings when a library or program in it is written; may be NULL */
};

/* What is given is copied. @feed is borrowed until the close. HF_E_DENIED, HF_E_UNSUPPORTED. */
int hf_files_open(const struct hf_files_options *, const struct hf_feed *feed, struct hf_files **ret,
		  struct hf_err *err);
void hf_files_close(struct hf_files *);
/* A container runs: @pid is a process in its root. Idempotent. HF_PARTIAL where a mark was refused: *err says which, what else there
 * is is watched. HF_E_MISSING where the process is gone, HF_E_LIMIT where no more containers are watched. */
int hf_files_container(struct hf_files *, uint64_t cgroup_id, uint32_t pid, struct hf_err *err);
/* The kernel takes its marks away with the file system. */
void hf_files_gone(struct hf_files *, uint64_t cgroup_id);
/* Readable when there are events. */
int hf_files_fd(const struct hf_files *);
int hf_files_drain(struct hf_files *, struct hf_err *err);
