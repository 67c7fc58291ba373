/* hf_profile: what is normal for a workload. A workload is the containers of one image (by the digest of its config) and one owner
 * (the Kubernetes workload or compose service; empty where there is none). A profile is filled from the image itself (seed), and
 * from what its containers do (learned); it is kept as YAML, docs/formats/profile.md.
 *
 * Objects of entries are patterns of baseline/shape.h, one spelling for one set of things, so that a look-up is enough to match:
 * paths /usr/sbin/nginx, /var/log/app-{n}.log, /tmp/{path}; ports tcp/80, udp/ephemeral; peers tcp/443 name:example.com,
 * tcp/5432 container:db, tcp/80 address:10.0.0.0/8; names and numbers as they are.
 *
 * A part that was never looked at is not known, which is another thing than empty: hf_profile_cover. */
#pragma once
#include "base/buffer.h"
#include "base/map.h"
#include "model/event.h"

enum hf_profile_part {
#define HF_PROFILE_PART(name, key, object, details, rule, severity, doc) HF_PROFILE_##name,
#include "baseline/profile_parts.def"
#undef HF_PROFILE_PART
	HF_PROFILE_PARTS
};

struct hf_profile_part_info {
	const char *key, *object, *details, *rule, *severity, *doc;
};
extern const struct hf_profile_part_info hf_profile_parts[HF_PROFILE_PARTS];
/* False where no part has that key. */
bool hf_profile_part_of(hf_sv key, enum hf_profile_part *ret);

enum hf_profile_mode { HF_MODE_LEARN, HF_MODE_OBSERVE, HF_MODE_ENFORCE };
const char *hf_profile_mode_name(enum hf_profile_mode);

enum hf_origin { HF_ORIGIN_SEED = 1u << 0, HF_ORIGIN_LEARNED = 1u << 1 };

/* Where an entry comes from. A seed has a reason ("entrypoint", "needed by /usr/sbin/nginx") and no counts. */
struct hf_sighting {
	uint32_t origin;         /* HF_ORIGIN_… bits */
	uint32_t replicas;       /* containers that it was seen in */
	uint64_t count;          /* times */
	int64_t first_s, last_s; /* seconds since 1970; 0: not known */
	hf_sv why;
};

enum { HF_PORT_EPHEMERAL = 32768 }; /* net.ipv4.ip_local_port_range of Linux begins here */

struct hf_profile_shape {
	const hf_sv *arguments; /* patterns, argv[0] first */
	size_t n;
};

struct hf_profile_entry {
	hf_sv object;
	struct hf_sighting seen;
	const hf_sv *details; /* sorted; meaning by part */
	size_t details_n;
	bool any_details;                      /* more than fit: details do not decide */
	const struct hf_profile_shape *shapes; /* of EXECUTABLES and SCRIPTS, sorted */
	size_t shapes_n;
	bool any_arguments; /* more than fit, or a seed: arguments do not decide */
	bool folded;        /* gone into the entry of its folder; not handed out */
};

struct hf_profile_section {
	struct hf_map entries; /* object -> struct hf_profile_entry */
	struct hf_map folders; /* of FILES: how many entries each folder has */
	bool covered;          /* it was looked at: what has no entry is new */
	bool overflow;         /* there was more than fits: what has no entry is not known */
};

struct hf_profile {
	struct hf_arena *arena;
	hf_sv image_digest, image_name, owner;
	enum hf_profile_mode mode;
	uint64_t replicas, windows;               /* that were learned from */
	uint64_t discarded_loss, discarded_alert; /* windows that were not */
	int64_t first_s, last_s;
	struct hf_profile_section sections[HF_PROFILE_PARTS];
};

/* NULL where @object is one that the part may hold, else what is wanted there. */
const char *hf_profile_object_wrong(enum hf_profile_part part, hf_sv object);

/* An empty profile of mode learn; everything it holds lives in @a. Texts are copied. */
void hf_profile_init(struct hf_profile *p, struct hf_arena *a, hf_sv image_digest, hf_sv image_name, hf_sv owner);
/* From now on what has no entry in @part is new, and no longer unknown. */
void hf_profile_cover(struct hf_profile *p, enum hf_profile_part part);

