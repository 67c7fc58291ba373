#include "base/glob.h"

bool hf_glob_component_match(hf_sv glob, hf_sv s)
{
	size_t g = 0, at = 0, after_star = SIZE_MAX, retry = 0;

	while (at < s.len) {
		if (g < glob.len && glob.ptr[g] == '*') {
			after_star = ++g;
			retry = at;
		} else if (g < glob.len && glob.ptr[g] == s.ptr[at]) {
			g++;
			at++;
		} else if (after_star != SIZE_MAX) {
			/* The latest star takes one byte more; an earlier one need not, since it took as few as it could. */
			g = after_star;
			at = ++retry;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.ptr[g] == '*')
		g++;
	return g == glob.len;
}

bool hf_glob_match(hf_sv glob, hf_sv path)
{
	hf_sv after_stars = { 0 }, retry = { 0 };

	while (true) {
		hf_sv want = hf_sv_first(glob, hf_sv_index(glob, '/'));
		if (hf_sv_eq(want, HF_SV("**")) && want.len < glob.len) {
			glob = hf_sv_skip(glob, 3);
			after_stars = glob;
			retry = path;
			continue;
		}
		hf_sv have = hf_sv_first(path, hf_sv_index(path, '/'));
		bool last = want.len == glob.len;
		if (hf_glob_component_match(want, have) && last == (have.len == path.len)) {
			if (last)
				return true;
			glob = hf_sv_skip(glob, want.len + 1);
			path = hf_sv_skip(path, have.len + 1);
			continue;
		}
		/* The latest "**" takes one component more. */
		size_t cut = hf_sv_index(retry, '/');
		if (!after_stars.ptr || cut == SIZE_MAX)
			return false;
		retry = hf_sv_skip(retry, cut + 1);
		path = retry;
		glob = after_stars;
	}
}
