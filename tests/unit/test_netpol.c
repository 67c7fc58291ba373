#include "unit.h"

#include <stdio.h>

#include "flow/graph.h"
#include "flow/netpol.h"

/* Behaviour as Kubernetes' documents give it: "Network Policies" (The two sorts of pod isolation, Behavior of to and from selectors,
 * Default policies, Targeting a range of ports), and the API reference. */

static const hf_sv web[] = { HF_SV_INIT("app"), HF_SV_INIT("web"), HF_SV_INIT("tier"), HF_SV_INIT("front") };
static const hf_sv db[] = { HF_SV_INIT("app"), HF_SV_INIT("db") };
static const hf_sv team[] = { HF_SV_INIT("team"), HF_SV_INIT("a") };
static const struct hf_netpol_named_port names[] = { { HF_SV_INIT("sql"), HF_FLOW_TCP, 5432 } };

static const struct hf_netpol_end web_pod = { .pod = true,
					      .namespace = HF_SV_INIT("shop"),
					      .labels = web,
					      .labels_n = 2,
					      .namespace_labels = team,
					      .namespace_labels_n = 1 };
static const struct hf_netpol_end db_pod = {
	.pod = true, .namespace = HF_SV_INIT("data"), .labels = db, .labels_n = 1, .ports = names, .ports_n = 1
};
static const struct hf_netpol_end other_pod = {
	.pod = true, .namespace = HF_SV_INIT("data"), .labels = web, .labels_n = 2
};

static struct hf_netpol_end outside(const char *address)
{
	struct hf_netpol_end end = { 0 };

	assert_true(hf_address_of(hf_sv_of(address), &end.address));
	return end;
}

static bool passes(const struct hf_netpol *p, const struct hf_netpol_end *from, const struct hf_netpol_end *to,
		   uint16_t port)
{
	return hf_netpol_evaluate(&p, p ? 1 : 0, from, to, HF_FLOW_TCP, port).allowed;
}

static const struct hf_label_selector everything;
static const struct hf_label_selector select_web = { .labels = web, .labels_n = 2 };
static const struct hf_label_selector select_db = { .labels = db, .labels_n = 1 };
static const struct hf_label_selector select_team = { .labels = team, .labels_n = 1 };

/* A policy for the database's pods with one ingress rule. */
#define INGRESS(...)                                                                                    \
	&(const struct hf_netpol)                                                                       \
	{                                                                                               \
		.namespace = HF_SV("data"), .name = HF_SV("p"), .pods = select_db, .has_ingress = true, \
		.ingress = &(const struct hf_netpol_rule){ __VA_ARGS__ }, .ingress_n = 1                \
	}
#define FROM(...) .peers = &(const struct hf_netpol_peer){ __VA_ARGS__ }, .peers_n = 1
#define PORT(...) .ports = &(const struct hf_netpol_port){ .protocol = HF_FLOW_TCP, __VA_ARGS__ }, .ports_n = 1

HF_TEST(without_policies_everything_passes)
{
	assert_true(passes(NULL, &web_pod, &db_pod, 1));
}

HF_TEST(a_policy_isolates_only_what_it_selects_in_its_direction)
{
	const struct hf_netpol deny = { .namespace = HF_SV_INIT("data"), .pods = select_db, .has_ingress = true };
	const struct hf_netpol elsewhere = { .namespace = HF_SV_INIT("shop"), .pods = select_db, .has_ingress = true };
	const struct hf_netpol egress = { .namespace = HF_SV_INIT("data"), .has_egress = true };
	const struct hf_netpol *p = &deny;

	assert_false(passes(&deny, &web_pod, &db_pod, 80));
	assert_true(passes(&deny, &db_pod, &web_pod, 80));
	assert_true(passes(&deny, &web_pod, &other_pod, 80));
	assert_true(passes(&elsewhere, &web_pod, &db_pod, 80));
	assert_true(passes(&egress, &web_pod, &db_pod, 80));
	assert_false(passes(&egress, &db_pod, &web_pod, 80)); /* the empty selector takes all pods of its namespace */
	assert_false(passes(&egress, &other_pod, &web_pod, 80));
	struct hf_netpol_verdict v = hf_netpol_evaluate(&p, 1, &web_pod, &db_pod, HF_FLOW_TCP, 80);

	assert_false(v.egress);
	assert_ptr_equal(v.denied_by, &deny);
}

HF_TEST(a_pod_reaches_itself)
{
	const struct hf_netpol deny = { .namespace = HF_SV_INIT("data"), .has_ingress = true, .has_egress = true };

	assert_true(passes(&deny, &db_pod, &db_pod, 80));
}

