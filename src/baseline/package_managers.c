#include "baseline/package_managers.h"

static const char *const programs[] = { "apt",   "apt-get",  "aptitude", "dpkg",      "dpkg-deb", "unattended-upgrade",
					"apk",   "rpm",      "rpm2cpio", "yum",       "dnf",      "dnf-3",
					"dnf5",  "microdnf", "zypper",   "pacman",    "pip",      "pip3",
					"npm",   "yarn",     "pnpm",     "gem",       "bundle",   "composer",
					"conda", "mamba",    "uv",       "npm-cli.js" };
static const char *const interpreters[] = { "python", "perl", "ruby", "node", "php", "sh", "bash", "dash" };

static bool is_named(hf_sv path, const char *const *names, size_t n)
{
	hf_sv base = hf_sv_basename(path);

	for (size_t i = 0; i < n; i++)
		if (hf_sv_eq(base, hf_sv_of(names[i])))
			return true;
	return false;
}

/* "python3.11": the version does not count. */
static bool is_interpreter(hf_sv path)
{
	hf_sv base = hf_sv_basename(path);

	while (base.len &&
	       ((base.ptr[base.len - 1] >= '0' && base.ptr[base.len - 1] <= '9') || base.ptr[base.len - 1] == '.'))
		base.len--;
	return is_named(base, interpreters, HF_ARRAY_SIZE(interpreters));
}

/* The script: the first argument that is no option. An option that takes code or a module in its place ends the search. */
static hf_sv script_of(const struct hf_ancestor *a)
{
	for (size_t i = 1; i < a->arguments_n; i++) {
		hf_sv s = a->arguments[i];
		if (!s.len || s.ptr[0] != '-')
			return s;
		if (hf_sv_eq(s, HF_SV("-c")) || hf_sv_eq(s, HF_SV("-e")) || hf_sv_eq(s, HF_SV("-m")))
			break;
	}
	return (hf_sv){ 0 };
}

bool package_manager_among(const struct hf_ancestor *tree, size_t n, bool (*is_image_file)(void *ctx, hf_sv path),
			   void *ctx, hf_sv *ret_path)
{
	for (size_t i = 0; i < n; i++) {
		const struct hf_ancestor *a = &tree[i];
		hf_sv script = is_interpreter(a->path) ? script_of(a) : (hf_sv){ 0 };
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
