#include "unit.h"

#include <string.h>

#include "base/limits.h"
#include "bpf/object.h"
#include "sensor/dns.h"
#include "sensor/names.h"
#include "sensor/object_record.h"

static struct hf_arena arena;

static hf_sv answer(const char *bytes, size_t n)
{
	return (hf_sv){ bytes, n };
}
#define ANSWER(literal) answer(literal, sizeof(literal) - 1)

#define HEADER(flags, answers) "\x12\x34" flags "\0\1\0" answers "\0\0\0\0"
#define WEB                    "\3WWW\7example\0"

HF_TEST(addresses_of_a_name)
{
	struct hf_dns d;

	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x81\x80", "\3") WEB
					     "\0\1\0\1"
					     "\xc0\x0c\0\5\0\1\0\0\0\1\0\6\3cdn\xc0\x10"
					     "\xc0\x2d\0\1\0\1\0\0\0\1\0\4\x0a\1\2\3"
					     "\xc0\x2d\0\x1c\0\1\0\0\0\1\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
				      &arena, &d, NULL),
			 0);
	assert_true(d.response);
	assert_true(hf_sv_eq(d.name, HF_SV("www.example")));
	assert_true(hf_sv_eq(d.type, HF_SV("A")));
	assert_true(hf_sv_eq(d.code, HF_SV("NOERROR")));
	assert_int_equal(d.addresses_n, 2);
	assert_true(hf_sv_eq(d.addresses[0], HF_SV("10.1.2.3")));
	assert_true(hf_sv_eq(d.addresses[1], HF_SV("2001:db8::1")));
}

HF_TEST(names_types_and_codes)
{
	struct hf_dns d;

	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x81\x83", "\0") "\4a.b\xff\1_\0\xff\x78\0\1"), &arena, &d, NULL),
			 0);
	assert_true(hf_sv_eq(d.name, HF_SV("a\\046b\\255._")));
	assert_true(hf_sv_eq(d.type, HF_SV("TYPE65400")));
	assert_true(hf_sv_eq(d.code, HF_SV("NXDOMAIN")));
	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x01\x0b", "\0") "\0\0\2\0\1"), &arena, &d, NULL), 0);
	assert_false(d.response);
	assert_true(hf_sv_eq(d.name, HF_SV(".")));
	assert_true(hf_sv_eq(d.type, HF_SV("NS")));
	assert_true(hf_sv_eq(d.code, HF_SV("RCODE11")));
}

HF_TEST(compression_that_turns_in_a_circle_or_leads_forward_ends)
{
	struct hf_dns d;

	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x81\x80", "\0") "\xc0\x0c\0\1\0\1"), &arena, &d, NULL),
			 HF_E_FORMAT);
	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x81\x80", "\0") "\1a\xc0\x0c\0\1\0\1"), &arena, &d, NULL),
			 HF_E_FORMAT);
	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x81\x80", "\0") "\xc0\x20\0\1\0\1"), &arena, &d, NULL),
			 HF_E_FORMAT);
	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x81\x80", "\0") "\x81x\0\0\1\0\1"), &arena, &d, NULL),
			 HF_E_FORMAT);
	/* in an answer: what came before it is kept */
	assert_int_equal(
		hf_dns_parse(ANSWER(HEADER("\x81\x80", "\2") WEB "\0\1\0\1"
								 "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\1\2\3\xc0\xff"),
			     &arena, &d, NULL),
		HF_PARTIAL);
	assert_int_equal(d.addresses_n, 1);
}

