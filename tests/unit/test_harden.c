#include "unit.h"

#include <stdio.h>

#include "baseline/profile.h"
#include "lib/harden.h"

#define CAP(name) (UINT64_C(1) << HF_CAP_##name)

static struct hf_arena arena = { .cap = 1 << 22 };

static struct hf_grant grant_of(const char *text, const char *container)
{
	struct hf_grant g;
	struct hf_err err = { 0 };

	hf_arena_reset(&arena);
	hf_grant_init(&g, &arena);
	if (hf_grant_read(hf_sv_of(text), hf_sv_of(container), &g, &err))
		fail_msg("%s", err.msg);
	return g;
}

static int refused(const char *text, const char *container)
{
	struct hf_grant g;

	hf_arena_reset(&arena);
	hf_grant_init(&g, &arena);
	return hf_grant_read(hf_sv_of(text), hf_sv_of(container), &g, NULL);
}

HF_TEST(capabilities_have_the_kernels_numbers)
{
	assert_int_equal(hf_capability_of(HF_SV("CAP_SYS_ADMIN")), UINT64_C(1) << 21);
	assert_int_equal(hf_capability_of(HF_SV("checkpoint_restore")), UINT64_C(1) << 40);
	assert_int_equal(hf_capability_of(HF_SV("CAP_")), 0);
	assert_int_equal(hf_capability_of(HF_SV("")), 0);
	assert_int_equal(__builtin_popcountll(hf_capability_of(HF_SV("all"))), 41);
	assert_null(hf_capability_short(41));
}

/* What `docker run OPTIONS grep CapBnd /proc/1/status` shows (Docker 20.10); the last two by its documentation. */
HF_TEST(docker_grants_capabilities_by_its_rules)
{
	static const struct {
		const char *host;
		uint64_t set;
	} cases[] = {
		{ "{}", 0xa80425fb },
		{ "{\"CapDrop\":[\"CHOWN\"]}", 0xa80425fa },
		{ "{\"CapAdd\":[\"CAP_SYS_ADMIN\"]}", 0xa82425fb },
		{ "{\"CapAdd\":[\"KILL\"],\"CapDrop\":[\"ALL\"]}", 0x20 },
		{ "{\"CapAdd\":[\"ALL\"],\"CapDrop\":[\"SYS_ADMIN\"]}", 0x1ffffdfffff },
		{ "{\"Privileged\":true,\"CapDrop\":[\"ALL\"]}", 0x1ffffffffff },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		char text[256];
		snprintf(text, sizeof text, "[{\"HostConfig\":%s}]", cases[i].host);
		assert_int_equal(grant_of(text, NULL).capabilities, cases[i].set);
	}
}

HF_TEST(docker_inspect_says_what_is_mounted_and_shared)
{
	struct hf_grant g = grant_of(
		"{\"Name\":\"/n\",\"HostConfig\":{\"PidMode\":\"host\",\"NetworkMode\":\"none\","
		"\"ReadonlyRootfs\":true,\"Tmpfs\":{\"/run\":\"\"},\"SecurityOpt\":[\"no-new-privileges\","
		"\"seccomp=unconfined\"]},\"Mounts\":[{\"Destination\":\"/data\",\"RW\":true,\"Type\":\"bind\"},"
		"{\"Destination\":\"/data/fixed\",\"RW\":false}]}",
		NULL);

	assert_true(hf_sv_eq(g.name, HF_SV("n")));
	assert_true(g.read_only_root && g.no_new_privileges && g.network_none);
	assert_int_equal(g.seccomp, HF_GRANT_SECCOMP_NONE);
	assert_true(hf_names_has(&g.host_namespaces, HF_SV("pid")));
	assert_true(hf_grant_mount_of(&g, HF_SV("/run/x"))->writable);
	assert_true(hf_grant_mount_of(&g, HF_SV("/data/x"))->writable);
	assert_false(hf_grant_mount_of(&g, HF_SV("/data/fixed/x"))->writable);
	assert_null(hf_grant_mount_of(&g, HF_SV("/database")));
}

