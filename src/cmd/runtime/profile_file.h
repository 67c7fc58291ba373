/* Profiles as files, for the subcommands that read and write them. */
#pragma once
#include "baseline/profile.h"

/* HF_E_MISSING where there is none; errors name the file. */
int profile_file_read(const char *path, struct hf_arena *a, struct hf_profile *ret, struct hf_err *err);
/* Whole or not at all; @path "-" or NULL is standard output. */
int profile_file_write(const char *path, const struct hf_profile *p, struct hf_err *err);
/* Where profiles are kept unless -o says so: /var/lib/holdfast/profiles for root, else below the user's state folder. False where
 * there is no home. */
bool profile_file_folder(char *out, size_t size);
/* Makes the folders of @path up to its last '/'. */
int profile_file_folders(const char *path, struct hf_err *err);