/* Adds an entry or merges into the one that is there: counts are added, origins united, the first reason stays. @object is taken as
 * it stands (a pattern). @detail may be empty: none. NULL where the profile or its arena is full; the section's overflow is set. */
struct hf_profile_entry *hf_profile_add(struct hf_profile *p, enum hf_profile_part part, hf_sv object, hf_sv detail,
					const struct hf_sighting *seen);
/* The same for a path that a file system gave, spelled as a literal pattern. */
struct hf_profile_entry *hf_profile_add_path(struct hf_profile *p, enum hf_profile_part part, hf_sv path, hf_sv detail,
					     const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_executable(struct hf_profile *p, hf_sv path, hf_sv digest,
						   const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_script(struct hf_profile *p, hf_sv path, hf_sv digest,
					       const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_library(struct hf_profile *p, hf_sv path, hf_sv build_id, hf_sv digest,
						const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_listen(struct hf_profile *p, hf_sv protocol, uint32_t port,
					       const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_capability(struct hf_profile *p, hf_sv name, hf_sv system_call,
						   const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_system_call(struct hf_profile *p, hf_sv name, const struct hf_sighting *seen);
struct hf_profile_entry *hf_profile_add_user(struct hf_profile *p, uint64_t id, const struct hf_sighting *seen);
/* Adds the shape of an argument list to an entry of EXECUTABLES or SCRIPTS. @arguments as they were seen. */
void hf_profile_add_arguments(struct hf_profile *p, struct hf_profile_entry *e, const hf_sv *arguments, size_t n);

/* The shape of an argument list, in @a; n counts also those beyond HF_PROFILE_ARGUMENTS_MAX, which fit no shape. */
struct hf_profile_shape hf_profile_shape_of(const hf_sv *arguments, size_t n, struct hf_arena *a);
/* Adds a shape as it is. */
void hf_profile_add_shape(struct hf_profile *p, struct hf_profile_entry *e, const struct hf_profile_shape *shape);
/* "tcp/80"; "tcp/ephemeral" from HF_PORT_EPHEMERAL on, where ports are drawn by the kernel. In @a. */
hf_sv hf_profile_port(hf_sv protocol, uint64_t port, struct hf_arena *a);

/* The entry of this object, NULL where there is none. */
const struct hf_profile_entry *hf_profile_find(const struct hf_profile *p, enum hf_profile_part part, hf_sv object);
/* Entries of a part sorted by object, in @a. */
const struct hf_profile_entry **hf_profile_sorted(const struct hf_profile *p, enum hf_profile_part part,
						  struct hf_arena *a, size_t *ret_n);

/* Takes @from into @p. @same_replica: both were seen in one container, so replicas are not added up. An image and an owner that one
 * of them does not name are the other's; HF_E_FORMAT where they name two. HF_E_LIMIT. */
int hf_profile_merge(struct hf_profile *p, const struct hf_profile *from, bool same_replica, struct hf_err *err);

/* YAML, the same bytes for the same profile. */
void hf_profile_write(const struct hf_profile *p, struct hf_buf *out);
/* Reads what hf_profile_write writes or a person edited. HF_E_FORMAT: "line 3, column 5: …", also for keys that no profile has;
 * HF_E_LIMIT. Lives in @a; @text need not be kept. */
int hf_profile_read(hf_sv text, struct hf_arena *a, struct hf_profile *ret, struct hf_err *err);

/* The owner of an event's container: "pod/NAMESPACE/NAME" without the hashes of replica sets and the numbers of stateful sets,
 * "compose/PROJECT/SERVICE", else empty. In @a. */
hf_sv hf_profile_owner(const struct hf_event *e, struct hf_arena *a);
/* Where a profile is kept below its folder: "sha256-…/OWNER.yaml"; "profile.yaml" where there is no owner. In @a. */
hf_sv hf_profile_file_name(hf_sv image_digest, hf_sv owner, struct hf_arena *a);
