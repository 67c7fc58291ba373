/* CSAF 2.0 documents (https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html) as Red Hat publishes them: VEX, one a CVE
 * with the state of every product, and advisories, one an erratum. What Red Hat puts where stands in its security data
 * guidelines ("CSAF Security Advisories and VEX Security Data"); docs/formats/csaf.md has it in short. */
#include "advisory/csaf.h"

enum { SUMMARY_MAX = 240 };

struct document {
	struct hf_arena *arena;
	struct hf_csaf_tree tree;
	hf_sv path, id, published, modified, word, vulnerabilities;
	struct hf_advisory_sink *out;
};

struct vulnerability {
	struct document *doc;
	struct hf_arena *arena;
	hf_sv cve, title, summary, url;
	hf_sv status, remediations, threats, scores;
	HF_VEC(struct hf_affected) affected;
	HF_VEC(struct hf_cvss) cvss;
	struct hf_map seen; /* state, product, package, version, so that one entry stands for all architectures */
	const char *complaint;
};

static void read_tracking(struct document *doc, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("id")))
			doc->id = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("initial_release_date")))
			doc->published = hf_feed_date(hf_json_string(j));
		else if (hf_sv_eq(key, HF_SV("current_release_date")))
			doc->modified = hf_feed_date(hf_json_string(j));
		else
			hf_json_skip(j);
}

static void read_head(struct document *doc, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("tracking"))) {
			read_tracking(doc, j);
		} else if (hf_sv_eq(key, HF_SV("aggregate_severity"))) {
			hf_json_members(j, &key)
				if (hf_sv_eq(key, HF_SV("text")))
					doc->word = hf_json_string(j);
				else
					hf_json_skip(j);
		} else {
			hf_json_skip(j);
		}
}

typedef void mark_fn(struct hf_csaf_product *, uint8_t);

static void mark_remedy(struct hf_csaf_product *p, uint8_t remedy)
{
	p->remedy = remedy;
}

static void mark_severity(struct hf_csaf_product *p, uint8_t severity)
{
	p->severity = severity;
}

/* Marks each product of a list of ids. */
static void mark_list(struct vulnerability *v, hf_sv ids, mark_fn *mark, uint8_t value)
{
	struct hf_json j = hf_json_of(ids, v->arena);

	if (!ids.ptr)
		return;
	hf_json_elements(&j) {
		struct hf_csaf_product *p = hf_csaf_find(&v->doc->tree, hf_json_string(&j));
		if (p)
			mark(p, value);
	}
}

static void mark_groups(struct vulnerability *v, hf_sv groups, mark_fn *mark, uint8_t value)
{
	struct hf_json j = hf_json_of(groups, v->arena);

	if (!groups.ptr)
		return;
	hf_json_elements(&j) {
		struct hf_map_entry *e = hf_map_find(&v->doc->tree.groups, hf_json_string(&j));
		if (e)
			mark_list(v, *(const hf_sv *)e->value, mark, value);
	}
}

/* One remediation or threat: its category, its words, and the products that it is for. */
struct statement {
	hf_sv category, details, products, groups;
};

static struct statement read_statement(struct hf_json *j)
{
	struct statement s = { 0 };
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("category")))
			s.category = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("details")))
			s.details = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("product_ids")))
			s.products = hf_json_raw(j);
		else if (hf_sv_eq(key, HF_SV("group_ids")))
			s.groups = hf_json_raw(j);
		else
			hf_json_skip(j);
	return s;
}

static void read_remediations(struct vulnerability *v)
{
	struct hf_json j = hf_json_of(v->remediations, v->arena);

	if (!v->remediations.ptr)
		return;
	hf_json_elements(&j) {
		struct statement s = read_statement(&j);
		uint8_t remedy = HF_CSAF_NO_REMEDY;
		if (hf_sv_eq(s.category, HF_SV("no_fix_planned")))
			remedy = HF_CSAF_NOT_PLANNED;
		else if (hf_sv_eq(s.category, HF_SV("none_available")) &&
			 hf_sv_find(s.details, HF_SV("eferred")) != SIZE_MAX)
			remedy = HF_CSAF_DEFERRED;
		if (remedy == HF_CSAF_NO_REMEDY)
			continue; /* vendor_fix and workaround say no more than the status does */
		mark_list(v, s.products, mark_remedy, remedy);
		mark_groups(v, s.groups, mark_remedy, remedy);
	}
}

static void read_threats(struct vulnerability *v)
{
	struct hf_json j = hf_json_of(v->threats, v->arena);

	if (!v->threats.ptr)
		return;
	hf_json_elements(&j) {
		struct statement s = read_statement(&j);
		if (!hf_sv_eq(s.category, HF_SV("impact")))
			continue;
		mark_list(v, s.products, mark_severity, (uint8_t)hf_feed_severity(s.details));
		mark_groups(v, s.groups, mark_severity, (uint8_t)hf_feed_severity(s.details));
	}
}

