/* Which operating system this is: os-release(5), and the files that distributions had before it or still carry beside it.
 *
 * The order of `wants` is the order of precedence: where several of the files are there, the operating system is what the
 * one that stands first says. etc/os-release comes before usr/lib/os-release as os-release(5) demands; lsb-release before
 * debian_version, because Debian's derivatives carry Debian's own. Symlinks are the caller's affair.
 * An os-release without a usable ID gives no operating system, so that the next file in the order can.
 *
 * Sources: os-release(5) of systemd 252; Debian's base-files; the release files as those distributions ship them
 * (docs/formats/os_release.md has a line of each). */
#include "base/cursor.h"
#include "catalog/cataloger.h"

/* ---- NAME=value with the quoting of a shell ---- */

/* Takes quotes and escapes off. False where a quote stays open; then all the rest counts as quoted. */
static bool unquote(hf_sv raw, struct hf_arena *a, hf_sv *ret)
{
	static const char escapable[] = "\"$`\\";
	char quote = 0;
	size_t n = 0;

	if (hf_sv_index(raw, '"') == SIZE_MAX && hf_sv_index(raw, '\'') == SIZE_MAX &&
	    hf_sv_index(raw, '\\') == SIZE_MAX) {
		*ret = hf_sv_trim(hf_sv_first(raw, hf_sv_find(raw, HF_SV(" #"))));
		return true;
	}
	char *out = hf_arena_alloc(a, raw.len, 1);
	if (!out) {
		*ret = (hf_sv){ 0 };
		return true;
	}
	for (size_t i = 0; i < raw.len; i++) {
		char c = raw.ptr[i];
		if (c == '\\' && quote != '\'' && i + 1 < raw.len && (!quote || strchr(escapable, raw.ptr[i + 1]))) {
			if (raw.ptr[i + 1])
				out[n++] = raw.ptr[++i];
			continue;
		}
		if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? 0 : c;
			continue;
		}
		if (!quote && (c == ' ' || c == '\t') && i + 1 < raw.len && raw.ptr[i + 1] == '#')
			break;
		out[n++] = c;
	}
	*ret = hf_sv_trim((hf_sv){ out, n });
	return !quote;
}

struct assignments {
	struct hf_cur cur;
	struct hf_arena *arena;
	size_t n;
	bool open_quote; /* the latest value lacks its closing quote */
};

/* The next NAME=value; comments, blank lines and what is no assignment are passed over. */
static bool next_assignment(struct assignments *as, hf_sv *ret_name, hf_sv *ret_value)
{
	hf_sv line, value;

	while (hf_cur_line(&as->cur, &line)) {
		line = hf_sv_trim(line);
		if (as->cur.line == 1 && hf_sv_starts(line, HF_SV("\xef\xbb\xbf")))
			line = hf_sv_skip(line, 3);
		if (hf_sv_starts(line, HF_SV("#")) || !hf_sv_cut(line, '=', ret_name, &value))
			continue;
		*ret_name = hf_sv_trim(*ret_name);
		as->open_quote = !unquote(value, as->arena, ret_value);
		as->n++;
		return true;
	}
	return false;
}

static struct assignments assignments_of(const struct hf_file *file, struct hf_arena *a)
{
	return (struct assignments){ .cur = hf_cur_of(file->bytes), .arena = a };
}

