#include "baseline/root.h"

/* What is still to be walked lies at the end of `todo`, so that a link's target fits in front of it. */
struct walk {
	char todo[2 * HF_PATH_MAX];
	size_t at;
};

static bool put_in_front(struct walk *w, hf_sv text)
{
	bool apart = w->at < sizeof w->todo;

	if (text.len + apart > w->at)
		return false;
	if (apart)
		w->todo[--w->at] = '/';
	w->at -= text.len;
	if (text.len)
		memcpy(w->todo + w->at, text.ptr, text.len);
	return true;
}

static bool next_part(struct walk *w, hf_sv *ret)
{
	while (w->at < sizeof w->todo && w->todo[w->at] == '/')
		w->at++;
	size_t begin = w->at;
	while (w->at < sizeof w->todo && w->todo[w->at] != '/')
		w->at++;
	*ret = (hf_sv){ w->todo + begin, w->at - begin };
	return ret->len != 0;
}

static size_t without_last(const char *out, size_t n)
{
	while (n && out[n - 1] != '/')
		n--;
	return n ? n - 1 : 0;
}

static bool more_follows(const struct walk *w)
{
	return w->at < sizeof w->todo;
}

int hf_root_resolve(const struct hf_root *root, hf_sv path, char out[HF_PATH_MAX], hf_sv *ret,
		    struct hf_root_entry *ret_entry, struct hf_err *err)
{
	struct walk w = { .at = sizeof w.todo };
	struct hf_root_entry e = { .type = HF_ROOT_DIR };
	size_t n = 0, links = 0;
	hf_sv part;

	if (path.len >= HF_PATH_MAX || !put_in_front(&w, path))
		return hf_fail(err, HF_E_LIMIT, "a path of %zu bytes", path.len);
	while (next_part(&w, &part)) {
		if (hf_sv_eq(part, HF_SV(".")))
			continue;
		if (hf_sv_eq(part, HF_SV(".."))) {
			n = without_last(out, n);
			e = (struct hf_root_entry){ .type = HF_ROOT_DIR };
			continue;
		}
		size_t before = n;
		if (n + 1 + part.len >= HF_PATH_MAX)
			return hf_fail(err, HF_E_LIMIT, "a path over %d bytes", HF_PATH_MAX);
		if (n)
			out[n++] = '/';
		memcpy(out + n, part.ptr, part.len);
		n += part.len;
		int r = root->look(root->ctx, (hf_sv){ out, n }, &e, err);
		if (r < 0)
			return r;
		if (e.type == HF_ROOT_SYMLINK) {
			if (++links > HF_SYMLINKS_MAX || !e.link.len || !put_in_front(&w, e.link))
				return hf_fail(err, HF_E_LIMIT, "too many symbolic links");
			n = e.link.ptr[0] == '/' ? 0 : before;
			e = (struct hf_root_entry){ .type = HF_ROOT_DIR };
		} else if (e.type != HF_ROOT_DIR && more_follows(&w)) {
			return hf_fail(err, HF_E_MISSING, "%.*s is not a folder", (int)n, out);
		}
	}
	*ret = (hf_sv){ out, n };
	*ret_entry = e;
	return HF_OK;
}
