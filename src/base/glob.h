/* Globs over paths, as the tables' `wants` write them (catalog/cataloger.h says the grammar). */
#pragma once
#include "base/view.h"

/* One glob against one whole path, '!' not included. "**" stands for any number of components, "*" for any bytes of one. */
bool hf_glob_match(hf_sv glob, hf_sv path);
/* One component against one component: literal but for '*'. */
bool hf_glob_component_match(hf_sv glob, hf_sv s);
