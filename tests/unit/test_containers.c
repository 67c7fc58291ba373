#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "engine/bundle.h"
#include "engine/cgroup_path.h"
#include "engine/docker.h"
#include "engine/facts.h"

#define A16       "0123456789abcdef"
#define A64       A16 A16 A16 A16
#define B16       "fedcba9876543210"
#define B64       B16 B16 B16 B16
#define UID       "1a2b3c4d-0011-2233-4455-66778899aabb"
#define UID_SLICE "1a2b3c4d_0011_2233_4455_66778899aabb"

/* Paths as the runtimes' documents and sources of their cgroup drivers lay them out. */
static const struct {
	const char *path, *id, *engine, *pod_uid;
	bool own;
} paths[] = {
	{ "/docker/" A64, A64, "docker", "", true },
	{ "/system.slice/docker-" A64 ".scope", A64, "docker", "", true },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" A64 ".scope", A64, "docker", "", true },
	{ "/docker/" A64 "/init.scope", A64, "docker", "", false },
	{ "/docker/" A64 "/docker/" B64, B64, "docker", "", true },
	{ "/docker/buildkit/abcdefghij0123456789klmno", "abcdefghij0123456789klmno", "docker", "", true },
	{ "/somebody/chose/" A64, A64, "unknown", "", true },
	{ "/ecs/task-1/" A64, A64, "unknown", "", true },
	{ "/default/web", "web", "containerd", "", true },
	{ "/k8s.io/" A64, A64, "containerd", "", true },
	{ "/system.slice/nerdctl-" A64 ".scope", A64, "containerd", "", true },
	{ "/kubepods/burstable/pod" UID "/" A64, A64, "unknown", UID, true },
	{ "/kubepods/pod" UID "/crio-" A64, A64, "cri-o", UID, true },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_SLICE ".slice/cri-containerd-" A64
	  ".scope",
	  A64, "containerd", UID_SLICE, true },
	{ "/kubepods.slice/kubepods-pod" A16 A16 ".slice/crio-" A64 ".scope/container", A64, "cri-o", A16 A16, false },
	{ "/system.slice/containerd.service/kubepods-burstable-pod" UID_SLICE ".slice:cri-containerd:" A64, A64,
	  "containerd", UID_SLICE, true },
	{ "/machine.slice/libpod-" A64 ".scope", A64, "podman", "", true },
	{ "/machine.slice/libpod-" A64 ".scope/container", A64, "podman", "", false },
	{ "/libpod_parent/libpod-" A64, A64, "podman", "", true },
	{ "/docker/" A64 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"
	  "kubelet-kubepods-burstable-pod" UID_SLICE ".slice/cri-containerd-" B64 ".scope",
	  B64, "containerd", UID_SLICE, true },
	{ "/docker/" A64 "/kubelet/kubepods/pod" UID, A64, "docker", "", false },
	{ "/../../docker/" A64, A64, "docker", "", true },
};

/* No container's. */
static const char *const no_paths[] = {
	"",
	"/",
	"/docker",
	"/docker/0123",
	"/docker/" A64 "0",
	"/docker/G" A16 A16 A16 "0123456789abcde",
	"/system.slice/docker.service",
	"/system.slice/docker-" A16 ".scope",
	"/user.slice/user-1000.slice/session-1.scope",
	"/kubepods/burstable/pod" UID,
	"/machine.slice/libpod-conmon-" A64 ".scope",
	"/system.slice/crio-conmon-" A64 ".scope",
	"/somewhere/deeper/default/web",
	"/machine.slice/libpod_pod_" A64 ".slice",
};

static void assert_text(hf_sv got, const char *expected)
{
	if (!hf_sv_eq(got, hf_sv_of(expected)))
		fail_msg("\"%.*s\" instead of \"%s\"", HF_SV_FMT(got), expected);
}

static void assert_list(const hf_sv *list, size_t n, const char *joined)
{
	char text[4096] = "";

	for (size_t i = 0; i < n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i ? " " : "", HF_SV_FMT(list[i]));
	assert_string_equal(text, joined);
}

