#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/moment.h"
#include "baseline/profile.h"
#include "baseline/shape.h"
#include "bpf/hash.h"

static const struct {
	hf_sv text;
	const char *argument, *path; /* NULL: the same */
} shapes[] = {
	{ HF_SV_INIT("--verbose"), "--verbose", NULL },
	{ HF_SV_INIT("-j4"), "-j4", NULL },
	{ HF_SV_INIT("--port=8080"), "--port={n}", NULL },
	{ HF_SV_INIT("/usr/lib/x86_64-linux-gnu/libc.so.6"), "/usr/lib/x86_64-linux-gnu/libc.so.{n}", NULL },
	{ HF_SV_INIT("10.0.0.1:53"), "{n}.{n}.{n}.{n}:{n}", NULL },
	{ HF_SV_INIT("0123abcd"), "{hex}", NULL },
	{ HF_SV_INIT("0x1f"), "{hex}", NULL },
	{ HF_SV_INIT("deadbeef"), "deadbeef", NULL },
	{ HF_SV_INIT("id-550e8400-e29b-41d4-a716-446655440000"), "id-{uuid}", NULL },
	{ HF_SV_INIT("dump-2026-11-22.sql"), "dump-{date}.sql", NULL },
	{ HF_SV_INIT("2026-11-22T05:00:00.5+01:00"), "{date}", NULL },
	{ HF_SV_INIT("/tmp/a/b.txt"), "/tmp/{path}", NULL },
	{ HF_SV_INIT("/tmp/"), "/tmp/", NULL },
	{ HF_SV_INIT("/tmp/../etc/passwd"), "/tmp/../etc/passwd", NULL },
	{ HF_SV_INIT("/srv/tmp/x"), "/srv/tmp/x", NULL },
	{ HF_SV_INIT("cat /tmp/a;id"), "cat /tmp/{path};id", "cat /tmp/{path}" },
	{ HF_SV_INIT("--out=/var/tmp/x y"), "--out=/var/tmp/{path} y", "--out=/var/tmp/{path}" },
	{ HF_SV_INIT("{n}\\"), "\\{n\\}\\\\", NULL },
	{ HF_SV_INIT("a\n\xff\0"), "a\\x0a\\xff\\x00", NULL },
	{ HF_SV_INIT("/proc/4711/mem"), "/proc/{n}/mem", NULL },
	{ HF_SV_INIT(""), "", NULL },
};

HF_TEST(what_varies_is_named)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));

	for (size_t i = 0; i < HF_ARRAY_SIZE(shapes); i++) {
		hf_sv argument = hf_shape_argument(shapes[i].text, &a), path = hf_shape_path(shapes[i].text, &a), back;
		if (!hf_sv_eq(argument, hf_sv_of(shapes[i].argument)))
			fail_msg("'%s' for '%s'", argument.ptr, shapes[i].argument);
		if (!hf_sv_eq(path, hf_sv_of(shapes[i].path ? shapes[i].path : shapes[i].argument)))
			fail_msg("'%s' as the path for '%s'", path.ptr, shapes[i].argument);
		assert_true(hf_shape_valid(argument));
		assert_true(hf_shape_text(hf_shape_literal(shapes[i].text, &a), &a, &back));
		assert_true(hf_sv_eq(back, shapes[i].text));
	}
	char many[1000];
	memset(many, 'x', sizeof many);
	hf_sv digest = hf_shape_argument((hf_sv){ many, sizeof many }, &a);
	/* printf 'x%.0s' $(seq 1000) | sha256sum */
	assert_true(hf_sv_starts(digest, HF_SV("{digest:")));
	assert_true(hf_shape_valid(digest));
	assert_false(hf_shape_valid(HF_SV("{m}")));
	assert_false(hf_shape_valid(HF_SV("a}")));
	assert_false(hf_shape_valid(HF_SV("a\\")));
}