HF_TEST(a_bundle_lists_what_its_filter_allows)
{
	struct hf_grant g = grant_of(
		"{\"ociVersion\":\"1.0.2\",\"process\":{\"noNewPrivileges\":true,\"user\":{\"uid\":7},"
		"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_CHOWN\"]}},\"root\":{\"readonly\":"
		"true},"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],\"seccomp\":{\"defaultAction\":"
		"\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\",\"write\"]},"
		"{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\"}]}}}",
		NULL);

	assert_int_equal(g.capabilities, CAP(KILL));
	assert_int_equal(g.seccomp, HF_GRANT_SECCOMP_LIST);
	assert_int_equal(hf_names_count(&g.syscalls), 2);
	assert_false(hf_names_has(&g.syscalls, HF_SV("clone3")));
	assert_true(hf_names_has(&g.host_namespaces, HF_SV("network")));
	assert_false(hf_names_has(&g.host_namespaces, HF_SV("pid")));
	assert_true(g.read_only_root && g.no_new_privileges && hf_sv_eq(g.user, HF_SV("7")));
}

static const char deployment[] =
	"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    spec:\n"
	"      serviceAccountName: robot\n      hostPID: true\n      securityContext: {seccompProfile: {type: "
	"RuntimeDefault}}\n"
	"      containers:\n      - name: first\n        image: i\n      - name: web\n        image: i2\n"
	"        ports: [{containerPort: 53, protocol: UDP}, {containerPort: 80}]\n"
	"        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: p}}}]\n"
	"        securityContext:\n          allowPrivilegeEscalation: false\n          capabilities: {drop: [ALL], "
	"add: [KILL]}\n"
	"        volumeMounts: [{name: s, mountPath: /keys}, {name: e, mountPath: /cache}]\n"
	"      volumes: [{name: s, secret: {secretName: k}}, {name: e, emptyDir: {}}]\n";

HF_TEST(a_manifest_grants_to_the_container_that_is_named)
{
	struct hf_grant g = grant_of(deployment, "web");

	assert_int_equal(g.capabilities, CAP(KILL));
	assert_int_equal(g.seccomp, HF_GRANT_SECCOMP_DEFAULT);
	assert_true(g.kubernetes && g.no_new_privileges);
	assert_true(hf_sv_eq(g.service_account, HF_SV("robot")));
	assert_true(hf_names_has(&g.host_namespaces, HF_SV("pid")));
	assert_true(hf_names_has(&g.ports, HF_SV("53/udp")) && hf_names_has(&g.ports, HF_SV("80/tcp")));
	assert_true(hf_names_has(&g.secrets, HF_SV("/keys")));
	assert_false(hf_grant_mount_of(&g, HF_SV("/keys/k"))->writable);
	assert_true(hf_grant_mount_of(&g, HF_SV("/cache/x"))->writable);
	assert_true(hf_names_has(&g.secrets, HF_SV("/var/run/secrets/kubernetes.io/serviceaccount")));
	assert_true(hf_names_has(&g.secrets_env, HF_SV("PASSWORD from secret db")));
	assert_int_equal(grant_of(deployment, "first").capabilities, 0xa80425fb);
	assert_int_equal(refused(deployment, "third"), HF_E_USAGE);
}

HF_TEST(what_is_no_grant_is_refused)
{
	static const char *const wrong[] = { "",
					     "[]",
					     "{}",
					     "[{\"Id\":\"x\"}]",
					     "[{\"HostConfig\":{}},{\"HostConfig\":{}}]",
					     "{\"HostConfig\":{}",
					     "{\"ociVersion\":\"1\"}",
					     "apiVersion: v1\nkind: Service\n",
					     "kind: Pod\nspec: {containers: []}\n",
					     "a: [b\n" };
	for (size_t i = 0; i < HF_ARRAY_SIZE(wrong); i++)
		if (refused(wrong[i], NULL) != HF_E_FORMAT)
			fail_msg("%s", wrong[i]);
}

#define EVENT(kind, more)                                                                                             \
	"{\"kind\":\"" kind "\",\"container\":{\"id\":\"0123456789abcdef\",\"image\":{\"digest\":\"sha256:0\"}}" more \
	"}\n"

static int plan_of(struct test_harden *h, const char *trace, const char *grant)
{
	return test_harden_init(h, hf_sv_of(trace), hf_sv_of(grant), 1 << 22);
}