HF_TEST(paths_of_containers)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(paths); i++) {
		struct hf_cgroup_path p;
		hf_sv id, engine, uid;
		if (!hf_cgroup_path_parse(hf_sv_of(paths[i].path), &p))
			fail_msg("not found: %s", paths[i].path);
		assert_text(p.id, paths[i].id);
		assert_text(p.engine, paths[i].engine);
		assert_text(p.pod_uid, paths[i].pod_uid);
		assert_int_equal(p.own, paths[i].own);
		assert_true(hf_sv_starts(hf_sv_of(paths[i].path), p.own_path));
		assert_int_equal(hf_sv_eq(p.own_path, hf_sv_of(paths[i].path)), p.own);
		assert_int_equal(hf_container_of_path(hf_sv_of(paths[i].path), &id, &engine, &uid), p.own);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(no_paths); i++) {
		struct hf_cgroup_path p;
		if (hf_cgroup_path_parse(hf_sv_of(no_paths[i]), &p))
			fail_msg("%s: taken for %.*s", no_paths[i], HF_SV_FMT(p.id));
	}
}

static const char inspect[] =
	"{\"Id\":\"" A64 "\",\"Path\":\"/bin/sh\",\"Args\":[\"-c\",\"sleep 1\"],\"Image\":\"sha256:" B64
	"\",\"Name\":\"/web\","
	"\"HostConfig\":{\"NetworkMode\":\"host\",\"PidMode\":\"\",\"IpcMode\":\"private\",\"UTSMode\":\"host\","
	"\"Privileged\":true,"
	"\"CapAdd\":[\"NET_ADMIN\",\"CAP_SYS_PTRACE\",\"ALL\"]},"
	"\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"/etc\",\"Destination\":\"/host\",\"RW\":false},"
	"{\"Type\":\"volume\",\"Name\":\"v\",\"Source\":\"/v\",\"Destination\":\"/v\",\"RW\":true},"
	"{\"Type\":\"bind\",\"Source\":\"/run/docker.sock\",\"Destination\":\"/s\",\"RW\":true}],"
	"\"Config\":{\"Healthcheck\":{\"Interval\":1,\"Test\":[\"CMD-SHELL\",\"wget -q "
	"x\"]},\"User\":\"5:6\",\"Image\":\"nginx:1\",\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},"
	"\"Labels\":{\"z\":\"1\",\"a\":\"\\u00e9\",\"io.kubernetes.pod.name\":\"p\",\"io.kubernetes.pod.namespace\":"
	"\"n\"}},"
	"\"NetworkSettings\":{\"IPAddress\":\"\",\"Networks\":{\"own\":{\"IPAddress\":\"10.0.0.2\"},\"bridge\":{"
	"\"IPAddress\":\"172.17.0.2\"}}}}";

HF_TEST(docker_inspect)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };

	assert_int_equal(hf_docker_inspect_parse(hf_sv_of(inspect), &a, &c, &err), HF_OK);
	assert_text(c.id, A64);
	assert_text(c.name, "web");
	assert_text(c.engine, "docker");
	assert_text(c.image_name, "nginx:1");
	assert_text(c.image_digest, "sha256:" B64);
	assert_text(c.user, "5:6");
	assert_text(c.healthcheck, "CMD-SHELL wget -q x");
	assert_text(c.address, "172.17.0.2");
	assert_text(c.pod_name, "p");
	assert_text(c.pod_namespace, "n");
	assert_true(c.privileged && c.privileged_known);
	assert_list(c.labels, 2 * c.labels_n, "a \xc3\xa9 io.kubernetes.pod.name p io.kubernetes.pod.namespace n z 1");
	assert_list(c.mounts, c.mounts_n, "/etc:/host:ro /run/docker.sock:/s:rw");
	assert_list(c.host_namespaces, c.host_namespaces_n, "network uts");
	assert_list(c.capabilities_added, c.capabilities_added_n, "CAP_NET_ADMIN CAP_SYS_PTRACE ALL");
	assert_list(c.entrypoint, c.entrypoint_n, "/bin/sh -c sleep 1");
	assert_list(c.exposed_ports, c.exposed_ports_n, "80/tcp 53/udp");
}

