/* runtime probe: what this node can see, and what each way leaves open. */
#include <stdio.h>
#include <unistd.h>

#include "cmd/log.h"
#include "cmd/runtime/runtime.h"
#include "enforce/rung.h"
#include "format/json_writer.h"
#include "sensor/sensor.h"

enum { RUNGS_MAX = 64, WHY_MAX = 200 };

struct enforcing {
	const struct hf_rung *rung;
	bool works;
	char why[WHY_MAX];
};

static size_t enforcing(struct enforcing *list, size_t max)
{
	size_t n = 0;

	for (; hf_rungs[n] && n < max; n++) {
		list[n] = (struct enforcing){ .rung = hf_rungs[n] };
		list[n].works = hf_rungs[n]->probe(list[n].why, sizeof list[n].why);
	}
	return n;
}

static void json(const struct hf_sensor_rung *rungs, size_t n, const struct enforcing *denies, size_t denies_n)
{
	hf_cleanup(hf_buf_done) struct hf_buf out = HF_BUF(1 << 20);
	struct hf_json_writer w = { .out = &out };
	struct hf_err err = { 0 };

	hf_jw_object(&w);
	hf_jw_kv(&w, "schema", HF_SV("holdfast/probe/1"));
	hf_jw_key(&w, "sees");
	hf_jw_array(&w);
	for (size_t i = 0; i < n; i++) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "what", hf_sv_of(rungs[i].sees));
		hf_jw_kv(&w, "by", hf_sv_of(rungs[i].by));
		hf_jw_kv_bool(&w, "works", rungs[i].works);
		hf_jw_kv_if(&w, rungs[i].works ? "leaves_open" : "why", hf_sv_of(rungs[i].why));
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_key(&w, "denies");
	hf_jw_array(&w);
	for (size_t i = 0; i < denies_n; i++) {
		hf_jw_object(&w);
		hf_jw_kv(&w, "by", hf_sv_of(denies[i].rung->name));
		hf_jw_kv_bool(&w, "works", denies[i].works);
		hf_jw_kv_if(&w, "why", hf_sv_of(denies[i].why));
		hf_jw_kv(&w, "leaves_open", hf_sv_of(denies[i].rung->residual));
		hf_jw_object_end(&w);
	}
	hf_jw_array_end(&w);
	hf_jw_object_end(&w);
	(void)hf_jw_finish(&w, &err);
	fwrite(out.ptr, 1, out.len, stdout);
}

static int run(int argc, char **argv)
{
	static struct hf_sensor_rung rungs[RUNGS_MAX];
	static struct enforcing denies[RUNGS_MAX];
	bool as_json = argc == 3 && !strcmp(argv[1], "--format") && !strcmp(argv[2], "json");
	size_t working = 0;

	if (argc > 1 && !as_json && !(argc == 3 && !strcmp(argv[1], "--format") && !strcmp(argv[2], "table")))
		return hf_command_usage("runtime probe", "there is --format table|json");
	size_t n = hf_sensor_probe(rungs, RUNGS_MAX);
	for (size_t i = 0; i < n; i++)
		working += rungs[i].works;
	size_t denies_n = enforcing(denies, RUNGS_MAX);
	if (as_json)
		json(rungs, n, denies, denies_n);
	else
		puts("SEES");
	for (size_t i = 0; i < n && !as_json; i++)
		printf("%-4s %-40s %-30s %s\n", rungs[i].works ? "yes" : "no", rungs[i].sees, rungs[i].by,
		       rungs[i].why);
	if (!as_json)
		puts("\nDENIES, the best first");
	for (size_t i = 0; i < denies_n && !as_json; i++)
		printf("%-4s %-16s %s%sleaves open: %s\n", denies[i].works ? "yes" : "no", denies[i].rung->name,
		       denies[i].why, denies[i].why[0] ? "; " : "", denies[i].rung->residual);
	if (!working)
		log_error("nothing can be seen: %s",
			  geteuid() ? "it needs root, or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN"
				    : "this kernel refuses all of it; the reasons stand beside each");
	return fflush(stdout) || !working ? 2 : 0;
}

const struct hf_command hf_runtime_probe = {
	.name = "probe",
	.summary = "what this node can see and enforce",
	.usage = "[--format table|json]\n\n"
		 "Tries each hook of the sensor and each mechanism of enforcement on this kernel, and says what it "
		 "sees or denies and\n"
		 "what it leaves open. Nothing is denied to anybody.\n\n"
		 "  --format table|json  how to print it",
	.run = run,
};
