/* The input is a mount table: its root, the mount of a path, and its end as a mark of a copied file. */
#include <stdlib.h>

#include "base/limits.h"
#include "baseline/overlay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_arena a = HF_ARENA(HF_MIB(4));
	hf_sv text = { (const char *)data, size }, places[4];
	struct hf_overlay_origin origin;
	struct hf_overlay o;
	struct hf_mount m;
	struct hf_err err = { 0 };

	if (hf_overlay_of_mountinfo(text, &a, &o, &err) == HF_OK) {
		if (!o.lowers_n || o.lowers_n > HF_LAYERS_MAX)
			abort();
		for (size_t i = 0; i < o.lowers_n; i++)
			if (!o.lowers[i].len)
				abort();
		(void)hf_mounts_of_device(text, o.major, o.minor, &a, places, HF_ARRAY_SIZE(places));
	}
	if (hf_mount_of_path(text, HF_SV("/dev/shm/x y"), &a, &m) && !m.point.len)
		abort();
	if (hf_overlay_origin(text, &origin) && origin.handle.len + 21 != size)
		abort();
	hf_arena_done(&a);
	return 0;
}