HF_TEST(what_the_runtime_does_and_what_was_refused_is_no_use)
{
	struct test_harden h;

	assert_int_equal(
		plan_of(&h,
			EVENT("exec", "")
				EVENT("capability", ",\"capability\":{\"name\":\"CAP_KILL\",\"allowed\":false}")
					EVENT("capability", ",\"capability\":{\"name\":\"CAP_CHOWN\",\"allowed\":true}")
						EVENT("capability",
						      ",\"process\":{\"runtime_setup\":true},"
						      "\"capability\":{\"name\":\"CAP_SYS_ADMIN\",\"allowed\":true}"),
			NULL),
		HF_OK);
	assert_int_equal(h.plan.capabilities, CAP(CHOWN));
	assert_true(h.plan.no_new_privileges);
	test_harden_done(&h);
}

HF_TEST(two_images_are_not_one_workload)
{
	struct test_harden h;

	assert_int_equal(plan_of(&h,
				 EVENT("exec", "") "{\"kind\":\"exec\",\"container\":{\"id\":\"ff\",\"image\":{"
						   "\"digest\":\"sha256:1\"}}}\n",
				 NULL),
			 HF_E_USAGE);
	test_harden_done(&h);
	assert_int_equal(
		plan_of(&h,
			"{\"kind\":\"exec\",\"container\":{\"id\":\"aa\",\"image\":{\"name\":\"db\",\"digest\":"
			"\"sha256:1\"},"
			"\"labels\":{\"com.docker.compose.project\":\"p\",\"com.docker.compose.service\":\"old\"}}}\n"
			"{\"kind\":\"exec\",\"container\":{\"id\":\"bb\",\"image\":{\"name\":\"db\",\"digest\":"
			"\"sha256:1\"},"
			"\"labels\":{\"com.docker.compose.project\":\"p\",\"com.docker.compose.service\":\"new\"}}}\n",
			NULL),
		HF_E_USAGE);
	assert_non_null(strstr(h.err.msg, "db of compose/p/new, db of compose/p/old"));
	test_harden_done(&h);
	assert_int_equal(plan_of(&h, "{\"kind\":\"exec\"}\n", NULL), HF_E_MISSING);
	test_harden_done(&h);
}

HF_TEST(each_part_is_assessed_or_says_why_not)
{
	struct test_harden h;
	struct hf_difference d;

	assert_int_equal(plan_of(&h, EVENT("exec", ""), "{\"HostConfig\":{}}"), HF_OK);
	assert_int_equal(hf_difference(&h.plan, &d, NULL), HF_OK);
	for (size_t i = 0; i < HF_DIFFERENCE_PARTS; i++) {
		assert_false(d.parts[i].assessable);
		assert_true(hf_sv_find(d.parts[i].reason, HF_SV("needs ")) != SIZE_MAX);
		assert_int_equal(hf_names_count(&d.parts[i].unused), 0);
	}
	test_harden_done(&h);

	assert_int_equal(
		plan_of(&h,
			EVENT("exec", "") EVENT("capability",
						",\"capability\":{\"name\":\"CAP_CHOWN\",\"allowed\":true}")
				EVENT("file", ",\"file\":{\"operation\":\"write\",\"path\":\"/data/x\"}")
					EVENT("listen", ",\"network\":{\"protocol\":\"tcp\",\"local\":{\"port\":80}}"),
			"{\"HostConfig\":{\"CapDrop\":[\"ALL\"],\"CapAdd\":[\"CHOWN\",\"KILL\"]},\"Config\":{"
			"\"ExposedPorts\":{"
			"\"80/tcp\":{},\"81/tcp\":{}}},\"Mounts\":[{\"Destination\":\"/data\",\"RW\":true}]}"),
		HF_OK);
	assert_int_equal(hf_difference(&h.plan, &d, NULL), HF_OK);
	assert_true(d.parts[HF_DIFFERENCE_CAPABILITIES].assessable);
	assert_int_equal(hf_names_count(&d.parts[HF_DIFFERENCE_CAPABILITIES].unused), 1);
	assert_true(hf_names_has(&d.parts[HF_DIFFERENCE_CAPABILITIES].unused, HF_SV("CAP_KILL")));
	assert_int_equal(hf_names_count(&d.parts[HF_DIFFERENCE_FILES].unused), 1);
	assert_true(hf_names_has(&d.parts[HF_DIFFERENCE_FILES].unused, HF_SV("write /")));
	assert_true(hf_names_has(&d.parts[HF_DIFFERENCE_NETWORK].unused, HF_SV("listen 81/tcp")));
	assert_false(hf_names_has(&d.parts[HF_DIFFERENCE_NETWORK].unused, HF_SV("listen 80/tcp")));
	test_harden_done(&h);
}

