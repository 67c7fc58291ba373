/* A root file system as one text, for tests of what reads images: "F x|- PATH\n" and bytes up to a line "\001" (x: executable),
 * "L PATH TARGET\n" a symlink; the rest is the file bin/init. Folders are there by what lies in them. */
#pragma once
#include "base/map.h"
#include "baseline/root.h"

/* Fills @m, an empty map over an arena; lives as long as both and @text. */
struct hf_root test_text_root(struct hf_map *m, hf_sv text);
/* Whether @path is one of its regular files. */
bool test_text_root_holds(const struct hf_map *m, hf_sv path);
