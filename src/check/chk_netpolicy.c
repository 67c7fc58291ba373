/* Network policies: what they leave open. */
#include "check/workload.h"
#include "kube/selector.h"
#include "reach/report.h"

struct isolation {
	bool policy, sides[HF_REACH_SIDES];
	bool pods;
	const struct hf_kube_object *about;
};

static const char *const side_lists[HF_REACH_SIDES] = { "ingress", "egress" };
static const char *const peer_lists[HF_REACH_SIDES] = { "from", "to" };

static bool has_side(const struct hf_kube_object *o, enum hf_reach_side side)
{
	const struct hf_value *types = hf_value_get(o->spec, HF_SV("policyTypes"));

	hf_value_elements(types, e)
	{
		if (hf_sv_eq_ascii(hf_value_text(e), hf_sv_of(side_lists[side])))
			return true;
	}
	if (hf_value_count(types, HF_VALUE_ARRAY))
		return false;
	return side == HF_REACH_INGRESS || hf_value_count(hf_value_get(o->spec, HF_SV("egress")), HF_VALUE_ARRAY);
}

static bool is_empty(const struct hf_value *v)
{
	return !hf_value_count(v, HF_VALUE_OBJECT) ||
	       (!hf_value_count(hf_value_get(v, HF_SV("matchLabels")), HF_VALUE_OBJECT) &&
		!hf_value_count(hf_value_get(v, HF_SV("matchExpressions")), HF_VALUE_ARRAY));
}

/* A rule that names neither peers nor ports, beside which no other counts. */
static const struct hf_value *open_rule(const struct hf_kube_object *o, enum hf_reach_side side)
{
	hf_value_elements(hf_value_get(o->spec, hf_sv_of(side_lists[side])), e)
	{
		if (!hf_value_count(hf_value_get(e, hf_sv_of(peer_lists[side])), HF_VALUE_ARRAY) &&
		    !hf_value_count(hf_value_get(e, HF_SV("ports")), HF_VALUE_ARRAY))
			return e;
	}
	return NULL;
}

static struct isolation *isolation_of(struct hf_check_run *r, struct hf_map *map, hf_sv namespace)
{
	struct hf_map_entry *e = hf_map_put(map, namespace);

	if (e && !e->value)
		e->value = hf_arena_new(r->arena, struct isolation);
	return e ? e->value : NULL;
}

static struct hf_map *isolations(struct hf_check_run *r)
{
	struct hf_map *map = r->shared[HF_CHECK_SHARED_POLICIES];

	if (map)
		return map;
	r->shared[HF_CHECK_SHARED_POLICIES] = map = hf_arena_new(r->arena, struct hf_map);
	if (!map)
		return NULL;
	*map = HF_MAP(r->arena);
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_NAMESPACE]; i++) {
		const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_NAMESPACE][i];
		struct isolation *n = isolation_of(r, map, o->name);
		if (n)
			n->about = o;
	}
	for (size_t i = 0; i < r->pods_n; i++) {
		struct isolation *n = isolation_of(r, map, r->pods[i].object->namespace);
		if (n) {
			n->pods = true;
			n->about = n->about ? n->about : r->pods[i].object;
		}
	}
	for (size_t i = 0; i < r->set->of_kind_n[HF_KUBE_NETWORK_POLICY]; i++) {
		const struct hf_kube_object *o = r->set->of_kind[HF_KUBE_NETWORK_POLICY][i];
		struct isolation *n = isolation_of(r, map, o->namespace);
		for (unsigned side = 0; n && side < HF_REACH_SIDES; side++)
			n->sides[side] |= is_empty(hf_value_get(o->spec, HF_SV("podSelector"))) && has_side(o, side) &&
					  !open_rule(o, side);
		if (n)
			n->policy = true;
	}
	return map;
}

/* Cilium's, Calico's and the cluster's own policies are not read here. */
static const char *other_policies(const struct hf_check_run *r)
{
	if (r->set->of_kind_n[HF_KUBE_BASELINE_ADMIN_NETWORK_POLICY] ||
	    r->set->of_kind_n[HF_KUBE_ADMIN_NETWORK_POLICY] || r->set->of_kind_n[HF_KUBE_CLUSTER_NETWORK_POLICY])
		return "policies of the whole cluster decide as well: kube reach answers it";
	return NULL;
}