static void add_vector(struct vulnerability *v, hf_sv vector)
{
	for (size_t i = 0; i < v->cvss.n; i++)
		if (hf_sv_eq(v->cvss.at[i].vector, vector))
			return;
	struct hf_cvss *slot = vector.len ? hf_vec_push(v->arena, &v->cvss) : NULL;
	if (slot)
		*slot = (struct hf_cvss){ .source = HF_SV("redhat"), .vector = vector };
}

static void read_scores(struct vulnerability *v)
{
	struct hf_json j = hf_json_of(v->scores, v->arena);
	hf_sv key;

	if (!v->scores.ptr)
		return;
	hf_json_elements(&j)
		hf_json_members(&j, &key) {
			if (!hf_sv_starts(key, HF_SV("cvss_v"))) {
				hf_json_skip(&j);
				continue;
			}
			hf_json_members(&j, &key)
				if (hf_sv_eq(key, HF_SV("vectorString")))
					add_vector(v, hf_json_string(&j));
				else
					hf_json_skip(&j);
		}
}

static void add_affected(struct vulnerability *v, const struct hf_csaf_product *p, const struct hf_csaf_rpm *rpm,
			 enum hf_advisory_state state)
{
	hf_sv key = hf_arena_fmt(v->arena, "%d %d %.*s %.*s %.*s %.*s", state, rpm->binary, HF_SV_FMT(rpm->ecosystem),
				 HF_SV_FMT(rpm->package), HF_SV_FMT(rpm->module),
				 HF_SV_FMT(state == HF_STATE_RANGES ? rpm->version : HF_SV("")));
	struct hf_map_entry *seen = hf_map_put(&v->seen, key);
	struct hf_range *range = NULL;

	if (!seen || seen->value)
		return;
	seen->value = v;
	if (state == HF_STATE_RANGES) {
		if (!rpm->version.len) {
			v->complaint = "a fixed product without a version";
			return;
		}
		range = hf_arena_new(v->arena, struct hf_range);
		if (range)
			*range = (struct hf_range){ .introduced = HF_SV("0"), .fixed = rpm->version };
	}
	struct hf_affected *slot = hf_vec_push(v->arena, &v->affected);
	if (slot)
		*slot = (struct hf_affected){ .ecosystem = rpm->ecosystem,
					      .package = rpm->package,
					      .state = state,
					      .severity = p->severity,
					      .ranges = range,
					      .ranges_n = range != NULL,
					      .module = rpm->module,
					      .binary_name = rpm->binary };
}

static void read_status_list(struct vulnerability *v, struct hf_json *j, enum hf_advisory_state state)
{
	hf_json_elements(j) {
		hf_sv id = hf_json_string(j);
		struct hf_csaf_rpm rpm;
		bool unknown;
		if (!hf_csaf_resolve(&v->doc->tree, id, &rpm, &unknown)) {
			if (unknown && !v->arena->over)
				v->complaint = "a status is of a product that the tree does not have";
			continue;
		}
		const struct hf_csaf_product *p = hf_csaf_find(&v->doc->tree, id);
		enum hf_advisory_state s = state;
		if (s == HF_STATE_OPEN && p->remedy == HF_CSAF_NOT_PLANNED)
			s = HF_STATE_WILL_NOT_FIX;
		else if (s == HF_STATE_OPEN && p->remedy == HF_CSAF_DEFERRED)
			s = HF_STATE_DEFERRED;
		add_affected(v, p, &rpm, s);
	}
}

static void read_status(struct vulnerability *v)
{
	struct hf_json j = hf_json_of(v->status, v->arena);
	hf_sv key;

	if (!v->status.ptr)
		return;
	hf_json_members(&j, &key)
		if (hf_sv_eq(key, HF_SV("fixed")) || hf_sv_eq(key, HF_SV("first_fixed")))
			read_status_list(v, &j, HF_STATE_RANGES);
		else if (hf_sv_eq(key, HF_SV("known_affected")) || hf_sv_eq(key, HF_SV("last_affected")))
			read_status_list(v, &j, HF_STATE_OPEN);
		else if (hf_sv_eq(key, HF_SV("known_not_affected")))
			read_status_list(v, &j, HF_STATE_NOT_AFFECTED);
		else if (hf_sv_eq(key, HF_SV("under_investigation")))
			read_status_list(v, &j, HF_STATE_INVESTIGATING);
		else
			hf_json_skip(&j);
}

static void read_notes(struct vulnerability *v, struct hf_json *j)
{
	hf_sv key;

	hf_json_elements(j) {
		hf_sv category = { 0 }, text = { 0 };
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("category")))
				category = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("text")))
				text = hf_json_string(j);
			else
				hf_json_skip(j);
		if (hf_sv_eq(category, HF_SV("summary")) ||
		    (!v->summary.len && hf_sv_eq(category, HF_SV("description"))))
			v->summary = text;
	}
}

static void read_references(struct vulnerability *v, struct hf_json *j)
{
	hf_sv key;

	hf_json_elements(j) {
		hf_sv category = { 0 }, url = { 0 };
		hf_json_members(j, &key)
			if (hf_sv_eq(key, HF_SV("category")))
				category = hf_json_string(j);
			else if (hf_sv_eq(key, HF_SV("url")))
				url = hf_json_string(j);
			else
				hf_json_skip(j);
		if (!v->url.len && hf_sv_eq(category, HF_SV("self")))
			v->url = url;
	}
}

