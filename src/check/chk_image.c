/* Images: which bytes will run, and who they are from. */
#include "check/workload.h"

static struct hf_check_image image_of(const struct hf_check_run *r, const struct hf_value **ret_at)
{
	*ret_at = hf_value_get(r->container->value, HF_SV("image"));
	return hf_check_image_of(r->container->image);
}

/* A template's container may have its image filled in by a controller. */
static bool has_image(struct hf_check_run *r)
{
	if (!r->container->image.len)
		hf_check_not_assessable(r, "no image is written");
	return r->container->image.len > 0;
}

static void no_tag(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	if (has_image(r) && !i.tag.len && !i.digest.len)
		hf_check_fail(r, at, "%.*s has no tag: latest is meant", HF_SV_FMT(r->container->image));
}

static void latest(struct hf_check_run *r)
{
	static const char *const moving[] = {
		"latest", "master", "main", "edge", "nightly", "stable", "dev", "develop"
	};
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	if (!has_image(r) || i.digest.len)
		return;
	for (size_t k = 0; k < HF_ARRAY_SIZE(moving); k++)
		if (hf_sv_eq_ascii(i.tag, hf_sv_of(moving[k])))
			hf_check_fail(r, at, "%.*s: the tag moves with each build", HF_SV_FMT(r->container->image));
}

static void no_digest(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	if (has_image(r) && !i.digest.len)
		hf_check_fail(r, at, "%.*s is not pinned by a digest", HF_SV_FMT(r->container->image));
}

/* "registry.test/team" allows registry.test/team/web, not registry.test/teams. */
static bool is_allowed(hf_sv image, hf_sv prefix)
{
	if (!hf_sv_starts(image, prefix))
		return false;
	hf_sv rest = hf_sv_skip(image, prefix.len);
	return !rest.len || hf_sv_ends(prefix, HF_SV("/")) || rest.ptr[0] == '/' || rest.ptr[0] == ':' ||
	       rest.ptr[0] == '@';
}

static void registry(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);
	hf_sv whole = r->container->image;

	if (!r->settings->registries_n) {
		hf_check_not_assessable(r, "no allowed registries were given (--registry)");
		return;
	}
	if (!has_image(r))
		return;
	if (!i.registry.len)
		whole = hf_arena_fmt(r->arena, "docker.io/%s%.*s",
				     hf_sv_index(i.repository, '/') == SIZE_MAX ? "library/" : "", HF_SV_FMT(whole));
	for (size_t k = 0; k < r->settings->registries_n; k++)
		if (is_allowed(whole, r->settings->registries[k]))
			return;
	hf_check_fail(r, at, "%.*s is from none of the allowed registries", HF_SV_FMT(whole));
}

static hf_sv pull_policy(const struct hf_check_run *r, const struct hf_check_image *i)
{
	hf_sv policy = hf_value_get_text(r->container->value, HF_SV("imagePullPolicy"));

	if (policy.len)
		return policy;
	return !i->digest.len && (!i->tag.len || hf_sv_eq(i->tag, HF_SV("latest"))) ? HF_SV("Always")
										    : HF_SV("IfNotPresent");
}

static void stale(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	if (!has_image(r))
		return;
	if (i.digest.len || (i.tag.len && !hf_sv_eq(i.tag, HF_SV("latest"))))
		hf_check_not_applicable(r);
	else if (!hf_sv_eq(pull_policy(r, &i), HF_SV("Always")))
		hf_check_patch(r,
			       hf_check_fail(r, hf_value_get(r->container->value, HF_SV("imagePullPolicy")),
					     "latest is whatever the node pulled last"),
			       "/imagePullPolicy", "\"Always\"", true);
}

static void unchecked_cache(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	/* A digest is told to nobody who may not have the image, and names the same bytes for ever. */
	if (has_image(r) && !i.digest.len && !hf_sv_eq(pull_policy(r, &i), HF_SV("Always")))
		hf_check_patch(r,
			       hf_check_fail(r, hf_value_get(r->container->value, HF_SV("imagePullPolicy")),
					     "takes the node's copy without asking the registry who may have it"),
			       "/imagePullPolicy", "\"Always\"", false);
}

static void never(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->container->value, HF_SV("imagePullPolicy"));

	if (hf_sv_eq(hf_value_text(v), HF_SV("Never")))
		hf_check_patch(r, hf_check_fail(r, v, "runs what somebody put onto the node by hand"),
			       "/imagePullPolicy", "\"IfNotPresent\"", false);
}

