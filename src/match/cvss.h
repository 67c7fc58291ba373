/* Base scores of CVSS vectors, by FIRST's specifications: v2.0 (guide, 3.2.1), v3.0 and v3.1 (sections 7.1, 8.1 and
 * appendix A's Roundup), v4.0 (section 8: MacroVectors, with the lookup table of FIRST's reference calculator, BSD-2).
 */
#pragma once
#include "base/view.h"

/* The version of a vector by its prefix times ten (20, 30, 31, 40); 0: not one. */
unsigned hf_cvss_version(hf_sv vector);
/* The base score, 0.0 to 10.0; <0 where the vector is not valid (a base metric missing, twice or unknown). v4.0's
 * threat and environmental metrics and the others' temporal and environmental ones are checked for their form and not
 * counted in. */
double hf_cvss_base_score(hf_sv vector);
