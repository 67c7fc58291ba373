/* Which ancestor is a package manager, and which file an interpreter was given. Pure; inner part of drift. */
#pragma once
#include "model/event.h"

/* The nearest of @tree that runs one: its program is one by name, or an interpreter whose script is; every file that makes it one is
 * confirmed by @is_image_file. *@ret_path is borrowed from @tree. */
bool package_manager_among(const struct hf_ancestor *tree, size_t n, bool (*is_image_file)(void *ctx, hf_sv path),
			   void *ctx, hf_sv *ret_path);
/* The script that the interpreter at @path (a shell, BusyBox as one, python, perl, ruby, node, php) is to run by its arguments, as far
 * as these tell: a path, maybe a relative one. Empty: it is no interpreter, or is given code, a module or its input. */
hf_sv interpreter_script(hf_sv path, const hf_sv *arguments, size_t n);
