#include "baseline/package_managers.h"

static const char *const programs[] = { "apt",   "apt-get",  "aptitude", "dpkg",      "dpkg-deb", "unattended-upgrade",
					"apk",   "rpm",      "rpm2cpio", "yum",       "dnf",      "dnf-3",
					"dnf5",  "microdnf", "zypper",   "pacman",    "pip",      "pip3",
					"npm",   "yarn",     "pnpm",     "gem",       "bundle",   "composer",
					"conda", "mamba",    "uv",       "npm-cli.js" };
/* With each the options of one letter that take no value, run no code and do not hide which argument is the script. */
static const struct {
	const char *name, *harmless;
} interpreters[] = {
	{ "python", "BEIOPRdqsuv" }, { "perl", "TUWXtuw" },  { "ruby", "UWlvw" },    { "node", "" }, { "php", "nq" },
	{ "sh", "aefhluvx" },        { "bash", "aefhluvx" }, { "dash", "aefhluvx" },
};

static bool is_named(hf_sv path, const char *const *names, size_t n)
{
	hf_sv base = hf_sv_basename(path);

	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(base, hf_sv_of(names[i])))
			return true;
	return false;
}

/* The harmless options of an interpreter, else NULL. "python3.11": the version does not count. */
static const char *harmless_options(hf_sv path)
{
	hf_sv base = hf_sv_basename(path);

	while (base.len &&
	       ((base.ptr[base.len - 1] >= '0' && base.ptr[base.len - 1] <= '9') || base.ptr[base.len - 1] == '.'))
		base.len--;
	for (size_t i = 0; i < HF_ARRAY_SIZE(interpreters); i++)
		if (hf_sv_eq(base, hf_sv_of(interpreters[i].name)))
			return interpreters[i].harmless;
	return NULL;
}

static bool is_harmless(hf_sv option, const char *letters)
{
	for (size_t i = 1; i < option.len; i++)
		if (!option.ptr[i] || !strchr(letters, option.ptr[i]))
			return false;
	return option.len > 1;
}

/* The script: the first argument behind options known to be harmless. Any other may take it for a value, or run something else. */
static hf_sv script_of(const struct hf_ancestor *a, const char *harmless)
{
	for (size_t i = 1; i < a->arguments_n; i++) {
		hf_sv s = a->arguments[i];
		if (hf_sv_eq(s, HF_SV("--")))
			return i + 1 < a->arguments_n ? a->arguments[i + 1] : (hf_sv){ 0 };
		if (!s.len || s.ptr[0] != '-')
			return s;
		if (!is_harmless(s, harmless))
			break;
	}
	return (hf_sv){ 0 };
}

bool package_manager_among(const struct hf_ancestor *tree, size_t n, bool (*is_image_file)(void *ctx, hf_sv path),
			   void *ctx, hf_sv *ret_path)
{
	for (size_t i = 0; i < n; i++) {
		const struct hf_ancestor *a = &tree[i];
		const char *harmless = harmless_options(a->path);
		hf_sv script = harmless ? script_of(a, harmless) : (hf_sv){ 0 };
		bool by_script = script.len && script.ptr[0] == '/' &&
				 is_named(script, programs, HF_ARRAY_SIZE(programs)) && is_image_file(ctx, script);
		if (!by_script && !is_named(a->path, programs, HF_ARRAY_SIZE(programs)))
			continue;
		if (!is_image_file(ctx, a->path))
			continue;
		*ret_path = by_script ? script : a->path;
		return true;
	}
	return false;
}

static bool is_one_of(hf_sv s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(s, hf_sv_of(words[i])))
			return true;
	return false;
}

hf_sv interpreter_script(hf_sv path, const hf_sv *arguments, size_t n)
{
	static const char *const shells[] = { "sh", "ash", "bash", "dash" };
	static const char *const no_file[] = { "-", "-c", "-s", "-e", "-E", "-m", "-p", "--eval", "--print" };
	static const char *const with_value[] = { "-o", "-O",       "-W",          "-X",       "-I",
						  "-d", "--rcfile", "--init-file", "--require" };
	hf_sv base = hf_sv_basename(path);
	bool by_name = hf_sv_eq(base, HF_SV("busybox")) && n;
	bool shell = is_one_of(by_name ? hf_sv_basename(arguments[0]) : base, shells, HF_ARRAY_SIZE(shells));

	if (!shell && !harmless_options(path))
		return (hf_sv){ 0 };
	for (size_t i = 1; i < n; i++) {
		hf_sv s = arguments[i];
		if (!s.len || (s.ptr[0] != '-' && s.ptr[0] != '+'))
			return s;
		if (hf_sv_eq(s, HF_SV("--")))
			return i + 1 < n ? arguments[i + 1] : (hf_sv){ 0 };
		bool sets = shell && (hf_sv_eq(s, HF_SV("-e")) || hf_sv_eq(s, HF_SV("-p")) || hf_sv_eq(s, HF_SV("-m")));
		bool python = hf_sv_starts(base, HF_SV("python")) && hf_sv_eq(s, HF_SV("-E"));
		if (!sets && !python && is_one_of(s, no_file, HF_ARRAY_SIZE(no_file)))
			break;
		i += is_one_of(s, with_value, HF_ARRAY_SIZE(with_value));
	}
	return (hf_sv){ 0 };
}