static void ask_isolation(struct hf_check_run *r, enum hf_reach_side side, const char *what)
{
	const struct hf_map *map = isolations(r);
	const char *other = other_policies(r);

	for (size_t i = 0; map && i < map->n; i++) {
		const struct isolation *n = map->entries[i].value;
		hf_sv name = map->entries[i].key;
		hf_check_about(r, n->about);
		if (!n->about || hf_sv_starts(name, HF_SV("kube-")))
			hf_check_not_applicable(r);
		else if (n->sides[side])
			continue;
		else if (!n->pods && !r->live && !n->policy)
			hf_check_not_assessable(r, "neither pods nor policies of %.*s are in the input",
						HF_SV_FMT(name));
		else if (other)
			hf_check_not_assessable(r, "%s", other);
		else
			hf_check_fail(r, NULL, "no policy of %.*s closes %s for all of its pods", HF_SV_FMT(name),
				      what);
	}
	hf_check_about(r, NULL);
	if (!map || !map->n)
		hf_check_not_applicable(r);
}

static void open_ingress(struct hf_check_run *r)
{
	ask_isolation(r, HF_REACH_INGRESS, "what comes in");
}

static void open_egress(struct hf_check_run *r)
{
	ask_isolation(r, HF_REACH_EGRESS, "what goes out");
}

struct pods {
	HF_VEC(const struct hf_kube_pod *) list;
};

static const struct pods *pods_of(struct hf_check_run *r, hf_sv namespace)
{
	struct hf_map *map = r->memo;

	if (!map) {
		r->memo = map = hf_arena_new(r->arena, struct hf_map);
		if (!map)
			return NULL;
		*map = HF_MAP(r->arena);
		for (size_t i = 0; i < r->pods_n; i++) {
			struct hf_map_entry *e = hf_map_put(map, r->pods[i].object->namespace);
			if (e && !e->value)
				e->value = hf_arena_new(r->arena, struct pods);
			const struct hf_kube_pod **slot =
				e && e->value ? hf_vec_push(r->arena, &((struct pods *)e->value)->list) : NULL;
			if (slot)
				*slot = &r->pods[i];
		}
	}
	const struct hf_map_entry *e = hf_map_find(map, namespace);
	return e ? e->value : NULL;
}

static void selects_nothing(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("podSelector"));
	const struct hf_label_selector *selector = hf_kube_selector(v, HF_SELECTOR_FULL, r->arena, NULL);
	const struct pods *pods = pods_of(r, r->object->namespace);

	if (is_empty(v))
		return;
	for (size_t i = 0; pods && selector && i < pods->list.n; i++)
		if (hf_label_selector_matches(selector, pods->list.at[i]->labels, pods->list.at[i]->labels_n))
			return;
	if (!pods && !r->live)
		hf_check_not_assessable(r, "no pods of %.*s are in the input", HF_SV_FMT(r->object->namespace));
	else
		hf_check_fail(r, v, "selects no pod that there is");
}

static void everyone(struct hf_check_run *r)
{
	const struct hf_value *e =
		has_side(r->object, HF_REACH_INGRESS) ? open_rule(r->object, HF_REACH_INGRESS) : NULL;

	if (!has_side(r->object, HF_REACH_INGRESS))
		hf_check_not_applicable(r);
	else if (e)
		hf_check_fail(r, e, "a rule without peers and ports lets everybody in");
}

static bool ipv4(hf_sv s, uint32_t *ret)
{
	uint32_t address = 0;
	size_t parts = 0;
	uint64_t n;
	hf_sv part;

	while (s.ptr && hf_sv_next(&s, '.', &part)) {
		if (++parts > 4 || !hf_sv_to_u64(part, &n) || n > 255)
			return false;
		address = address << 8 | (uint32_t)n;
	}
	*ret = address;
	return parts == 4;
}

static bool block_holds(hf_sv cidr, uint32_t address)
{
	hf_sv base, bits;
	uint32_t first;
	uint64_t n;

	if (!hf_sv_cut(cidr, '/', &base, &bits) || !ipv4(base, &first) || !hf_sv_to_u64(bits, &n) || n > 32)
		return false;
	return !n || first >> (32 - n) == address >> (32 - n);
}

static bool peer_holds(const struct hf_value *peer, uint32_t address)
{
	const struct hf_value *block = hf_value_get(peer, HF_SV("ipBlock"));

	if (!block_holds(hf_value_get_text(block, HF_SV("cidr")), address))
		return false;
	hf_value_elements(hf_value_get(block, HF_SV("except")), e)
	{
		if (block_holds(hf_value_text(e), address))
			return false;
	}
	return true;
}