HF_TEST(lists_of_shapes_are_matched)
{
	const hf_sv seen[] = { HF_SV("a"), HF_SV("b"), HF_SV("c") };
	const hf_sv any[] = { HF_SV("a"), HF_SV("{any}"), HF_SV("c") };
	const hf_sv rest[] = { HF_SV("a"), HF_SV("{rest}") };

	assert_true(hf_shape_list_matches(seen, 3, seen, 3));
	assert_false(hf_shape_list_matches(seen, 2, seen, 3));
	assert_false(hf_shape_list_matches(seen, 3, seen, 2));
	assert_true(hf_shape_list_matches(any, 3, seen, 3));
	assert_false(hf_shape_list_matches(any, 3, rest, 2));
	assert_true(hf_shape_list_matches(rest, 2, seen, 3));
	assert_true(hf_shape_list_matches(rest, 2, seen, 1));
	assert_false(hf_shape_list_matches(rest, 2, seen + 1, 2));
}

static const struct {
	const char *text, *again;
	int64_t s;
} moments[] = {
	{ "1970-01-01T00:00:00Z", NULL, 0 },
	{ "2000-02-29T23:59:59Z", NULL, 951868799 },
	{ "2026-11-22T05:00:00.123456789Z", "2026-11-22T05:00:00Z", 1795323600 },
	{ "2026-11-22T05:00:00+01:00", "2026-11-22T04:00:00Z", 1795320000 },
	{ "1969-12-31T23:59:59Z", NULL, -1 },
};

HF_TEST(moments_are_read_and_written)
{
	static const char *const wrong[] = { "",
					     "2026-11-22",
					     "2026-13-22T05:00:00Z",
					     "2026-11-22T05:00:00",
					     "2026-11-22T05:00:00+1:00",
					     "2026/11/22T05:00:00Z" };
	char out[HF_MOMENT_MAX];
	int64_t s;

	for (size_t i = 0; i < HF_ARRAY_SIZE(moments); i++) {
		assert_true(hf_moment_parse(hf_sv_of(moments[i].text), &s));
		assert_int_equal(s, moments[i].s);
		hf_moment_format(s, out);
		assert_string_equal(out, moments[i].again ? moments[i].again : moments[i].text);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++)
		assert_false(hf_moment_parse(hf_sv_of(wrong[i]), &s));
}

static const char whole[] = "schema: holdfast/profile/1\n"
			    "workload:\n"
			    "  image_digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
			    "  image_name: docker.io/library/web:1\n"
			    "  owner: pod/shop/web\n"
			    "mode: observe\n"
			    "learned:\n"
			    "  replicas: 3\n"
			    "  windows: 12\n"
			    "  discarded_for_loss: 1\n"
			    "  first: \"2026-11-22T05:00:00Z\"\n"
			    "  last: \"2026-11-22T06:00:00Z\"\n"
			    "covered: [executables, listen, peers]\n"
			    "overflow: [dns]\n"
			    "executables:\n"
			    "  - path: /bin/sh\n"
			    "    any_arguments: true\n"
			    "    from: [seed]\n"
			    "    why: entrypoint\n"
			    "  - path: /usr/sbin/nginx\n"
			    "    digests:\n"
			    "      - sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
			    "    arguments:\n"
			    "      - [nginx, \"-g\", \"daemon off;\"]\n"
			    "      - [nginx, \"-s\", reload]\n"
			    "    from: [seed, learned]\n"
			    "    count: 7\n"
			    "    replicas: 3\n"
			    "    first: \"2026-11-22T05:00:00Z\"\n"
			    "listen:\n"
			    "  - port: tcp/80\n"
			    "    from: [learned]\n"
			    "peers:\n"
			    "  - peer: tcp/443 name:example.com\n"
			    "    from: [learned]\n"
			    "capabilities:\n"
			    "  - name: CAP_CHOWN\n"
			    "    system_calls:\n"
			    "      - chown\n"
			    "      - fchownat\n"
			    "    from: [learned]\n";

