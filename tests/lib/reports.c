#include "reports.h"

#define S HF_SV
#define LIST(...)           \
	(const hf_sv[])     \
	{                   \
		__VA_ARGS__ \
	}
#define DIFF(c) "sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static const hf_sv no_licences[1];

static const struct hf_layer rich_layers[] = {
	{ .index = 0,
	  .digest = HF_SV_INIT(DIFF("a0")),
	  .diff_id = HF_SV_INIT(DIFF("a1")),
	  .size = 49100000,
	  .created_by = HF_SV_INIT("/bin/sh -c #(nop) ADD file:4b1be1de1a1e5aa6 in / ") },
	{ .index = 1,
	  .digest = HF_SV_INIT(DIFF("b0")),
	  .diff_id = HF_SV_INIT(DIFF("b1")),
	  .size = 1204,
	  .created_by = HF_SV_INIT("RUN /bin/sh -c pip install -r requirements.txt # buildkit") },
};

static void rich_artifact(struct hf_arena *a, struct hf_scan_report *r)
{
	struct hf_artifact *t = hf_arena_new(a, struct hf_artifact);

	*t = (struct hf_artifact){
		.kind = S("archive"),
		.reference = S("shop.tar"),
		.digest = S(DIFF("d0")),
		.image_id = S(DIFF("c0")),
		.platform = S("linux/amd64"),
		.is_image = true,
		.layers = rich_layers,
		.layers_n = 2,
	};
	static const hf_sv entrypoint[] = { HF_SV_INIT("python3"), HF_SV_INIT("shop.py") },
			   env[] = { HF_SV_INIT("PATH=/usr/bin"), HF_SV_INIT("DB_PASSWORD=hunter2") },
			   ports[] = { HF_SV_INIT("8080/tcp") },
			   labels[] = { HF_SV_INIT("org.opencontainers.image.title=shop=1") };
	t->config = (struct hf_image_config){ .user = S("1000"),
					      .entrypoint = entrypoint,
					      .entrypoint_n = 2,
					      .env = env,
					      .env_n = 2,
					      .exposed_ports = ports,
					      .exposed_ports_n = 1,
					      .labels = labels,
					      .labels_n = 1 };
	r->artifact = t;
}