HF_TEST(docker_answers_that_are_none)
{
	static const char *const bad[] = {
		"", "{", "[]", "{\"Name\":\"/x\"}", "{\"Id\":7}", "{\"Id\":\"x\"} {", "{\"Id\":\"x\",}"
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(bad); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		struct hf_container c = { 0 };
		struct hf_err err = { 0 };
		if (hf_docker_inspect_parse(hf_sv_of(bad[i]), &a, &c, &err) != HF_E_FORMAT)
			fail_msg("taken: %s", bad[i]);
	}
}

HF_TEST(docker_folder_has_the_host_config_apart)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };

	assert_int_equal(
		hf_docker_inspect_parse(
			HF_SV("{\"ID\":\"x\",\"Name\":\"/n\",\"Image\":\"sha256:1\",\"Config\":{\"Image\":\"i\"}}"), &a,
			&c, &err),
		HF_OK);
	assert_false(c.privileged_known);
	assert_int_equal(hf_docker_hostconfig_parse(
				 HF_SV("{\"Privileged\":false,\"PidMode\":\"host\",\"CapAdd\":null}"), &a, &c, &err),
			 HF_OK);
	assert_true(c.privileged_known && !c.privileged);
	assert_list(c.host_namespaces, c.host_namespaces_n, "pid");
	assert_text(c.name, "n");
}

HF_TEST(docker_events)
{
	static const struct {
		const char *line;
		enum hf_docker_event_kind kind;
		const char *id, *name, *image, *labels;
	} cases[] = {
		{ "{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{\"image\":"
		  "\"i\",\"name\":\"n\",\"b\":\"2\",\"a\":\"1\"}}}",
		  HF_DOCKER_EVENT_CREATE, "x", "n", "i", "a 1 b 2" },
		{ "{\"Type\":\"container\",\"Action\":\"rename\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{\"image\":"
		  "\"i\",\"name\":\"m\",\"oldName\":\"/n\"}}}",
		  HF_DOCKER_EVENT_CREATE, "x", "m", "i", "" },
		{ "{\"Actor\":{\"Attributes\":{\"exitCode\":\"0\"},\"ID\":\"x\"},\"Action\":\"destroy\",\"Type\":"
		  "\"container\"}",
		  HF_DOCKER_EVENT_DESTROY, "x", "", "", "" },
		{ "{\"Type\":\"image\",\"Action\":\"tag\",\"Actor\":{\"ID\":\"sha256:1\",\"Attributes\":{\"name\":"
		  "\"i\"}}}",
		  HF_DOCKER_EVENT_IMAGE, "sha256:1", "i", "", "" },
		{ "{\"Type\":\"network\",\"Action\":\"create\",\"Actor\":{\"ID\":\"y\"}}", HF_DOCKER_EVENT_OTHER, "y",
		  "", "", "" },
		{ "{}", HF_DOCKER_EVENT_OTHER, "", "", "", "" },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
		enum hf_docker_event_kind kind;
		struct hf_container c = { 0 };
		struct hf_err err = { 0 };
		assert_int_equal(hf_docker_event_parse(hf_sv_of(cases[i].line), &a, &kind, &c, &err), HF_OK);
		assert_int_equal(kind, cases[i].kind);
		assert_text(c.id, cases[i].id);
		assert_text(c.name, cases[i].name);
		assert_text(c.image_name, cases[i].image);
		assert_list(c.labels, 2 * c.labels_n, cases[i].labels);
	}
}

/* Four thousand and more labels, a huge one, control bytes: names are had, and what was left out is counted. */
HF_TEST(labels_of_malice_are_bounded)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(16));
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(8));
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };

	hf_buf_addf(&text, "{\"Config\":{\"Labels\":{\"a\":\"\\u001b[31m\\u0000\",\"b\":\"");
	for (int i = 0; i < 100000; i++)
		hf_buf_addf(&text, "\xc3\xa9");
	hf_buf_addf(&text, "\"");
	for (int i = 0; i < 5000; i++)
		hf_buf_addf(&text, ",\"k%04d\":\"v\"", i);
	hf_buf_addf(&text, "},\"Image\":\"i\"},\"Id\":\"x\",\"Name\":\"/n\"}");
	assert_int_equal(hf_docker_inspect_parse(hf_buf_view(&text), &a, &c, &err), HF_OK);
	assert_text(c.name, "n");
	assert_text(c.image_name, "i");
	assert_int_equal(c.labels_n, HF_FACT_LABELS_MAX + 1);
	assert_true(hf_sv_eq(c.labels[1], HF_SV("\x1b[31m\0")));
	assert_int_equal(c.labels[3].len, HF_FACT_VALUE_MAX + 3);
	assert_true(hf_sv_is_utf8(c.labels[3]));
	assert_true(hf_sv_ends(c.labels[3], HF_SV("\xc3\xa9\xe2\x80\xa6")));
	assert_text(c.labels[4], "holdfast.left_out");
	assert_text(c.labels[5], "4938 labels");
	for (size_t i = 1; i < c.labels_n; i++)
		assert_true(hf_sv_cmp(c.labels[2 * i - 2], c.labels[2 * i]) < 0);
}

