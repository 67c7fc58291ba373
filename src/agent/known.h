/* Tells the kernel what profiles know (baseline/known_set.h), as their containers come: what is known is then counted there. All
 * containers of one profile share its number, and what was handed out of one of them is known of all.
 *
 * The executables that may do what is known are those of the profile as the image holds them. */
#pragma once
#include "baseline/profile.h"
#include "sensor/sensor.h"

struct hf_agent_known;

struct hf_agent_known *hf_agent_known_new(struct hf_sensor *sensor); /* borrowed */
void hf_agent_known_free(struct hf_agent_known *k);
/* True once nothing more is to be told of this container: look at it before the profile is looked for. */
bool hf_agent_known_told(const struct hf_agent_known *k, uint64_t cgroup_id);
/* @pid is a process in the container. 0, also for a profile that learns; HF_E_UNSUPPORTED, HF_E_LIMIT and what the image's folders gave. */
int hf_agent_known_tell(struct hf_agent_known *k, const struct hf_profile *p, uint64_t cgroup_id, uint64_t pid,
			struct hf_err *err);
