/* CVSS v4.0's score from its eleven base metrics: specification 1.2, section 8.2. For cvss.c alone. */
#pragma once
#include "base/view.h"

enum { HF_CVSS4_METRICS = 11 };
extern const char
	*const hf_cvss4_names[HF_CVSS4_METRICS]; /* "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA" */

/* @letters are the values in that order. <0 where one is not a value of its metric. */
double hf_cvss4_score(const char letters[HF_CVSS4_METRICS]);