HF_TEST(what_is_cut_says_so)
{
	static const char whole[] = HEADER("\x81\x80", "\1") WEB "\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\1\2\3";
	struct hf_dns d;
	char name[300] = HEADER("\x81\x80", "\0");
	size_t n = 12;

	for (size_t i = 0; i < sizeof whole - 1; i++) {
		int code = hf_dns_parse(answer(whole, i), &arena, &d, NULL);
		assert_int_equal(code, i < 12 + 13 + 4 ? HF_E_FORMAT : HF_PARTIAL);
	}
	assert_int_equal(hf_dns_parse(ANSWER(HEADER("\x83\x80", "\0") WEB "\0\1\0\1"), &arena, &d, NULL), HF_PARTIAL);
	while (n < 12 + 260) { /* a name of more than 255 bytes */
		name[n++] = 1;
		name[n++] = 'a';
	}
	assert_int_equal(hf_dns_parse(answer(name, sizeof name), &arena, &d, NULL), HF_E_FORMAT);
}

static hf_sv record(void *bytes, uint32_t size, uint16_t kind)
{
	struct hf_record *head = bytes;

	head->size = size;
	head->kind = kind;
	return (hf_sv){ bytes, size };
}

HF_TEST(records_of_sockets)
{
	struct hf_record_socket r = { .local = { 127, 0, 0, 1 }, .local_port = 80, .family = 4, .protocol = 6 };
	struct hf_event e = { 0 };

	assert_int_equal(hf_object_event(record(&r, sizeof r, HF_OBJECT_LISTEN), NULL, &arena, &e, NULL), 0);
	assert_int_equal(e.kind, HF_EVENT_LISTEN);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_NETWORK_PROTOCOL), HF_SV("tcp")));
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_NETWORK_LOCAL_ADDRESS), HF_SV("127.0.0.1")));
	assert_int_equal(hf_event_uint(&e, HF_FIELD_NETWORK_LOCAL_PORT), 80);
	assert_false(hf_event_has(&e, HF_FIELD_NETWORK_REMOTE_ADDRESS));

	r = (struct hf_record_socket){ .remote = { [15] = 1 }, .remote_port = 53, .family = 6, .protocol = 17 };
	e = (struct hf_event){ 0 };
	assert_int_equal(hf_object_event(record(&r, sizeof r, HF_OBJECT_SEND), NULL, &arena, &e, NULL), 0);
	assert_int_equal(e.kind, HF_EVENT_SEND);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_NETWORK_REMOTE_ADDRESS), HF_SV("::1")));
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_NETWORK_PROTOCOL), HF_SV("udp")));
	assert_false(hf_event_has(&e, HF_FIELD_NETWORK_LOCAL_PORT));

	r.family = 0;
	assert_int_equal(hf_object_event(record(&r, sizeof r, HF_OBJECT_SEND), NULL, &arena, &e, NULL), HF_E_FORMAT);
}

HF_TEST(records_of_numbers_and_names)
{
	struct hf_record_number n = { .number = 21, .result = -1, .syscall = 165 };
	struct hf_record_module m = { .module = "evil" };
	struct hf_record_syscalls s = { .bits = { 1, 1ull << 1 } };
	struct hf_event e = { 0 };

	assert_int_equal(hf_object_event(record(&n, sizeof n, HF_OBJECT_CAPABILITY), NULL, &arena, &e, NULL), 0);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_CAPABILITY_NAME), HF_SV("CAP_SYS_ADMIN")));
	assert_false(hf_event_bool(&e, HF_FIELD_CAPABILITY_ALLOWED));
	assert_true(hf_event_has(&e, HF_FIELD_CAPABILITY_SYSCALL));
