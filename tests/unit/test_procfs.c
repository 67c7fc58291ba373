#include "unit.h"

#include <string.h>

#include "sensor/connector_record.h"
#include "sensor/procfs.h"

HF_TEST(stat_of_processes_with_names_of_every_kind)
{
	static const struct {
		const char *text, *name;
		uint32_t pid, parent, terminal;
		uint64_t start;
		bool ok;
	} cases[] = {
		{ "12 (sh) S 1 12 12 34816 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 100 200\n", "sh", 12, 1, 34816,
		  4711, true },
		{ "12 (a) R 1 (x) S 3 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 99 100", "a) R 1 (x", 12, 3, 0, 99, true },
		{ "12 ( ) S 3 1 1 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 99", " ", 12, 3, 0, 99, true },
		{ "12 (sh) S 1 12 12 34816 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0", "", 0, 0, 0, 0, false },
		{ "12 sh S 1", "", 0, 0, 0, 0, false },
		{ ") 1 (", "", 0, 0, 0, 0, false },
		{ "", "", 0, 0, 0, 0, false },
		{ "99999999999 (sh) S 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1", "", 0, 0, 0, 0, false },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct hf_proc_stat s;
		int code = hf_proc_stat_parse(hf_sv_of(cases[i].text), &s, NULL);
		if (code != (cases[i].ok ? 0 : HF_E_FORMAT))
			fail_msg("%s: %d", cases[i].text, code);
		if (!cases[i].ok)
			continue;
		assert_true(hf_sv_eq(s.name, hf_sv_of(cases[i].name)));
		assert_int_equal(s.pid, cases[i].pid);
		assert_int_equal(s.parent_pid, cases[i].parent);
		assert_int_equal(s.terminal, cases[i].terminal);
		assert_int_equal(s.start_ticks, cases[i].start);
	}
}

HF_TEST(status_gives_the_effective_ids)
{
	struct hf_proc_status s;

	hf_proc_status_parse(HF_SV("Name:\tx\nUid:\t0\t1000\t0\t0\nGid:\t5\t6\t7\t8\nNSpid:\t4711\t33\t1\n"
				   "CapInh:\t0000000000000001\nCapEff:\t00000000a80425fb\n"),
			     &s);
	assert_int_equal(s.uid, 1000);
	assert_int_equal(s.gid, 6);
	assert_int_equal(s.pid_in_namespace, 1);
	assert_int_equal(s.capabilities, 0xa80425fb);
	hf_proc_status_parse(HF_SV("Uid:\nCapEff: zz\nNSpid:"), &s);
	assert_int_equal(s.uid + s.capabilities + s.pid_in_namespace, 0);
}

HF_TEST(the_cgroup_of_the_unified_hierarchy_or_of_the_controller)
{
	static const char hybrid[] =
		"12:memory:/docker/a\n11:cpu,cpuacct:/docker/b\n1:name=systemd:/docker/c\n0::/docker/d:e\n";
	static const char v1[] = "12:memory:/docker/a\n11:cpu,cpuacct:/docker/b\n";
	hf_sv path;

	assert_true(hf_proc_cgroup_parse(hf_sv_of(hybrid), (hf_sv){ 0 }, &path));
	assert_true(hf_sv_eq(path, HF_SV("/docker/d:e")));
	assert_true(hf_proc_cgroup_parse(hf_sv_of(hybrid), HF_SV("memory"), &path));
	assert_true(hf_sv_eq(path, HF_SV("/docker/a")));
	assert_true(hf_proc_cgroup_parse(hf_sv_of(v1), HF_SV("cpuacct"), &path));
	assert_true(hf_sv_eq(path, HF_SV("/docker/b")));
	assert_false(hf_proc_cgroup_parse(hf_sv_of(v1), HF_SV("pids"), &path));
	assert_false(hf_proc_cgroup_parse(hf_sv_of(v1), (hf_sv){ 0 }, &path));
	assert_false(hf_proc_cgroup_parse(HF_SV("garbage\n::\n"), HF_SV("x"), &path));
}

HF_TEST(executable_mappings_of_files)
{
	hf_sv rest = HF_SV(
		"5581c0000000-5581c0001000 r--p 00000000 fd:01 77 /usr/bin/x\n"
		"5581c0001000-5581c0002000 r-xp 00001000 fd:01 77                         /usr/bin/x y (deleted)\n"
		"this is none\n"
		"7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
		"7ffd1c000000-7ffd1c001000 r-xp 00000000 00:00 0 [vdso]\n"
		"7f0000002000-7f0000003000 --xs 00000000 00:3f 9 /lib/y.so");
	struct hf_proc_map m;
	size_t unparsed = 0;

	assert_true(hf_proc_maps_next(&rest, &m, &unparsed));
	assert_true(hf_sv_eq(m.path, HF_SV("/usr/bin/x y (deleted)")));
	assert_int_equal(m.begin, 0x5581c0001000);
	assert_int_equal(m.end, 0x5581c0002000);
	assert_int_equal(m.major, 0xfd);
	assert_int_equal(m.minor, 1);
	assert_int_equal(m.inode, 77);
	assert_true(hf_proc_maps_next(&rest, &m, &unparsed));
	assert_true(hf_sv_eq(m.path, HF_SV("/lib/y.so")));
	assert_int_equal(m.minor, 0x3f);
	assert_false(hf_proc_maps_next(&rest, &m, &unparsed));
	assert_int_equal(unparsed, 1);
}

