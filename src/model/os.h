/* The operating system of an artifact, from os-release(5) and its forerunners. Where several files name one, the file that
 * stands first in the wants of hf_cataloger_os_release wins (catalog/cat_os_release.c). */
#pragma once
#include "base/view.h"

struct hf_os {
	hf_sv id;         /* ID, lower case: "debian", "alpine", "rhel"; empty: not known */
	hf_sv id_like;    /* ID_LIKE, blank-separated */
	hf_sv version_id; /* VERSION_ID: "12", "3.18.4", "8.9"; empty for rolling releases (sid) */
	hf_sv codename;   /* VERSION_CODENAME, or read out of VERSION or debian_version: "bookworm", "sid" */
	hf_sv name;       /* PRETTY_NAME, else NAME */
	hf_sv path;       /* the file that said so; empty: none found */
};
