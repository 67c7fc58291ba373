/* Who made an object, and whether it is what its maker makes. */
#include "base/limits.h"
#include "kube/defaults.h"
#include "kube/pods.h"

static const struct hf_value *reference_of(const struct hf_kube_object *o)
{
	const struct hf_value *owner = NULL;

	hf_value_elements(hf_value_get(o->metadata, HF_SV("ownerReferences")),
			  e) if (hf_value_true(hf_value_get(e, HF_SV("controller")))) owner = e;
	return owner;
}

static const struct hf_kube_object *referenced(const struct hf_kube_objects *set, const struct hf_kube_object *o,
					       const struct hf_value *reference)
{
	enum hf_kube_kind known = hf_kube_kind_of(hf_value_get_text(reference, HF_SV("apiVersion")),
						  hf_value_get_text(reference, HF_SV("kind")));
	const struct hf_kube_object *owner =
		known ? hf_kube_find(set, o->cluster, known, hf_kube_kinds[known].namespaced ? o->namespace : HF_SV(""),
				     hf_value_get_text(reference, HF_SV("name")))
		      : NULL;
	hf_sv wanted = hf_value_get_text(reference, HF_SV("uid")),
	      uid = owner ? hf_value_get_text(owner->metadata, HF_SV("uid")) : (hf_sv){ 0 };

	return wanted.len && uid.len && !hf_sv_eq(wanted, uid) ? NULL : owner;
}

const struct hf_kube_object *hf_kube_top_owner(const struct hf_kube_objects *set, const struct hf_kube_object *o,
					       hf_sv *ret_kind, hf_sv *ret_name)
{
	enum { OWNERS_MAX = 8 }; /* more are a circle */
	const struct hf_kube_object *first = o;

	for (unsigned i = 0;; i++) {
		const struct hf_value *reference = reference_of(o);
		*ret_kind = o->kind_name;
		*ret_name = o->name;
		if (!reference)
			return o;
		if (i == OWNERS_MAX) {
			*ret_kind = first->kind_name;
			*ret_name = first->name;
			return first;
		}
		const struct hf_kube_object *next = referenced(set, o, reference);
		if (!next) {
			*ret_kind = hf_value_get_text(reference, HF_SV("kind"));
			*ret_name = hf_value_get_text(reference, HF_SV("name"));
			return o;
		}
		o = next;
	}
}

/* What is compared: a pod, or the template of what makes some. */
struct side {
	const struct hf_value *metadata, *spec;
	const struct hf_kube_object *object;
};

static struct side side_of(const struct hf_kube_object *o, const struct hf_value *template)
{
	return (struct side){ hf_value_get(template, HF_SV("metadata")), hf_value_get(template, HF_SV("spec")), o };
}

static bool is_empty(const struct hf_value *v)
{
	return !v || v->type == HF_VALUE_NULL || ((v->type == HF_VALUE_OBJECT || v->type == HF_VALUE_ARRAY) && !v->n);
}

static bool is_same(const struct hf_value *a, const struct hf_value *b)
{
	return (is_empty(a) && is_empty(b)) || (a && b && hf_value_eq(a, b));
}

static bool is_one_of(hf_sv word, const char *const *words)
{
	for (; *words; words++)
		if (hf_sv_eq(word, hf_sv_of(*words)))
			return true;
	return false;
}

/* All members alike but those of @apart. */
static bool same_members(const struct hf_value *a, const struct hf_value *b, const char *const *apart)
{
	hf_value_members(a, m)
	{
		if (!is_one_of(hf_member_key(m), apart) && !is_same(&m->value, hf_value_get(b, hf_member_key(m))))
			return false;
	}
	hf_value_members(b, m)
	{
		if (!is_one_of(hf_member_key(m), apart) && !is_empty(&m->value) && !hf_value_get(a, hf_member_key(m)))
			return false;
	}
	return true;
}

/* The token of the service account, as the API server mounts it. */
static bool is_token_volume(const struct hf_value *v, const struct side *of)
{
	const struct hf_value *projected = hf_value_get(v, HF_SV("projected"));

	(void)of;
	if (!hf_sv_starts(hf_value_get_text(v, HF_SV("name")), HF_SV("kube-api-access-")) || !projected || v->n != 2)
		return false;
	hf_value_elements(hf_value_get(projected, HF_SV("sources")), s)
	{
		hf_sv map = hf_value_text(hf_value_at(s, "configMap.name"));
		if (s->n != 1 ||
		    !(hf_value_get(s, HF_SV("serviceAccountToken")) || hf_value_get(s, HF_SV("downwardAPI")) ||
		      hf_sv_eq(map, HF_SV("kube-root-ca.crt")) || hf_sv_eq(map, HF_SV("openshift-service-ca.crt"))))
			return false;
	}
	return true;
}

