#include "match/distro.h"

struct row {
	hf_sv id;
	hf_sv prefix;   /* of the ecosystem */
	hf_sv product;  /* at endoflife.date */
	int components; /* of VERSION_ID that name a release; 0: rolling, the prefix is the whole key */
	hf_sv name;
	hf_sv rpm_vendor; /* a part of Vendor in its own packages; empty: not looked at */
};

static const struct row rows[] = {
	{ HF_SV_INIT("debian"), HF_SV_INIT("Debian:"), HF_SV_INIT("debian"), 1, HF_SV_INIT("Debian"), { 0 } },
	{ HF_SV_INIT("ubuntu"), HF_SV_INIT("Ubuntu:"), HF_SV_INIT("ubuntu"), 2, HF_SV_INIT("Ubuntu"), { 0 } },
	{ HF_SV_INIT("alpine"),
	  HF_SV_INIT("Alpine:v"),
	  HF_SV_INIT("alpine-linux"),
	  2,
	  HF_SV_INIT("Alpine Linux"),
	  { 0 } },
	{ HF_SV_INIT("wolfi"), HF_SV_INIT("Wolfi"), { 0 }, 0, HF_SV_INIT("Wolfi"), { 0 } },
	{ HF_SV_INIT("chainguard"), HF_SV_INIT("Chainguard"), { 0 }, 0, HF_SV_INIT("Chainguard"), { 0 } },
	{ HF_SV_INIT("almalinux"), HF_SV_INIT("AlmaLinux:"), HF_SV_INIT("almalinux"), 1, HF_SV_INIT("AlmaLinux"),
	  HF_SV_INIT("AlmaLinux") },
	{ HF_SV_INIT("rocky"), HF_SV_INIT("Rocky Linux:"), HF_SV_INIT("rocky-linux"), 1, HF_SV_INIT("Rocky Linux"),
	  HF_SV_INIT("Rocky") },
	{ HF_SV_INIT("rhel"), HF_SV_INIT("Red Hat:enterprise_linux:"), HF_SV_INIT("rhel"), 1,
	  HF_SV_INIT("Red Hat Enterprise Linux"), HF_SV_INIT("Red Hat") },
	{ HF_SV_INIT("centos"), HF_SV_INIT("CentOS:"), HF_SV_INIT("centos"), 1, HF_SV_INIT("CentOS"),
	  HF_SV_INIT("CentOS") },
	{ HF_SV_INIT("fedora"), HF_SV_INIT("Fedora:"), HF_SV_INIT("fedora"), 1, HF_SV_INIT("Fedora"),
	  HF_SV_INIT("Fedora") },
	{ HF_SV_INIT("ol"), HF_SV_INIT("Oracle Linux:"), HF_SV_INIT("oracle-linux"), 1, HF_SV_INIT("Oracle Linux"),
	  HF_SV_INIT("Oracle") },
	{ HF_SV_INIT("amzn"), HF_SV_INIT("Amazon Linux:"), HF_SV_INIT("amazon-linux"), 1, HF_SV_INIT("Amazon Linux"),
	  HF_SV_INIT("Amazon") },
	{ HF_SV_INIT("sles"), HF_SV_INIT("SUSE:Linux Enterprise Server "), HF_SV_INIT("sles"), 2,
	  HF_SV_INIT("SUSE Linux Enterprise Server"), HF_SV_INIT("SUSE") },
	{ HF_SV_INIT("opensuse-leap"),
	  HF_SV_INIT("openSUSE:Leap "),
	  HF_SV_INIT("opensuse"),
	  2,
	  HF_SV_INIT("openSUSE Leap"),
	  { 0 } },
	{ HF_SV_INIT("photon"), HF_SV_INIT("Photon OS:"), HF_SV_INIT("photon"), 2, HF_SV_INIT("Photon OS"), { 0 } },
};

static const struct row *row_of(hf_sv id)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++)
		if (hf_sv_eq(rows[i].id, id))
			return &rows[i];
	return NULL;
}

static hf_sv components(hf_sv version, int n)
{
	size_t at = 0;

	for (; at < version.len; at++)
		if (version.ptr[at] == '.' && !--n)
			break;
	return hf_sv_first(version, at);
}

static bool numeric(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < '0' || s.ptr[i] > '9') && s.ptr[i] != '.')
			return false;
	return s.len > 0;
}

/* LTS releases of Ubuntu come in April of even years, and OSV writes it behind the version. */
static bool ubuntu_lts(hf_sv version)
{
	uint64_t year;

	return hf_sv_ends(version, HF_SV(".04")) && hf_sv_to_u64(hf_sv_first(version, version.len - 3), &year) &&
	       year % 2 == 0;
}

