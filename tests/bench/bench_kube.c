/* bench_kube FILE: reads manifests into the model, once, and prints what that took as one JSON object. For ./dev bench kube. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/limits.h"
#include "kube/pods.h"

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	struct rusage usage;
	struct hf_err err = { 0 };
	size_t pods_n;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "bench_kube FILE\n");
		return 2;
	}
	const char *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return 2;
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct hf_arena a = HF_ARENA(HF_KUBE_ARENA_MAX);
	struct hf_kube_loader *l = hf_kube_loader_new(&a);
	const struct hf_kube_source source = { .name = hf_sv_of(argv[1]), .text = { text, (size_t)st.st_size } };
	if (hf_kube_load(l, &source, &err) < 0) {
		fprintf(stderr, "bench_kube: %s\n", err.msg);
		return 2;
	}
	const struct hf_kube_objects *set = hf_kube_loaded(l);
	hf_kube_pods(set, &a, &pods_n);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"bytes\": %lld, \"objects\": %zu, \"pods\": %zu, \"notes\": %zu, \"seconds\": %.6f, \"cpu\": %.6f, "
	       "\"rss\": %ld}\n",
	       (long long)st.st_size, set->n, pods_n, set->notes_n, wall, cpu, usage.ru_maxrss * 1024);
	hf_kube_loader_free(l);
	hf_arena_done(&a);
	return 0;
}