static bool is_token_mount(const struct hf_value *v, const struct side *of)
{
	(void)of;
	return hf_sv_starts(hf_value_get_text(v, HF_SV("name")), HF_SV("kube-api-access-")) &&
	       hf_sv_eq(hf_value_get_text(v, HF_SV("mountPath")),
			HF_SV("/var/run/secrets/kubernetes.io/serviceaccount"));
}

/* Whose claims' templates take the place of volumes of their names; elsewhere such a field means nothing. */
static bool has_claim_templates(const struct hf_kube_object *o)
{
	return o->kind == HF_KUBE_STATEFUL_SET || o->kind == HF_KUBE_KRUISE_STATEFUL_SET ||
	       o->kind == HF_KUBE_CLONE_SET;
}

/* The claim of a StatefulSet's pod is named after both. */
static bool is_added_volume(const struct hf_value *v, const struct side *of)
{
	hf_sv claim = hf_value_text(hf_value_at(v, "persistentVolumeClaim.claimName")),
	      name = hf_value_get_text(v, HF_SV("name"));
	const struct hf_value *claims =
		has_claim_templates(of->object) ? hf_value_at(of->object->root, "spec.volumeClaimTemplates") : NULL;

	if (hf_value_count(claims, HF_VALUE_ARRAY))
		hf_value_elements(claims,
				  e) if (hf_sv_eq(hf_value_text(hf_value_at(e, "metadata.name")), name)) return true;
	return is_token_volume(v, of) ||
	       (of->object->kind == HF_KUBE_POD && claim.len > name.len + of->object->name.len &&
		hf_sv_starts(claim, name) && hf_sv_ends(claim, of->object->name));
}

static bool is_added_variable(const struct hf_value *v, const struct side *of)
{
	(void)of;
	return hf_sv_eq(hf_value_get_text(v, HF_SV("name")), HF_SV("JOB_COMPLETION_INDEX")) &&
	       hf_value_at(v, "valueFrom.fieldRef");
}

static bool is_node_toleration(const struct hf_value *v, const struct side *of)
{
	(void)of;
	return hf_sv_starts(hf_value_get_text(v, HF_SV("key")), HF_SV("node.kubernetes.io/"));
}

/* Two lists alike, one by one, once what others put into them is left out. */
static bool same_lists(const struct side *a, const struct side *b, const struct hf_value *x, const struct hf_value *y,
		       bool (*is_added)(const struct hf_value *, const struct side *),
		       bool (*same)(const struct side *, const struct side *, const struct hf_value *,
				    const struct hf_value *))
{
	size_t i = 0, k = 0, x_n = hf_value_count(x, HF_VALUE_ARRAY), y_n = hf_value_count(y, HF_VALUE_ARRAY);

	if ((x_n == 0 && !is_empty(x)) || (y_n == 0 && !is_empty(y)))
		return false;
	for (;; i++, k++) {
		while (is_added && i < x_n && is_added(&x->elements[i], a))
			i++;
		while (is_added && k < y_n && is_added(&y->elements[k], b))
			k++;
		if (i == x_n || k == y_n)
			return i == x_n && k == y_n;
		if (same ? !same(a, b, &x->elements[i], &y->elements[k])
			 : !hf_value_eq(&x->elements[i], &y->elements[k]))
			return false;
	}
}

/* A LimitRange and the API server add to what is asked for and limited, and take nothing away. */
static bool keeps_resources(const struct hf_value *pod, const struct hf_value *template)
{
	hf_value_members(template, group)
	{
		const struct hf_value *have = hf_value_get(pod, hf_member_key(group));
		if (group->value.type != HF_VALUE_OBJECT) {
			if (!is_same(&group->value, have))
				return false;
			continue;
		}
		hf_value_members(&group->value, m)
		{
			if (!is_same(&m->value, hf_value_get(have, hf_member_key(m))))
				return false;
		}
	}
	return true;
}

