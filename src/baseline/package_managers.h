/* Which ancestor is a package manager. Pure; inner part of drift. */
#pragma once
#include "model/event.h"

/* The nearest of @tree that runs one: its program is one by name, or an interpreter whose script is; every file that makes it one is
 * confirmed by @is_image_file. *@ret_path is borrowed from @tree. */
bool package_manager_among(const struct hf_ancestor *tree, size_t n, bool (*is_image_file)(void *ctx, hf_sv path),
			   void *ctx, hf_sv *ret_path);