#ifdef __x86_64__
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_CAPABILITY_SYSCALL), HF_SV("mount")));
#endif
	n.head.flags = HF_RECORD_COMPAT;
	n.syscall = 21; /* access(2) in the machine's own table */
	assert_int_equal(hf_object_event(record(&n, sizeof n, HF_OBJECT_CAPABILITY), NULL, &arena, &e, NULL), 0);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_CAPABILITY_SYSCALL), HF_SV("mount")));
	n.number = 40;
	assert_int_equal(hf_object_event(record(&n, sizeof n, HF_OBJECT_CAPABILITY), NULL, &arena, &e, NULL), 0);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_CAPABILITY_NAME), HF_SV("CAP_CHECKPOINT_RESTORE")));
	n.number = HF_URING_SETUP;
	assert_int_equal(hf_object_event(record(&n, sizeof n, HF_OBJECT_IO_URING), NULL, &arena, &e, NULL), 0);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_IO_URING_OPERATION), HF_SV("setup")));
	n.number = 16;
	assert_int_equal(hf_object_event(record(&n, sizeof n, HF_OBJECT_IO_URING), NULL, &arena, &e, NULL), 0);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_IO_URING_OPERATION), HF_SV("connect")));
	assert_int_equal(hf_object_event(record(&m, sizeof m, HF_OBJECT_MODULE), NULL, &arena, &e, NULL), 0);
	assert_true(hf_sv_eq(hf_event_string(&e, HF_FIELD_MODULE_NAME), HF_SV("evil")));
	assert_int_equal(hf_object_event(record(&s, sizeof s, HF_OBJECT_SYSCALLS), NULL, &arena, &e, NULL), 0);
	assert_int_equal(e.values[HF_FIELD_SYSCALLS_NAMES].n, 2);
	assert_true(hf_sv_eq(hf_io_uring_name(99, &arena), HF_SV("OP_99")));
}

HF_TEST(records_of_namespaces)
{
	struct hf_record_namespaces r = { .before = { 1, 2, 3, 4, 5, 6, 7 }, .now = { 11, 2, 3, 4, 5, 16, 7 } };
	struct hf_namespace_set host = { { 11, 2, 3, 4, 5, 99, 7 } };
	struct hf_event e = { 0 };

	assert_int_equal(hf_object_event(record(&r, sizeof r, HF_OBJECT_NAMESPACE), &host, &arena, &e, NULL), 0);
	assert_int_equal(e.values[HF_FIELD_NAMESPACE_TYPES].n, 2);
	assert_true(hf_sv_eq(e.values[HF_FIELD_NAMESPACE_TYPES].list[0], HF_SV("mount")));
	assert_true(hf_sv_eq(e.values[HF_FIELD_NAMESPACE_TYPES].list[1], HF_SV("network")));
	assert_int_equal(e.values[HF_FIELD_NAMESPACE_HOST].n, 1);
	assert_true(hf_sv_eq(e.values[HF_FIELD_NAMESPACE_HOST].list[0], HF_SV("network")));
}

HF_TEST(records_that_lie_are_refused)
{
	struct {
		struct hf_record_dns r;
		char bytes[64];
	} d = { .r = { .family = 4, .length = 65 } };
	struct hf_record_number n = { 0 };
	struct hf_event e = { 0 };

	assert_int_equal(hf_object_event(record(&d, sizeof d, HF_OBJECT_DNS), NULL, &arena, &e, NULL), HF_E_FORMAT);
	record(&n, sizeof n, HF_OBJECT_SIGNAL);
	for (size_t i = 0; i < sizeof n; i++)
		assert_int_equal(hf_object_event((hf_sv){ (char *)&n, i }, NULL, &arena, &e, NULL), HF_E_FORMAT);
	n.head.size = sizeof n - 1;
	assert_int_equal(hf_object_event((hf_sv){ (char *)&n, sizeof n }, NULL, &arena, &e, NULL), HF_E_FORMAT);
	assert_int_equal(hf_object_event(record(&n, sizeof n, 0), NULL, &arena, &e, NULL), HF_E_FORMAT);
}

static int set_up(void **state)
{
	(void)state;
	arena = HF_ARENA(HF_MIB(1));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hf_arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_a_name),
		cmocka_unit_test(names_types_and_codes),
		cmocka_unit_test(compression_that_turns_in_a_circle_or_leads_forward_ends),
		cmocka_unit_test(what_is_cut_says_so),
		cmocka_unit_test(records_of_sockets),
		cmocka_unit_test(records_of_numbers_and_names),
		cmocka_unit_test(records_of_namespaces),
		cmocka_unit_test(records_that_lie_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
