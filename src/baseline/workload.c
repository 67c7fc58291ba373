/* Which profile a container has. */
#include "base/digest.h"
#include "base/buffer.h"
#include "baseline/profile.h"

static hf_sv label(const struct hf_event *e, hf_sv key)
{
	const struct hf_value *v = &e->values[HF_FIELD_CONTAINER_LABELS];

	for (size_t i = 0; v->type == HF_VALUE_MAP && i < v->n; i++)
		if (hf_sv_eq(v->list[2 * i], key))
			return v->list[2 * i + 1];
	return (hf_sv){ 0 };
}

/* What Kubernetes puts behind the last '-' of a generated name: five (a pod), eight to ten (a replica set's template hash) of its
 * 27 letters and digits without vowels, or a stateful set's number. */
static bool is_generated(hf_sv s)
{
	uint64_t number;

	if (hf_sv_to_u64(s, &number) && s.len < 6)
		return true;
	if (s.len != 5 && (s.len < 8 || s.len > 10))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!memchr("bcdfghjklmnpqrstvwxz2456789", s.ptr[i], 27))
			return false;
	return true;
}

static hf_sv pod_owner(hf_sv pod)
{
	hf_sv left, right;

	if (!hf_sv_cut_last(pod, '-', &left, &right) || !is_generated(right))
		return pod;
	pod = left;
	if (right.len == 5 && hf_sv_cut_last(pod, '-', &left, &right) && right.len >= 8 && is_generated(right))
		pod = left;
	return pod;
}

hf_sv hf_profile_owner(const struct hf_event *e, struct hf_arena *a)
{
	hf_sv pod = hf_event_string(e, HF_FIELD_CONTAINER_POD_NAME);
	hf_sv space = hf_event_string(e, HF_FIELD_CONTAINER_POD_NAMESPACE);
	hf_sv project = label(e, HF_SV("com.docker.compose.project"));
	hf_sv service = label(e, HF_SV("com.docker.compose.service"));

	if (pod.len) {
		pod = pod_owner(pod);
		return hf_arena_fmt(a, "pod/%.*s/%.*s", HF_SV_FMT(space), HF_SV_FMT(pod));
	}
	if (service.len)
		return hf_arena_fmt(a, "compose/%.*s/%.*s", HF_SV_FMT(project), HF_SV_FMT(service));
	return (hf_sv){ "", 0 };
}

hf_sv hf_profile_file_name(hf_sv image_digest, hf_sv owner, struct hf_arena *a)
{
	enum { SLUG_MAX = 80 };
	hf_cleanup(hf_buf_done) struct hf_buf name = HF_BUF(512);
	char digest[HF_DIGEST_TEXT_MAX];
	hf_sv hashed = hf_digest_sha256(owner, digest);

	hf_sv folder = hf_digest_valid(image_digest) ? image_digest : HF_SV("no-digest");
	for (size_t i = 0; i < folder.len; i++)
		hf_buf_add_char(&name, folder.ptr[i] == ':' ? '-' : folder.ptr[i]);
	hf_buf_add_char(&name, '/');
	if (!owner.len)
		hf_buf_add(&name, HF_SV("profile"));
	for (size_t i = 0; i < owner.len && i < SLUG_MAX; i++) {
		char c = owner.ptr[i];
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (i && c == '-');
		hf_buf_add_char(&name, plain ? c : '_');
	}
	if (owner.len) /* what was rewritten or cut may not meet another owner's */
		hf_buf_addf(&name, "-%.8s", hashed.ptr + strlen("sha256:"));
	hf_buf_add(&name, HF_SV(".yaml"));
	return hf_arena_dup(a, hf_buf_view(&name));
}
