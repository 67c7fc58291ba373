#include "advisory/name.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool separator(char c)
{
	return c == '-' || c == '_' || c == '.';
}

size_t hf_package_key(hf_sv ecosystem, hf_sv name, char out[HF_DATABASE_KEY_MAX])
{
	hf_sv base = hf_sv_first(ecosystem, hf_sv_index(ecosystem, ':'));
	bool pypi = hf_sv_eq(base, HF_SV("PyPI")), cargo = hf_sv_eq(base, HF_SV("crates.io"));
	bool fold = pypi || cargo || hf_sv_eq(base, HF_SV("Go")) || hf_sv_eq(base, HF_SV("Packagist")) ||
		    hf_sv_eq(base, HF_SV("NuGet")) || hf_sv_eq(base, HF_SV("Hex")) || hf_sv_eq(base, HF_SV("npm"));
	size_t n = 0;

	if (!name.len || ecosystem.len + name.len + 2 > HF_DATABASE_KEY_MAX)
		return 0;
	out[n++] = 'P';
	memcpy(out + n, ecosystem.ptr, ecosystem.len);
	n += ecosystem.len;
	out[n++] = '\0';
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (pypi && separator(c)) {
			while (i + 1 < name.len && separator(name.ptr[i + 1]))
				i++;
			c = '-';
		} else if (cargo && c == '_') {
			c = '-';
		}
		out[n++] = fold ? lower(c) : c;
	}
	return n;
}
