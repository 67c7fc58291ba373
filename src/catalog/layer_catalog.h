/* What one layer holds: packages, ownership and system names of each wanted file, and its paths. A pure function of the
 * layer's bytes and the catalogers, so it can be made for several layers at once and kept by digest. */
#pragma once
#include "base/worker.h"
#include "catalog/path_set.h"
#include "catalog/wants.h"
#include "layers/layers.h"

/* One wanted file that was read: what it gave stands in the catalog's arrays from first_* on. */
struct hf_evidence {
	hf_sv path;
	uint64_t hash;  /* hf_hash(path) */
	uint32_t layer; /* in which `path` stands; above this one where a symlink led here */
	uint32_t first_package, packages_n;
	uint32_t first_owned, owned_n;
	uint32_t first_unparsed, unparsed_n;
	uint32_t os;   /* index + 1 into os, 0: none */
	bool replaced; /* the same path came again later in this layer */
	bool database; /* a database of a distribution's packages: states the whole set that is installed */
};

struct hf_owned {
	uint64_t path_hash; /* hf_hash_path */
	uint32_t owner;     /* index into owners */
};

struct hf_owner {
	enum hf_package_type type;
	hf_sv name;
};

/* A wanted name whose content stands elsewhere. */
struct hf_alias {
	hf_sv path;     /* the wanted one */
	uint32_t layer; /* in which it stands */
	hf_sv target;   /* normalised, inside the root */
	bool hard;      /* a hard link: the target is of the same layer */
	bool named;     /* wanted by its whole name, as package databases are */
	bool implied;   /* stands below a folder that is a symlink: it need not be there */
	bool found;     /* hf_layer_catalog_read_aliases found something under `target` that is no link */
	bool moved; /* hf_layer_catalog_read_aliases found a link under `target`; target and hard now say where that leads */
};

struct hf_unparsed_file {
	hf_sv path, reason;
	uint32_t layer; /* in which `path` stands */
};

struct hf_layer_catalog {
	struct hf_arena arena; /* owns all views below */
	uint32_t layer;
	HF_VEC(struct hf_package) packages;
	HF_VEC(struct hf_evidence) evidence;
	HF_VEC(struct hf_owned) owned;
	HF_VEC(struct hf_owner) owners;
	HF_VEC(struct hf_os) os;
	HF_VEC(struct hf_unparsed_file) unparsed;
	HF_VEC(struct hf_alias) aliases;
	struct hf_path_set paths; /* empty where nothing lies below the layer */
	uint64_t files_n, content_size, executables_n;
};

struct hf_layer_catalog_options {
	const struct hf_wants *wants;
	const struct hf_worker *worker; /* its board is told of each file, its culprits are left out; NULL: none */
	bool keep_paths;                /* false for the lowest layer: it hides nothing */
	uint64_t arena_max;
};

/* Reads layer @layer. *@ret is zeroed before the call and freed with hf_layer_catalog_done in any case.
 * @return HF_OK; HF_PARTIAL something is in `unparsed`; negative: as hf_layer_walk; HF_E_LIMIT over arena_max. */
int hf_layer_catalog_read(struct hf_source *source, uint32_t layer, const struct hf_layer_catalog_options *options,
			  struct hf_layer_catalog *ret, struct hf_err *err);
/* Reads the contents of @n aliases, whose targets stand in this layer, under their wanted names: as if they were files. Of
 * one content HF_NAMES_OF_ONE_FILE_MAX names are read, the rest are reported. `found` and `moved` are set anew in each alias. */
int hf_layer_catalog_read_aliases(struct hf_source *source, const struct hf_layer_catalog_options *options,
				  struct hf_alias *aliases, size_t n, struct hf_layer_catalog *catalog,
				  struct hf_err *err);
/* Puts @path into `unparsed`, as a name of this layer; HF_E_LIMIT over arena_max. */
int hf_layer_catalog_complain(struct hf_layer_catalog *c, hf_sv path, const char *reason, struct hf_err *err);
void hf_layer_catalog_done(struct hf_layer_catalog *c);
