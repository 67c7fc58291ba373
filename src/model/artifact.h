/* An artifact: what a target turned out to be, with its layers and configuration. */
#pragma once
#include "base/arena.h"

struct hf_layer {
	uint32_t index;   /* from 0, the lowest */
	hf_sv digest;     /* "sha256:…" of the blob as stored; empty where there is no blob (dir:) */
	hf_sv diff_id;    /* "sha256:…" of the plain tar, from the config; empty: not known */
	hf_sv media_type; /* as the manifest says; empty: none said */
	uint64_t size;    /* bytes of the blob as stored */
	hf_sv created_by; /* history's command, as it stands; empty: no history */
	hf_sv created;    /* history's time stamp, RFC 3339 */
	hf_sv comment;    /* history's comment: "buildkit.dockerfile.v0" */
};

/* history entries without a layer (ENV, USER, …), kept in their place between layers */
struct hf_history {
	hf_sv created_by, created, comment;
	bool empty_layer;
};

struct hf_image_config {
	hf_sv user, working_dir;
	const hf_sv *entrypoint;
	size_t entrypoint_n;
	const hf_sv *cmd;
	size_t cmd_n;
	const hf_sv *env;
	size_t env_n; /* whole "NAME=value"; reports print names alone */
	const hf_sv *exposed_ports;
	size_t exposed_ports_n; /* "80/tcp", sorted */
	const hf_sv *labels;
	size_t labels_n; /* "key=value", sorted; the key has no "=" */
	const hf_sv *volumes;
	size_t volumes_n;
	hf_sv healthcheck; /* Test joined by blanks; empty: none */
};

struct hf_artifact {
	hf_sv kind;      /* the target's prefix without ':': "archive", "oci", "dir", "host" */
	hf_sv reference; /* as the user named it, without the prefix */
	hf_sv digest;    /* of the image's manifest, "sha256:…"; empty: none */
	hf_sv image_id;  /* digest of the config; empty: none */
	hf_sv platform;  /* "linux/amd64", "linux/arm/v7"; empty: not known */
	hf_sv created;
	bool is_image; /* has a config and layers */
	struct hf_image_config config;
	const struct hf_layer *layers;
	size_t layers_n; /* bottom first */
	const struct hf_history *history;
	size_t history_n; /* all of it, empty layers included, oldest first */
	/* sentences for the report's footer: "holds 3 images, the first was taken" */
	const hf_sv *notes;
	size_t notes_n;
};