HF_TEST(a_profile_reads_back)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(HF_PROFILE_SIZE_MAX);
	struct hf_profile p;
	struct hf_err err = { 0 };

	if (hf_profile_read(hf_sv_of(whole), &a, &p, &err))
		fail_msg("%s", err.msg);
	hf_profile_write(&p, &out);
	hf_buf_add_char(&out, 0);
	assert_string_equal(out.ptr, whole);
	const struct hf_profile_entry *e = hf_profile_find(&p, HF_PROFILE_EXECUTABLES, HF_SV("/usr/sbin/nginx"));
	assert_non_null(e);
	assert_int_equal(e->shapes_n, 2);
	assert_int_equal(e->seen.replicas, 3);
	assert_int_equal(p.mode, HF_MODE_OBSERVE);
	assert_true(p.sections[HF_PROFILE_LISTEN].covered);
	assert_false(p.sections[HF_PROFILE_FILES].covered);
	assert_true(p.sections[HF_PROFILE_DNS].overflow);
}

static const struct {
	const char *text, *place;
} wrong[] = {
	{ "a: 1\n", "line 1, column 1" },
	{ "- 1\n", "line 1, column 1" },
	{ "schema: holdfast/profile/2\n", "line 1, column 9" },
	{ "schema: holdfast/profile/1\nexecutable: []\n", "line 2, column 1" },
	{ "schema: holdfast/profile/1\nmode: never\n", "line 2, column 7" },
	{ "schema: holdfast/profile/1\nexecutables: /bin/sh\n", "line 2, column 14" },
	{ "schema: holdfast/profile/1\nexecutables:\n  - name: x\n", "line 3, column" },
	{ "schema: holdfast/profile/1\nexecutables:\n  - path: \"/{x}\"\n", "line 3, column 11" },
	{ "schema: holdfast/profile/1\nexecutables:\n  - path: /a\n  - path: /a\n", "line 4, column 11" },
	{ "schema: holdfast/profile/1\nexecutables:\n  - path: /a\n    arguments: [a]\n", "line 4, column 17" },
	{ "schema: holdfast/profile/1\nexecutables:\n  - path: /a\n    count: many\n", "line 4, column 12" },
	{ "schema: holdfast/profile/1\nlisten:\n  - port: 80\n", "line 3, column 11" },
	{ "schema: holdfast/profile/1\nlisten:\n  - port: tcp/65536\n", "line 3, column 11" },
	{ "schema: holdfast/profile/1\nlisten:\n  - port: tcp/1\n    digests: [x]\n", "line 4, column 5" },
	{ "schema: holdfast/profile/1\npeers:\n  - peer: tcp/1 address:10.0.0.0/33\n", "line 3, column 11" },
	{ "schema: holdfast/profile/1\npeers:\n  - peer: tcp/1 who:x\n", "line 3, column 11" },
	{ "schema: holdfast/profile/1\nusers:\n  - id: root\n", "line 3, column 9" },
	{ "schema: holdfast/profile/1\ncovered: [everything]\n", "line 2, column 11" },
	{ "schema: holdfast/profile/1\nworkload: {digest: x}\n", "line 2, column 12" },
	{ "schema: holdfast/profile/1\n---\nschema: holdfast/profile/1\n", "line 1, column 1" },
};

HF_TEST(a_profile_is_read_strictly)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
		struct hf_profile p;
		struct hf_err err = { 0 };
		int ret = hf_profile_read(hf_sv_of(wrong[i].text), &a, &p, &err);
		if (ret != HF_E_FORMAT || !strstr(err.msg, wrong[i].place))
			fail_msg("%s: %d %s", wrong[i].text, ret, err.msg);
	}
}

