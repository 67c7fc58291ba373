/* Kubernetes objects as they were read, and the set of all of them: what every analysis starts from. Pure; facts, no judgement.
 *
 * An object is a tree of values (format/value.h) with its identity decoded. What stands in a List of any kind is an object of its
 * own. Defaults that the API server would fill in are applied on request (defaults.h), never written into the tree.
 * What was not understood is in the set's notes: broken documents, unknown kinds and fields, repeated keys and objects.
 * Secrets are kept by name alone: the values of a Secret's data and stringData are empty strings, as are the names and secrets of an
 * EncryptionConfiguration's keys; the annotation
 * kubectl.kubernetes.io/last-applied-configuration and metadata.managedFields, which repeat them, are left out of all objects.
 * Source: the API conventions ("Types (Kinds)", "Metadata", "Lists") of kubernetes/community and the API reference of 1.34. */
#pragma once
#include "base/map.h"
#include "format/value.h"

enum hf_kube_kind {
	HF_KUBE_OTHER = 0, /* a kind that nobody here looks into */
#define HF_KUBE_KIND(name, group, kind, plural, namespaced) HF_KUBE_##name,
#include "kube/kinds.def"
#undef HF_KUBE_KIND
	HF_KUBE_KINDS
};

struct hf_kube_kind_row {
	const char *group, *kind, *plural; /* "" is the core group */
	const char *template; /* where its PodTemplateSpecs are (kinds.def); "" for the object itself; NULL: none */
	bool namespaced;
};
extern const struct hf_kube_kind_row hf_kube_kinds[HF_KUBE_KINDS]; /* [HF_KUBE_OTHER] is empty */

/* The kind of an apiVersion and a kind's name: HF_KUBE_OTHER where it is none of ours. */
enum hf_kube_kind hf_kube_kind_of(hf_sv api_version, hf_sv kind);

/* Where objects came from: a file, standard input, one page of a list of a cluster. */
struct hf_kube_source {
	hf_sv name;    /* as messages show it: a path, "stdin", "CONTEXT: pods" */
	hf_sv text;    /* stays as long as the set */
	hf_sv cluster; /* the context that it was read from, or the name that was given for files; else empty */
	bool saved;    /* files that stand for a cluster: what is not in them may be there */
	/* Where not NULL parts of the text may leave memory once they were read, and come back when they are looked at. */
	void (*release)(hf_sv part);
};

struct hf_kube_object {
	enum hf_kube_kind kind;
	hf_sv api_version, kind_name; /* as written */
	hf_sv namespace; /* of a namespaced kind never empty: "default" where none is written; else empty */
	hf_sv name;      /* generateName with a '*' behind it where there is no name; "" where there is neither */
	hf_sv cluster;
	const struct hf_value *root;     /* an object */
	const struct hf_value *metadata; /* NULL where there is none, as the next */
	const struct hf_value *spec;
	const struct hf_kube_source *source;
	uint32_t offset; /* in source->text */
	uint32_t order;  /* in the input */
	bool namespace_written;
	bool replaced;                /* a later one of this name is in the set, and counts: as with `kubectl apply` */
	const struct hf_lines *lines; /* of the source; NULL: hf_kube_line counts from the front */
};

enum hf_kube_note_kind {
	HF_KUBE_NOTE_BROKEN,       /* a document or a page that could not be read */
	HF_KUBE_NOTE_MISSING,      /* what a cluster did not hand out, a file that could not be opened */
	HF_KUBE_NOTE_UNKNOWN_KIND, /* no kind of Kubernetes, nor of a custom resource definition in the set */
	HF_KUBE_NOTE_UNKNOWN_FIELD,
	HF_KUBE_NOTE_WRONG_TYPE, /* a field that is not of its type: it was passed over */
	HF_KUBE_NOTE_REPEATED_KEY,
	HF_KUBE_NOTE_REPEATED_OBJECT, /* the same kind, namespace and name again */
	HF_KUBE_NOTE_NOT_AN_OBJECT,   /* a document without apiVersion and kind */
};

struct hf_kube_note {
	enum hf_kube_note_kind kind;
	hf_sv source;          /* its name */
	uint32_t line, column; /* 0: of the whole */
	hf_sv text;
};

struct hf_kube_objects {
	struct hf_arena *arena;
	const struct hf_kube_object *const *objects; /* all of them, in the order of the input */
	size_t n;
	const struct hf_kube_note *notes;
	size_t notes_n;
	/* Objects of one kind in the order of the input, without those that were replaced. */
	const struct hf_kube_object *const *of_kind[HF_KUBE_KINDS];
	size_t of_kind_n[HF_KUBE_KINDS];
	struct hf_map by_name; /* hf_kube_find */
};

/* Gathers objects. One thread. */
struct hf_kube_loader;
struct hf_kube_loader *hf_kube_loader_new(struct hf_arena *);
/* Adds all objects of a text: YAML documents, or JSON values one behind the other; by what it begins with. The items of lists of any
 * kind, the object of an AdmissionReview and those in the rows of a Table are objects of their own. What is broken is noted and does
 * not stop the rest: the next document, the next line of JSON that opens an object. A text of a template that was not filled in
 * (helm's {{ }}) is one note. HF_PARTIAL where notes were added but REPEATED_OBJECT; HF_E_LIMIT. */
int hf_kube_load(struct hf_kube_loader *, const struct hf_kube_source *, struct hf_err *);
void hf_kube_loader_note(struct hf_kube_loader *, enum hf_kube_note_kind, hf_sv source, hf_sv text);
/* Indexes what was loaded. The set lives in the arena; the loader is gone. */
const struct hf_kube_objects *hf_kube_loaded(struct hf_kube_loader *);
void hf_kube_loader_free(struct hf_kube_loader *);

/* @cluster and @namespace are empty where they do not apply. NULL where there is none. */
const struct hf_kube_object *hf_kube_find(const struct hf_kube_objects *, hf_sv cluster, enum hf_kube_kind,
					  hf_sv namespace, hf_sv name);
/* The objects of one cluster as a set of their own; notes are left with the whole. NULL on the arena's cap. */
const struct hf_kube_objects *hf_kube_of_cluster(const struct hf_kube_objects *, hf_sv cluster, struct hf_arena *);
/* True of what an API server handed out: it has a name, but no place in a text that anybody could open. */
static inline bool hf_kube_is_live(const struct hf_kube_object *o)
{
	return o->source->cluster.len && !o->source->saved;
}
/* Where the object, or a value in it, stands in its source (from 1); 0 for a live object. @ret_column may be NULL. */
void hf_kube_position(const struct hf_kube_object *, const struct hf_value *, uint32_t *ret_line, uint32_t *ret_column);
uint32_t hf_kube_line(const struct hf_kube_object *, const struct hf_value *);
/* Pairs of a map of strings (labels, annotations, nodeSelector), for hf_label_selector_matches; values that are no strings are left
 * out. *ret_n counts pairs. */
const hf_sv *hf_kube_string_map(const struct hf_value *map, struct hf_arena *, size_t *ret_n);
/* "apps/v1" -> "apps"; "v1" -> "". */
hf_sv hf_kube_group_of(hf_sv api_version);