static void different_tags(struct hf_check_run *r)
{
	struct hf_map seen = HF_MAP(r->arena);

	for (size_t k = 0; k < r->pod->containers_n; k++) {
		const struct hf_kube_container *c = &r->pod->containers[k];
		struct hf_check_image i = hf_check_image_of(c->image);
		hf_sv end = i.digest.len ? i.digest : i.tag.len ? i.tag : HF_SV("latest");
		hf_sv name = i.registry.len ? hf_arena_fmt(r->arena, "%.*s/%.*s", HF_SV_FMT(i.registry),
							   HF_SV_FMT(i.repository))
					    : i.repository;
		struct hf_map_entry *e = name.len ? hf_map_put(&seen, name) : NULL;
		if (!e)
			continue;
		hf_sv *before = e->value;
		if (!before && (e->value = before = hf_arena_new(r->arena, hf_sv)))
			*before = end;
		else if (before && !hf_sv_eq(*before, end))
			hf_check_fail(r, hf_value_get(c->value, HF_SV("image")), "has %.*s as %.*s and as %.*s",
				      HF_SV_FMT(name), HF_SV_FMT(*before), HF_SV_FMT(end));
	}
}

static void closed_registry(struct hf_check_run *r)
{
	static const char *const prefixes[] = { "k8s.gcr.io/",
						"gcr.io/google-containers/",
						"gcr.io/google_containers/",
						"registry.access.redhat.com/rhel7",
						"docker.io/bitnami/",
						"bitnami/",
						"quay.io/kubernetes-ingress-controller/" };
	const struct hf_value *at;

	image_of(r, &at);
	if (!has_image(r))
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(prefixes); i++)
		if (hf_sv_starts(r->container->image, hf_sv_of(prefixes[i])))
			hf_check_fail(r, at, "%.*s: nothing is mended there any more", HF_SV_FMT(r->container->image));
}

static void short_name(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	if (has_image(r) && !i.registry.len)
		hf_check_fail(r, at, "%.*s names no registry", HF_SV_FMT(r->container->image));
}

static void plain_registry(struct hf_check_run *r)
{
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);
	hf_sv host = i.registry, port = { 0 };
	bool digits = true;

	if (!has_image(r))
		return;
	if (!i.registry.len) {
		hf_check_not_applicable(r);
		return;
	}
	hf_sv_cut_last(host, ':', &host, &port);
	for (size_t k = 0; k < host.len; k++)
		digits &= (host.ptr[k] >= '0' && host.ptr[k] <= '9') || host.ptr[k] == '.';
	if (digits)
		hf_check_fail(r, at, "the registry is the address %.*s", HF_SV_FMT(i.registry));
	else if (hf_sv_eq(host, HF_SV("localhost")) || hf_sv_eq(port, HF_SV("80")))
		hf_check_fail(r, at, "the registry %.*s is spoken to without TLS", HF_SV_FMT(i.registry));
}

static void debug_image(struct hf_check_run *r)
{
	static const char *const names[] = {
		"netshoot", "busybox", "alpine", "ubuntu", "debian", "kali-rolling", "curl"
	};
	const struct hf_value *at;
	struct hf_check_image i = image_of(r, &at);

	if (!has_image(r))
		return;
	if (r->container->role != HF_CONTAINER_REGULAR) {
		hf_check_not_applicable(r);
		return;
	}
	for (size_t k = 0; k < HF_ARRAY_SIZE(names); k++)
		if (hf_sv_eq(hf_sv_basename(i.repository), hf_sv_of(names[k])))
			hf_check_fail(r, at, "runs the general image %.*s", HF_SV_FMT(i.repository));
}

/* 1: there, and it denies. 0: there, and it only warns. -1: none. */
static int verifier(const struct hf_check_run *r, const struct hf_kube_object **ret)
{
	int found = -1;

	for (size_t i = 0; i < r->set->n; i++) {
		const struct hf_kube_object *o = r->set->objects[i];
		bool denies = false;
		if (o->replaced || o->kind != HF_KUBE_OTHER)
			continue;
		if (hf_sv_eq(o->kind_name, HF_SV("ClusterImagePolicy"))) {
			denies = !hf_sv_eq(hf_value_get_text(o->spec, HF_SV("mode")), HF_SV("warn"));
		} else if (hf_sv_eq(hf_kube_group_of(o->api_version), HF_SV("kyverno.io"))) {
			bool verifies = false;
			hf_value_elements(hf_value_get(o->spec, HF_SV("rules")), e) verifies |=
				hf_value_get(e, HF_SV("verifyImages")) != NULL;
			if (!verifies)
				continue;
			denies = hf_sv_eq_ascii(hf_value_get_text(o->spec, HF_SV("validationFailureAction")),
						HF_SV("enforce"));
		} else {
			continue;
		}
		if (found < (int)denies) {
			found = denies;
			*ret = o;
		}
	}
	return found;
}