HF_TEST(profiles_of_replicas_are_merged)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	const struct hf_sighting one = { HF_ORIGIN_LEARNED, 1, 2, 100, 200, { 0 } };
	const struct hf_sighting other = { HF_ORIGIN_LEARNED, 1, 3, 50, 150, { 0 } };
	const hf_sv arguments[] = { HF_SV("sh"), HF_SV("-c"), HF_SV("exit 1") };
	struct hf_profile p, q, third;
	struct hf_err err = { 0 };

	hf_profile_init(&p, &a, HF_SV("sha256:aa"), HF_SV("x"), HF_SV(""));
	hf_profile_init(&q, &a, HF_SV("sha256:aa"), HF_SV("x"), HF_SV(""));
	hf_profile_init(&third, &a, HF_SV("sha256:bb"), HF_SV("x"), HF_SV(""));
	p.replicas = q.replicas = 1;
	hf_profile_add_executable(&p, HF_SV("/bin/sh"), HF_SV("sha256:1"), &one);
	hf_profile_add_arguments(&q, hf_profile_add_executable(&q, HF_SV("/bin/sh"), HF_SV("sha256:0"), &other),
				 arguments, 3);
	hf_profile_add_listen(&q, HF_SV("udp"), 40000, &other);
	hf_profile_cover(&q, HF_PROFILE_LISTEN);
	assert_int_equal(hf_profile_merge(&p, &q, false, &err), 0);
	const struct hf_profile_entry *e = hf_profile_find(&p, HF_PROFILE_EXECUTABLES, HF_SV("/bin/sh"));
	assert_int_equal(e->seen.count, 5);
	assert_int_equal(e->seen.replicas, 2);
	assert_int_equal(e->seen.first_s, 50);
	assert_int_equal(e->seen.last_s, 200);
	assert_int_equal(e->details_n, 2);
	assert_true(hf_sv_eq(e->details[0], HF_SV("sha256:0")));
	assert_int_equal(e->shapes_n, 1);
	assert_true(hf_sv_eq(e->shapes[0].arguments[2], HF_SV("exit {n}")));
	assert_non_null(hf_profile_find(&p, HF_PROFILE_LISTEN, HF_SV("udp/ephemeral")));
	assert_true(p.sections[HF_PROFILE_LISTEN].covered);
	assert_int_equal(p.replicas, 2);
	assert_int_equal(hf_profile_merge(&p, &third, false, &err), HF_E_FORMAT);
	hf_profile_init(&third, &a, (hf_sv){ 0 }, HF_SV("x"), HF_SV("pod/a/b"));
	assert_int_equal(hf_profile_merge(&p, &third, false, &err), 0);
	assert_true(hf_sv_eq(p.owner, HF_SV("pod/a/b")));
	hf_profile_init(&third, &a, (hf_sv){ 0 }, HF_SV("x"), HF_SV("pod/a/c"));
	assert_int_equal(hf_profile_merge(&p, &third, false, &err), HF_E_FORMAT);
}

HF_TEST(a_profile_is_bounded)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PROFILE_ARENA_MAX);
	const struct hf_sighting one = { HF_ORIGIN_LEARNED, 1, 1, 1, 1, { 0 } };
	struct hf_profile p;
	struct hf_profile_entry *e = NULL;
	hf_sv argument;
	size_t n;

	hf_profile_init(&p, &a, HF_SV("sha256:aa"), HF_SV("x"), HF_SV(""));
	for (int i = 0; i < 200; i++)
		hf_profile_add(&p, HF_PROFILE_FILES, hf_arena_fmt(&a, "/data/f%da", i), HF_SV("write"), &one);
	hf_profile_sorted(&p, HF_PROFILE_FILES, &a, &n);
	assert_int_equal(n, 1);
	const struct hf_profile_entry *all = hf_profile_find(&p, HF_PROFILE_FILES, HF_SV("/data/{any}"));
	assert_non_null(all);
	assert_int_equal(all->seen.count, 200);
	assert_null(hf_profile_find(&p, HF_PROFILE_FILES, HF_SV("/data/f3a")));
	for (int i = 0; i < HF_PROFILE_SHAPES_MAX + 1; i++) {
		e = hf_profile_add_executable(&p, HF_SV("/bin/x"), hf_arena_fmt(&a, "sha256:%d", i), &one);
		argument = hf_arena_fmt(&a, "a%db", i);
		assert_false(e->any_arguments);
		hf_profile_add_arguments(&p, e, &argument, 1);
	}
	assert_true(e->any_arguments);
	assert_int_equal(e->shapes_n, 0);
	for (int i = 0; i < HF_PROFILE_ENTRIES_MAX; i++)
		assert_non_null(hf_profile_add(&p, HF_PROFILE_DNS, hf_arena_fmt(&a, "n%d", i), HF_SV(""), &one));
	assert_false(p.sections[HF_PROFILE_DNS].overflow);
	assert_null(hf_profile_add(&p, HF_PROFILE_DNS, HF_SV("more"), HF_SV(""), &one));
	assert_true(p.sections[HF_PROFILE_DNS].overflow);
}