HF_TEST(a_profile_is_use_where_it_covers)
{
	static const struct hf_sighting seen = { .origin = HF_ORIGIN_LEARNED, .replicas = 1, .count = 1 };
	struct hf_profile p;
	struct hf_usage u;
	struct hf_harden_plan plan;
	struct hf_err err = { 0 };

	hf_arena_reset(&arena);
	hf_profile_init(&p, &arena, HF_SV("sha256:0"), HF_SV("web:1"), (hf_sv){ 0 });
	hf_profile_add_executable(&p, HF_SV("/bin/web"), (hf_sv){ 0 }, &seen);
	hf_profile_add_capability(&p, HF_SV("CAP_KILL"), HF_SV("kill"), &seen);
	hf_profile_add_capability(&p, HF_SV("CAP_SYS_ADMIN"), HF_SV("mmap"), &seen);
	hf_profile_add_listen(&p, HF_SV("tcp"), 80, &seen);
	hf_profile_add(&p, HF_PROFILE_FILES, HF_SV("/var/log/web/{n}.log"), HF_SV("write"), &seen);
	hf_profile_add(&p, HF_PROFILE_FILES, HF_SV("/tmp/{path}"), HF_SV("write"), &seen);
	hf_profile_add(&p, HF_PROFILE_FILES, HF_SV("/srv/a\\{b/c"), HF_SV("write"), &seen);
	hf_profile_cover(&p, HF_PROFILE_EXECUTABLES);
	hf_profile_cover(&p, HF_PROFILE_CAPABILITIES);
	hf_profile_cover(&p, HF_PROFILE_LISTEN);
	hf_profile_cover(&p, HF_PROFILE_FILES);
	hf_usage_init(&u, &arena);
	assert_int_equal(hf_usage_add_profile(&u, &p, &err), HF_OK);
	assert_int_equal(hf_usage_check(&u, &err), HF_OK);
	assert_int_equal(hf_harden_plan(&u, NULL, &arena, &plan, &err), HF_OK);
	assert_true(plan.capabilities_missing.len > 0);
	assert_true(hf_names_has(&u.ports, HF_SV("80/tcp")));
	assert_true(hf_names_has(&u.files_written, HF_SV("/var/log/web/+")));
	assert_true(hf_names_has(&u.files_written, HF_SV("/tmp/+")));
	assert_true(hf_names_has(&u.files_written, HF_SV("/srv/a{b/c")));
	assert_false(plan.no_new_privileges);
	assert_true(plan.syscalls_missing.len > 0);
	assert_true(plan.root_missing.len > 0);

	/* Of what was asked for, what was granted stays. */
	struct hf_grant g;
	hf_grant_init(&g, &arena);
	assert_int_equal(hf_grant_docker(HF_SV("{\"HostConfig\":{}}"), &g, &err), HF_OK);
	assert_int_equal(hf_harden_plan(&u, &g, &arena, &plan, &err), HF_OK);
	assert_int_equal(plan.capabilities_missing.len, 0);
	assert_int_equal(plan.capabilities, CAP(KILL));
}