static bool same_container(const struct side *a, const struct side *b, const struct hf_value *x,
			   const struct hf_value *y)
{
	static const char *const apart[] = { "resources", "volumeMounts", "env", "imagePullPolicy", NULL };
	hf_sv pull = hf_value_get_text(x, HF_SV("imagePullPolicy"));

	return x->type == HF_VALUE_OBJECT && y->type == HF_VALUE_OBJECT && same_members(x, y, apart) &&
	       (hf_sv_eq(pull, HF_SV("Always")) ||
		is_same(hf_value_get(x, HF_SV("imagePullPolicy")), hf_value_get(y, HF_SV("imagePullPolicy")))) &&
	       keeps_resources(hf_value_get(x, HF_SV("resources")), hf_value_get(y, HF_SV("resources"))) &&
	       same_lists(a, b, hf_value_get(x, HF_SV("volumeMounts")), hf_value_get(y, HF_SV("volumeMounts")),
			  is_token_mount, NULL) &&
	       same_lists(a, b, hf_value_get(x, HF_SV("env")), hf_value_get(y, HF_SV("env")), is_added_variable, NULL);
}

/* serviceAccount is the former name of serviceAccountName, and none at all is "default". */
static hf_sv account_of(const struct hf_value *spec)
{
	hf_sv name = hf_value_get_text(spec, HF_SV("serviceAccountName"));

	if (!name.len)
		name = hf_value_get_text(spec, HF_SV("serviceAccount"));
	return name.len ? name : HF_SV("default");
}

/* Where the scheduler, the controllers and the plugins of admission write: nothing of it is judged, or it is compared apart. */
static bool same_spec(const struct side *pod, const struct side *template)
{
	static const char *const apart[] = {
		"nodeName",           "hostname",          "subdomain",
		"priority",           "preemptionPolicy",  "imagePullSecrets",
		"affinity",           "schedulerName",     "overhead",
		"enableServiceLinks", "tolerations",       "serviceAccount",
		"serviceAccountName", "volumes",           "containers",
		"initContainers",     "priorityClassName", NULL,
	};
	const struct hf_value *p = pod->spec, *t = template->spec;
	hf_sv class = hf_value_get_text(p, HF_SV("priorityClassName"));
	bool links = hf_value_is(hf_value_get(p, HF_SV("enableServiceLinks")), HF_VALUE_BOOL) &&
		     hf_value_true(hf_value_get(p, HF_SV("enableServiceLinks")));

	return hf_value_is(p, HF_VALUE_OBJECT) && hf_value_is(t, HF_VALUE_OBJECT) && same_members(p, t, apart) &&
	       (is_same(hf_value_get(p, HF_SV("priorityClassName")), hf_value_get(t, HF_SV("priorityClassName"))) ||
		(!hf_value_get(t, HF_SV("priorityClassName")) && !hf_sv_starts(class, HF_SV("system-")))) &&
	       (is_same(hf_value_get(p, HF_SV("enableServiceLinks")), hf_value_get(t, HF_SV("enableServiceLinks"))) ||
		(links && !hf_value_get(t, HF_SV("enableServiceLinks")))) &&
	       hf_sv_eq(account_of(p), account_of(t)) &&
	       same_lists(pod, template, hf_value_get(p, HF_SV("tolerations")), hf_value_get(t, HF_SV("tolerations")),
			  is_node_toleration, NULL) &&
	       same_lists(pod, template, hf_value_get(p, HF_SV("volumes")), hf_value_get(t, HF_SV("volumes")),
			  is_added_volume, NULL) &&
	       same_lists(pod, template, hf_value_get(p, HF_SV("initContainers")),
			  hf_value_get(t, HF_SV("initContainers")), NULL, same_container) &&
	       same_lists(pod, template, hf_value_get(p, HF_SV("containers")), hf_value_get(t, HF_SV("containers")),
			  NULL, same_container);
}

/* Labels that controllers tell their pods by. */
static bool is_controllers_label(hf_sv key)
{
	static const char *const keys[] = { "pod-template-hash",
					    "controller-revision-hash",
					    "pod-template-generation",
					    "controller-uid",
					    "job-name",
					    "deployment",
					    "deploymentconfig",
					    "rollouts-pod-template-hash",
					    NULL };

	return is_one_of(key, keys) || hf_sv_starts(key, HF_SV("batch.kubernetes.io/")) ||
	       hf_sv_starts(key, HF_SV("statefulset.kubernetes.io/")) ||
	       hf_sv_starts(key, HF_SV("apps.kubernetes.io/")) || hf_sv_starts(key, HF_SV("apps.kruise.io/"));
}