static const struct {
	const char *pod, *owner;
} pods[] = {
	{ "web-6d4cf56db6-x7k2p", "pod/shop/web" },
	{ "web-x7k2p", "pod/shop/web" },
	{ "db-0", "pod/shop/db" },
	{ "db", "pod/shop/db" },
	{ "my-store", "pod/shop/my-store" },
	{ "front-page-6d4cf56db6-x7k2p", "pod/shop/front-page" },
};

HF_TEST(pods_of_one_owner_share_a_profile)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	const hf_sv labels[] = { HF_SV("com.docker.compose.project"), HF_SV("p"), HF_SV("com.docker.compose.service"),
				 HF_SV("s") };
	struct hf_event e = { .kind = HF_EVENT_EXEC };

	assert_int_equal(hf_profile_owner(&e, &a).len, 0);
	hf_event_set_map(&e, HF_FIELD_CONTAINER_LABELS, labels, 2);
	assert_true(hf_sv_eq(hf_profile_owner(&e, &a), HF_SV("compose/p/s")));
	hf_event_set_string(&e, HF_FIELD_CONTAINER_POD_NAMESPACE, HF_SV("shop"));
	for (size_t i = 0; i < HF_ARRAY_SIZE(pods); i++) {
		hf_event_set_string(&e, HF_FIELD_CONTAINER_POD_NAME, hf_sv_of(pods[i].pod));
		assert_string_equal(hf_profile_owner(&e, &a).ptr, pods[i].owner);
	}
	hf_sv digest = HF_SV("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
	assert_true(hf_sv_ends(hf_profile_file_name(digest, HF_SV(""), &a), HF_SV("cdef/profile.yaml")));
	hf_sv up = hf_profile_file_name(HF_SV("../../x"), HF_SV("../../etc"), &a);
	assert_true(hf_sv_starts(up, HF_SV("no-digest/")));
	assert_int_equal(hf_sv_find(up, HF_SV("..")), SIZE_MAX);
}

static uint64_t hash_of(uint64_t key, uint32_t kind, const char *const *components, size_t n)
{
	uint64_t h = hf_keyed_begin(key, kind);
	char padded[264];

	for (size_t i = 0; i < n; i++) {
		memset(padded, (int)i + 1, sizeof padded); /* what stands behind does not count */
		memcpy(padded, components[i], strlen(components[i]));
		h = hf_keyed_component(h, padded, (uint32_t)strlen(components[i]));
	}
	return hf_keyed_end(h, key);
}

HF_TEST(the_keyed_hash_tells_apart)
{
	static const char *const paths[][2] = { { "a", "bc" }, { "ab", "c" },       { "abc", "" },      { "", "abc" },
						{ "bc", "a" }, { "abcdefgh", "i" }, { "abcdefghi", "" } };
	char name[256] = { 0 };

	for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++)
		for (size_t k = 0; k < HF_ARRAY_SIZE(paths); k++)
			assert_int_equal(hash_of(7, 0, paths[i], 2) == hash_of(7, 0, paths[k], 2), i == k);
	assert_int_not_equal(hash_of(7, 0, paths[0], 2), hash_of(8, 0, paths[0], 2));
	assert_int_not_equal(hash_of(7, 0, paths[0], 2), hash_of(7, 1, paths[0], 2));
	memset(name, 'x', 255);
	const char *long_name = name;
	uint64_t h = hash_of(7, 0, &long_name, 1);
	name[254] = 'y';
	assert_int_not_equal(hash_of(7, 0, &long_name, 1), h);
}

HF_TEST_MAIN(cmocka_unit_test(what_varies_is_named), cmocka_unit_test(lists_of_shapes_are_matched),
	     cmocka_unit_test(moments_are_read_and_written), cmocka_unit_test(a_profile_reads_back),
	     cmocka_unit_test(a_profile_is_read_strictly), cmocka_unit_test(profiles_of_replicas_are_merged),
	     cmocka_unit_test(a_profile_is_bounded), cmocka_unit_test(pods_of_one_owner_share_a_profile),
	     cmocka_unit_test(the_keyed_hash_tells_apart))