static const struct hf_package rich_packages[] = {
	{ .type = HF_PKG_DEB,
	  .name = HF_SV_INIT("libssl3"),
	  .version = HF_SV_INIT("3.0.11-1~deb12u1"),
	  .arch = HF_SV_INIT("amd64"),
	  .source_name = HF_SV_INIT("openssl"),
	  .purl = HF_SV_INIT("pkg:deb/debian/libssl3@3.0.11-1~deb12u1?arch=amd64&distro=debian-12"),
	  .path = HF_SV_INIT("var/lib/dpkg/status"),
	  .line = 40,
	  .layer = 0 },
	{ .type = HF_PKG_DEB,
	  .name = HF_SV_INIT("linux-libc-dev"),
	  .version = HF_SV_INIT("6.1.55-1"),
	  .arch = HF_SV_INIT("amd64"),
	  .source_name = HF_SV_INIT("linux"),
	  .purl = HF_SV_INIT("pkg:deb/debian/linux-libc-dev@6.1.55-1?arch=amd64&distro=debian-12"),
	  .path = HF_SV_INIT("var/lib/dpkg/status"),
	  .line = 60,
	  .layer = 0 },
	{ .type = HF_PKG_DEB,
	  .name = HF_SV_INIT("openssl"),
	  .version = HF_SV_INIT("3.0.11-1~deb12u1"),
	  .arch = HF_SV_INIT("amd64"),
	  .purl = HF_SV_INIT("pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12"),
	  .path = HF_SV_INIT("var/lib/dpkg/status"),
	  .line = 80,
	  .layer = 0 },
	{ .type = HF_PKG_NPM,
	  .name = HF_SV_INIT("@babel/traverse"),
	  .version = HF_SV_INIT("7.22.0"),
	  .purl = HF_SV_INIT("pkg:npm/%40babel/traverse@7.22.0"),
	  .path = HF_SV_INIT("srv/package-lock.json"),
	  .layer = 1,
	  .licences = (const hf_sv[]){ HF_SV_INIT("(MIT OR apache-2.0)") },
	  .licences_n = 1,
	  .declared_only = true },
	{ .type = HF_PKG_PYPI,
	  .name = HF_SV_INIT("Jinja2"),
	  .version = HF_SV_INIT("2.10"),
	  .purl = HF_SV_INIT("pkg:pypi/jinja2@2.10"),
	  .path = HF_SV_INIT("srv/lib/Jinja2-2.10.dist-info/METADATA"),
	  .line = 3,
	  .layer = 1,
	  .licences = (const hf_sv[]){ HF_SV_INIT("bsd-3-clause") },
	  .licences_n = 1,
	  .paths = (const hf_sv[]){ HF_SV_INIT("srv/lib/Jinja2-2.10.dist-info/METADATA"),
				    HF_SV_INIT("srv/old/Jinja2-2.10.dist-info/METADATA") },
	  .paths_n = 2 },
	{ .type = HF_PKG_PYPI,
	  .name = HF_SV_INIT("odd"),
	  .version = HF_SV_INIT("1.0-final-final"),
	  .purl = HF_SV_INIT("pkg:pypi/odd@1.0-final-final"),
	  .path = HF_SV_INIT("srv/lib/odd.dist-info/METADATA"),
	  .layer = 1,
	  .licences = (const hf_sv[]){ HF_SV_INIT("BSD, see LICENSE"), HF_SV_INIT("GPL-2.0+ OR MIT") },
	  .licences_n = 2,
	  .owned_by = HF_SV_INIT("pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64&distro=debian-12") },
};