HF_TEST(facts_are_packed_and_laid_over_older_ones)
{
	const hf_sv labels[] = { HF_SV_INIT("a"), HF_SV_INIT("1") }, none[1] = { { 0 } };
	struct hf_container first = {
		.id = HF_SV("x"), .name = HF_SV("old"), .image_name = HF_SV("i"), .labels = labels, .labels_n = 1
	};
	struct hf_container second = {
		.name = HF_SV("new"), .mounts = none, .privileged = true, .privileged_known = true
	};
	struct hf_container kept = { .cgroup_id = 7 };
	size_t size;

	void *one = hf_facts_pack(&first, NULL, &kept, &size);
	assert_int_equal(size, strlen("xoldia1") + 2 * sizeof(hf_sv));
	void *two = hf_facts_pack(&second, &kept, &kept, &size);
	free(one);
	assert_text(kept.id, "x");
	assert_text(kept.name, "new");
	assert_text(kept.image_name, "i");
	assert_list(kept.labels, 2 * kept.labels_n, "a 1");
	assert_non_null(kept.mounts);
	assert_null(kept.host_namespaces);
	assert_true(kept.privileged && kept.privileged_known);
	assert_int_equal(kept.cgroup_id, 7);
	free(two);
}

HF_TEST(bundle_of_containerd)
{
	static const char text[] =
		"{\"ociVersion\":\"1.1.0\",\"process\":{\"user\":{\"uid\":101,\"gid\":0},\"args\":[\"nginx\",\"-g\"],"
		"\"capabilities\":{\"bounding\":"
		"[\"CAP_CHOWN\",\"CAP_NET_ADMIN\"],\"effective\":[\"CAP_SYS_ADMIN\"]}},"
		"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		"{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/x\",\"options\":[\"rbind\",\"rw\"]},"
		"{\"destination\":\"/data\",\"type\":\"bind\",\"source\":\"/srv\",\"options\":[\"rbind\",\"ro\"]},"
		"{\"destination\":\"/d\",\"source\":\"/dev\",\"options\":[\"bind\"]}],"
		"\"annotations\":{\"io.kubernetes.cri.container-name\":\"web\",\"io.kubernetes.cri.container-type\":"
		"\"container\","
		"\"io.kubernetes.cri.image-name\":\"docker.io/library/nginx:1\",\"io.kubernetes.cri.sandbox-id\":\"" B64
		"\","
		"\"io.kubernetes.cri.sandbox-name\":\"web-0\",\"io.kubernetes.cri.sandbox-namespace\":\"shop\",\"io."
		"kubernetes.cri.sandbox-uid\":\"" UID
		"\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"/proc/1/ns/"
		"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}],"
		"\"maskedPaths\":[\"/proc/"
		"kcore\"],\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}}}";
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_container c = { .engine = HF_SV("unknown") };
	struct hf_err err = { 0 };

	assert_int_equal(hf_bundle_parse(hf_sv_of(text), &a, &c, &err), HF_OK);
	assert_text(c.engine, "containerd");
	assert_text(c.name, "web");
	assert_text(c.image_name, "docker.io/library/nginx:1");
	assert_text(c.pod_name, "web-0");
	assert_text(c.pod_namespace, "shop");
	assert_text(c.pod_uid, UID);
	assert_text(c.user, "101:0");
	assert_list(c.entrypoint, c.entrypoint_n, "nginx -g");
	assert_list(c.mounts, c.mounts_n, "/srv:/data:ro /dev:/d:rw");
	assert_list(c.host_namespaces, c.host_namespaces_n, "network");
	assert_list(c.capabilities_added, c.capabilities_added_n, "CAP_NET_ADMIN");
	assert_true(c.privileged_known && !c.privileged);
}

HF_TEST(bundle_of_crio)
{
	static const char text[] =
		"{\"ociVersion\":\"1.0.2\",\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"container\","
		"\"io.kubernetes.container.name\":\"web\",\"io.kubernetes.cri-o.ImageName\":\"quay.io/x:1\","
		"\"io.kubernetes.cri-o.ImageRef\":\"" A64
		"\",\"io.kubernetes.pod.name\":\"web-0\",\"io.kubernetes.pod.namespace\":\"shop\","
		"\"io.kubernetes.cri-o.Labels\":\"{\\\"app\\\":\\\"shop\\\"}\"}}";
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };

	assert_int_equal(hf_bundle_parse(hf_sv_of(text), &a, &c, &err), HF_OK);
	assert_text(c.engine, "cri-o");
	assert_text(c.name, "web");
	assert_text(c.image_name, "quay.io/x:1");
	assert_text(c.image_digest, "sha256:" A64);
	assert_text(c.pod_name, "web-0");
	assert_text(c.labels[0], "app");
	assert_text(c.labels[1], "shop");
	assert_false(c.privileged_known);
}

