/* bench_match DATABASE ROUNDS <LINES: reads "purl-type<TAB>name<TAB>version" lines of a Debian 12 system and prints the median time
 * of matching all of them at once, in milliseconds, and how many findings there were. The file is mapped and warm. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "match/match.h"

enum { PACKAGES_MAX = 100000, ROUNDS_MAX = 1000 };

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t read_packages(struct hf_package *packages, struct hf_arena *a)
{
	char *line = NULL;
	size_t size = 0, n = 0;

	for (ssize_t len; n < PACKAGES_MAX && (len = getline(&line, &size, stdin)) > 0;) {
		hf_sv rest = hf_arena_dup(a, hf_sv_trim((hf_sv){ line, (size_t)len })), type, name;
		if (!hf_sv_cut(rest, '\t', &type, &rest) || !hf_sv_cut(rest, '\t', &name, &rest))
			continue;
		packages[n++] = (struct hf_package){ .type = hf_package_type_of_purl(type),
						     .name = name,
						     .version = rest,
						     .path = HF_SV("bench"),
						     .layer = -1 };
	}
	free(line);
	return n;
}

int main(int argc, char **argv)
{
	struct hf_arena a = HF_ARENA(1 << 30);
	struct hf_database *db;
	struct hf_err err = { 0 };
	struct hf_os os = { .id = HF_SV("debian"), .version_id = HF_SV("12"), .codename = HF_SV("bookworm") };
	struct hf_package *packages = hf_calloc(PACKAGES_MAX, sizeof *packages);
	double times[ROUNDS_MAX];
	size_t findings = 0;
	int rounds = argc == 3 ? atoi(argv[2]) : 0;

	if (rounds < 1 || rounds > ROUNDS_MAX)
		return 2;
	if (hf_database_open(argv[1], &db, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	size_t n = read_packages(packages, &a);
	for (int i = 0; i < rounds; i++) {
		struct hf_arena scratch = HF_ARENA(1 << 30);
		struct hf_match_input in = {
			.os = &os, .packages = packages, .packages_n = n, .database = db, .today = HF_SV("2026-11-22")
		};
		struct hf_match_result result = { 0 };
		double start = now_ms();
		if (hf_match(&in, &scratch, &result, &err) < 0)
			return 2;
		times[i] = now_ms() - start;
		findings = result.vulnerabilities_n;
		hf_arena_done(&scratch);
	}
	qsort(times, (size_t)rounds, sizeof *times, by_value);
	printf("%.3f %zu %zu\n", times[rounds / 2], n, findings);
	hf_database_close(db);
	free(packages);
	hf_arena_done(&a);
	return 0;
}
