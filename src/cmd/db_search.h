/* What `db status` and `db search` print. */
#pragma once
#include "advisory/database.h"

/* Both return the exit status. */
int hf_db_print_status(const struct hf_database *db, bool json);
/* @what is an id of any kind, or a purl, whose version is not looked at. 1: nothing is known of it. */
int hf_db_print_search(const struct hf_database *db, hf_sv what, bool json);
