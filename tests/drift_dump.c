/* drift_dump [--map] [--deleted] [--memory] [--upper] [--thread] [--container N] [--inode N] [--size N]
 * [--device N] [--ancestor PATH]… PID PATH [PID PATH]…
 * Asks for the drift of each PATH as process PID (0: gone) sees it; one line each: STATE DIGEST IMAGE_DIGEST REASON, "-" for a digest
 * that is not known. With --thread by the thread and its queue. Used by tests/root/t_drift.py. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "baseline/drift.h"

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

static void print(const struct hf_drift_answer *a)
{
	printf("%s %s %s %s\n", hf_drift_name(a->state), or_dash(a->digest), or_dash(a->image_digest), a->reason);
}

static void ask_thread(struct hf_drift *d, const struct hf_drift_question *q)
{
	struct hf_drift_answer a;
	struct pollfd p = { .fd = hf_drift_fd(d), .events = POLLIN };

	if (!hf_drift_ask(d, q)) {
		puts("refused");
		return;
	}
	while (!hf_drift_poll(d, &a))
		(void)poll(&p, 1, -1);
	print(&a);
}

int main(int argc, char **argv)
{
	struct hf_ancestor tree[16] = { 0 };
	struct hf_drift_question q = { .ancestors = tree };
	struct hf_drift_answer a;
	struct hf_err err = { 0 };
	bool thread = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--map"))
			q.is_map = true;
		else if (!strcmp(argv[i], "--deleted"))
			q.deleted = true;
		else if (!strcmp(argv[i], "--memory"))
			q.memory = true;
		else if (!strcmp(argv[i], "--upper"))
			q.upper = true;
		else if (!strcmp(argv[i], "--thread"))
			thread = true;
		else if (!strcmp(argv[i], "--container") && i + 1 < argc)
			q.container = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--inode") && i + 1 < argc)
			q.inode = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--size") && i + 1 < argc)
			q.size = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--device") && i + 1 < argc)
			q.device = strtoull(argv[++i], NULL, 10);
		else if (!strcmp(argv[i], "--ancestor") && i + 1 < argc && q.ancestors_n < 16)
			tree[q.ancestors_n++].path = hf_sv_of(argv[++i]);
	}
	struct hf_drift_judge *judge = hf_drift_judge_new(NULL);
	struct hf_drift *d = NULL;
	if (thread && hf_drift_open(NULL, &d, &err) < 0)
		return 2;
	for (; i + 1 < argc; i += 2) {
		q.id++;
		q.pid = strtoull(argv[i], NULL, 10);
		q.path = hf_sv_of(argv[i + 1]);
		if (d) {
			ask_thread(d, &q);
			continue;
		}
		hf_drift_judge_ask(judge, &q, &a);
		print(&a);
	}
	hf_drift_close(d);
	hf_drift_judge_free(judge);
	return 0;
}