static hf_sv lower(struct hf_arena *a, hf_sv s)
{
	hf_sv copy = hf_arena_dup(a, s);

	for (size_t i = 0; i < copy.len; i++) {
		char *c = (char *)(uintptr_t)copy.ptr + i;
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	}
	return copy;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* os-release(5): a-z, 0-9, '.', '_', '-'. */
static bool is_id(hf_sv id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];
		if (!is_lower(c) && !is_digit(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return id.len > 0;
}

static int report(const struct hf_file *file, hf_sv why, struct hf_emit *out, struct hf_err *err)
{
	int r = out->unparsed(out, file->path, why, err);

	return r < 0 ? r : HF_PARTIAL;
}

static int emit(const struct hf_file *file, struct hf_os *os, struct hf_arena *a, struct hf_emit *out,
		struct hf_err *err)
{
	os->path = file->path;
	os->id = lower(a, os->id);
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	return out->os(out, os, err);
}

/* ---- os-release(5) ---- */

static bool is_word(hf_sv s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (!is_lower(c) && !(c >= 'A' && c <= 'Z') && c != '-')
			return false;
	}
	return s.len > 0;
}

/* Before VERSION_CODENAME was invented: "9 (stretch)", "14.04.6 LTS, Trusty Tahr", and "GNU/Linux buster/sid" for a Debian
 * that has no version yet. Ubuntu's codename is the first word of two; elsewhere two words are a phrase, no codename. */
static hf_sv codename_in(hf_sv id, hf_sv version, hf_sv pretty)
{
	hf_sv left, name = { 0 };

	if (hf_sv_cut(version, '(', &left, &name))
		name = hf_sv_trim(hf_sv_first(name, hf_sv_index(name, ')')));
	else if (hf_sv_cut(version, ',', &left, &name))
		name = hf_sv_trim(name);
	else if (!version.len && hf_sv_ends(pretty, HF_SV("/sid")) && hf_sv_cut_last(pretty, ' ', &left, &name))
		name = hf_sv_first(name, name.len - 4);
	if (hf_sv_eq_ascii(id, HF_SV("ubuntu")))
		name = hf_sv_first(name, hf_sv_index(name, ' '));
	return is_word(name) ? name : (hf_sv){ 0 };
}

static int parse_os_release(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct assignments as = assignments_of(file, a);
	struct hf_os os = { 0 };
	hf_sv name, value, version = { 0 }, pretty = { 0 }, plain = { 0 };
	int r, partial = HF_OK;

	while (next_assignment(&as, &name, &value)) {
		hf_sv *to = hf_sv_eq(name, HF_SV("ID"))                 ? &os.id
			    : hf_sv_eq(name, HF_SV("ID_LIKE"))          ? &os.id_like
			    : hf_sv_eq(name, HF_SV("VERSION_ID"))       ? &os.version_id
			    : hf_sv_eq(name, HF_SV("VERSION_CODENAME")) ? &os.codename
			    : hf_sv_eq(name, HF_SV("VERSION"))          ? &version
			    : hf_sv_eq(name, HF_SV("PRETTY_NAME"))      ? &pretty
			    : hf_sv_eq(name, HF_SV("NAME"))             ? &plain
									: NULL;
		if (to)
			*to = value;
		if (to && as.open_quote) {
			partial = report(file, HF_SV("a value whose quote is not closed"), out, err);
			if (partial < 0)
				return partial;
		}
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!as.n)
		return hf_fail(err, HF_E_FORMAT, "has no line of the form NAME=value");
	os.id = lower(a, os.id);
	if (!a->over && !is_id(os.id))
		return report(file, os.id.len ? HF_SV("an ID that is no identifier") : HF_SV("no ID"), out, err);
	os.name = pretty.len ? pretty : plain;
	if (!os.codename.len)
		os.codename = lower(a, codename_in(os.id, version, pretty));
	r = emit(file, &os, a, out, err);
	return r < 0 ? r : partial;
}

/* ---- files of one line ---- */

static hf_sv first_line(const struct hf_file *file)
{
	struct hf_cur cur = hf_cur_of(file->bytes);
	hf_sv line;

	while (hf_cur_line(&cur, &line))
		if (hf_sv_trim(line).len)
			return hf_sv_trim(line);
	return (hf_sv){ 0 };
}

/* The leading part of "2.0.20231130" that has @components numbers; 0: all of it. */
static hf_sv first_components(hf_sv version, unsigned components)
{
	size_t at = 0;

	for (; at < version.len; at++)
		if (version.ptr[at] == '.' && components && !--components)
			break;
	return hf_sv_first(version, at);
}

static int parse_alpine_release(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	hf_sv line = first_line(file);
	struct hf_os os = { .id = HF_SV("alpine"), .version_id = line, .name = HF_SV("Alpine Linux") };

	if (!line.len || !is_digit(line.ptr[0]) || hf_sv_index(line, ' ') != SIZE_MAX)
		return hf_fail(err, HF_E_FORMAT, "has no version");
	return emit(file, &os, a, out, err);
}

/* "12.5", "trixie/sid". Since Debian 4 the first number alone names the release, as VERSION_ID does. */
static int parse_debian_version(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	hf_sv line = first_line(file), major = first_components(line, 1);
	struct hf_os os = { .id = HF_SV("debian"), .name = HF_SV("Debian GNU/Linux") };
	uint64_t n;

	if (line.len && is_digit(line.ptr[0]) && hf_sv_to_u64(major, &n))
		os.version_id = n >= 4 ? major : line;
	else if (is_word(hf_sv_first(line, hf_sv_index(line, '/'))))
		os.codename = lower(a, hf_sv_first(line, hf_sv_index(line, '/')));
	else
		return hf_fail(err, HF_E_FORMAT, "has neither a version nor a codename");
	return emit(file, &os, a, out, err);
}

/* How the release files begin, which ID that system's os-release has, and how many numbers its VERSION_ID has (0: all). */
static const struct {
	hf_sv begins, id, id_like;
	unsigned components;
} releases[] = {
	{ HF_SV_INIT("AlmaLinux"), HF_SV_INIT("almalinux"), HF_SV_INIT("rhel centos fedora"), 0 },
	{ HF_SV_INIT("Amazon Linux AMI"), HF_SV_INIT("amzn"), HF_SV_INIT("rhel fedora"), 2 },
	{ HF_SV_INIT("Amazon Linux"), HF_SV_INIT("amzn"), HF_SV_INIT("fedora"), 1 },
	{ HF_SV_INIT("CBL-Mariner"), HF_SV_INIT("mariner"), HF_SV_INIT(""), 2 },
	{ HF_SV_INIT("Common Base Linux Mariner"), HF_SV_INIT("mariner"), HF_SV_INIT(""), 2 },
	{ HF_SV_INIT("Microsoft Azure Linux"), HF_SV_INIT("azurelinux"), HF_SV_INIT(""), 2 },
	{ HF_SV_INIT("Azure Linux"), HF_SV_INIT("azurelinux"), HF_SV_INIT(""), 2 },
	{ HF_SV_INIT("CentOS"), HF_SV_INIT("centos"), HF_SV_INIT("rhel fedora"), 1 },
	{ HF_SV_INIT("CloudLinux"), HF_SV_INIT("cloudlinux"), HF_SV_INIT("rhel fedora centos"), 0 },
	{ HF_SV_INIT("Fedora"), HF_SV_INIT("fedora"), HF_SV_INIT(""), 0 },
	{ HF_SV_INIT("Gentoo Base System"), HF_SV_INIT("gentoo"), HF_SV_INIT(""), 0 },
	{ HF_SV_INIT("openEuler"), HF_SV_INIT("openeuler"), HF_SV_INIT(""), 0 },
	{ HF_SV_INIT("Oracle Linux"), HF_SV_INIT("ol"), HF_SV_INIT("fedora"), 0 },
	{ HF_SV_INIT("Red Hat Enterprise Linux"), HF_SV_INIT("rhel"), HF_SV_INIT("fedora"), 0 },
	{ HF_SV_INIT("Rocky Linux"), HF_SV_INIT("rocky"), HF_SV_INIT("rhel centos fedora"), 0 },
	{ HF_SV_INIT("Scientific Linux"), HF_SV_INIT("scientific"), HF_SV_INIT("rhel centos fedora"), 0 },
	{ HF_SV_INIT("VMware Photon"), HF_SV_INIT("photon"), HF_SV_INIT(""), 2 },
};

/* The first word that begins with a digit, "(" not reached: "CentOS release 6.10 (Final)". */
static hf_sv version_in(hf_sv line)
{
	hf_sv rest = hf_sv_first(line, hf_sv_index(line, '(')), word;

	while (hf_sv_next(&rest, ' ', &word))
		if (word.len && is_digit(word.ptr[0]))
			return word;
	return (hf_sv){ 0 };
}

static int parse_redhat_release(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	hf_sv line = first_line(file);
	struct hf_os os = { .name = line };

	if (!line.len)
		return hf_fail(err, HF_E_FORMAT, "is empty");
	for (size_t i = 0; i < HF_ARRAY_SIZE(releases) && !os.id.len; i++) {
		if (!hf_sv_starts(line, releases[i].begins))
			continue;
		os.id = releases[i].id;
		os.id_like = releases[i].id_like;
		os.version_id = first_components(version_in(line), releases[i].components);
	}
	if (!os.id.len)
		return report(file, HF_SV("a distribution whose name is not known"), out, err);
	os.codename = lower(a, codename_in(os.id, line, (hf_sv){ 0 }));
	return emit(file, &os, a, out, err);
}

/* "SUSE Linux Enterprise Server 11 (x86_64)", then VERSION = 11 and PATCHLEVEL = 4. */
static int parse_suse_release(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct assignments as = assignments_of(file, a);
	hf_sv line = first_line(file), name, value, version = { 0 }, level = { 0 };
	struct hf_os os = { .id_like = HF_SV("suse"), .name = line };

	if (hf_sv_starts(line, HF_SV("SUSE Linux Enterprise Server")))
		os.id = HF_SV("sles");
	else if (hf_sv_starts(line, HF_SV("SUSE Linux Enterprise Desktop")))
		os.id = HF_SV("sled");
	else if (hf_sv_starts(line, HF_SV("openSUSE")))
		os.id = HF_SV("opensuse");
	else if (!line.len)
		return hf_fail(err, HF_E_FORMAT, "is empty");
	else
		return report(file, HF_SV("a distribution whose name is not known"), out, err);
	while (next_assignment(&as, &name, &value)) {
		if (hf_sv_eq(name, HF_SV("VERSION")))
			version = value;
		else if (hf_sv_eq(name, HF_SV("PATCHLEVEL")))
			level = value;
		else if (hf_sv_eq(name, HF_SV("CODENAME")))
			os.codename = lower(a, value);
	}
	os.version_id = version.len ? version : version_in(line);
	if (level.len && !hf_sv_eq(level, HF_SV("0")) && hf_sv_index(version, '.') == SIZE_MAX)
		os.version_id = hf_arena_fmt(a, "%.*s.%.*s", HF_SV_FMT(os.version_id), HF_SV_FMT(level));
	return emit(file, &os, a, out, err);
}

/* DISTRIB_ID=Ubuntu and so on. Red Hat's file of this name holds LSB_VERSION alone and names no system. */
static int parse_lsb_release(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	struct assignments as = assignments_of(file, a);
	hf_sv name, value;
	struct hf_os os = { 0 };

	while (next_assignment(&as, &name, &value)) {
		if (hf_sv_eq(name, HF_SV("DISTRIB_ID")))
			os.id = value;
		else if (hf_sv_eq(name, HF_SV("DISTRIB_RELEASE")))
			os.version_id = value;
		else if (hf_sv_eq(name, HF_SV("DISTRIB_CODENAME")))
			os.codename = value;
		else if (hf_sv_eq(name, HF_SV("DISTRIB_DESCRIPTION")))
			os.name = value;
	}
	if (a->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	if (!as.n)
		return hf_fail(err, HF_E_FORMAT, "has no line of the form NAME=value");
	if (!os.id.len)
		return HF_OK;
	os.id = lower(a, os.id);
	if (!a->over && !is_id(os.id))
		return report(file, HF_SV("a DISTRIB_ID that is no identifier"), out, err);
	os.codename = lower(a, os.codename);
	return emit(file, &os, a, out, err);
}

static int os_release_parse(const struct hf_file *file, struct hf_arena *a, struct hf_emit *out, struct hf_err *err)
{
	static const struct {
		hf_sv name;
		int (*parse)(const struct hf_file *, struct hf_arena *, struct hf_emit *, struct hf_err *);
	} files[] = {
		{ HF_SV_INIT("os-release"), parse_os_release },
		{ HF_SV_INIT("alpine-release"), parse_alpine_release },
		{ HF_SV_INIT("SuSE-release"), parse_suse_release },
		{ HF_SV_INIT("lsb-release"), parse_lsb_release },
		{ HF_SV_INIT("debian_version"), parse_debian_version },
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(files); i++)
		if (hf_sv_eq(hf_sv_basename(file->path), files[i].name))
			return files[i].parse(file, a, out, err);
	return parse_redhat_release(file, a, out, err);
}

const struct hf_cataloger hf_cataloger_os_release = {
	.name = "os_release",
	.summary = "The operating system: os-release, else the release files of before it",
	.version = 1,
	.wants = (const char *const[]){ "etc/os-release",
					"usr/lib/os-release",
					"etc/alpine-release",
					"etc/oracle-release",
					"etc/rocky-release",
					"etc/almalinux-release",
					"etc/centos-release",
					"etc/amazon-linux-release",
					"etc/fedora-release",
					"etc/photon-release",
					"etc/azurelinux-release",
					"etc/mariner-release",
					"etc/openEuler-release",
					"etc/gentoo-release",
					"etc/system-release",
					"etc/redhat-release",
					"usr/lib/alpine-release",
					"usr/lib/oracle-release",
					"usr/lib/rocky-release",
					"usr/lib/almalinux-release",
					"usr/lib/centos-release",
					"usr/lib/amazon-linux-release",
					"usr/lib/fedora-release",
					"usr/lib/system-release",
					"usr/lib/redhat-release",
					"etc/SuSE-release",
					"etc/lsb-release",
					"etc/debian_version",
					NULL },
	.parse = os_release_parse,
};