/* Testing and unstable have no VERSION_ID and the same os-release, "forky/sid": unstable's records hold for both, since
 * what is older than its fix is affected in either. */
static void debian_without_number(const struct hf_os *os, hf_sv name, struct hf_arena *a, struct hf_distro *ret)
{
	static const struct {
		hf_sv codename, number;
	} numbers[] = {
		{ HF_SV_INIT("bookworm"), HF_SV_INIT("12") },
		{ HF_SV_INIT("trixie"), HF_SV_INIT("13") },
		{ HF_SV_INIT("forky"), HF_SV_INIT("14") },
		{ HF_SV_INIT("duke"), HF_SV_INIT("15") },
	};

	if (!name.len)
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++)
		if (hf_sv_eq(numbers[i].codename, name))
			name = numbers[i].number;
	ret->ecosystem = hf_arena_fmt(a, "Debian:%.*s", HF_SV_FMT(name));
	if (hf_sv_ends(os->name, HF_SV("/sid"))) {
		ret->other_ecosystem = ret->ecosystem;
		ret->ecosystem = HF_SV("Debian:sid");
	}
}

void hf_distro_of(const struct hf_os *os, struct hf_arena *a, struct hf_distro *ret)
{
	const struct row *row = os ? row_of(os->id) : NULL;

	*ret = (struct hf_distro){ .id = os ? os->id : (hf_sv){ 0 } };
	if (os && os->id.len)
		ret->label = hf_arena_fmt(a, "%.*s%s%.*s", HF_SV_FMT(row ? row->name : os->id),
					  os->version_id.len || os->codename.len ? " " : "",
					  HF_SV_FMT(os->version_id.len ? os->version_id : os->codename));
	if (!row)
		return;
	if (!row->components) {
		ret->ecosystem = row->prefix;
		return;
	}
	hf_sv release = components(os->version_id, row->components);
	ret->product = row->product;
	ret->cycle = release;
	ret->free_extended = hf_sv_eq(row->id, HF_SV("debian"));
	if (hf_sv_eq(row->id, HF_SV("alpine")) && (!numeric(os->version_id) || hf_sv_eq(os->codename, HF_SV("edge")))) {
		ret->ecosystem = os->version_id.len || os->codename.len ? HF_SV("Alpine:edge") : (hf_sv){ 0 };
		ret->cycle = (hf_sv){ 0 };
		return;
	}
	if (ret->free_extended && !numeric(release)) {
		debian_without_number(os, release.len ? release : os->codename, a, ret);
		ret->cycle = (hf_sv){ 0 };
		return;
	}
	if (!release.len)
		return;
	const char *lts = hf_sv_eq(row->id, HF_SV("ubuntu")) && ubuntu_lts(release) ? ":LTS" : "";
	ret->ecosystem = hf_arena_fmt(a, "%.*s%.*s%s", HF_SV_FMT(row->prefix), HF_SV_FMT(release), lts);
	if (hf_sv_eq(row->id, HF_SV("ubuntu")))
		ret->channel_ecosystem = hf_arena_fmt(a, "Ubuntu:Pro:%.*s%s", HF_SV_FMT(release), lts);
}

/* Marks in a version that only archives of others put there. */
static const struct {
	hf_sv mark;
	const char *evidence;
} version_marks[] = {
	{ HF_SV_INIT("nodesource"), "its version names NodeSource" },
	{ HF_SV_INIT("sury.org"), "its version names deb.sury.org" },
	{ HF_SV_INIT(".pgdg"), "its version names the PostgreSQL project's archive" },
	{ HF_SV_INIT("~debian."), "its version is marked as built for Debian by somebody else" },
	{ HF_SV_INIT("~ubuntu."), "its version is marked as built for Ubuntu by somebody else" },
	{ HF_SV_INIT("ppa"), "its version names a PPA" },
	{ HF_SV_INIT("+maria~"), "its version names MariaDB's archive" },
	{ HF_SV_INIT("~bpo.ppa"), "its version names a PPA" },
};

