#include "unit.h"

#include <stdio.h>

#include "flow/flows.h"

/* An event from a line of words: "KIND CONTAINER LOCAL LOCAL-PORT REMOTE REMOTE-PORT PROTOCOL"; "-" leaves a field out. */
static void take(struct hf_flows *f, const char *line)
{
	static const enum hf_event_field fields[] = { HF_FIELD_CONTAINER_NAME,      HF_FIELD_NETWORK_LOCAL_ADDRESS,
						      HF_FIELD_NETWORK_LOCAL_PORT,  HF_FIELD_NETWORK_REMOTE_ADDRESS,
						      HF_FIELD_NETWORK_REMOTE_PORT, HF_FIELD_NETWORK_PROTOCOL };
	struct hf_event e = { 0 };
	hf_sv rest = hf_sv_of(line), word;
	uint64_t number;

	assert_true(hf_sv_next(&rest, ' ', &word));
	assert_true(hf_event_kind_of(word, &e.kind));
	for (size_t i = 0; hf_sv_next(&rest, ' ', &word); i++) {
		assert_true(i < HF_ARRAY_SIZE(fields));
		if (hf_sv_eq(word, HF_SV("-")))
			continue;
		if (fields[i] == HF_FIELD_NETWORK_LOCAL_PORT || fields[i] == HF_FIELD_NETWORK_REMOTE_PORT) {
			assert_true(hf_sv_to_u64(word, &number));
			hf_event_set_uint(&e, fields[i], number);
		} else {
			hf_event_set_string(&e, fields[i], word);
		}
	}
	if (hf_event_has(&e, HF_FIELD_CONTAINER_NAME))
		hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, hf_event_string(&e, HF_FIELD_CONTAINER_NAME));
	if (e.kind == HF_EVENT_CONTAINER_START) {
		hf_event_set_string(&e, HF_FIELD_CONTAINER_ADDRESS,
				    hf_event_string(&e, HF_FIELD_NETWORK_LOCAL_ADDRESS));
		e.values[HF_FIELD_NETWORK_LOCAL_ADDRESS] = (struct hf_value){ 0 };
	}
	assert_int_equal(hf_flows_take(f, &e, NULL), HF_OK);
}

static void answer(struct hf_flows *f, const char *container, const char *name, const char *address)
{
	struct hf_event e = { .kind = HF_EVENT_DNS };
	hf_sv list = hf_sv_of(address);

	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, hf_sv_of(container));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_NAME, hf_sv_of(container));
	hf_event_set_string(&e, HF_FIELD_DNS_NAME, hf_sv_of(name));
	hf_event_set_list(&e, HF_FIELD_DNS_ADDRESSES, &list, 1);
	assert_int_equal(hf_flows_take(f, &e, NULL), HF_OK);
}

/* The graph has these flows alone, as hf_flow_text says them. */
static struct hf_flow_graph expect(struct hf_flows *f, size_t n, const char *const *flows)
{
	struct hf_flow_graph g;
	char text[1024];

	assert_int_equal(hf_flows_graph(f, &g, NULL), HF_OK);
	for (size_t i = 0; i < g.flows_n && i < n; i++) {
		hf_flow_text(&g, &g.flows[i], text, sizeof text);
		assert_string_equal(text, flows[i]);
	}
	assert_int_equal(g.flows_n, n);
	return g;
}
#define EXPECT(f, ...) \
	expect(f, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), (const char *const[]){ __VA_ARGS__ })

HF_TEST(both_ends_of_a_connection_are_one_flow)
{
	struct hf_flows *f = hf_flows_new();

	take(f, "container_start front 172.18.0.2");
	take(f, "container_start app 172.18.0.3");
	take(f, "connect front 172.18.0.2 40001 172.18.0.3 8080 tcp");
	take(f, "accept app 172.18.0.3 8080 172.18.0.2 40001 tcp");
	struct hf_flow_graph g = EXPECT(f, "front -> app tcp/8080");

	assert_int_equal(g.flows[0].connects, 1);
	assert_int_equal(g.flows[0].accepts, 1);
	hf_flows_free(f);
}

HF_TEST(an_owner_that_shows_later_is_put_right)
{
	struct hf_flows *f = hf_flows_new();

	take(f, "connect front - - 172.18.0.3 8080 tcp");
	take(f, "connect front - - 172.18.0.9 8080 tcp");
	take(f, "accept app 172.18.0.3 8080 172.18.0.2 40001 tcp");
	take(f, "connect front 172.18.0.2 50000 172.18.0.3 8080 tcp");
	struct hf_flow_graph g = EXPECT(f, "front -> app tcp/8080", "front -> outside (172.18.0.9) tcp/8080");

	assert_int_equal(g.flows[0].connects, 2);
	assert_int_equal(g.flows[0].accepts, 1);
	assert_int_equal(g.flows[1].connects, 1);
	hf_flows_free(f);
}