static bool is_everywhere(const struct hf_value *peer)
{
	hf_sv cidr = hf_value_text(hf_value_at(peer, "ipBlock.cidr"));

	return hf_sv_eq(cidr, HF_SV("0.0.0.0/0")) || hf_sv_eq(cidr, HF_SV("::/0"));
}

static const struct hf_value *each_peer(const struct hf_kube_object *o, enum hf_reach_side side,
					bool (*holds)(const struct hf_value *))
{
	hf_value_elements(hf_value_get(o->spec, hf_sv_of(side_lists[side])), rule)
	{
		hf_value_elements(hf_value_get(rule, hf_sv_of(peer_lists[side])), peer)
		{
			if (holds(peer))
				return peer;
		}
	}
	return NULL;
}

static void from_everywhere(struct hf_check_run *r)
{
	const struct hf_value *e = each_peer(r->object, HF_REACH_INGRESS, is_everywhere);

	if (e)
		hf_check_fail(r, e, "lets all addresses in");
}

static void to_everywhere(struct hf_check_run *r)
{
	const struct hf_value *e = each_peer(r->object, HF_REACH_EGRESS, is_everywhere);

	if (!has_side(r->object, HF_REACH_EGRESS)) {
		hf_check_not_applicable(r);
		return;
	}
	e = e ? e : open_rule(r->object, HF_REACH_EGRESS);
	if (e)
		hf_check_fail(r, e, "lets all addresses be reached");
}

static bool is_metadata(const struct hf_value *peer)
{
	return peer_holds(peer, 0xa9fea9feu);
}

static void metadata(struct hf_check_run *r)
{
	const struct hf_value *e = each_peer(r->object, HF_REACH_EGRESS, is_metadata);

	if (!has_side(r->object, HF_REACH_EGRESS)) {
		hf_check_not_applicable(r);
		return;
	}
	e = e ? e : open_rule(r->object, HF_REACH_EGRESS);
	if (e)
		hf_check_fail(r, e, "169.254.169.254 may be reached");
}

static bool is_all_namespaces(const struct hf_value *peer)
{
	const struct hf_value *v = hf_value_get(peer, HF_SV("namespaceSelector"));

	return v && is_empty(v) && is_empty(hf_value_get(peer, HF_SV("podSelector")));
}

static void all_namespaces(struct hf_check_run *r)
{
	const struct hf_value *e = each_peer(r->object, HF_REACH_INGRESS, is_all_namespaces);

	if (e)
		hf_check_fail(r, e, "lets the pods of all namespaces in");
}

static void all_ports(struct hf_check_run *r)
{
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("ingress")), e)
	{
		if (hf_value_count(hf_value_get(e, HF_SV("from")), HF_VALUE_ARRAY) &&
		    !hf_value_count(hf_value_get(e, HF_SV("ports")), HF_VALUE_ARRAY)) {
			hf_check_fail(r, e, "opens all ports to its peers");
			return;
		}
	}
}

static void database(struct hf_check_run *r)
{
	struct hf_reach *model = r->pods_n ? hf_reach_build(r->set, r->arena) : NULL;
	size_t n = 0;
	const struct hf_reach_finding *list = model ? hf_reach_findings(model, &n) : NULL;

	if (!r->pods_n)
		hf_check_not_applicable(r);
	for (size_t i = 0; i < n; i++) {
		const struct hf_reach_workload *front = &model->workloads.at[list[i].front];
		hf_check_about(r, front->object);
		if (list[i].need == HF_REACH_UNREADABLE)
			hf_check_not_assessable(
				r, "reaches %.*s; a part of its environment, which may name it, is not in the input",
				HF_SV_FMT(model->workloads.at[list[i].database].name));
		else
			hf_check_fail(r, NULL,
				      "is reached from outside, and reaches the database %.*s, whose services it names "
				      "nowhere",
				      HF_SV_FMT(model->workloads.at[list[i].database].name));
	}
	hf_check_about(r, NULL);
}

