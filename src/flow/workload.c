#include "flow/workload.h"

hf_sv hf_label(const hf_sv *pairs, size_t n, hf_sv key)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(pairs[2 * i], key))
			return pairs[2 * i + 1];
	return (hf_sv){ 0 };
}

bool hf_label_is_volatile(hf_sv key)
{
	static const hf_sv names[] = {
		HF_SV_INIT("pod-template-hash"),
		HF_SV_INIT("controller-revision-hash"),
		HF_SV_INIT("pod-template-generation"),
		HF_SV_INIT("statefulset.kubernetes.io/pod-name"),
		HF_SV_INIT("apps.kubernetes.io/pod-index"),
		HF_SV_INIT("controller-uid"),
		HF_SV_INIT("batch.kubernetes.io/controller-uid"),
		HF_SV_INIT("batch.kubernetes.io/job-completion-index"),
		HF_SV_INIT("maintainer"),
	};
	static const hf_sv prefixes[] = {
		HF_SV_INIT("io.kubernetes."),      HF_SV_INIT("annotation."),       HF_SV_INIT("io.cri-containerd."),
		HF_SV_INIT("org.opencontainers."), HF_SV_INIT("org.label-schema."), HF_SV_INIT("com.docker."),
		HF_SV_INIT("desktop.docker."),     HF_SV_INIT("io.buildah."),       HF_SV_INIT("io.container.manager"),
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++)
		if (hf_sv_eq(key, names[i]))
			return true;
	for (size_t i = 0; i < HF_ARRAY_SIZE(prefixes); i++)
		if (hf_sv_starts(key, prefixes[i]))
			return true;
	return false;
}

/* @name without "-" and @tail at its end; false where it does not end so or nothing would be left. */
static bool without_tail(hf_sv *name, hf_sv tail)
{
	if (!tail.len || name->len < tail.len + 2 || !hf_sv_ends(*name, tail) ||
	    name->ptr[name->len - tail.len - 1] != '-')
		return false;
	name->len -= tail.len + 1;
	return true;
}

/* Five letters and digits behind "-": what the API server adds for generateName (its alphabet has no vowels and no 0, 1, 3). */
static bool without_random(hf_sv *name)
{
	hf_sv left, right;

	if (!hf_sv_cut_last(*name, '-', &left, &right) || right.len != 5 || !left.len)
		return false;
	for (size_t i = 0; i < right.len; i++)
		if (!memchr("bcdfghjklmnpqrstvwxz2456789", right.ptr[i], 27))
			return false;
	*name = left;
	return true;
}

static bool without_number(hf_sv *name, const char *separators)
{
	size_t n = name->len;

	while (n && name->ptr[n - 1] >= '0' && name->ptr[n - 1] <= '9')
		n--;
	if (n == name->len)
		return false;
	while (n && name->ptr[n - 1] && strchr(separators, name->ptr[n - 1]))
		n--;
	if (!n)
		return false;
	name->len = n;
	return true;
}

static void name_pod(const struct hf_event *e, struct hf_arena *a, struct hf_workload_name *ret)
{
	const struct hf_value *v = &e->values[HF_FIELD_CONTAINER_LABELS];
	const hf_sv *labels = v->type == HF_VALUE_MAP ? v->list : NULL;
	size_t n = labels ? v->n : 0;
	hf_sv name = hf_event_string(e, HF_FIELD_CONTAINER_POD_NAME), job, tail;

	ret->kind = HF_WORKLOAD_POD;
	ret->namespace = hf_event_string(e, HF_FIELD_CONTAINER_POD_NAMESPACE);
	ret->owner_kind = HF_SV("Pod");
	job = hf_label(labels, n, HF_SV("batch.kubernetes.io/job-name"));
	if (!job.len)
		job = hf_label(labels, n, HF_SV("job-name"));
	tail = hf_label(labels, n, HF_SV("pod-template-hash"));
	if (job.len) {
		name = job;
		ret->owner_kind = HF_SV("Job");
	} else if (tail.len) {
		without_random(&name);
		without_tail(&name, tail);
		ret->owner_kind = HF_SV("Deployment");
	} else if (hf_label(labels, n, HF_SV("statefulset.kubernetes.io/pod-name")).len) {
		without_number(&name, "-");
		ret->owner_kind = HF_SV("StatefulSet");
	} else if (hf_label(labels, n, HF_SV("controller-revision-hash")).len) {
		without_random(&name);
		ret->owner_kind = HF_SV("DaemonSet");
	}
	ret->name = name;
	ret->id = hf_arena_fmt(a, "%.*s/%.*s/%.*s", HF_SV_FMT(ret->namespace), HF_SV_FMT(ret->owner_kind),
			       HF_SV_FMT(name));
}

static void name_container(const struct hf_event *e, struct hf_arena *a, struct hf_workload_name *ret)
{
	const struct hf_value *v = &e->values[HF_FIELD_CONTAINER_LABELS];
	const hf_sv *labels = v->type == HF_VALUE_MAP ? v->list : NULL;
	size_t n = labels ? v->n : 0;
	hf_sv project = hf_label(labels, n, HF_SV("com.docker.compose.project"));
	hf_sv service = hf_label(labels, n, HF_SV("com.docker.compose.service"));
	hf_sv name = hf_event_string(e, HF_FIELD_CONTAINER_NAME);

	ret->kind = HF_WORKLOAD_CONTAINER;
	if (service.len) {
		ret->name =
			project.len ? hf_arena_fmt(a, "%.*s/%.*s", HF_SV_FMT(project), HF_SV_FMT(service)) : service;
		ret->id = ret->name;
		return;
	}
	service = hf_label(labels, n, HF_SV("com.docker.swarm.service.name"));
	if (service.len) {
		ret->name = ret->id = service;
		return;
	}
	if (hf_sv_starts(name, HF_SV("/")))
		name = hf_sv_skip(name, 1);
	if (!name.len) {
		ret->name = hf_sv_first(hf_event_string(e, HF_FIELD_CONTAINER_ID), 12);
		ret->id = ret->name;
		return;
	}
	hf_sv stem = name;
	hf_sv image = hf_event_string(e, HF_FIELD_CONTAINER_IMAGE_NAME);

	without_number(&stem, "-_.");
	ret->name = stem;
	/* Only a name that was cut can stand for two things. */
	ret->id = stem.len == name.len || !image.len
			  ? stem
			  : hf_arena_fmt(a, "%.*s (%.*s)", HF_SV_FMT(stem), HF_SV_FMT(image));
}

struct hf_workload_name hf_workload_name(const struct hf_event *e, struct hf_arena *a)
{
	struct hf_workload_name name = { 0 };

	if (!hf_event_has(e, HF_FIELD_CONTAINER_ID) && !hf_event_has(e, HF_FIELD_CONTAINER_NAME)) {
		name.kind = HF_WORKLOAD_HOST;
		name.id = name.name = HF_SV("host");
	} else if (hf_event_has(e, HF_FIELD_CONTAINER_POD_NAME)) {
		name_pod(e, a, &name);
	} else {
		name_container(e, a, &name);
	}
	return name;
}