HF_TEST(replicas_are_one_workload)
{
	struct hf_flows *f = hf_flows_new();

	take(f, "container_start web-1 172.18.0.2");
	take(f, "container_start web-2 172.18.0.3");
	take(f, "container_start db 172.18.0.4");
	take(f, "connect web-1 - - 172.18.0.4 5432 tcp");
	take(f, "connect web-2 - - 172.18.0.4 5432 tcp");
	take(f, "connect web-2 - - 172.18.0.2 7946 tcp"); /* peers of one cluster */
	struct hf_flow_graph g = EXPECT(f, "web -> db tcp/5432", "web -> web tcp/7946");

	assert_int_equal(g.workloads_n, 2);
	assert_int_equal(g.workloads[1].instances_n, 2);
	hf_flows_free(f);
}

HF_TEST(an_address_belongs_to_who_has_it_at_the_time)
{
	struct hf_flows *f = hf_flows_new();

	take(f, "container_start client 172.18.0.9");
	take(f, "container_start old 172.18.0.2");
	take(f, "connect client - - 172.18.0.2 80 tcp");
	take(f, "container_stop old");
	take(f, "container_start new 172.18.0.2");
	take(f, "connect client - - 172.18.0.2 81 tcp");
	EXPECT(f, "client -> new tcp/81", "client -> old tcp/80");
	hf_flows_free(f);
}

HF_TEST(names_are_those_that_this_container_looked_up)
{
	struct hf_flows *f = hf_flows_new();

	answer(f, "app", "db.example", "203.0.113.7");
	answer(f, "app", "cache.example", "203.0.113.8");
	answer(f, "other", "wrong.example", "203.0.113.7");
	take(f, "connect app - - 203.0.113.7 5432 tcp");
	take(f, "connect app - - 203.0.113.8 6379 tcp");
	take(f, "connect third - - 203.0.113.7 5432 tcp");
	struct hf_flow_graph g =
		EXPECT(f, "app -> cache.example (203.0.113.8) tcp/6379", "app -> db.example (203.0.113.7) tcp/5432",
		       "third -> outside (203.0.113.7) tcp/5432");

	assert_true(g.workloads[0].dns);
	assert_false(g.workloads[2].dns);
	hf_flows_free(f);
}

HF_TEST(ports_of_clients_are_no_keys)
{
	struct hf_flows *f = hf_flows_new();
	char line[128];

	take(f, "container_start server 172.18.0.2");
	take(f, "container_start client 172.18.0.3");
	take(f, "listen server 0.0.0.0 53 - - udp");
	for (int i = 0; i < 500; i++) {
		snprintf(line, sizeof line, "accept server 172.18.0.2 80 172.18.0.3 %d tcp", 40000 + i);
		take(f, line);
		snprintf(line, sizeof line, "send server 172.18.0.2 53 172.18.0.3 %d udp", 40000 + i);
		take(f, line);
		snprintf(line, sizeof line, "send client 172.18.0.3 %d 172.18.0.2 53 udp", 40000 + i);
		take(f, line);
	}
	struct hf_flow_graph g = EXPECT(f, "client -> server tcp/80", "client -> server udp/53");

	assert_int_equal(g.flows[0].accepts, 500);
	assert_int_equal(g.flows[1].sends, 1000);
	hf_flows_free(f);
}

HF_TEST(a_scan_of_ports_is_one_range)
{
	struct hf_flows *f = hf_flows_new();
	char line[128];

	take(f, "container_start victim 172.18.0.2");
	for (int i = 1; i < 5000; i++) {
		snprintf(line, sizeof line, "connect bad - - 172.18.0.2 %d tcp", i);
		take(f, line);
	}
	struct hf_flow_graph g;

	assert_int_equal(hf_flows_graph(f, &g, NULL), HF_OK);
	assert_int_equal(g.flows_n, HF_FLOW_PORT_ANY_FIRST + 64);
	uint64_t sum = 0;

	for (size_t i = 0; i < g.flows_n; i++)
		sum += g.flows[i].connects;
	assert_int_equal(sum, 4999);
	assert_int_equal(g.flows[1].port_last, HF_FLOW_PORT_ANY_LAST); /* behind tcp/1 */
	hf_flows_free(f);
}

