/* A row of a group's table as its .def file has it: included by src/check/chk_<group>.c just before the table. */
#pragma once
#include "check/check.h"

#define OF(kind_) HF_CHECK_OBJECT, .kinds = { HF_KUBE_##kind_ }
#define CHECK(id_, name_, title_, severity_, subject_, why_, fix_, references_, function) \
	{ .id = "HF-K8S-" #id_,                                                           \
	  .name = name_,                                                                  \
	  .title = title_,                                                                \
	  .severity = HF_SEV_##severity_,                                                 \
	  .subject = subject_,                                                            \
	  .why = why_,                                                                    \
	  .fix = fix_,                                                                    \
	  .references = references_,                                                      \
	  .evaluate = function },
