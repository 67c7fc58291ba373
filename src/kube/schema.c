#include "kube/schema.h"

void hf_kube_schema_check(const struct hf_kube_object *o,
			  void (*found)(void *ctx, enum hf_kube_note_kind, uint32_t offset, hf_sv what), void *ctx)
{
	(void)o, (void)found, (void)ctx;
}
