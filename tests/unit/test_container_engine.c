/* The table of containers over an engine of the test's own: a unix socket that answers as the test says. */
#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/container.h"
#include "lib/files.h"

#define SECOND UINT64_C(1000000000)
#define A64    "00000000000000000000000000000000000000000000000000000000000000"

enum manner { ANSWERS, IS_SILENT, TALKS_NONSENSE, KNOWS_NOBODY, HANGS_UP, SAYS_TOO_MUCH };

struct engine {
	char folder[64], path[80];
	int listener;
	pthread_t thread;
	atomic_int manner;    /* enum manner */
	atomic_int asked;     /* containers that were asked for */
	atomic_int events_fd; /* where events are written; -1: nobody follows them */
};

static void reply(int fd, const char *body)
{
	dprintf(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s", strlen(body), body);
}

static void answer_container(struct engine *e, int fd, const char *request)
{
	const char *id = strstr(request, "/containers/") + 12;
	char body[1024];

	atomic_fetch_add(&e->asked, 1);
	switch ((enum manner)e->manner) {
	case ANSWERS:
		snprintf(body, sizeof body,
			 "{\"Id\":\"%.64s\",\"Name\":\"/"
			 "name-%.2s\",\"Image\":\"sha256:1\",\"Config\":{\"Image\":\"box\"},"
			 "\"NetworkSettings\":{\"IPAddress\":\"172.17.0.%.2s\"}}",
			 id, id + 62, id + 62);
		reply(fd, body);
		break;
	case KNOWS_NOBODY:
		dprintf(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
		break;
	case TALKS_NONSENSE:
		reply(fd, "{\"Id\":[[[");
		break;
	case SAYS_TOO_MUCH:
		dprintf(fd, "HTTP/1.1 200 OK\r\n\r\n");
		memset(body, ' ', sizeof body);
		while (send(fd, body, sizeof body, MSG_NOSIGNAL) > 0)
			;
		break;
	case IS_SILENT:
	case HANGS_UP:
		break;
	}
}

static void answer_info(struct engine *e, int fd)
{
	char body[256];

	snprintf(body, sizeof body, "{\"ServerVersion\":\"1.2.3\",\"DockerRootDir\":\"%s\"}", e->folder);
	reply(fd, body);
}

static void *serve(void *arg)
{
	struct engine *e = arg;

	for (int fd; (fd = accept(e->listener, NULL, NULL)) >= 0;) {
		char request[4096] = "";
		if (recv(fd, request, sizeof request - 1, 0) <= 0 || e->manner == HANGS_UP) {
			close(fd);
			continue;
		}
		if (e->manner == IS_SILENT)
			continue; /* nobody hangs up */
		if (strstr(request, "/events?")) {
			dprintf(fd, "HTTP/1.1 200 OK\r\n\r\n");
			e->events_fd = fd;
			continue;
		}
		if (strstr(request, "/info "))
			answer_info(e, fd);
		else if (strstr(request, "/images/"))
			reply(fd, "{\"Id\":\"sha256:2\"}");
		else if (strstr(request, "/containers/"))
			answer_container(e, fd, request);
		close(fd);
	}
	return NULL;
}

static void engine_start(struct engine *e, enum manner manner)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	signal(SIGPIPE, SIG_IGN);
	*e = (struct engine){ .manner = manner, .events_fd = -1 };
	snprintf(e->folder, sizeof e->folder, P_tmpdir "/hf-engine-XXXXXX");
	assert_non_null(mkdtemp(e->folder));
	snprintf(e->path, sizeof e->path, "%s/s", e->folder);
	snprintf(un.sun_path, sizeof un.sun_path, "%s", e->path);
	e->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(e->listener, (struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(e->listener, 64), 0);
	assert_int_equal(pthread_create(&e->thread, NULL, serve, e), 0);
}

static void engine_stop(struct engine *e)
{
	shutdown(e->listener, SHUT_RDWR);
	pthread_join(e->thread, NULL);
	close(e->listener);
	unlink(e->path);
	rmdir(e->folder);
}

static struct hf_containers *table(const struct engine *e, size_t max)
{
	struct hf_containers_options o = { .docker_socket = e->path, .containers_max = max };
	struct hf_containers *t;
	struct hf_err err = { 0 };

	assert_int_equal(hf_containers_open(&o, &t, &err), HF_OK);
	return t;
}

static hf_sv path_of(unsigned n)
{
	static char text[96];

	snprintf(text, sizeof text, "/docker/" A64 "%02u", n % 100);
	return hf_sv_of(text);
}

/* Settles at @now until the container's state is not PENDING any more (or for two minutes). */
static const struct hf_container *settled(struct hf_containers *t, uint64_t cgroup, uint64_t now)
{
	struct pollfd fd = { hf_containers_fd(t), POLLIN, 0 };
	const struct hf_container *c;

	for (int i = 0; i < 2400; i++) {
		hf_containers_settle(t, now);
		c = hf_containers_find(t, cgroup);
		if (!c || c->state != HF_CONTAINER_PENDING)
			return c;
		poll(&fd, 1, 50);
	}
	return c;
}

static void wait_for_events(struct engine *e)
{
	for (int i = 0; e->events_fd < 0 && i < 2400; i++)
		usleep(50000);
	assert_true(e->events_fd >= 0);
}

static void assert_text(hf_sv got, const char *expected)
{
	if (!hf_sv_eq(got, hf_sv_of(expected)))
		fail_msg("\"%.*s\" instead of \"%s\"", HF_SV_FMT(got), expected);
}

HF_TEST(a_container_is_bound_by_the_engine)
{
	struct engine e;
	engine_start(&e, ANSWERS);
	struct hf_containers *t = table(&e, 0);

	const struct hf_container *c = hf_containers_born(t, 7, path_of(11), SECOND, false);
	assert_text(c->id, A64 "11");
	assert_text(c->engine, "docker");
	assert_int_equal(c->state, HF_CONTAINER_PENDING);
	assert_int_equal(hf_containers_count(t).pending, 1);
	assert_ptr_equal(hf_containers_born(t, 7, path_of(11), SECOND, false), c);
	assert_null(hf_containers_born(t, 8, HF_SV("/user.slice"), SECOND, false));
	c = settled(t, 7, SECOND);
	assert_int_equal(c->state, HF_CONTAINER_BOUND);
	assert_text(c->name, "name-11");
	assert_text(c->image_digest, "sha256:1");
	assert_int_equal(hf_containers_count(t).pending, 0);
	assert_ptr_equal(hf_containers_of_address(t, HF_SV("172.17.0.11")), c);
	assert_null(hf_containers_of_address(t, HF_SV("172.17.0.1")));

	struct hf_event event = { 0 };
	hf_container_describe(c, &event);
	assert_text(hf_event_string(&event, HF_FIELD_CONTAINER_NAME), "name-11");
	assert_text(hf_event_string(&event, HF_FIELD_CONTAINER_IDENTITY), "bound");
	assert_int_equal(hf_event_uint(&event, HF_FIELD_CONTAINER_CGROUP_ID), 7);
	assert_false(hf_event_has(&event, HF_FIELD_CONTAINER_PRIVILEGED));
	hf_containers_close(t);
	engine_stop(&e);
}

HF_TEST(an_announced_container_is_known_though_it_was_removed)
{
	struct engine e;
	engine_start(&e, KNOWS_NOBODY);
	struct hf_containers *t = table(&e, 0);

	wait_for_events(&e);
	dprintf(e.events_fd, "{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"" A64
			     "22\",\"Attributes\":{\"image\":\"box\",\"name\":\"short\"}}}\n");
	for (int i = 0; e.asked == 0 && i < 2400; i++)
		usleep(50000);
	assert_null(hf_containers_find(t, 9));
	hf_containers_born(t, 9, path_of(22), SECOND, false);
	const struct hf_container *c = settled(t, 9, SECOND);
	assert_int_equal(c->state, HF_CONTAINER_BOUND);
	assert_text(c->name, "short");
	assert_text(c->image_name, "box");
	assert_text(c->image_digest, "sha256:2");
	hf_containers_close(t);
	engine_stop(&e);
}

/* After two seconds, or at once where the engine says no: unresolved, with the reason; and asked again later, when it knows. */
HF_TEST(what_is_not_known_is_unresolved_and_asked_again)
{
	static const struct {
		enum manner manner;
		const char *why;
	} cases[] = { { KNOWS_NOBODY, "docker does not know it" },
		      { TALKS_NONSENSE, "container: byte" },
		      { HANGS_UP, "Empty reply" },
		      { IS_SILENT, "no engine has answered yet" },
		      { SAYS_TOO_MUCH, "more than" } };

	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct engine e;
		engine_start(&e, cases[i].manner);
		struct hf_containers *t = table(&e, 0);
		hf_containers_born(t, 7, path_of(33), SECOND, false);
		struct pollfd fd = { hf_containers_fd(t), POLLIN, 0 };
		poll(&fd, 1, cases[i].manner == IS_SILENT ? 100 : 120000);
		hf_containers_settle(t, 2 * SECOND);
		assert_int_equal(hf_containers_find(t, 7)->state, HF_CONTAINER_PENDING);
		assert_true(hf_containers_settle(t, 3 * SECOND));
		const struct hf_container *c = hf_containers_find(t, 7);
		assert_int_equal(c->state, HF_CONTAINER_UNRESOLVED);
		if (hf_sv_find(c->unresolved, hf_sv_of(cases[i].why)) == SIZE_MAX)
			fail_msg("case %zu: %.*s", i, HF_SV_FMT(c->unresolved));
		assert_text(c->id, A64 "33");
		if (cases[i].manner != IS_SILENT) {
			e.manner = ANSWERS;
			uint64_t now = 3 * SECOND;
			for (int k = 0; k < 2400 && c->state != HF_CONTAINER_BOUND; k++) {
				now += 100 * SECOND;
				hf_containers_settle(t, now);
				poll(&fd, 1, 50);
				c = hf_containers_find(t, 7);
			}
			assert_int_equal(c->state, HF_CONTAINER_BOUND);
			assert_int_equal(c->unresolved.len, 0);
		}
		hf_containers_close(t);
		engine_stop(&e);
	}
}

HF_TEST(an_engine_that_is_down_is_said_and_comes_back)
{
	struct engine e;
	engine_start(&e, HANGS_UP);
	struct hf_containers *t = table(&e, 0);
	bool ok = true;

	for (int i = 0; i < 2400 && hf_sv_find(hf_containers_engine(t, &ok), HF_SV("tried again")) == SIZE_MAX; i++)
		usleep(50000);
	assert_false(ok);
	e.manner = ANSWERS;
	wait_for_events(&e);
	assert_text(hf_sv_first(hf_containers_engine(t, &ok), 20), "docker 1.2.3 at unix");
	assert_true(ok);
	hf_containers_close(t);
	engine_stop(&e);
}

HF_TEST(where_the_socket_is_silent_the_folder_tells)
{
	struct engine e;
	engine_start(&e, TALKS_NONSENSE);
	struct hf_containers *t = table(&e, 0);
	char above[128], folder[256], file[300];

	snprintf(above, sizeof above, "%s/containers", e.folder);
	snprintf(folder, sizeof folder, "%s/" A64 "77", above);
	assert_int_equal(mkdir(above, 0700) | mkdir(folder, 0700), 0);
	test_write(folder, "config.v2.json",
		   HF_SV("{\"ID\":\"" A64
			 "77\",\"Name\":\"/of-folder\",\"Image\":\"sha256:3\",\"Config\":{\"Image\":\"box\"}}"));
	test_write(folder, "hostconfig.json", HF_SV("{\"Privileged\":true}"));
	wait_for_events(&e);
	hf_containers_born(t, 7, path_of(77), SECOND, false);
	const struct hf_container *c = settled(t, 7, SECOND);
	assert_int_equal(c->state, HF_CONTAINER_BOUND);
	assert_text(c->name, "of-folder");
	assert_text(c->image_digest, "sha256:3");
	assert_true(c->privileged && c->privileged_known);
	hf_containers_close(t);
	for (size_t i = 0; i < 2; i++) {
		snprintf(file, sizeof file, "%s/%s", folder, i ? "config.v2.json" : "hostconfig.json");
		unlink(file);
	}
	rmdir(folder);
	rmdir(above);
	engine_stop(&e);
}

HF_TEST(the_gone_stay_for_ten_minutes)
{
	struct engine e;
	engine_start(&e, ANSWERS);
	struct hf_containers *t = table(&e, 0);

	hf_containers_born(t, 7, path_of(44), SECOND, false);
	settled(t, 7, SECOND);
	hf_containers_gone(t, 7, 10 * SECOND);
	hf_containers_gone(t, 7, 20 * SECOND);
	hf_containers_settle(t, 609 * SECOND);
	const struct hf_container *c = hf_containers_find(t, 7);
	assert_non_null(c);
	assert_true(c->gone);
	assert_text(c->name, "name-44");
	assert_int_equal(hf_containers_count(t).gone, 1);
	hf_containers_settle(t, 610 * SECOND);
	assert_null(hf_containers_find(t, 7));
	assert_int_equal(hf_containers_count(t).known, 0);
	assert_int_equal(hf_containers_count(t).forgotten, 0);
	hf_containers_close(t);
	engine_stop(&e);
}

HF_TEST(a_container_that_starts_again_has_two_cgroups_after_each_other)
{
	struct engine e;
	engine_start(&e, ANSWERS);
	struct hf_containers *t = table(&e, 0);

	const struct hf_container *c = hf_containers_born(t, 7, path_of(55), SECOND, true);
	settled(t, 7, SECOND);
	assert_true(c->started_before);
	hf_containers_gone(t, 7, 10 * SECOND);
	assert_ptr_equal(hf_containers_born(t, 8, path_of(55), 11 * SECOND, false), c);
	assert_false(c->gone);
	assert_false(c->started_before);
	assert_int_equal(c->cgroup_id, 8);
	assert_ptr_equal(hf_containers_find(t, 7), c);
	hf_containers_settle(t, 700 * SECOND);
	assert_null(hf_containers_find(t, 7));
	assert_ptr_equal(hf_containers_find(t, 8), c);
	hf_containers_close(t);
	engine_stop(&e);
}

HF_TEST(a_cgroup_below_a_container_is_the_container)
{
	struct engine e;
	engine_start(&e, ANSWERS);
	struct hf_containers *t = table(&e, 0);
	char below[128];

	snprintf(below, sizeof below, "%.*s/init.scope", HF_SV_FMT(path_of(66)));
	const struct hf_container *c = hf_containers_born(t, 7, path_of(66), SECOND, false);
	assert_ptr_equal(hf_containers_born(t, 8, hf_sv_of(below), SECOND, false), c);
	assert_text(c->cgroup, "/docker/" A64 "66");
	assert_int_equal(c->cgroup_id, 7);
	hf_containers_gone(t, 8, 2 * SECOND);
	assert_false(c->gone);
	hf_containers_gone(t, 7, 3 * SECOND);
	assert_true(c->gone);
	hf_containers_close(t);
	engine_stop(&e);
}

/* A container that names a cgroup below its own after another: before, while and after that one lives. */
HF_TEST(an_id_below_a_container_takes_nobodys_place)
{
	struct engine e;
	engine_start(&e, ANSWERS);
	struct hf_containers *t = table(&e, 0);
	char below[256], kind[256];

	snprintf(below, sizeof below, "/docker/" A64 "66/" A64 "67");
	snprintf(kind, sizeof kind, "/docker/" A64 "66/docker/" A64 "68");
	const struct hf_container *evil = hf_containers_born(t, 7, path_of(66), SECOND, false);
	assert_text(hf_containers_born(t, 20, hf_sv_of(below), SECOND, false)->id, A64 "67");
	const struct hf_container *victim = hf_containers_born(t, 8, path_of(67), SECOND, false);
	assert_text(victim->cgroup, "/docker/" A64 "67");
	assert_int_equal(victim->cgroup_id, 8);
	assert_null(hf_containers_find(t, 20)); /* it is asked for again */
	assert_ptr_equal(hf_containers_born(t, 20, hf_sv_of(below), SECOND, false), evil);
	assert_ptr_equal(hf_containers_born(t, 9, hf_sv_of(below), SECOND, false), evil);
	assert_ptr_equal(hf_containers_find(t, 9), evil);
	assert_text(victim->cgroup, "/docker/" A64 "67");
	hf_containers_gone(t, 9, 2 * SECOND);
	hf_containers_gone(t, 20, 2 * SECOND);
	assert_false(victim->gone || evil->gone);
	assert_text(hf_containers_born(t, 10, HF_SV("/else/" A64 "67"), 2 * SECOND, false)->cgroup,
		    "/docker/" A64 "67");
	hf_containers_gone(t, 10, 2 * SECOND);
	assert_int_equal(victim->cgroup_id, 8);
	assert_false(victim->gone);
	const struct hf_container *inner = hf_containers_born(t, 11, hf_sv_of(kind), SECOND, false);
	assert_text(inner->id, A64 "68");
	assert_text(inner->cgroup, kind);
	hf_containers_close(t);
	engine_stop(&e);
}

HF_TEST(a_full_table_forgets_the_oldest_that_is_gone)
{
	struct engine e;
	engine_start(&e, ANSWERS);
	struct hf_containers *t = table(&e, 4);

	for (unsigned i = 0; i < 4; i++)
		assert_non_null(hf_containers_born(t, 100 + i, path_of(i), SECOND, false));
	assert_null(hf_containers_born(t, 104, path_of(4), SECOND, false));
	assert_int_equal(hf_containers_count(t).forgotten, 1);
	hf_containers_gone(t, 102, 2 * SECOND);
	hf_containers_gone(t, 101, 2 * SECOND);
	assert_non_null(hf_containers_born(t, 104, path_of(4), SECOND, false));
	assert_null(hf_containers_find(t, 102));
	assert_non_null(hf_containers_find(t, 101));
	for (unsigned i = 0; i < 240000; i++) {
		assert_non_null(hf_containers_born(t, 1000 + i, path_of(10 + i % 90), 3 * SECOND, false));
		hf_containers_gone(t, 1000 + i, 3 * SECOND);
		if (i % 100 == 0)
			hf_containers_settle(t, 3 * SECOND);
	}
	assert_non_null(hf_containers_find(t, 100));
	assert_int_equal(hf_containers_count(t).known, 4);
	hf_containers_close(t);
	engine_stop(&e);
}

HF_TEST_MAIN(cmocka_unit_test(a_container_is_bound_by_the_engine),
	     cmocka_unit_test(an_id_below_a_container_takes_nobodys_place),
	     cmocka_unit_test(an_announced_container_is_known_though_it_was_removed),
	     cmocka_unit_test(what_is_not_known_is_unresolved_and_asked_again),
	     cmocka_unit_test(an_engine_that_is_down_is_said_and_comes_back),
	     cmocka_unit_test(where_the_socket_is_silent_the_folder_tells),
	     cmocka_unit_test(the_gone_stay_for_ten_minutes),
	     cmocka_unit_test(a_container_that_starts_again_has_two_cgroups_after_each_other),
	     cmocka_unit_test(a_cgroup_below_a_container_is_the_container),
	     cmocka_unit_test(a_full_table_forgets_the_oldest_that_is_gone))
