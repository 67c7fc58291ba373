/* What a Java archive's file name and manifest say of it. Pure functions over views; used by cat_java.c. */
#pragma once
#include "base/arena.h"

/* "commons-io-2.4.jar" is "commons-io" and "2.4"; "app.jar" is "app" without a version. */
struct hf_java_name {
	hf_sv stem;     /* without the extension */
	hf_sv artifact; /* as far as the version; the stem where there is none */
	hf_sv version;
};
struct hf_java_name hf_java_name_of(hf_sv path);
/* Whether an artifact id and version may well be those that the file is named after: the name begins with the artifact,
 * is "group.artifact", or carries that version. */
bool hf_java_name_fits(const struct hf_java_name *file, hf_sv artifact, hf_sv version);

/* The main section of META-INF/MANIFEST.MF (JAR File Specification, "JAR Manifest"): attributes that speak of identity.
 * Continuation lines are joined; values longer than 1 KiB are cut. Views live in the text or in @a. */
struct hf_java_manifest {
	hf_sv implementation_title, implementation_version;
	hf_sv bundle_name, bundle_version;    /* Bundle-SymbolicName without its directives */
	hf_sv extension_name, plugin_version; /* Short-Name or Extension-Name, Plugin-Version (Jenkins) */
	hf_sv module_name;
};
struct hf_java_manifest hf_java_manifest_of(hf_sv text, struct hf_arena *a);

/* The name and version of an archive without pom.properties: where manifest and file name agree on the version, the
 * file's name, which is the artifact id; where they do not, the manifest's pair; then whatever is there. */
struct hf_java_identity {
	hf_sv artifact, version;
};
struct hf_java_identity hf_java_identity_of(const struct hf_java_name *file, const struct hf_java_manifest *m);
