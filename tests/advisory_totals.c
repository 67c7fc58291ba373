/* advisory_totals < FRAMES: feeds files to the readers that want them and prints what came out, one "key value" a line.
 * A frame is "ROW<LF>PATH<LF>LENGTH<LF>" and that many bytes. tests/oracle/advisory_totals.py makes the frames from a folder of
 * feeds and counts the same with Python's own json, zipfile and csv. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "advisory/reader.h"
#include "base/buffer.h"
#include "base/limits.h"

enum { READERS_MAX = 32, NAME_MAX_ = 4096 };

struct totals {
	struct hf_advisory_sink sink; /* first: the callbacks cast back */
	uint64_t files, failed, advisories, affected, versions, kev, epss, cve, cvss, cycles, malformed, backwards,
		bytes, nanoseconds;
};

static int on_advisory(struct hf_advisory_sink *s, const struct hf_advisory *v, struct hf_err *err)
{
	struct totals *t = (struct totals *)s;

	(void)err;
	t->advisories++;
	t->affected += v->affected_n;
	t->cvss += v->cvss_n;
	for (size_t i = 0; i < v->affected_n; i++)
		t->versions += v->affected[i].versions_n;
	return HF_OK;
}

static int on_kev(struct hf_advisory_sink *s, const struct hf_kev *v, struct hf_err *err)
{
	(void)v;
	(void)err;
	((struct totals *)s)->kev++;
	return HF_OK;
}

static int on_epss(struct hf_advisory_sink *s, const struct hf_epss *v, struct hf_err *err)
{
	(void)v;
	(void)err;
	((struct totals *)s)->epss++;
	return HF_OK;
}

static int on_cve(struct hf_advisory_sink *s, const struct hf_cve *v, struct hf_err *err)
{
	(void)err;
	((struct totals *)s)->cve++;
	((struct totals *)s)->cvss += v->cvss_n;
	return HF_OK;
}

static int on_cycle(struct hf_advisory_sink *s, const struct hf_release_cycle *v, struct hf_err *err)
{
	(void)v;
	(void)err;
	((struct totals *)s)->cycles++;
	return HF_OK;
}

static int on_malformed(struct hf_advisory_sink *s, hf_sv where, hf_sv why, struct hf_err *err)
{
	(void)err;
	if (hf_sv_starts(why, HF_SV("a range ends at an earlier version"))) /* asks the order of versions */
		((struct totals *)s)->backwards++;
	else
		((struct totals *)s)->malformed++;
	fprintf(stderr, "%.*s: %.*s\n", HF_SV_FMT(where), HF_SV_FMT(why));
	return HF_OK;
}

static int on_dated(struct hf_advisory_sink *s, hf_sv date, struct hf_err *err)
{
	(void)s;
	(void)date;
	(void)err;
	return HF_OK;
}

static void feed(struct totals *totals, hf_sv row, hf_sv path, hf_sv bytes)
{
	for (size_t i = 0; hf_advisory_readers[i]; i++) {
		hf_cleanup(hf_arena_done) struct hf_arena a = HF_ARENA(HF_PARSE_ARENA_MAX);
		struct totals *t = &totals[i];
		struct timespec from, to;
		struct hf_err err = { 0 };
		if (!hf_sv_eq(hf_sv_of(hf_advisory_readers[i]->name), row))
			continue;
		t->sink = (struct hf_advisory_sink){ on_advisory, on_kev,       on_epss, on_cve,
						     on_cycle,    on_malformed, on_dated };
		clock_gettime(CLOCK_MONOTONIC, &from);
		int r = hf_advisory_readers[i]->read(path, bytes, &a, &t->sink, &err);
		clock_gettime(CLOCK_MONOTONIC, &to);
		t->files++;
		t->bytes += bytes.len;
		t->nanoseconds += (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000u + (uint64_t)to.tv_nsec -
				  (uint64_t)from.tv_nsec;
		if (r < 0) {
			t->failed++;
			fprintf(stderr, "%.*s: %s\n", HF_SV_FMT(path), err.msg);
		}
	}
}

static bool read_line(char *line, size_t size)
{
	if (!fgets(line, (int)size, stdin))
		return false;
	line[strcspn(line, "\n")] = 0;
	return true;
}

int main(void)
{
	static struct totals totals[READERS_MAX];
	char row[NAME_MAX_], path[NAME_MAX_], length[32];
	struct hf_buf bytes = HF_BUF(HF_GIB(1));

	while (read_line(row, sizeof row) && read_line(path, sizeof path) && read_line(length, sizeof length)) {
		size_t n = strtoull(length, NULL, 10);
		bytes.len = 0;
		char *room = hf_buf_room(&bytes, n + 1);
		if (!room || fread(room, 1, n, stdin) != n)
			return 2;
		bytes.len = n;
		feed(totals, hf_sv_of(row), hf_sv_of(path), hf_buf_view(&bytes));
	}
	hf_buf_done(&bytes);
	for (size_t i = 0; hf_advisory_readers[i]; i++) {
		const struct totals *t = &totals[i];
		const char *name = hf_advisory_readers[i]->name;
#define PRINT(field) printf("%s.%s %llu\n", name, #field, (unsigned long long)t->field)
		PRINT(files);
		PRINT(failed);
		PRINT(advisories);
		PRINT(affected);
		PRINT(versions);
		PRINT(kev);
		PRINT(epss);
		PRINT(cve);
		PRINT(cvss);
		PRINT(cycles);
		PRINT(malformed);
		PRINT(backwards);
		PRINT(bytes);
		PRINT(nanoseconds);
#undef PRINT
	}
	return 0;
}