HF_TEST(static_system_calls_count_where_none_was_seen)
{
	static const struct hf_sighting seed = { .origin = HF_ORIGIN_SEED },
					seen = { .origin = HF_ORIGIN_LEARNED, .count = 1 };
	struct hf_err err = { 0 };

	for (unsigned round = 0; round < 3; round++) {
		struct hf_profile p;
		struct hf_usage u;
		hf_arena_reset(&arena);
		hf_profile_init(&p, &arena, HF_SV("sha256:0"), HF_SV("web:1"), (hf_sv){ 0 });
		hf_profile_add_system_call(&p, HF_SV("mount"), &seed);
		if (round)
			hf_profile_add_system_call(&p, HF_SV("read"), &seen);
		hf_usage_init(&u, &arena);
		u.static_calls = round == 2;
		assert_int_equal(hf_usage_add_profile(&u, &p, &err), HF_OK);
		assert_int_equal(hf_names_has(&u.syscalls, HF_SV("mount")), round != 1);
		assert_int_equal(hf_names_has(&u.syscalls, HF_SV("read")), round > 0);
	}
}

HF_TEST(folders_within_folders_are_one_mount)
{
	struct test_harden h;

	assert_int_equal(plan_of(&h,
				 EVENT("file", ",\"file\":{\"operation\":\"write\",\"path\":\"/srv/a/x\"}") EVENT(
					 "file", ",\"file\":{\"operation\":\"write\",\"path\":\"/srv/a-b/x\"}")
					 EVENT("file", ",\"file\":{\"operation\":\"write\",\"path\":\"/srv/a/b/c/x\"}"),
				 ""),
			 HF_OK);
	assert_int_equal(h.plan.root_missing.len, 0);
	assert_int_equal(hf_names_count(&h.plan.volumes), 2);
	assert_true(hf_names_has(&h.plan.volumes, HF_SV("/srv/a")) && hf_names_has(&h.plan.volumes, HF_SV("/srv/a-b")));
	test_harden_done(&h);

	/* A thousand folders are no list of mounts; and it takes no time to say so. */
	struct hf_buf trace = HF_BUF(1 << 22);
	for (unsigned i = 0; i < 10000; i++)
		hf_buf_addf(&trace,
			    "{\"kind\":\"file\",\"container\":{\"id\":\"0123456789abcdef\"},\"file\":{\"operation\":"
			    "\"write\","
			    "\"path\":\"/srv/%u/x\"}}\n",
			    i);
	assert_int_equal(test_harden_init(&h, hf_buf_view(&trace), HF_SV(""), 1 << 24), HF_OK);
	assert_true(h.plan.root_missing.len > 0);
	test_harden_done(&h);
	hf_buf_done(&trace);
}

HF_TEST(a_path_is_below_its_folder_by_components)
{
	assert_true(hf_path_below(HF_SV("/a/b"), HF_SV("/a")));
	assert_true(hf_path_below(HF_SV("/a"), HF_SV("/a/")));
	assert_true(hf_path_below(HF_SV("/a"), HF_SV("/")));
	assert_false(hf_path_below(HF_SV("/ab"), HF_SV("/a")));
	assert_false(hf_path_below(HF_SV(""), HF_SV("/")));
	assert_false(hf_harden_path_plain(HF_SV("/a b")));
	assert_false(hf_harden_path_plain(HF_SV("/a\nb")));
	assert_false(hf_harden_path_plain(HF_SV("/a\xc2\x85")));
	assert_true(hf_harden_path_plain(HF_SV("/srv/\xc3\xa4.d/x-1")));
}

HF_TEST_MAIN(cmocka_unit_test(folders_within_folders_are_one_mount),
	     cmocka_unit_test(static_system_calls_count_where_none_was_seen),
	     cmocka_unit_test(a_profile_is_use_where_it_covers),
	     cmocka_unit_test(capabilities_have_the_kernels_numbers),
	     cmocka_unit_test(docker_grants_capabilities_by_its_rules),
	     cmocka_unit_test(docker_inspect_says_what_is_mounted_and_shared),
	     cmocka_unit_test(a_bundle_lists_what_its_filter_allows),
	     cmocka_unit_test(a_manifest_grants_to_the_container_that_is_named),
	     cmocka_unit_test(what_is_no_grant_is_refused),
	     cmocka_unit_test(what_the_runtime_does_and_what_was_refused_is_no_use),
	     cmocka_unit_test(two_images_are_not_one_workload), cmocka_unit_test(each_part_is_assessed_or_says_why_not),
	     cmocka_unit_test(a_path_is_below_its_folder_by_components))
