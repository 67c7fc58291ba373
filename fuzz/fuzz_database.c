/* The whole file of a database, as nobody should be trusted to have left it alone: every lookup is made. */
#include "advisory/database.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void texts(struct hf_cur list)
{
	hf_sv text;

	while (hf_affected_entry_text(&list, &text))
		;
}

static void record(const struct hf_database *db, uint32_t n)
{
	struct hf_record r;
	struct hf_cvss c;
	hf_sv ecosystem, package;
	bool withdrawn;

	hf_database_record_date(db, n, &withdrawn);
	if (hf_database_record(db, n, &r)) {
		texts(r.aliases);
		texts(r.upstream);
		texts(r.mentions);
		while (hf_record_cvss(&r.cvss, &c))
			;
	}
	for (size_t i = 0; i < 4 && hf_record_package(db, n, i, &ecosystem, &package); i++)
		;
}

static void packages(const struct hf_database *db, hf_sv ecosystem, hf_sv name)
{
	struct hf_entries it = hf_database_package(db, ecosystem, name);
	struct hf_affected_entry e;
	struct hf_range g;

	while (hf_entries_next(&it, &e)) {
		texts(e.arches);
		texts(e.versions);
		while (hf_affected_entry_range(&e.ranges, &g))
			;
		record(db, e.record);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_database *db hf_cleanup(hf_database_closep) = NULL;
	struct hf_ecosystem_info info;
	struct hf_flaw flaw;
	struct hf_release_cycle cycle;
	struct hf_cvss c;
	float score, percentile;
	uint32_t n;

	if (hf_database_of_bytes((hf_sv){ (const char *)data, size }, &db, NULL))
		return 0;
	hf_database_ecosystem(db, HF_SV("PyPI"), &info);
	packages(db, HF_SV("PyPI"), HF_SV("foo"));
	packages(db, HF_SV("Debian:12"), HF_SV("openssl"));
	struct hf_cur list = hf_database_records_of(db, HF_SV("CVE-2024-1234"));
	while (hf_record_number(&list, &n))
		record(db, n);
	if (hf_database_flaw(db, HF_SV("CVE-2024-1234"), &flaw))
		while (hf_record_cvss(&flaw.cvss, &c))
			;
	hf_database_epss(db, HF_SV("CVE-2024-1234"), &score, &percentile);
	hf_database_cycle(db, HF_SV("debian"), HF_SV("12"), &cycle);
	return 0;
}