static void read_fields(struct vulnerability *v, struct hf_json *j)
{
	hf_sv key;

	hf_json_members(j, &key)
		if (hf_sv_eq(key, HF_SV("cve")))
			v->cve = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("title")))
			v->title = hf_json_string(j);
		else if (hf_sv_eq(key, HF_SV("notes")))
			read_notes(v, j);
		else if (hf_sv_eq(key, HF_SV("references")))
			read_references(v, j);
		else if (hf_sv_eq(key, HF_SV("product_status")))
			v->status = hf_json_raw(j);
		else if (hf_sv_eq(key, HF_SV("remediations")))
			v->remediations = hf_json_raw(j);
		else if (hf_sv_eq(key, HF_SV("threats")))
			v->threats = hf_json_raw(j);
		else if (hf_sv_eq(key, HF_SV("scores")))
			v->scores = hf_json_raw(j);
		else
			hf_json_skip(j);
}

static void clear_marks(struct document *doc)
{
	for (size_t i = 0; i < doc->tree.products.n; i++) {
		struct hf_csaf_product *p = doc->tree.products.entries[i].value;
		if (p) {
			p->remedy = HF_CSAF_NO_REMEDY;
			p->severity = HF_SEV_UNKNOWN;
		}
	}
}

static int read_vulnerability(struct document *doc, struct hf_json *j, struct hf_err *err)
{
	struct vulnerability v = { .doc = doc, .arena = doc->arena, .seen = HF_MAP(doc->arena) };
	int r = HF_OK;

	read_fields(&v, j);
	if (j->why)
		return HF_OK; /* the caller sees it too */
	clear_marks(doc);
	read_remediations(&v);
	read_threats(&v);
	read_scores(&v);
	read_status(&v);
	if (doc->arena->over)
		return hf_fail(err, HF_E_LIMIT, "needs more memory than is allowed");
	struct hf_advisory adv = { .source = HF_SV("redhat"),
				   .id = v.cve.len ? v.cve : doc->id,
				   .summary = hf_feed_one_line(v.title.len ? v.title : v.summary, SUMMARY_MAX),
				   .url = v.url,
				   .published = doc->published,
				   .modified = doc->modified,
				   .severity = hf_feed_severity(doc->word),
				   .mentions = &doc->id,
				   .mentions_n = v.cve.len && doc->id.len && !hf_sv_eq(v.cve, doc->id),
				   .cvss = v.cvss.at,
				   .cvss_n = v.cvss.n,
				   .affected = v.affected.at,
				   .affected_n = v.affected.n };
	if (!adv.id.len)
		v.complaint = "a vulnerability without an id";
	else
		r = doc->out->advisory(doc->out, &adv, err);
	if (r < 0 || !v.complaint)
		return r;
	return hf_feed_malformed(doc->out, doc->path, hf_sv_of(v.complaint), err);
}

static int csaf_read(hf_sv path, hf_sv bytes, struct hf_arena *a, struct hf_advisory_sink *out, struct hf_err *err)
{
	hf_cleanup(hf_arena_done) struct hf_arena scratch = HF_ARENA(a->cap);
	struct document doc = { .arena = &scratch,
				.path = path,
				.out = out,
				.tree = {
					.arena = &scratch, .products = HF_MAP(&scratch), .groups = HF_MAP(&scratch) } };
	struct hf_json j = hf_json_of(bytes, &scratch);
	int all = HF_OK;
	hf_sv key;

	hf_json_members(&j, &key)
		if (hf_sv_eq(key, HF_SV("document")))
			read_head(&doc, &j);
		else if (hf_sv_eq(key, HF_SV("product_tree")))
			hf_csaf_read_tree(&doc.tree, &j);
		else if (hf_sv_eq(key, HF_SV("vulnerabilities")))
			doc.vulnerabilities = hf_json_raw(&j);
		else
			hf_json_skip(&j);
	if (!hf_json_end(&j) || scratch.over)
		return hf_feed_broken(&j, &scratch, err);
	if (!doc.vulnerabilities.ptr || !doc.id.len)
		return hf_fail(err, HF_E_FORMAT, "is not a CSAF document");
	if (doc.tree.complaint)
		all = hf_feed_malformed(out, path, hf_sv_of(doc.tree.complaint), err);
	struct hf_json inner = hf_json_of(doc.vulnerabilities, &scratch);
	if (all < 0)
		return all;
	hf_json_elements(&inner) {
		all = hf_feed_fold(all, read_vulnerability(&doc, &inner, err));
		if (all < 0)
			return all;
	}
	if (inner.why)
		return hf_feed_broken(&inner, &scratch, err);
	return all;
}

const struct hf_advisory_reader hf_advisory_reader_csaf = {
	.name = "csaf",
	.summary = "Red Hat's CSAF VEX files and advisories",
	.wants = (const char *const[]){ "csaf/**/*.json", NULL },
	.absence = "Red Hat has not said anything of this flaw in this product",
	.read = csaf_read,
};