#define POLICY .subject = HF_CHECK_OBJECT, .kinds = { HF_KUBE_NETWORK_POLICY }

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-501",
	  .name = "namespace-open-ingress",
	  .title = "Pods of a namespace take connections from everywhere",
	  .severity = HF_SEV_MEDIUM,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Without a policy every pod of the cluster reaches every other: one that is taken over reaches all.",
	  .fix = "Make a NetworkPolicy that selects all pods and allows no ingress; then allow what is needed.",
	  .references = "CIS-5.3.2 NSA-network-policy MITRE-T1210 KSV-0038 C-0030 C-0049 C-0054 C-0206 C-0260 "
			"CKV2_K8S_6 kube-linter:non-isolated-pod polaris:missingNetworkPolicy",
	  .evaluate = open_ingress },
	{ .id = "HF-K8S-502",
	  .name = "namespace-open-egress",
	  .title = "Pods of a namespace may connect to everywhere",
	  .severity = HF_SEV_LOW,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "What is stolen leaves the cluster, and what attacks needs comes in, over connections that nobody "
		 "needs.",
	  .fix = "Make a NetworkPolicy that selects all pods and allows no egress; then allow what is needed.",
	  .references = "CIS-5.3.2 NSA-network-policy MITRE-T1041 C-0030 C-0206 C-0260",
	  .evaluate = open_egress },
	{ .id = "HF-K8S-503",
	  .name = "policy-selects-nothing",
	  .title = "A NetworkPolicy selects no pod",
	  .severity = HF_SEV_MEDIUM,
	  POLICY,
	  .why = "What it was to close stands open: a label was mistyped, or has changed.",
	  .fix = "Mend the selector, or remove the policy.",
	  .references = "CIS-5.3.2 NSA-network-policy kube-linter:dangling-networkpolicy",
	  .evaluate = selects_nothing },
	{ .id = "HF-K8S-504",
	  .name = "policy-allows-everybody",
	  .title = "A NetworkPolicy lets everybody in",
	  .severity = HF_SEV_MEDIUM,
	  POLICY,
	  .why = "Policies add up: one open rule undoes what all others close for the pods that it selects.",
	  .fix = "Name who may connect, and to which ports.",
	  .references = "CIS-5.3.2 NSA-network-policy",
	  .evaluate = everyone },
	{ .id = "HF-K8S-505",
	  .name = "policy-from-all-addresses",
	  .title = "A NetworkPolicy lets all addresses in",
	  .severity = HF_SEV_MEDIUM,
	  POLICY,
	  .why = "What is behind it is open to every network that has a way to the pod.",
	  .fix = "Name the addresses that are meant.",
	  .references = "CIS-5.3.2 NSA-network-policy MITRE-T1133",
	  .evaluate = from_everywhere },
	{ .id = "HF-K8S-506",
	  .name = "policy-to-all-addresses",
	  .title = "A NetworkPolicy lets all addresses be reached",
	  .severity = HF_SEV_LOW,
	  POLICY,
	  .why = "What is stolen leaves the cluster, and what an attack needs comes in.",
	  .fix = "Name the addresses that are meant.",
	  .references = "CIS-5.3.2 NSA-network-policy MITRE-T1041",
	  .evaluate = to_everywhere },
	{ .id = "HF-K8S-507",
	  .name = "policy-to-metadata",
	  .title = "A NetworkPolicy lets the cloud's metadata be reached",
	  .severity = HF_SEV_MEDIUM,
	  POLICY,
	  .why = "Credentials of the node's own role are handed out there to whoever asks.",
	  .fix = "Put 169.254.169.254/32 under except.",
	  .references = "NSA-network-policy MITRE-T1552.005 C-0052",
	  .evaluate = metadata },
	{ .id = "HF-K8S-508",
	  .name = "policy-from-all-namespaces",
	  .title = "A NetworkPolicy lets the pods of all namespaces in",
	  .severity = HF_SEV_LOW,
	  POLICY,
	  .why = "Any tenant's pod reaches what is behind it.",
	  .fix = "Select namespaces by kubernetes.io/metadata.name, and pods by their labels.",
	  .references = "CIS-5.3.2 NSA-network-policy MITRE-T1210",
	  .evaluate = all_namespaces },
	{ .id = "HF-K8S-509",
	  .name = "policy-all-ports",
	  .title = "A NetworkPolicy opens all ports",
	  .severity = HF_SEV_LOW,
	  POLICY,
	  .why = "Debugging and administration ports are open beside the one that is meant.",
	  .fix = "Name the ports.",
	  .references = "NSA-network-policy MITRE-T1046",
	  .evaluate = all_ports },
	{ .id = "HF-K8S-511",
	  .name = "front-end-reaches-database",
	  .title = "What is reached from outside reaches a database without need",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_CLUSTER,
	  .why = "Whoever takes over the front end stands before the data.",
	  .fix = "Let a NetworkPolicy of the database name its clients (holdfast kube netpol proposes one).",
	  .references = "CIS-5.3.2 NSA-network-policy MITRE-T1210",
	  .evaluate = database },
};

const struct hf_check_group hf_check_group_netpolicy = { "netpolicy", checks, HF_ARRAY_SIZE(checks) };
