#include "base/glob.h"

bool hf_glob_component_match(hf_sv glob, hf_sv s)
{
	size_t star = hf_sv_index(glob, '*');

	if (star == SIZE_MAX)
		return hf_sv_eq(glob, s);
	hf_sv head = hf_sv_first(glob, star), tail = hf_sv_skip(glob, star + 1);
	if (!hf_sv_starts(s, head))
		return false;
	if (hf_sv_index(tail, '*') == SIZE_MAX)
		return s.len >= head.len + tail.len && hf_sv_ends(s, tail);
	for (size_t at = head.len; at <= s.len; at++)
		if (hf_glob_component_match(tail, hf_sv_skip(s, at)))
			return true;
	return false;
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