HF_TEST(many_clients_from_outside_are_one_flow)
{
	struct hf_flows *f = hf_flows_new();
	char line[128];

	for (int i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "accept web 172.18.0.2 443 203.0.%d.%d 40000 tcp", i / 250, i % 250 + 1);
		take(f, line);
	}
	struct hf_flow_graph g;

	assert_int_equal(hf_flows_graph(f, &g, NULL), HF_OK);
	assert_int_equal(g.flows_n, 1);
	assert_int_equal(g.flows[0].accepts, 1000);
	assert_int_equal(g.flows[0].client.kind, HF_PEER_OUTSIDE);
	assert_int_equal(g.flows[0].client.addresses_n, 64);
	assert_int_equal(g.flows[0].client.addresses_more, 936);
	hf_flows_free(f);
}

HF_TEST(what_stays_inside_and_what_only_asks_the_kernel_is_no_flow)
{
	struct hf_flows *f = hf_flows_new();

	take(f, "connect app - - 127.0.0.1 6379 tcp");
	take(f, "connect app - - ::1 6379 tcp");
	take(f, "accept app 127.0.0.1 6379 127.0.0.1 40000 tcp");
	take(f, "send app 127.0.0.1 40000 127.0.0.11 53 udp");
	take(f, "connect app - - 203.0.113.7 443 udp");
	take(f, "connect app - - 203.0.113.7 443 tcp");
	take(f, "connect app - - ::ffff:203.0.113.7 443 tcp");
	take(f, "connect app - - not-an-address 443 tcp");
	struct hf_flow_graph g = EXPECT(f, "app -> outside (203.0.113.7) tcp/443");

	assert_int_equal(g.internal, 4);
	assert_int_equal(g.unusable, 1);
	assert_int_equal(g.flows[0].connects, 2);
	assert_true(g.workloads[0].dns);
	assert_true(g.workloads[0].local_resolver);
	hf_flows_free(f);
}

HF_TEST(open_ports_know_what_came_in)
{
	struct hf_flows *f = hf_flows_new();

	take(f, "listen app 0.0.0.0 80 - - tcp");
	take(f, "listen app :: 8443 - - tcp");
	take(f, "listen app 127.0.0.1 9000 - - tcp");
	take(f, "listen app 0.0.0.0 45678 - - udp"); /* a client's */
	take(f, "accept app 172.18.0.2 80 203.0.113.1 40000 tcp");
	struct hf_flow_graph g;

	assert_int_equal(hf_flows_graph(f, &g, NULL), HF_OK);
	const struct hf_workload *w = &g.workloads[0];

	assert_int_equal(w->ports_n, 3);
	assert_int_equal(w->ports[0].port, 80);
	assert_int_equal(w->ports[0].accepted, 1);
	assert_int_equal(w->ports[1].port, 8443);
	assert_int_equal(w->ports[1].accepted, 0);
	assert_false(w->ports[1].loopback);
	assert_true(w->ports[2].loopback);
	hf_flows_free(f);
}

static void pod(struct hf_flows *f, const char *name, const char *address, const hf_sv *labels, size_t labels_n)
{
	struct hf_event e = { .kind = HF_EVENT_CONTAINER_START };

	hf_event_set_string(&e, HF_FIELD_CONTAINER_ID, hf_sv_of(name));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_POD_NAME, hf_sv_of(name));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_POD_NAMESPACE, HF_SV("shop"));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_ADDRESS, hf_sv_of(address));
	hf_event_set_map(&e, HF_FIELD_CONTAINER_LABELS, labels, labels_n);
	assert_int_equal(hf_flows_take(f, &e, NULL), HF_OK);
}

