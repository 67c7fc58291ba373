/* The half of the seeder that its thread runs: where containers have their images, and seeds made of them. One thread. */
#pragma once
#include "baseline/profile.h"
#include "model/artifact.h"

struct seed_made {
	struct hf_arena arena;
	struct hf_profile profile;
	size_t programs;
	char remark[200]; /* what it does not judge, and why; empty: all that seeds judge */
};

struct seed_images;

struct seed_images *seed_images_new(void);
void seed_images_free(struct seed_images *s);
/* Keeps where the container's image lies, and the environment and folder that its first program begins with. */
void seed_images_capture(struct seed_images *s, uint64_t cgroup_id, uint64_t pid);
/* Of the image below the container; @pid, a process of it, where it was not captured. @config without environment and folder.
 * *@ret is freed by seed_made_free. */
hf_nodiscard int seed_images_make(struct seed_images *s, uint64_t cgroup_id, uint64_t pid,
				  const struct hf_image_config *config, hf_sv digest, hf_sv name,
				  struct seed_made **ret, struct hf_err *err);
void seed_made_free(struct seed_made *m); /* NULL is fine */
