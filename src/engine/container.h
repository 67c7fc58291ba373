/* Who a cgroup is: the container, its image, its pod. A container has an identity from the birth of its cgroup, read off the
 * cgroup's path; engines only add names. Lookups (engine API over its socket, OCI bundles on disk) run on a thread of their own
 * and never block the caller. Gone containers stay known for ten minutes. Tables are of fixed size; what no longer fits is
 * counted and the oldest that is gone makes room.
 *
 * Paths: Docker /docker/ID and docker-ID.scope, containerd cri-containerd-ID.scope and /NAMESPACE/ID, CRI-O crio-ID.scope,
 * podman libpod-ID.scope and /libpod_parent/libpod-ID, kubepods in between (the pod's uid), nested in any parent (kind). A helper
 * cgroup below a container's (init.scope, crio-conmon-…) belongs to it or to none, as the runtimes' documents say. */
#pragma once
#include "base/error.h"
#include "model/event.h"

enum hf_container_state {
	HF_CONTAINER_PENDING,    /* names are being looked up */
	HF_CONTAINER_BOUND,      /* names are known */
	HF_CONTAINER_UNRESOLVED, /* two seconds went by, or no engine answers; it is tried again with growing pauses */
};

/* All views live as long as the table; a later lookup may replace them and a new container may take the place of one that is
 * gone, so nobody keeps one over hf_containers_settle, hf_containers_born and hf_containers_gone. Strings and lists are bounded
 * (engine/facts.h): what is cut ends with "…"; where labels were left out the label holdfast.left_out says how many. */
struct hf_container {
	enum hf_container_state state;
	bool gone, started_before;
	uint64_t cgroup_id, born_ns, gone_ns; /* CLOCK_MONOTONIC */
	hf_sv id, engine, cgroup;             /* from the path: known at once */
	hf_sv name, image_name, image_digest, pod_name, pod_namespace, pod_uid;
	const hf_sv *labels; /* labels_n pairs, sorted by key */
	size_t labels_n;
	bool privileged, privileged_known;
	const hf_sv *host_namespaces, *mounts, *capabilities_added;
	size_t host_namespaces_n, mounts_n, capabilities_added_n;
	hf_sv unresolved; /* why, while UNRESOLVED */
	/* For profiles and drift: where the engine says it is. */
	const hf_sv *entrypoint; /* entrypoint and command as they run */
	size_t entrypoint_n;
	hf_sv user, healthcheck;    /* "CMD a b", "CMD-SHELL a b"; Docker alone */
	const hf_sv *exposed_ports; /* "80/tcp" */
	size_t exposed_ports_n;
	hf_sv address; /* in the engine's default network, known about a second after the start; empty where unknown */
};

struct hf_containers_options {
	const char *
		docker_socket; /* NULL: $DOCKER_HOST where it is a unix socket, else /run/docker.sock, /var/run/docker.sock */
	const char *bundle_folders; /* colon-separated, tried beside the built-in ones; NULL: none */
	size_t containers_max;      /* 0: 8192 */
};

struct hf_containers;

/* Starts the lookup thread. An engine that is down is no error: hf_containers_engine says so, and it is tried again. */
int hf_containers_open(const struct hf_containers_options *, struct hf_containers **ret, struct hf_err *err);
void hf_containers_close(struct hf_containers *);
/* What the cgroup's path says: true with the id and engine where it is a container's own cgroup. Pure. */
bool hf_container_of_path(hf_sv cgroup_path, hf_sv *ret_id, hf_sv *ret_engine, hf_sv *ret_pod_uid);
/* A cgroup was born (or found at start). The container that it lies in: its own cgroup or one below it. An id below another
 * container's cgroup is that of a container of an engine inside, unless its own cgroup is alive elsewhere, the engine announced it,
 * or the outer one is known to be unprivileged: then the outer one made it, and it is the outer one's. NULL where its path is no
 * container's, or where containers_max of them are alive (counted as forgotten). Asks for its names. Idempotent. */
const struct hf_container *hf_containers_born(struct hf_containers *, uint64_t cgroup_id, hf_sv path, uint64_t now_ns,
					      bool started_before);
/* The container stays known, gone, for ten minutes, or until as many as half of containers_max have gone after it. */
void hf_containers_gone(struct hf_containers *, uint64_t cgroup_id, uint64_t now_ns);
/* NULL where the cgroup is no container's. */
const struct hf_container *hf_containers_find(struct hf_containers *, uint64_t cgroup_id);
/* Readable when a lookup has ended; hf_containers_settle then takes in what was found, and turns what is older than two seconds
 * UNRESOLVED. True where any container's state or names changed. Call also by timer: each 100 ms while one is PENDING, else each
 * second, for what is asked again. */
int hf_containers_fd(const struct hf_containers *);
bool hf_containers_settle(struct hf_containers *, uint64_t now_ns);
/* Fills the container.* fields of an event; NULL leaves them absent. Of a PENDING one container.identity is absent. */
void hf_container_describe(const struct hf_container *, struct hf_event *);
/* One line on the engines: which answered, which did not and why. Lives until the next call. */
hf_sv hf_containers_engine(struct hf_containers *, bool *ret_ok);
/* For `status`: known, pending, unresolved, gone, forgotten for want of room. */
struct hf_containers_count {
	uint64_t known, pending, unresolved, gone, forgotten;
};
struct hf_containers_count hf_containers_count(const struct hf_containers *);
/* The container that holds this address ("172.17.0.2"), running ones first; NULL where none. */
const struct hf_container *hf_containers_of_address(struct hf_containers *, hf_sv address);