HF_TEST(pods_are_named_after_their_owner)
{
	static const hf_sv deployed[] = { HF_SV_INIT("app"), HF_SV_INIT("web"), HF_SV_INIT("pod-template-hash"),
					  HF_SV_INIT("7c5ddbdf54") };
	static const hf_sv deployed_new[] = { HF_SV_INIT("app"),    HF_SV_INIT("web"),  HF_SV_INIT("pod-template-hash"),
					      HF_SV_INIT("6b8f9c"), HF_SV_INIT("tier"), HF_SV_INIT("x") };
	static const hf_sv set[] = { HF_SV_INIT("app"), HF_SV_INIT("db"),
				     HF_SV_INIT("statefulset.kubernetes.io/pod-name"), HF_SV_INIT("db-0") };
	static const hf_sv job[] = { HF_SV_INIT("job-name"), HF_SV_INIT("backup") };
	static const hf_sv daemon[] = { HF_SV_INIT("app"), HF_SV_INIT("log"), HF_SV_INIT("controller-revision-hash"),
					HF_SV_INIT("5f6b") };
	static const char *const ids[] = { "shop/DaemonSet/log", "shop/Deployment/web", "shop/Job/backup",
					   "shop/Pod/alone-1", "shop/StatefulSet/db" };
	struct hf_flows *f = hf_flows_new();
	struct hf_flow_graph g;

	pod(f, "web-7c5ddbdf54-x2xzq", "10.1.0.2", deployed, 2);
	pod(f, "web-6b8f9c-l9tkv", "10.1.0.3", deployed_new, 3);
	pod(f, "db-0", "10.1.0.4", set, 2);
	pod(f, "backup-h7x4d", "10.1.0.5", job, 1);
	pod(f, "alone-1", "10.1.0.6", NULL, 0);
	pod(f, "log-bcdfg", "10.1.0.7", daemon, 2);
	assert_int_equal(hf_flows_graph(f, &g, NULL), HF_OK);
	assert_int_equal(g.workloads_n, HF_ARRAY_SIZE(ids));
	for (size_t i = 0; i < g.workloads_n; i++)
		assert_true(hf_sv_eq(g.workloads[i].id, hf_sv_of(ids[i])));
	assert_int_equal(g.workloads[1].instances_n, 2);
	assert_int_equal(g.workloads[1].labels_n, 1); /* what both share, and no hash */
	assert_true(hf_sv_eq(g.workloads[1].labels[0], HF_SV("app")));
	hf_flows_free(f);
}

HF_TEST(losses_are_the_last_totals)
{
	struct hf_flows *f = hf_flows_new();
	struct hf_event e = { .kind = HF_EVENT_LOSS };
	struct hf_flow_graph g;

	hf_event_set_string(&e, HF_FIELD_LOSS_KIND, HF_SV("connect"));
	for (uint64_t n = 1; n < 4; n++) {
		hf_event_set_uint(&e, HF_FIELD_LOSS_DROPPED, n);
		assert_int_equal(hf_flows_take(f, &e, NULL), HF_OK);
	}
	hf_event_set_string(&e, HF_FIELD_LOSS_KIND, HF_SV("accept"));
	assert_int_equal(hf_flows_take(f, &e, NULL), HF_OK);
	assert_int_equal(hf_flows_graph(f, &g, NULL), HF_OK);
	assert_int_equal(g.lost, 6);
	hf_flows_free(f);
}

HF_TEST(addresses_and_blocks)
{
	struct hf_address a, b;
	struct hf_cidr c;
	char text[HF_CIDR_TEXT_MAX];

	assert_true(hf_address_of(HF_SV("::ffff:10.1.2.3"), &a));
	assert_true(hf_address_of(HF_SV("10.1.2.3"), &b));
	assert_int_equal(hf_address_cmp(&a, &b), 0);
	assert_true(hf_cidr_of(HF_SV("10.1.2.3/12"), &c));
	assert_true(hf_sv_eq(hf_cidr_text(&c, text), HF_SV("10.0.0.0/12")));
	assert_true(hf_cidr_holds(&c, &a));
	assert_true(hf_address_of(HF_SV("10.16.0.0"), &a));
	assert_false(hf_cidr_holds(&c, &a));
	assert_true(hf_cidr_of(HF_SV("0.0.0.0/0"), &c));
	assert_true(hf_cidr_holds(&c, &a));
	assert_true(hf_address_of(HF_SV("fe80::1%eth0"), &a));
	assert_false(hf_cidr_holds(&c, &a));
	assert_int_equal(hf_address_scope(&a), HF_ADDRESS_LINK_LOCAL);
	assert_false(hf_cidr_of(HF_SV("10.0.0.0/33"), &c));
	assert_false(hf_cidr_of(HF_SV("10.0.0.0"), &c));
	assert_false(hf_address_of(HF_SV("10.0.0"), &a));
	assert_false(hf_address_of(HF_SV(""), &a));
}

HF_TEST_MAIN(cmocka_unit_test(both_ends_of_a_connection_are_one_flow),
	     cmocka_unit_test(an_owner_that_shows_later_is_put_right), cmocka_unit_test(replicas_are_one_workload),
	     cmocka_unit_test(an_address_belongs_to_who_has_it_at_the_time),
	     cmocka_unit_test(names_are_those_that_this_container_looked_up),
	     cmocka_unit_test(ports_of_clients_are_no_keys), cmocka_unit_test(a_scan_of_ports_is_one_range),
	     cmocka_unit_test(many_clients_from_outside_are_one_flow),
	     cmocka_unit_test(what_stays_inside_and_what_only_asks_the_kernel_is_no_flow),
	     cmocka_unit_test(open_ports_know_what_came_in), cmocka_unit_test(pods_are_named_after_their_owner),
	     cmocka_unit_test(losses_are_the_last_totals), cmocka_unit_test(addresses_and_blocks))
