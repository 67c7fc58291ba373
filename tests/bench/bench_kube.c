/* bench_kube FILE: reads manifests into the model, asks each module about all of it, once, and prints what that took as one JSON object.
 * For ./dev bench kube. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "check/check.h"
#include "kube/pods.h"
#include "pss/pss.h"
#include "rbac/findings.h"
#include "rbac/powers.h"
#include "reach/reach.h"

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool count_pair(void *ctx, struct hf_reach_end from, struct hf_reach_end to, hf_conns conns)
{
	(void)from, (void)to, (void)conns;
	++*(size_t *)ctx;
	return true;
}

/* Seconds of each, and how much there was of what it found: so that nobody measures work that was not done. */
static void ask_all(const struct hf_kube_objects *set, const struct hf_kube_pod *pods, size_t pods_n,
		    struct hf_arena *a)
{
	const struct hf_pss_policy restricted = { HF_PSS_RESTRICTED, HF_PSS_LATEST, false };
	const struct hf_check_settings settings = { 0 };
	size_t failed = 0, findings = 0, pairs = 0;
	double begin = seconds(CLOCK_MONOTONIC), end;

	for (size_t i = 0; i < pods_n; i++)
		failed += hf_pss_failed(&pods[i], &restricted) != 0;
	end = seconds(CLOCK_MONOTONIC);
	printf(", \"pss\": {\"seconds\": %.6f, \"found\": %zu}", end - begin, failed);
	begin = end;
	const struct hf_rbac_model *model = hf_rbac_build(set, HF_SV(""), HF_RBAC_DEFAULTS_AUTO, a);
	const struct hf_rbac_powers *powers = hf_rbac_powers(model, a);
	hf_rbac_findings(powers, false, a, &findings);
	end = seconds(CLOCK_MONOTONIC);
	printf(", \"rbac\": {\"seconds\": %.6f, \"found\": %zu}", end - begin, findings);
	begin = end;
	hf_reach_each(hf_reach_build(set, a), count_pair, &pairs);
	end = seconds(CLOCK_MONOTONIC);
	printf(", \"reach\": {\"seconds\": %.6f, \"found\": %zu}", end - begin, pairs);
	begin = end;
	const struct hf_check_report *report = hf_check_all(set, NULL, &settings, a);
	end = seconds(CLOCK_MONOTONIC);
	printf(", \"check\": {\"seconds\": %.6f, \"found\": %zu}", end - begin, report->results_n);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	struct stat st;
	struct rusage usage;
	struct hf_err err = { 0 };
	struct hf_mapping text;
	size_t pods_n;

	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "bench_kube FILE\n");
		return 2;
	}
	if (hf_mapping_open(&text, fd, 0, (size_t)st.st_size, &err) < 0)
		return 2;
	double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct hf_arena a = HF_ARENA(HF_KUBE_ARENA_MAX);
	struct hf_kube_loader *l = hf_kube_loader_new(&a);
	const struct hf_kube_source source = { .name = hf_sv_of(argv[1]),
					       .text = { text.ptr, text.len },
					       .release = hf_mapping_release };
	if (hf_kube_load(l, &source, &err) < 0) {
		fprintf(stderr, "bench_kube: %s\n", err.msg);
		return 2;
	}
	const struct hf_kube_objects *set = hf_kube_loaded(l);
	const struct hf_kube_pod *pods = hf_kube_pods(set, &a, &pods_n);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"bytes\": %lld, \"objects\": %zu, \"pods\": %zu, \"notes\": %zu, \"seconds\": %.6f, \"cpu\": %.6f, "
	       "\"rss\": %ld",
	       (long long)st.st_size, set->n, pods_n, set->notes_n, wall, cpu, usage.ru_maxrss * 1024);
	ask_all(set, pods, pods_n, &a);
	puts("}");
	hf_kube_loader_free(l);
	hf_arena_done(&a);
	hf_mapping_close(&text);
	return 0;
}