static const struct hf_scored scored[] = {
	{ HF_SV_INIT("nvd"), HF_SV_INIT("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), 9.8 },
	{ HF_SV_INIT("cna"), HF_SV_INIT("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), 9.3 },
	{ HF_SV_INIT("osv"), HF_SV_INIT("CVSS:3.1/broken"), -1 },
};

#define FLAW(id_, package_, severity_) \
	.id = HF_SV_INIT(id_), .package = (package_), .severity = (severity_), .epss = -1, .epss_percentile = -1
#define FROM_DEBIAN(id_)                                                                \
	.severity_source = HF_SV_INIT("debian"), .advisory_id = HF_SV_INIT(id_),        \
	.advisory_source = HF_SV_INIT("debian"),                                        \
	.advisory_url = HF_SV_INIT("https://security-tracker.debian.org/tracker/" id_), \
	.rule = HF_SV_INIT("source package, fixed_version")

static const struct hf_vulnerability rich_flaws[] = {
	{ FLAW("CVE-2024-5535", 0, HF_SEV_CRITICAL), FROM_DEBIAN("CVE-2024-5535"),
	  .installed = HF_SV_INIT("3.0.11-1~deb12u1"), .fixed = HF_SV_INIT("3.0.15-1~deb12u1"),
	  .status = HF_STATUS_FIXED_AVAILABLE, .cvss = scored, .cvss_n = 3,
	  .title = HF_SV_INIT("SSL_select_next_proto buffer overread") },
	{ FLAW("CVE-2023-5363", 0, HF_SEV_HIGH), FROM_DEBIAN("CVE-2023-5363"),
	  .installed = HF_SV_INIT("3.0.11-1~deb12u1"), .fixed = HF_SV_INIT("3.0.11-1~deb12u2"),
	  .status = HF_STATUS_FIXED_AVAILABLE, .suppressed_by = HF_SV_INIT("ignore file"),
	  .suppressed_why = HF_SV_INIT("no stream ciphers here"), .suppressed_until = HF_SV_INIT("2026-12-31") },
	{ FLAW("CVE-2010-0928", 0, HF_SEV_NEGLIGIBLE), FROM_DEBIAN("CVE-2010-0928"),
	  .installed = HF_SV_INIT("3.0.11-1~deb12u1"), .unimportant = true },
	{ FLAW("CVE-2023-4623", 1, HF_SEV_HIGH), FROM_DEBIAN("CVE-2023-4623"), .installed = HF_SV_INIT("6.1.55-1"),
	  .kernel_headers = true, .kev = true },
	{ FLAW("CVE-2024-5535", 2, HF_SEV_CRITICAL), FROM_DEBIAN("CVE-2024-5535"),
	  .installed = HF_SV_INIT("3.0.11-1~deb12u1"), .fixed = HF_SV_INIT("3.0.15-1~deb12u1"),
	  .status = HF_STATUS_FIXED_AVAILABLE, .cvss = scored, .cvss_n = 1 },
	{ FLAW("CVE-2025-0001", 2, HF_SEV_LOW), FROM_DEBIAN("CVE-2025-0001"),
	  .installed = HF_SV_INIT("3.0.11-1~deb12u1"), .status = HF_STATUS_WILL_NOT_FIX },
	{ FLAW("CVE-2023-45133", 3, HF_SEV_CRITICAL), .installed = HF_SV_INIT("7.22.0"), .fixed = HF_SV_INIT("7.23.2"),
	  .severity_source = HF_SV_INIT("github"), .status = HF_STATUS_FIXED_AVAILABLE, .kind = HF_ADVISORY_SECURITY,
	  .advisory_id = HF_SV_INIT("GHSA-67hx-6x53-jw92"), .advisory_source = HF_SV_INIT("osv/npm"),
	  .aliases = (const hf_sv[]){ HF_SV_INIT("GHSA-67hx-6x53-jw92") }, .aliases_n = 1,
	  .rule = HF_SV_INIT("range: introduced 0, fixed 7.23.2") },
	{ FLAW("MAL-2024-1", 3, HF_SEV_UNKNOWN), .installed = HF_SV_INIT("7.22.0"), .kind = HF_ADVISORY_MALICIOUS },
	{ .id = HF_SV_INIT("CVE-2019-10906"),
	  .package = 4,
	  .severity = HF_SEV_HIGH,
	  .severity_source = HF_SV_INIT("nvd"),
	  .epss = 0.97f,
	  .epss_percentile = 0.999f,
	  .kev = true,
	  .kev_ransomware = true,
	  .kev_added = HF_SV_INIT("2022-01-10"),
	  .installed = HF_SV_INIT("2.10"),
	  .fixed = HF_SV_INIT("2.10.1"),
	  .status = HF_STATUS_FIXED_AVAILABLE,
	  .channel = HF_SV_INIT("esm-apps") },
	{ FLAW("PYSEC-2020-1", 4, HF_SEV_MEDIUM), .installed = HF_SV_INIT("2.10"),
	  .status = HF_STATUS_UNDER_INVESTIGATION },
	{ FLAW("RUSTSEC-2099-1", 4, HF_SEV_UNKNOWN), .installed = HF_SV_INIT("2.10"),
	  .kind = HF_ADVISORY_UNMAINTAINED },
};

static const struct hf_undecided rich_undecided[] = {
	{ -1, HF_SV_INIT("unsupported-release"), HF_SV_INIT("the release gets no fixes any more"), { 0 } },
	{ 5, HF_SV_INIT("version-not-comparable"), HF_SV_INIT("\"1.0-final-final\" is no PEP 440 version"),
	  HF_SV_INIT("PYSEC-2021-9") },
};

static const struct hf_misconfiguration rich_misconfigurations[] = {
	{ .id = HF_SV_INIT("mixed-patch-levels"),
	  .title = HF_SV_INIT("Layers stand at different patch levels"),
	  .severity = HF_SEV_MEDIUM,
	  .message = HF_SV_INIT("layer 0 stands at 2023-10-01, layer 1 at 2024-06-01"),
	  .fix = HF_SV_INIT("rebuild from a newer base") },
	{ .id = HF_SV_INIT("no-healthcheck"),
	  .title = HF_SV_INIT("No HEALTHCHECK"),
	  .severity = HF_SEV_LOW,
	  .path = HF_SV_INIT("srv/Docker file"),
	  .line = 7,
	  .references = (const hf_sv[]){ HF_SV_INIT("https://docs.docker.com/reference/dockerfile/#healthcheck") },
	  .references_n = 1 },
};

static const struct hf_unparsed rich_unparsed[] = { { HF_SV_INIT("srv/app.war!/WEB-INF/lib/x.jar"),
						      HF_SV_INIT("the directory of the zip is cut short"), 1 } };

static const struct hf_package_change added[] = { { HF_SV_INIT("pkg:deb/debian/openssl@3.0.11-1~deb12u1?arch=amd64"),
						    { 0 },
						    HF_SV_INIT("3.0.11-1~deb12u1") } },
				      changed[] = { { HF_SV_INIT("pkg:deb/debian/zlib1g@1:1.2.13.dfsg-1?arch=amd64"),
						      HF_SV_INIT("1:1.2.13.dfsg-1"), HF_SV_INIT("1:1.3-1") } },
				      removed[] = { { HF_SV_INIT("pkg:pypi/jinja2@2.9"), HF_SV_INIT("2.9"), { 0 } } };

static const struct hf_database_source sources[] = {
	{ HF_SV_INIT("debian"), HF_SV_INIT("2026-08-16"), HF_SV_INIT("knows every flaw"), 65000, 2 },
	{ HF_SV_INIT("kev"), HF_SV_INIT("2026-08-14"), { 0 }, 1400, 0 },
};

static struct hf_scan_report rich(struct hf_arena *a)
{
	static const hf_sv notes[] = { HF_SV_INIT("EPSS data is 3 days old.") };
	struct hf_layer_report *layers = hf_arena_array(a, struct hf_layer_report, 2);
	struct hf_scan_report r = {
		.os = { .id = S("debian"),
			.version_id = S("12"),
			.codename = S("bookworm"),
			.name = S("Debian GNU/Linux 12 (bookworm)"),
			.path = S("usr/lib/os-release") },
		.end_of_life = S("2028-06-30"),
		.supported = 1,
		.base_name = S("debian:12"),
		.base_layers = 1,
		.base_evidence = S("layer 0 is a debootstrap tree"),
		.database = { .present = true, .built = S("2026-08-17T03:00:00Z"), .sources = sources, .sources_n = 2 },
		.packages = rich_packages,
		.packages_n = HF_ARRAY_SIZE(rich_packages),
		.vulnerabilities = rich_flaws,
		.vulnerabilities_n = HF_ARRAY_SIZE(rich_flaws),
		.undecided = rich_undecided,
		.undecided_n = HF_ARRAY_SIZE(rich_undecided),
		.misconfigurations = rich_misconfigurations,
		.misconfigurations_n = HF_ARRAY_SIZE(rich_misconfigurations),
		.unparsed = rich_unparsed,
		.unparsed_n = 1,
		.files_n = 12345,
		.content_size = 49100000,
		.notes = notes,
		.notes_n = 1,
		.layers = layers,
		.layers_n = 2,
	};

	rich_artifact(a, &r);
	layers[0] = (struct hf_layer_report){ .layer = rich_layers[0],
					      .role = HF_ROLE_BASE,
					      .role_evidence = S("holds the package database and the shell"),
					      .files_n = 12000,
					      .content_size = 49000000,
					      .hidden_size = 1048576,
					      .added = added,
					      .added_n = 1,
					      .patch_level = S("2023-10-01"),
					      .fixable_n = 2 };
	layers[1] = (struct hf_layer_report){ .layer = rich_layers[1],
					      .role = HF_ROLE_DEPENDENCIES,
					      .files_n = 345,
					      .content_size = 100000,
					      .changed = changed,
					      .changed_n = 1,
					      .removed = removed,
					      .removed_n = 1,
					      .fixable_n = 2 };
	return r;
}

struct strings {
	const hf_sv *at;
	size_t n, next;
};

static hf_sv take(struct strings *s)
{
	return s->n ? s->at[s->next++ % s->n] : (hf_sv){ 0 };
}

static unsigned choose(struct strings *s, unsigned below)
{
	hf_sv v = take(s);

	return (v.len ? (unsigned char)v.ptr[v.len - 1] + (unsigned)v.len : (unsigned)s->next) % below;
}

static const hf_sv *take_list(struct hf_arena *a, struct strings *s, size_t n)
{
	hf_sv *list = hf_arena_array(a, hf_sv, n);

	for (size_t i = 0; i < n; i++)
		list[i] = take(s);
	return n ? list : no_licences;
}

static struct hf_package package_of(struct hf_arena *a, struct strings *s, int32_t layers)
{
	struct hf_package p = {
		.type = (enum hf_package_type)choose(s, HF_PKG_MAX),
		.name = take(s),
		.version = take(s),
		.arch = take(s),
		.source_name = take(s),
		.source_version = take(s),
		.module = take(s),
		.origin = take(s),
		.path = take(s),
		.line = choose(s, 9),
		.purl = take(s),
		.owned_by = take(s),
		.declared_only = choose(s, 2),
		.is_main = choose(s, 2),
		.layer = (int32_t)choose(s, 5) - 1,
	};

	(void)layers;
	p.licences_n = choose(s, 4);
	p.licences = take_list(a, s, p.licences_n);
	p.paths_n = choose(s, 12);
	p.paths = take_list(a, s, p.paths_n);
	return p;
}

static struct hf_vulnerability flaw_of(struct hf_arena *a, struct strings *s)
{
	struct hf_scored *c = hf_arena_array(a, struct hf_scored, 2);
	struct hf_vulnerability v = {
		.id = take(s),
		.package = choose(s, 8),
		.installed = take(s),
		.fixed = take(s),
		.severity = (enum hf_severity)choose(s, HF_SEV_MAX),
		.severity_source = take(s),
		.epss = (float)choose(s, 12) / 10 - 0.1f,
		.epss_percentile = -1,
		.kev = choose(s, 2),
		.kev_ransomware = choose(s, 2),
		.kev_added = take(s),
		.status = (enum hf_status)choose(s, HF_STATUS_MAX),
		.kind = (enum hf_advisory_kind)choose(s, 4),
		.kernel_headers = !choose(s, 4),
		.unimportant = !choose(s, 4),
		.title = take(s),
		.advisory_id = take(s),
		.advisory_source = take(s),
		.advisory_url = take(s),
		.advisory_modified = take(s),
		.rule = take(s),
		.channel = choose(s, 2) ? take(s) : (hf_sv){ 0 },
		.suppressed_by = choose(s, 3) ? (hf_sv){ 0 } : take(s),
		.suppressed_why = take(s),
		.suppressed_until = take(s),
	};

	c[0] = (struct hf_scored){ take(s), take(s), (double)choose(s, 101) / 10 };
	c[1] = (struct hf_scored){ take(s), take(s), -1 };
	v.cvss = c;
	v.cvss_n = choose(s, 3);
	v.aliases_n = choose(s, 3);
	v.aliases = take_list(a, s, v.aliases_n);
	return v;
}

static void layers_of(struct hf_arena *a, struct strings *s, struct hf_scan_report *r, struct hf_artifact *t)
{
	struct hf_layer *plain = hf_arena_array(a, struct hf_layer, 3);
	struct hf_layer_report *layers = hf_arena_array(a, struct hf_layer_report, 3);
	struct hf_package_change *change = hf_arena_array(a, struct hf_package_change, 1);

	*change = (struct hf_package_change){ take(s), take(s), take(s) };
	for (uint32_t i = 0; i < 3; i++) {
		plain[i] = (struct hf_layer){ .index = i,
					      .digest = take(s),
					      .diff_id = take(s),
					      .size = choose(s, 250),
					      .created_by = take(s),
					      .created = take(s) };
		layers[i] = (struct hf_layer_report){ .layer = plain[i],
						      .role = (enum hf_layer_role)choose(s, HF_ROLE_MAX),
						      .role_evidence = take(s),
						      .files_n = i,
						      .hidden_size = choose(s, 3),
						      .added = change,
						      .added_n = choose(s, 2),
						      .changed = change,
						      .changed_n = choose(s, 2),
						      .removed = change,
						      .removed_n = choose(s, 2),
						      .patch_level = take(s) };
	}
	t->layers = plain;
	t->layers_n = 3;
	r->layers = layers;
	r->layers_n = choose(s, 2) * 3;
}

struct hf_scan_report test_report_of_strings(struct hf_arena *a, const hf_sv *list, size_t n)
{
	struct strings source = { list, n, 0 }, *s = &source;
	struct hf_artifact *t = hf_arena_new(a, struct hf_artifact);
	struct hf_package *packages = hf_arena_array(a, struct hf_package, 6);
	struct hf_vulnerability *flaws = hf_arena_array(a, struct hf_vulnerability, 24);
	struct hf_undecided *undecided = hf_arena_array(a, struct hf_undecided, 3);
	struct hf_misconfiguration *configs = hf_arena_array(a, struct hf_misconfiguration, 2);
	struct hf_unparsed *unparsed = hf_arena_array(a, struct hf_unparsed, 2);
	struct hf_database_source *sources_ = hf_arena_array(a, struct hf_database_source, 1);
	struct hf_scan_report r = { .artifact = t,
				    .supported = (int)choose(s, 3) - 1,
				    .end_of_life = take(s),
				    .base_name = take(s),
				    .base_evidence = take(s),
				    .base_layers = choose(s, 3) };

	*t = (struct hf_artifact){ .kind = take(s),
				   .reference = take(s),
				   .digest = take(s),
				   .image_id = take(s),
				   .platform = take(s),
				   .is_image = choose(s, 4) };
	t->config = (struct hf_image_config){ .user = take(s), .healthcheck = take(s), .working_dir = take(s) };
	t->config.labels = take_list(a, s, t->config.labels_n = 1);
	t->config.env = take_list(a, s, t->config.env_n = 2);
	t->config.cmd = take_list(a, s, t->config.cmd_n = 2);
	r.os = (struct hf_os){
		.id = take(s), .version_id = take(s), .codename = take(s), .name = take(s), .path = take(s)
	};
	*sources_ = (struct hf_database_source){ take(s), take(s), take(s), 1, 0 };
	r.database = (struct hf_database_info){ .present = choose(s, 5),
						.landmarks_only = choose(s, 2),
						.built = take(s),
						.sources = sources_,
						.sources_n = 1 };
	for (size_t i = 0; i < 6; i++)
		packages[i] = package_of(a, s, 3);
	for (size_t i = 0; i < 24; i++)
		flaws[i] = flaw_of(a, s);
	for (size_t i = 0; i < 3; i++)
		undecided[i] = (struct hf_undecided){ (int64_t)choose(s, 8) - 1, take(s), take(s), take(s) };
	for (size_t i = 0; i < 2; i++)
		configs[i] = (struct hf_misconfiguration){ .id = take(s),
							   .title = take(s),
							   .path = take(s),
							   .message = take(s),
							   .fix = take(s),
							   .severity = (enum hf_severity)choose(s, HF_SEV_MAX),
							   .line = choose(s, 3) };
	for (size_t i = 0; i < 2; i++)
		unparsed[i] = (struct hf_unparsed){ take(s), take(s), (int32_t)choose(s, 5) - 1 };
	layers_of(a, s, &r, t);
	r.packages = packages, r.packages_n = 6;
	r.vulnerabilities = flaws, r.vulnerabilities_n = 24;
	r.undecided = undecided, r.undecided_n = 3;
	r.misconfigurations = configs, r.misconfigurations_n = 2;
	r.unparsed = unparsed, r.unparsed_n = 2;
	r.notes = take_list(a, s, r.notes_n = 1);
	return r;
}

static const hf_sv hostile[] = {
	HF_SV_INIT("\033[31mred\033[0m"),
	HF_SV_INIT("\xff\xfe\x80"),
	HF_SV_INIT("a\nb\tc\r"),
	HF_SV_INIT("\xc2\x9b"
		   "1m"),
	HF_SV_INIT("\xe2\x80\xae"
		   "gnp.exe"),
	HF_SV_INIT("nul\0inside"),
	HF_SV_INIT("\"quoted\" \\ </script>"),
	HF_SV_INIT("%s%n{0}"),
	HF_SV_INIT("\xf0\x9f\x92\xa9"),
	HF_SV_INIT("\xed\xa0\x80"),
	HF_SV_INIT("urn:cdx:x"),
	HF_SV_INIT("../../etc/passwd"),
	HF_SV_INIT("MIT AND ("),
	HF_SV_INIT("\x7f"),
	HF_SV_INIT("="),
	HF_SV_INIT("a very long text that has no end "
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
};

const char *const test_report_names[] = { "empty",   "minimal",     "rich",      "rich-verbose", "rich-filtered",
					  "hostile", "no-database", "landmarks", "folder",       NULL };

bool test_report_named(struct hf_arena *a, const char *name, struct test_report *ret)
{
	hf_sv n = hf_sv_of(name);
	struct hf_artifact *dir = hf_arena_new(a, struct hf_artifact);

	*ret = (struct test_report){ .name = name,
				     .options = { .source_date_epoch = 1700000000, .tool_version = "1.2.3" } };
	*dir = (struct hf_artifact){ .kind = S("dir"), .reference = S("/srv/root") };
	ret->report = (struct hf_scan_report){ .artifact = dir, .supported = -1 };
	if (hf_sv_eq(n, S("empty")))
		ret->report.artifact = NULL;
	else if (hf_sv_eq(n, S("minimal")))
		ret->report.database.present = true;
	else if (hf_sv_starts(n, S("rich")))
		ret->report = rich(a);
	else if (hf_sv_eq(n, S("folder"))) { /* what a folder gives is one layer that has no blob and no role */
		ret->report = rich(a);
		dir->layers = ret->report.artifact->layers;
		dir->layers_n = 1;
		ret->report.artifact = dir;
		ret->report.layers_n = 0;
		ret->report.base_name = (hf_sv){ 0 };
	} else if (hf_sv_eq(n, S("hostile")))
		ret->report = test_report_of_strings(a, hostile, HF_ARRAY_SIZE(hostile));
	else if (hf_sv_eq(n, S("no-database")) || hf_sv_eq(n, S("landmarks"))) {
		ret->report.packages = rich_packages;
		ret->report.packages_n = 1;
		ret->report.files_n = 1;
	} else {
		return false;
	}
	if (hf_sv_eq(n, S("landmarks")))
		ret->report.database = (struct hf_database_info){ .present = true, .landmarks_only = true };
	ret->options.verbose = hf_sv_eq(n, S("rich-verbose"));
	ret->options.colour = ret->options.verbose;
	ret->options.width = ret->options.verbose ? 140 : 0;
	ret->options.filter.show_informational = ret->options.verbose;
	ret->options.filter.only_fixed = hf_sv_eq(n, S("rich-filtered"));
	if (ret->options.filter.only_fixed)
		ret->options.filter.severities = 1u << HF_SEV_CRITICAL;
	return true;
}
