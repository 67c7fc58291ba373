/* engine_dump ROOT BELOW [SOCKET [BUNDLE_FOLDERS]]: what the table of containers makes of the cgroups that are made and removed right
 * in BELOW of the hierarchy that is mounted at ROOT, as JSON lines, until standard input ends. A line whenever a container is bound
 * or unresolved for the first time, a line when the engine begins or ceases to answer; at the end a line with the counts. No kernel
 * programs: births come by inotify. */
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "engine/container.h"
#include "format/json_writer.h"

enum { SEEN_MAX = 20000 };

struct seen {
	uint64_t id;
	char name[80];
	bool told;
};

static struct seen seen[SEEN_MAX];
static size_t seen_n;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void tell(const struct hf_container *c)
{
	struct hf_buf out = HF_BUF(HF_MIB(1));
	struct hf_json_writer w = { .out = &out, .compact = true };
	struct hf_err err = { 0 };

	hf_jw_object(&w);
	hf_jw_kv(&w, "state", c->state == HF_CONTAINER_BOUND ? HF_SV("bound") : HF_SV("unresolved"));
	hf_jw_kv(&w, "id", c->id);
	hf_jw_kv(&w, "engine", c->engine);
	hf_jw_kv(&w, "name", c->name);
	hf_jw_kv(&w, "image", c->image_name);
	hf_jw_kv(&w, "digest", c->image_digest);
	hf_jw_kv(&w, "pod", c->pod_name);
	hf_jw_kv(&w, "user", c->user);
	hf_jw_kv(&w, "address", c->address);
	hf_jw_kv(&w, "unresolved", c->unresolved);
	hf_jw_kv_bool(&w, "privileged", c->privileged);
	hf_jw_kv_bool(&w, "started_before", c->started_before);
	hf_jw_strings(&w, "labels", c->labels, 2 * c->labels_n);
	hf_jw_strings(&w, "mounts", c->mounts, c->mounts_n);
	hf_jw_strings(&w, "host_namespaces", c->host_namespaces, c->host_namespaces_n);
	hf_jw_strings(&w, "capabilities_added", c->capabilities_added, c->capabilities_added_n);
	hf_jw_strings(&w, "entrypoint", c->entrypoint, c->entrypoint_n);
	hf_jw_strings(&w, "exposed_ports", c->exposed_ports, c->exposed_ports_n);
	hf_jw_object_end(&w);
	if (hf_jw_finish(&w, &err) < 0)
		exit(1);
	fwrite(out.ptr, 1, out.len, stdout);
	fflush(stdout);
	hf_buf_done(&out);
}

static const char *root, *below;

static void born(struct hf_containers *t, const char *name, bool before)
{
	char path[HF_PATH_MAX];
	struct stat st;

	snprintf(path, sizeof path, "%s%s/%s", root, below, name);
	/* One that is gone already has no number to read any more: any other will do. */
	uint64_t id = stat(path, &st) ? UINT64_MAX - seen_n : st.st_ino;
	snprintf(path, sizeof path, "%s/%s", below, name);
	if (seen_n == SEEN_MAX || !hf_containers_born(t, id, hf_sv_of(path), now(), before))
		return;
	seen[seen_n].id = id;
	snprintf(seen[seen_n++].name, sizeof seen->name, "%s", name);
}

static void gone(struct hf_containers *t, const char *name)
{
	for (size_t i = seen_n; i--;)
		if (!strcmp(seen[i].name, name)) {
			hf_containers_gone(t, seen[i].id, now());
			return;
		}
}

static void take_births(struct hf_containers *t, int fd)
{
	char bytes[65536] __attribute__((aligned(8)));

	for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) {
		for (char *p = bytes; p < bytes + n;) {
			struct inotify_event *e = (struct inotify_event *)(void *)p;
			p += sizeof *e + e->len;
			if (e->mask & IN_CREATE)
				born(t, e->name, false);
			else if (e->mask & IN_DELETE)
				gone(t, e->name);
		}
	}
}

static void tell_news(struct hf_containers *t)
{
	for (size_t i = 0; i < seen_n; i++) {
		const struct hf_container *c = seen[i].told ? NULL : hf_containers_find(t, seen[i].id);
		if (!c || c->state == HF_CONTAINER_PENDING)
			continue;
		seen[i].told = c->state == HF_CONTAINER_BOUND;
		tell(c);
	}
}

static void tell_engine(struct hf_containers *t, bool *was_ok)
{
	bool ok;
	hf_sv engine = hf_containers_engine(t, &ok);

	if (ok != *was_ok)
		printf("{\"engine_ok\":%s,\"engine\":\"%.*s\"}\n", ok ? "true" : "false", HF_SV_FMT(engine));
	fflush(stdout);
	*was_ok = ok;
}

int main(int argc, char **argv)
{
	struct hf_containers_options o = { .docker_socket = argc > 3 ? argv[3] : NULL,
					   .bundle_folders = argc > 4 ? argv[4] : NULL };
	struct hf_containers *t;
	struct hf_err err = { 0 };
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	bool was_ok = false;
	char byte, folder[HF_PATH_MAX];

	if (argc < 3)
		return 1;
	root = argv[1];
	below = argv[2];
	snprintf(folder, sizeof folder, "%s%s", root, below);
	if (inotify_add_watch(watch, folder, IN_CREATE | IN_DELETE | IN_ONLYDIR) < 0 ||
	    hf_containers_open(&o, &t, &err) < 0)
		return 1;
	DIR *dir = opendir(folder);
	for (struct dirent *e; dir && (e = readdir(dir));)
		born(t, e->d_name, true);
	if (dir)
		closedir(dir);
	struct pollfd fds[] = { { watch, POLLIN, 0 }, { hf_containers_fd(t), POLLIN, 0 }, { 0, POLLIN, 0 } };
	for (bool open = true; open;) {
		poll(fds, 3, hf_containers_count(t).pending ? 100 : 1000);
		take_births(t, watch);
		if (hf_containers_settle(t, now()) || seen_n)
			tell_news(t);
		tell_engine(t, &was_ok);
		open = !fds[2].revents || read(0, &byte, 1) > 0;
	}
	struct hf_containers_count n = hf_containers_count(t);
	bool ok;
	hf_sv engine = hf_containers_engine(t, &ok);
	printf("{\"known\":%zu,\"pending\":%zu,\"unresolved\":%zu,\"gone\":%zu,\"forgotten\":%zu,\"engine_ok\":%s,"
	       "\"engine\":\"%.*s\"}\n",
	       (size_t)n.known, (size_t)n.pending, (size_t)n.unresolved, (size_t)n.gone, (size_t)n.forgotten,
	       ok ? "true" : "false", HF_SV_FMT(engine));
	hf_containers_close(t);
	return 0;
}
