/* Findings about an image as a whole, and what each of its layers is for. Works on the report alone. */
#pragma once
#include "model/report.h"

struct hf_image_facts {
	/* a distribution's package database is visible, or was recovered from a lower layer */
	bool has_database;
	int32_t database_removed_in; /* layer that deleted it, -1: none did */
	hf_sv database_path;
	uint64_t executables_n; /* ELF executables over all layers */
};

/* Sets role and role_evidence of each layer, and the report's base_name, base_layers and base_evidence: by the image's history
 * where there is one (a CMD or ENTRYPOINT in the middle ends a base image), else by what each layer brought. */
void hf_image_roles(struct hf_scan_report *report, struct hf_layer_report *layers, struct hf_arena *a);
/* Sets patch_level and fixable_n of each layer. @patch_dates: one a package of the report, "YYYY-MM-DD" or empty. */
void hf_image_patch_levels(const struct hf_scan_report *report, struct hf_layer_report *layers,
			   const hf_sv *patch_dates);
/* Appends to the report: package database missing beside executables, deleted, release unknown, layers at different patch levels.
 * False where @a's cap was reached. */
bool hf_image_findings(struct hf_scan_report *report, const struct hf_image_facts *facts, struct hf_arena *a);