HF_TEST(policies_add_up)
{
	const struct hf_netpol deny = { .namespace = HF_SV_INIT("data"), .pods = select_db, .has_ingress = true };
	const struct hf_netpol *open = INGRESS(FROM(.namespaces = &everything));
	const struct hf_netpol *both[] = { &deny, open };

	assert_true(hf_netpol_evaluate(both, 2, &web_pod, &db_pod, HF_FLOW_TCP, 80).allowed);
}

HF_TEST(peers)
{
	struct hf_netpol_end out = outside("10.9.0.1");

	/* No peers: everybody, outside too. */
	assert_true(passes(INGRESS(.peers_n = 0), &web_pod, &db_pod, 80));
	assert_true(passes(INGRESS(.peers_n = 0), &out, &db_pod, 80));
	/* podSelector alone: the policy's namespace. */
	assert_false(passes(INGRESS(FROM(.pods = &select_web)), &web_pod, &db_pod, 80));
	assert_true(passes(INGRESS(FROM(.pods = &select_web)), &other_pod, &db_pod, 80));
	assert_false(passes(INGRESS(FROM(.pods = &everything)), &out, &db_pod, 80));
	/* namespaceSelector alone: all pods there; both: and. */
	assert_true(passes(INGRESS(FROM(.namespaces = &select_team)), &web_pod, &db_pod, 80));
	assert_false(passes(INGRESS(FROM(.namespaces = &select_team)), &other_pod, &db_pod, 80));
	assert_true(passes(INGRESS(FROM(.namespaces = &select_team, .pods = &select_web)), &web_pod, &db_pod, 80));
	assert_false(passes(INGRESS(FROM(.namespaces = &select_team, .pods = &select_db)), &web_pod, &db_pod, 80));
	assert_false(passes(INGRESS(FROM(.namespaces = &everything)), &out, &db_pod, 80));
}

HF_TEST(namespaces_have_their_name_as_a_label)
{
	static const hf_sv name[] = { HF_SV_INIT("kubernetes.io/metadata.name"), HF_SV_INIT("shop") };
	const struct hf_label_selector shop = { .labels = name, .labels_n = 1 };

	assert_true(passes(INGRESS(FROM(.namespaces = &shop)), &web_pod, &db_pod, 80));
	assert_false(passes(INGRESS(FROM(.namespaces = &shop)), &other_pod, &db_pod, 80));
}

HF_TEST(blocks_are_about_outside)
{
	struct hf_netpol_end in = outside("10.9.0.1"), left_out = outside("10.9.1.1"), six = outside("2001:db8::1");
	struct hf_cidr except;
	struct hf_netpol_peer block = { .except = &except, .except_n = 1 };
	struct hf_netpol_rule rule = { .peers = &block, .peers_n = 1 };
	struct hf_netpol p = { .namespace = HF_SV_INIT("data"),
			       .pods = select_db,
			       .has_ingress = true,
			       .ingress = &rule,
			       .ingress_n = 1 };

	assert_true(hf_cidr_of(HF_SV("10.9.0.0/16"), &block.block));
	assert_true(hf_cidr_of(HF_SV("10.9.1.0/24"), &except));
	assert_true(passes(&p, &in, &db_pod, 80));
	assert_false(passes(&p, &left_out, &db_pod, 80));
	assert_false(passes(&p, &six, &db_pod, 80));
	assert_false(passes(&p, &web_pod, &db_pod, 80));
}

HF_TEST(ports_by_number_range_name_and_protocol)
{
	const struct hf_netpol *p = INGRESS(PORT(.first = 80, .last = 80));

	assert_true(passes(p, &web_pod, &db_pod, 80));
	assert_false(passes(p, &web_pod, &db_pod, 81));
	assert_false(hf_netpol_evaluate(&p, 1, &web_pod, &db_pod, HF_FLOW_UDP, 80).allowed);
	assert_true(passes(INGRESS(PORT(.first = 80, .last = 90)), &web_pod, &db_pod, 90));
	assert_false(passes(INGRESS(PORT(.first = 80, .last = 90)), &web_pod, &db_pod, 91));
	assert_true(passes(INGRESS(PORT(.first = 0)), &web_pod, &db_pod, 12345));
	assert_true(passes(INGRESS(PORT(.name = HF_SV("sql"))), &web_pod, &db_pod, 5432));
	assert_false(passes(INGRESS(PORT(.name = HF_SV("sql"))), &web_pod, &db_pod, 5433));
	assert_false(passes(INGRESS(PORT(.name = HF_SV("none"))), &web_pod, &db_pod, 5432));
}