/* Networks, schedulers and runtimes annotate pods as they like; what is judged are these. */
static bool is_other_annotation(hf_sv key)
{
	static const char *const judged[] = { "container.apparmor.security.beta.kubernetes.io/",
					      "container.seccomp.security.alpha.kubernetes.io/",
					      "seccomp.security.alpha.kubernetes.io/",
					      "security.alpha.kubernetes.io/",
					      "sidecar.istio.io/",
					      "traffic.sidecar.istio.io/",
					      "linkerd.io/",
					      "config.linkerd.io/" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(judged); i++)
		if (hf_sv_starts(key, hf_sv_of(judged[i])))
			return false;
	return true;
}

static bool same_map(const struct hf_value *a, const struct hf_value *b, bool (*is_left_out)(hf_sv))
{
	hf_value_members(a, m)
	{
		if (!is_left_out(hf_member_key(m)) && !is_same(&m->value, hf_value_get(b, hf_member_key(m))))
			return false;
	}
	hf_value_members(b, m)
	{
		if (!is_left_out(hf_member_key(m)) && !hf_value_get(a, hf_member_key(m)))
			return false;
	}
	return true;
}

static bool is_same_side(const struct side *pod, const struct side *template)
{
	return same_map(hf_value_get(pod->metadata, HF_SV("labels")), hf_value_get(template->metadata, HF_SV("labels")),
			is_controllers_label) &&
	       same_map(hf_value_get(pod->metadata, HF_SV("annotations")),
			hf_value_get(template->metadata, HF_SV("annotations")), is_other_annotation) &&
	       same_spec(pod, template);
}

/* As they are written first: what a server hands out has its defaults on both sides. A manifest's template has not. */
static bool is_same_template(const struct hf_kube_object *a, const struct hf_value *of_a,
			     const struct hf_kube_object *b, const struct hf_value *of_b, struct hf_arena *scratch)
{
	struct side x = side_of(a, of_a), y = side_of(b, of_b);

	if (is_same_side(&x, &y))
		return true;
	x = side_of(a, hf_kube_stored_template(of_a, true, scratch));
	y = side_of(b, hf_kube_stored_template(of_b, true, scratch));
	return is_same_side(&x, &y);
}

bool hf_kube_is_same_pod(const struct hf_kube_object *a, const struct hf_kube_object *b)
{
	struct hf_arena scratch = HF_ARENA(HF_MIB(8));
	size_t a_n, b_n;
	const struct hf_kube_template *of_a = hf_kube_templates(a, &scratch, &a_n),
				      *of_b = hf_kube_templates(b, &scratch, &b_n);
	bool same = a_n > 0;

	for (size_t i = 0; i < a_n && same; i++) {
		same = false;
		for (size_t k = 0; k < b_n && !same; k++)
			same = is_same_template(a, of_a[i].value, b, of_b[k].value, &scratch);
	}
	same &= !scratch.over;
	hf_arena_done(&scratch);
	return same;
}

static bool is_former_revision(const struct hf_kube_object *o, const struct hf_kube_object *owner,
			       const struct hf_value *reference)
{
	hf_sv uid = hf_value_get_text(reference, HF_SV("uid"));
	int64_t replicas;

	return uid.len && hf_sv_eq(uid, hf_value_get_text(owner->metadata, HF_SV("uid"))) &&
	       hf_value_get_text(o->metadata, HF_SV("uid")).len &&
	       (o->kind == HF_KUBE_REPLICA_SET || o->kind == HF_KUBE_REPLICATION_CONTROLLER) &&
	       hf_value_int(hf_value_get(o->spec, HF_SV("replicas")), &replicas) && !replicas;
}

bool hf_kube_is_made_by_owner(const struct hf_kube_objects *set, const struct hf_kube_object *o)
{
	const struct hf_value *reference = reference_of(o), *above;
	const struct hf_kube_object *owner = reference ? referenced(set, o, reference) : NULL, *second;
	hf_sv kind, name;

	/* Of those who own each other each is its own top. */
	if (!owner || owner->kind == HF_KUBE_POD || !hf_kube_makes_pods(owner) ||
	    hf_kube_top_owner(set, o, &kind, &name) == o)
		return false;
	if (is_former_revision(o, owner, reference))
		return true;
	if (!hf_kube_is_same_pod(o, owner))
		return false;
	/* A pod of what counts as a former revision has nobody else who is judged for it. */
	above = reference_of(owner);
	second = above ? referenced(set, owner, above) : NULL;
	return !second || !hf_kube_makes_pods(second) || !is_former_revision(owner, second, above) ||
	       hf_kube_is_same_pod(owner, second);
}