HF_TEST(sockets_with_addresses_of_both_families)
{
	hf_sv rest = HF_SV(
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		"   0: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1234 1 0 "
		"100 0\n"
		"   1: B80D01200000000067452301EFCDAB89:01BB 00000000000000000000000000000000:0000 0A "
		"00000000:00000000 00:00000000 00000000     0        0 55 1 0 100 0\n"
		"   2: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A "
		"00000000:00000000 00:00000000 00000000     0        0 56 1\n"
		"   3: 0100007F 0:0 0A\n");
	struct hf_proc_socket s;
	size_t unparsed = 0;
	char text[46];

	assert_true(hf_proc_socket_next(&rest, &s, &unparsed));
	assert_true(hf_sv_eq(hf_socket_address_text(s.local, s.address_n, text), HF_SV("127.0.0.1")));
	assert_int_equal(s.local_port, 631);
	assert_int_equal(s.state, HF_PROC_TCP_LISTEN);
	assert_int_equal(s.inode, 1234);
	assert_true(hf_proc_socket_next(&rest, &s, &unparsed));
	assert_true(
		hf_sv_eq(hf_socket_address_text(s.local, s.address_n, text), HF_SV("2001:db8::123:4567:89ab:cdef")));
	assert_int_equal(s.local_port, 443);
	assert_true(hf_proc_socket_next(&rest, &s, &unparsed));
	assert_true(hf_sv_eq(hf_socket_address_text(s.local, s.address_n, text), HF_SV("127.0.0.1")));
	assert_false(hf_proc_socket_next(&rest, &s, &unparsed));
	assert_int_equal(unparsed, 1);
}

struct message {
	char bytes[256];
	size_t n;
};

static void add(struct message *m, uint64_t v, size_t size)
{
	memcpy(m->bytes + m->n, &v, size);
	m->n += size;
}

/* A process event with up to six words of its own. */
static struct message message(uint32_t what, const uint32_t *words, size_t n)
{
	struct message m = { 0 };

	add(&m, 16 + 20 + 16 + 4 * n, 4);
	add(&m, 3, 2);
	add(&m, 0, 2);
	add(&m, 0, 8);
	add(&m, 1, 4);
	add(&m, 1, 4);
	add(&m, 0, 8);
	add(&m, 16 + 4 * n, 2);
	add(&m, 0, 2);
	add(&m, what, 4);
	add(&m, 0, 4);
	add(&m, 777, 8);
	for (size_t i = 0; i < n; i++)
		add(&m, words[i], 4);
	return m;
}

HF_TEST(process_events)
{
	struct hf_connector_event e;
	struct message m = message(0x100, (const uint32_t[]){ 11, 10, 21, 20 }, 4);
	hf_sv rest = { m.bytes, m.n };

	assert_int_equal(hf_connector_next(&rest, &e, NULL), 1);
	assert_int_equal(e.what, HF_CONNECTOR_PTRACE);
	assert_int_equal(e.time_ns, 777);
	assert_int_equal(e.pid, 10);
	assert_int_equal(e.other_pid, 20);
	assert_int_equal(hf_connector_next(&rest, &e, NULL), 0);

	m = message(0x80000000, (const uint32_t[]){ 11, 10, 0x0900, 17, 1, 1 }, 6);
	rest = (hf_sv){ m.bytes, m.n };
	assert_int_equal(hf_connector_next(&rest, &e, NULL), 1);
	assert_int_equal(e.what, HF_CONNECTOR_EXIT);
	assert_int_equal(e.status, 0x0900);

	m = message(4, (const uint32_t[]){ 11, 10, 1000, 0 }, 4);
	rest = (hf_sv){ m.bytes, m.n };
	assert_int_equal(hf_connector_next(&rest, &e, NULL), 1);
	assert_int_equal(e.real_id, 1000);
	assert_int_equal(e.effective_id, 0);

	m = message(0x200, NULL, 0); /* a change of the name: not read */
	rest = (hf_sv){ m.bytes, m.n };
	assert_int_equal(hf_connector_next(&rest, &e, NULL), 2);

	m = message(0x100, (const uint32_t[]){ 11, 10, 21, 20 }, 4);
	for (size_t n = 1; n < m.n; n++) {
		rest = (hf_sv){ m.bytes, n };
		assert_int_equal(hf_connector_next(&rest, &e, NULL), HF_E_FORMAT);
		assert_int_equal(rest.len, 0);
	}
	m.bytes[32] = 12; /* data shorter than its event */
	rest = (hf_sv){ m.bytes, m.n };
	assert_int_equal(hf_connector_next(&rest, &e, NULL), HF_E_FORMAT);
}

HF_TEST_MAIN(cmocka_unit_test(stat_of_processes_with_names_of_every_kind),
	     cmocka_unit_test(status_gives_the_effective_ids),
	     cmocka_unit_test(the_cgroup_of_the_unified_hierarchy_or_of_the_controller),
	     cmocka_unit_test(executable_mappings_of_files), cmocka_unit_test(sockets_with_addresses_of_both_families),
	     cmocka_unit_test(process_events))
