#include "layers/path.h"

const char *hf_path_complaint(enum hf_path_verdict verdict)
{
	switch (verdict) {
	case HF_PATH_OUTSIDE:
		return "its name leaves the root";
	case HF_PATH_TOO_LONG:
		return "its name is longer than 4096 bytes";
	case HF_PATH_TOO_DEEP:
		return "its name has more than 256 components";
	case HF_PATH_FINE:
		break;
	}
	return "its name is fine";
}

static bool drop_last(const char *out, size_t *n)
{
	if (!*n)
		return false;
	while (*n && out[*n - 1] != '/')
		(*n)--;
	if (*n)
		(*n)--;
	return true;
}

enum hf_path_verdict hf_path_normalise(hf_sv name, char out[HF_PATH_MAX], hf_sv *ret)
{
	size_t n = 0, i = 0, depth = 0;

	*ret = hf_sv_first(name, 200);
	while (i < name.len) {
		if (name.ptr[i] == '/') {
			i++;
			continue;
		}
		const char *slash = memchr(name.ptr + i, '/', name.len - i);
		size_t len = slash ? (size_t)(slash - name.ptr) - i : name.len - i;
		const char *part = name.ptr + i;
		i += len;
		if (part[0] == '.' && len == 1)
			continue;
		if (part[0] == '.' && len == 2 && part[1] == '.') {
			if (!drop_last(out, &n))
				return HF_PATH_OUTSIDE;
			depth--;
			continue;
		}
		if (len + 1 > HF_PATH_MAX - n)
			return HF_PATH_TOO_LONG;
		if (++depth > HF_PATH_DEPTH_MAX)
			return HF_PATH_TOO_DEEP;
		if (n)
			out[n++] = '/';
		memcpy(out + n, part, len);
		n += len;
	}
	*ret = (hf_sv){ out, n };
	return HF_PATH_FINE;
}