/* Vendors with archives of their own, in Origin or Maintainer. */
static const struct {
	hf_sv part;
	const char *evidence;
} vendors[] = {
	{ HF_SV_INIT("@docker.com"), "its maintainer is Docker" },
	{ HF_SV_INIT("@nodesource.com"), "its maintainer is NodeSource" },
	{ HF_SV_INIT("@microsoft.com"), "its maintainer is Microsoft" },
	{ HF_SV_INIT("@hashicorp.com"), "its maintainer is HashiCorp" },
	{ HF_SV_INIT("@grafana.com"), "its maintainer is Grafana" },
	{ HF_SV_INIT("@elastic.co"), "its maintainer is Elastic" },
	{ HF_SV_INIT("@mongodb.com"), "its maintainer is MongoDB" },
	{ HF_SV_INIT("@10gen.com"), "its maintainer is MongoDB" },
	{ HF_SV_INIT("@nginx.com"), "its maintainer is nginx" },
	{ HF_SV_INIT("@f5.com"), "its maintainer is nginx" },
	{ HF_SV_INIT("@nvidia.com"), "its maintainer is NVIDIA" },
	{ HF_SV_INIT("@redis.com"), "its maintainer is Redis" },
	{ HF_SV_INIT("@oracle.com"), "its maintainer is Oracle" },
	{ HF_SV_INIT("@percona.com"), "its maintainer is Percona" },
	{ HF_SV_INIT("@mariadb.com"), "its maintainer is MariaDB" },
	{ HF_SV_INIT("@datadoghq.com"), "its maintainer is Datadog" },
	{ HF_SV_INIT("@influxdata.com"), "its maintainer is InfluxData" },
	{ HF_SV_INIT("@cloudflare.com"), "its maintainer is Cloudflare" },
	{ HF_SV_INIT("@gitlab.com"), "its maintainer is GitLab" },
	{ HF_SV_INIT("@yarnpkg.com"), "its maintainer is Yarn" },
	{ HF_SV_INIT("@confluent.io"), "its maintainer is Confluent" },
	{ HF_SV_INIT("@azul.com"), "its maintainer is Azul" },
	{ HF_SV_INIT("Kubernetes Authors"), "its maintainer is the Kubernetes project" },
	{ HF_SV_INIT("@amazon.com"), "its maintainer is Amazon" },
};

static bool has(hf_sv s, hf_sv part)
{
	return hf_sv_find(s, part) != SIZE_MAX;
}

/* "1.1.1f-1ubuntu2.16": Ubuntu's mark in the revision. */
static bool of_ubuntu(hf_sv version)
{
	hf_sv revision = hf_sv_skip(version, hf_sv_last_index(version, '-'));
	size_t at = hf_sv_find(revision, HF_SV("ubuntu"));

	return at != SIZE_MAX && at + 6 < revision.len && revision.ptr[at + 6] >= '0' && revision.ptr[at + 6] <= '9';
}

static const char *deb_foreign(const struct hf_distro *distro, const struct hf_package *p)
{
	if (hf_sv_eq(distro->id, HF_SV("debian")) && of_ubuntu(p->version))
		return "its version is one of Ubuntu's";
	for (size_t i = 0; i < HF_ARRAY_SIZE(version_marks); i++)
		if (has(p->version, version_marks[i].mark))
			return version_marks[i].evidence;
	for (size_t i = 0; i < HF_ARRAY_SIZE(vendors); i++)
		if (has(p->origin, vendors[i].part))
			return vendors[i].evidence;
	return NULL;
}

const char *hf_distro_foreign(const struct hf_distro *distro, const struct hf_package *p)
{
	const struct row *row = row_of(distro->id);

	if (p->type == HF_PKG_DEB)
		return deb_foreign(distro, p);
	if (p->type == HF_PKG_RPM && row && row->rpm_vendor.len && p->origin.len && !has(p->origin, row->rpm_vendor))
		return "its vendor is not the distribution";
	return NULL;
}

bool hf_package_is_kernel(const struct hf_package *p)
{
	hf_sv source = p->source_name.len ? p->source_name : p->name;

	switch ((int)p->type) {
	case HF_PKG_DEB:
		return hf_sv_eq(source, HF_SV("linux")) || hf_sv_starts(source, HF_SV("linux-signed")) ||
		       hf_sv_starts(p->name, HF_SV("linux-headers-")) || hf_sv_starts(p->name, HF_SV("linux-image-")) ||
		       hf_sv_starts(p->name, HF_SV("linux-modules-")) || hf_sv_eq(p->name, HF_SV("linux-libc-dev"));
	case HF_PKG_RPM:
		return hf_sv_eq(p->name, HF_SV("kernel")) || hf_sv_starts(p->name, HF_SV("kernel-"));
	case HF_PKG_APK:
		return hf_sv_eq(p->name, HF_SV("linux-headers")) || hf_sv_starts(source, HF_SV("linux-lts")) ||
		       hf_sv_starts(source, HF_SV("linux-virt"));
	default:
		return false;
	}
}