HF_TEST(both_directions_have_to_agree)
{
	const struct hf_netpol *in = INGRESS(FROM(.namespaces = &everything));
	const struct hf_netpol_rule to_80 = { PORT(.first = 80, .last = 80) };
	const struct hf_netpol out = {
		.namespace = HF_SV_INIT("shop"), .has_egress = true, .egress = &to_80, .egress_n = 1
	};
	const struct hf_netpol *both[] = { in, &out };

	assert_true(hf_netpol_evaluate(both, 2, &web_pod, &db_pod, HF_FLOW_TCP, 80).allowed);
	struct hf_netpol_verdict v = hf_netpol_evaluate(both, 2, &web_pod, &db_pod, HF_FLOW_TCP, 81);

	assert_false(v.allowed);
	assert_true(v.egress);
}

HF_TEST(expressions_of_selectors)
{
	static const hf_sv values[] = { HF_SV_INIT("web"), HF_SV_INIT("app") };
	const struct {
		struct hf_label_requirement r;
		bool holds;
	} cases[] = {
		{ { HF_SV_INIT("app"), HF_LABEL_IN, values, 2 }, true },
		{ { HF_SV_INIT("tier"), HF_LABEL_IN, values, 2 }, false },
		{ { HF_SV_INIT("none"), HF_LABEL_IN, values, 2 }, false },
		{ { HF_SV_INIT("app"), HF_LABEL_NOT_IN, values, 2 }, false },
		{ { HF_SV_INIT("tier"), HF_LABEL_NOT_IN, values, 2 }, true },
		{ { HF_SV_INIT("none"), HF_LABEL_NOT_IN, values, 2 }, true },
		{ { HF_SV_INIT("app"), HF_LABEL_EXISTS, NULL, 0 }, true },
		{ { HF_SV_INIT("none"), HF_LABEL_EXISTS, NULL, 0 }, false },
		{ { HF_SV_INIT("app"), HF_LABEL_DOES_NOT_EXIST, NULL, 0 }, false },
		{ { HF_SV_INIT("none"), HF_LABEL_DOES_NOT_EXIST, NULL, 0 }, true },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_label_selector s = { .requirements = &cases[i].r, .requirements_n = 1 };

		assert_int_equal(hf_label_selector_matches(&s, web, 2), cases[i].holds);
	}
	assert_true(hf_label_selector_matches(&everything, NULL, 0));
	assert_false(hf_label_selector_matches(&select_web, web, 1));
}

HF_TEST(many_labels_are_held_against_many)
{
	enum { MANY = 400 };
	static char texts[MANY][8];
	static hf_sv labels[2 * MANY], asked[2 * MANY];
	const struct hf_label_requirement absent = { HF_SV_INIT("l-0"), HF_LABEL_DOES_NOT_EXIST, NULL, 0 };
	struct hf_label_selector s = { .labels = asked, .labels_n = MANY };

	for (unsigned i = 0; i < MANY; i++) {
		snprintf(texts[i], sizeof texts[i], "l-%u", i);
		labels[2 * i] = asked[2 * (MANY - 1 - i)] = hf_sv_of(texts[i]);
		labels[2 * i + 1] = asked[2 * (MANY - 1 - i) + 1] = hf_sv_of(texts[i / 2]);
	}
	assert_true(hf_label_selector_matches(&s, labels, MANY));
	assert_false(hf_label_selector_matches(&s, labels, MANY - 1));
	s.requirements = &absent;
	s.requirements_n = 1;
	assert_false(hf_label_selector_matches(&s, labels, MANY));
	s.requirements_n = 0;
	asked[1] = HF_SV("other");
	assert_false(hf_label_selector_matches(&s, labels, MANY));
}

HF_TEST_MAIN(cmocka_unit_test(without_policies_everything_passes),
	     cmocka_unit_test(a_policy_isolates_only_what_it_selects_in_its_direction),
	     cmocka_unit_test(a_pod_reaches_itself), cmocka_unit_test(policies_add_up), cmocka_unit_test(peers),
	     cmocka_unit_test(namespaces_have_their_name_as_a_label), cmocka_unit_test(blocks_are_about_outside),
	     cmocka_unit_test(ports_by_number_range_name_and_protocol), cmocka_unit_test(both_directions_have_to_agree),
	     cmocka_unit_test(expressions_of_selectors), cmocka_unit_test(many_labels_are_held_against_many))