static void signatures(struct hf_check_run *r)
{
	const struct hf_kube_object *policy = NULL;
	int there = verifier(r, &policy);

	if (there < 0 && r->live)
		hf_check_fail(r, NULL, "no policy asks for signatures (Kyverno's verifyImages, sigstore's policies)");
	else if (there < 0)
		hf_check_not_assessable(r, "no policy that verifies signatures is in the input, nor the signatures");
	if (!there) {
		hf_check_about(r, policy);
		hf_check_fail(r, policy->spec, "it looks for signatures, and lets images in without");
	}
}

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-201",
	  .name = "image-no-tag",
	  .title = "An image has no tag",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "What runs is what was pushed last as latest: two nodes may run different programs, and "
		 "nobody can tell which.",
	  .fix = "Name a version, better a digest.",
	  .references = "NSA-image MITRE-T1525 KSV-0013 CKV_K8S_14 kube-linter:latest-tag "
			"polaris:tagNotSpecified",
	  .evaluate = no_tag },
	{ .id = "HF-K8S-202",
	  .name = "image-latest",
	  .title = "An image's tag moves",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Who can push to the repository decides what the next restart runs.",
	  .fix = "Name a version, better a digest.",
	  .references = "NSA-image MITRE-T1525 KSV-0013 CKV_K8S_14 kube-linter:latest-tag "
			"polaris:tagNotSpecified",
	  .evaluate = latest },
	{ .id = "HF-K8S-203",
	  .name = "image-no-digest",
	  .title = "An image is not pinned by its digest",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "A tag can be moved after it was reviewed, by a mistake or by who took over the registry.",
	  .fix = "Add @sha256:… to the image.",
	  .references = "NSA-image MITRE-T1525 CKV_K8S_43",
	  .evaluate = no_digest },
	{ .id = "HF-K8S-204",
	  .name = "image-registry",
	  .title = "An image is from a registry that is not allowed",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Nobody of yours has seen what is in it.",
	  .fix = "Copy the image into an allowed registry after it was scanned.",
	  .references = "CIS-5.5.1 NSA-image MITRE-T1204.003 KSV-0034 KSV-0125 C-0001 C-0078",
	  .evaluate = registry },
	{ .id = "HF-K8S-205",
	  .name = "image-stale-latest",
	  .title = "The newest image is asked for, and not pulled",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "With latest and a policy other than Always a node runs what it pulled first: repairs "
		 "never reach it.",
	  .fix = "Set imagePullPolicy: Always, or name a version.",
	  .references = "NSA-image C-0075",
	  .evaluate = stale },
	{ .id = "HF-K8S-206",
	  .name = "image-not-always-pulled",
	  .title = "A node's copy of an image is used without asking its registry",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "On shared nodes a pod without credentials can run a private image that another tenant "
		 "pulled.",
	  .fix = "Set imagePullPolicy: Always, or turn on the admission plugin AlwaysPullImages.",
	  .references = "NSA-image CKV_K8S_15 polaris:pullPolicyNotAlways",
	  .evaluate = unchecked_cache },
	{ .id = "HF-K8S-207",
	  .name = "image-never-pulled",
	  .title = "An image is never pulled",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It was put onto the node past the registry, its scans and its signatures.",
	  .fix = "Push the image to a registry and set IfNotPresent.",
	  .references = "NSA-image MITRE-T1612",
	  .evaluate = never },
	{ .id = "HF-K8S-208",
	  .name = "image-two-versions",
	  .title = "A pod runs one image in two versions",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_POD,
	  .why = "An init container or sidecar that was forgotten keeps the old version's holes.",
	  .fix = "Use the same tag or digest in all of them.",
	  .references = "NSA-image",
	  .evaluate = different_tags },
	{ .id = "HF-K8S-209",
	  .name = "image-closed-registry",
	  .title = "An image is from a registry that is closed",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "It gets no repairs, and its names may one day be somebody else's.",
	  .fix = "Use registry.k8s.io for Kubernetes' own images; others from where their makers publish "
		 "now.",
	  .references = "NSA-image",
	  .evaluate = closed_registry },
	{ .id = "HF-K8S-210",
	  .name = "image-signatures",
	  .title = "Nothing verifies the signatures of images",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Whoever can push to a registry, or stands between it and the nodes, runs programs in the"
		 " cluster.",
	  .fix = "Verify signatures at admission (Kyverno verifyImages with Enforce, sigstore "
		 "policy-controller).",
	  .references = "CIS-5.5.1 NSA-image MITRE-T1525 C-0236 C-0237",
	  .evaluate = signatures },
	{ .id = "HF-K8S-211",
	  .name = "image-short-name",
	  .title = "An image's registry is not written",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Docker Hub is meant by most runtimes, but a node's configuration may say otherwise.",
	  .fix = "Write the registry.",
	  .references = "NSA-image",
	  .evaluate = short_name },
	{ .id = "HF-K8S-212",
	  .name = "image-plain-registry",
	  .title = "An image is from a registry by address or without TLS",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Who stands in between, or takes over the address, gives the nodes other programs.",
	  .fix = "Name a registry with a certificate.",
	  .references = "NSA-image MITRE-T1557",
	  .evaluate = plain_registry },
	{ .id = "HF-K8S-213",
	  .name = "image-general",
	  .title = "A container runs an image of a distribution as it is",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CONTAINER,
	  .why = "Shells and package managers come with it: tools for whoever gets in, and holes of "
		 "programs that are not used.",
	  .fix = "Build an image of the program alone; distroless or scratch where it can be.",
	  .references = "NSA-image MITRE-T1609",
	  .evaluate = debug_image },
};

const struct hf_check_group hf_check_group_image = { "image", checks, HF_ARRAY_SIZE(checks) };