HF_TEST(bundle_of_podman_has_its_name_in_the_list)
{
	static const char list[] =
		"[{\"id\":\"" B64 "\",\"metadata\":\"{}\"},{\"id\":\"" A64 "\",\"names\":[\"n\"],\"image\":\"" B64 "\","
		"\"metadata\":\"{\\\"image-name\\\":\\\"localhost/box:1\\\",\\\"image-id\\\":\\\"" B64
		"\\\",\\\"name\\\":\\\"web\\\",\\\"created-at\\\":1}\"}]";
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };
	bool found = true;

	assert_int_equal(
		hf_bundle_parse(HF_SV("{\"ociVersion\":\"1\",\"annotations\":{\"io.container.manager\":\"libpod\"}}"),
				&a, &c, &err),
		HF_OK);
	assert_text(c.engine, "podman");
	assert_int_equal(hf_storage_containers_parse(hf_sv_of(list), HF_SV("nobody"), &a, &found, &c, &err), HF_OK);
	assert_false(found);
	assert_int_equal(hf_storage_containers_parse(hf_sv_of(list), HF_SV(A64), &a, &found, &c, &err), HF_OK);
	assert_true(found);
	assert_text(c.name, "web");
	assert_text(c.image_name, "localhost/box:1");
	assert_text(c.image_digest, "sha256:" B64);
}

HF_TEST(bundle_of_a_privileged_container)
{
	hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_MIB(1));
	hf_cleanup(hf_buf_done) struct hf_buf text = HF_BUF(HF_MIB(1));
	struct hf_container c = { 0 };
	struct hf_err err = { 0 };

	hf_buf_addf(&text, "{\"ociVersion\":\"1\",\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"");
	for (int i = 0; i < 40; i++)
		hf_buf_addf(&text, ",\"CAP_%d\"", i);
	hf_buf_addf(&text, "]}},\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}}}");
	assert_int_equal(hf_bundle_parse(hf_buf_view(&text), &a, &c, &err), HF_OK);
	assert_true(c.privileged && c.privileged_known);
	assert_list(c.host_namespaces, c.host_namespaces_n, "network pid ipc uts");
}

HF_TEST_MAIN(cmocka_unit_test(paths_of_containers), cmocka_unit_test(docker_inspect),
	     cmocka_unit_test(docker_answers_that_are_none), cmocka_unit_test(docker_folder_has_the_host_config_apart),
	     cmocka_unit_test(docker_events), cmocka_unit_test(labels_of_malice_are_bounded),
	     cmocka_unit_test(facts_are_packed_and_laid_over_older_ones), cmocka_unit_test(bundle_of_containerd),
	     cmocka_unit_test(bundle_of_crio), cmocka_unit_test(bundle_of_podman_has_its_name_in_the_list),
	     cmocka_unit_test(bundle_of_a_privileged_container))
