/* kube admission: the webhook that judges what is about to be created. Each of its words is a function here or in kube_admission_*.c. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admission/server.h"
#include "base/limits.h"
#include "format/json_writer.h"
#include "cmd/kube/kube.h"
#include "cmd/log.h"
#include "cmd/kube/kube_admission.h"
#include "cmd/kube/kube_admission_namespaces.h"

static void note(void *ctx, hf_sv file, uint32_t line, hf_sv what)
{
	struct kube_admission *k = ctx;

	k->left_out++;
	log_at(LOG_ERROR, file, line, 0, "%.*s", HF_SV_FMT(what));
}

int kube_admission_read_text(struct kube_admission *k, const char *path, hf_sv *ret, struct hf_err *err)
{
	FILE *f = fopen(path, "re");
	struct hf_buf text = HF_BUF(HF_MIB(16));
	char *room;

	if (!f)
		return hf_fail_errno(err, "%s", path);
	while ((room = hf_buf_room(&text, HF_KIB(16)))) {
		size_t n = fread(room, 1, HF_KIB(16), f);
		if (!n)
			break;
		text.len += n;
	}
	int r = !room       ? hf_fail(err, HF_E_LIMIT, "%s: too large", path)
		: ferror(f) ? hf_fail_errno(err, "%s", path)
			    : HF_OK;
	*ret = hf_arena_dup(&k->arena, hf_buf_view(&text));
	hf_buf_done(&text);
	fclose(f);
	return r;
}

/* A policy that is left out would be a gate that stands open: nothing starts without it. */
int kube_admission_load(struct kube_admission *k, struct hf_err *err)
{
	hf_sv text = { 0 };
	int r;

	if (k->settings_path && ((r = kube_admission_read_text(k, k->settings_path, &text, err)) < 0 ||
				 (r = hf_admission_settings_read(text, &k->arena, &k->settings, err)) < 0))
		return hf_wrap(err, "%s", k->settings_path);
	for (size_t i = 0; i < k->policy_paths_n; i++)
		if ((r = kube_admission_read_text(k, k->policy_paths[i], &text, err)) < 0 ||
		    (r = hf_policies_read(&k->policies, hf_sv_of(k->policy_paths[i]), text, &k->arena, note, k, err)) <
			    0)
			return r;
	if (k->left_out)
		return hf_fail(err, HF_E_FORMAT, "%zu policies could not be read", k->left_out);
	return HF_OK;
}

static volatile sig_atomic_t ended, reopen;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static void hang_up(int signal)
{
	(void)signal;
	reopen = 1;
}

static int look_after(struct hf_admission_server *server, struct hf_admission_pool *pool, struct hf_err *err)
{
	while (!ended) {
		struct hf_err why = { 0 };
		sleep(1);
		if (reopen) {
			reopen = 0;
			hf_admission_server_reopen(server);
		}
		if (hf_admission_server_tick(server, &why) == HF_PARTIAL)
			log_error("certificates were not renewed or made known: %s", why.msg);
		if (!hf_admission_pool_alive(pool))
			return hf_fail(err, HF_E_SYSTEM, "the process that starts workers has ended");
	}
	return HF_OK;
}

/* Where a rule wants them, namespaces are followed; a cluster that cannot be found then leaves all of them unknown. */
static struct kube_namespaces *open_namespaces(struct kube_admission *k, struct hf_admission_pool_options *po)
{
	struct hf_err why = { 0 };

	if (!hf_admission_wants_namespaces(&k->settings, &k->policies))
		return NULL;
	struct kube_namespaces *n = kube_namespaces_open(k, &why);
	if (!n)
		log_warning("rules look at namespaces, and none is known: %s", why.msg);
	po->find_namespace = kube_namespaces_find;
	po->find_ctx = n;
	return n;
}

static int serve(struct kube_admission *k, struct hf_err *err)
{
	struct hf_admission_pool_options po = { .workers = k->workers, .require_jail = k->require_jail };
	struct kube_namespaces *namespaces = open_namespaces(k, &po);
	const struct hf_admission_server_options so = {
		.address = k->listen ? k->listen : "127.0.0.1:8443",
		.deadline_ms = k->deadline_ms,
		.names = k->names.at,
		.names_n = k->names.n,
		.certificates = k->certificate_file ? NULL : k->certificates,
		.certificate_file = k->certificate_file,
		.key_file = k->key_file,
		.decisions = k->decisions,
		.decisions_max = HF_MIB(k->decisions_mib),
		.publish = k->install ? kube_admission_publish : NULL,
		.publish_ctx = k,
	};
	struct hf_admission_pool *pool;
	struct hf_admission_server *server;
	struct sigaction end_action = { .sa_handler = end }, hang_up_action = { .sa_handler = hang_up };
	unsigned port;
	int r = hf_admission_pool_start(&k->settings, &k->policies, &po, &pool, err);

	if (r < 0) {
		kube_namespaces_close(namespaces);
		return r;
	}
	sigaction(SIGINT, &end_action, NULL);
	sigaction(SIGTERM, &end_action, NULL);
	sigaction(SIGHUP, &hang_up_action, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (namespaces)
		kube_namespaces_start(namespaces, pool);
	r = hf_admission_server_start(&so, pool, &server, &port, err);
	if (r >= 0) {
		log_note("admission webhook at port %u, %zu policies", port, k->policies.n);
		r = look_after(server, pool, err);
		hf_admission_server_stop(server);
	}
	kube_namespaces_close(namespaces);
	hf_admission_pool_stop(pool);
	return r;
}

/* --namespaces: those of a file of manifests, or of what kubectl get prints. */
static int tell_namespaces(struct kube_admission *k, struct hf_admission *admission, struct hf_err *err)
{
	hf_cleanup(hf_buf_done) struct hf_buf all = HF_BUF(HF_ADMISSION_NAMESPACES_MAX);
	struct hf_kube_source source = { .name = hf_sv_of(k->namespaces) };
	int r = k->namespaces ? kube_admission_read_text(k, k->namespaces, &source.text, err) : HF_PARTIAL;

	if (r)
		return r < 0 ? r : HF_OK;
	struct hf_kube_loader *l = hf_kube_loader_new(&k->arena);
	r = hf_kube_load(l, &source, err);
	const struct hf_kube_objects *set = r >= 0 ? hf_kube_loaded(l) : NULL;
	hf_kube_loader_free(l);
	for (size_t i = 0; set && i < set->n; i++) {
		struct hf_json_writer w = { .out = &all, .compact = true };
		if (set->objects[i]->kind == HF_KUBE_NAMESPACE)
			hf_value_write_json(&w, set->objects[i]->root);
	}
	if (r >= 0 && !set)
		r = hf_fail(err, HF_E_LIMIT, "too large");
	r = r < 0 ? r : hf_admission_set_namespaces(admission, hf_buf_view(&all), err);
	return r < 0 ? hf_wrap(err, "%s", k->namespaces) : HF_OK;
}

/* Judges saved reviews, in this process: for trying rules, and for tests. */
static int review(struct kube_admission *k, struct hf_err *err)
{
	struct hf_admission *admission;
	int denied = 0,
	    r = hf_admission_new(&k->settings, &k->policies, (struct hf_admission_images){ 0 }, &admission, err);

	r = r < 0 ? r : tell_namespaces(k, admission, err);
	for (size_t i = 0; i < k->operands_n && r >= 0; i++) {
		struct hf_arena a = HF_ARENA(HF_ADMISSION_ARENA_MAX);
		struct hf_buf out = HF_BUF(HF_ADMISSION_ANSWER_MAX);
		struct hf_admission_decision d;
		hf_sv text;
		r = kube_admission_read_text(k, strcmp(k->operands[i], "-") ? k->operands[i] : "/dev/stdin", &text,
					     err);
		if (r >= 0 && (r = hf_admission_review(admission, text, &a, &d, err)) < 0)
			hf_wrap(err, "%s", k->operands[i]);
		if (r >= 0) {
			hf_admission_answer(&d, &out);
			printf("%.*s\n", HF_SV_FMT(hf_buf_view(&out)));
			denied |= !d.allowed;
		}
		hf_buf_done(&out);
		hf_arena_done(&a);
	}
	hf_admission_free(admission);
	return r < 0 ? r : denied;
}

static const struct {
	const char *name;
	int (*run)(struct kube_admission *, struct hf_err *);
	bool operands;
} words[] = {
	{ "serve", serve, false },
	{ "review", review, true },
	{ "install", kube_admission_install, false },
	{ "uninstall", kube_admission_uninstall, false },
	{ "policies", kube_admission_policies, false },
};
enum { SERVE, REVIEW, INSTALL };

static int number(const char *text, unsigned *ret)
{
	uint64_t n;

	if (!hf_sv_to_u64(hf_sv_of(text), &n) || n > 1000000)
		return hf_command_usage("kube admission", "'%s' is not a number", text);
	*ret = (unsigned)n;
	return 0;
}

static int parse(struct kube_admission *k, int argc, char **argv)
{
	const struct {
		const char *name;
		const char **text;
		unsigned *number;
	} options[] = {
		{ "--config", &k->settings_path, NULL },
		{ "--listen", &k->listen, NULL },
		{ "--certificates", &k->certificates, NULL },
		{ "--tls-cert", &k->certificate_file, NULL },
		{ "--tls-key", &k->key_file, NULL },
		{ "--decisions", &k->decisions, NULL },
		{ "--workers", NULL, &k->workers },
		{ "--deadline-ms", NULL, &k->deadline_ms },
		{ "--kubeconfig", &k->kubeconfig, NULL },
		{ "--context", &k->context, NULL },
		{ "--url", &k->url, NULL },
		{ "--service", &k->service, NULL },
		{ "--ca", &k->ca, NULL },
		{ "--configuration", &k->configuration, NULL },
		{ "--namespaces", &k->namespaces, NULL },
		{ "--timeout-s", NULL, &k->timeout_s },
		{ "--decisions-mib", NULL, &k->decisions_mib },
	};
	const struct {
		const char *name;
		bool *to;
	} flags[] = { { "--require-jail", &k->require_jail }, { "--print", &k->print }, { "--install", &k->install } };

	for (int i = 0; i < argc; i++) {
		size_t o = 0, f = 0;
		bool policy = !strcmp(argv[i], "--policy") || !strcmp(argv[i], "-p"), name = !strcmp(argv[i], "--name"),
		     resource = !strcmp(argv[i], "--resource");
		while (o < HF_ARRAY_SIZE(options) && strcmp(argv[i], options[o].name))
			o++;
		while (f < HF_ARRAY_SIZE(flags) && strcmp(argv[i], flags[f].name))
			f++;
		if (f < HF_ARRAY_SIZE(flags)) {
			*flags[f].to = true;
			continue;
		}
		if (!policy && !name && !resource && o == HF_ARRAY_SIZE(options)) {
			if (argv[i][0] == '-' && argv[i][1])
				return hf_command_no_option("kube admission", argv[i]);
			k->operands[k->operands_n++] = argv[i];
			continue;
		}
		if (++i == argc)
			return hf_command_usage("kube admission", "%s wants a value", argv[i - 1]);
		hf_sv *slot = name       ? hf_vec_push(&k->arena, &k->names)
			      : resource ? hf_vec_push(&k->arena, &k->resources)
					 : NULL;
		if (slot)
			*slot = hf_sv_of(argv[i]);
		else if (policy)
			k->policy_paths[k->policy_paths_n++] = argv[i];
		else if (options[o].text)
			*options[o].text = argv[i];
		else if (number(argv[i], options[o].number))
			return 2;
	}
	return 0;
}

static int check_options(struct kube_admission *k, size_t word)
{
	int status = 0;

	if (k->namespaces && word != REVIEW)
		return hf_command_usage("kube admission", "--namespaces goes with review");
	if (word == INSTALL || (word == SERVE && k->install))
		status = kube_admission_check_webhook(k, words[word].name);
	if (!status && word == SERVE && !k->certificate_file != !k->key_file)
		status = hf_command_usage("kube admission", "--tls-cert and --tls-key go together");
	if (!status && word == SERVE && !k->certificate_file && (!k->certificates || !k->names.n))
		status = hf_command_usage(
			"kube admission",
			"serve wants --certificates FOLDER and --name NAME..., or --tls-cert and --tls-key");
	return status;
}

static int run(int argc, char **argv)
{
	struct kube_admission k = { .arena = HF_ARENA(HF_MIB(64)) };
	struct hf_err err = { 0 };
	size_t w = 0;
	int status;

	while (w < HF_ARRAY_SIZE(words) && (argc < 2 || strcmp(argv[1], words[w].name)))
		w++;
	if (w == HF_ARRAY_SIZE(words))
		return hf_command_usage("kube admission", "wants one of serve, review, install, uninstall, policies");
	k.operands = hf_calloc((size_t)argc + 1, sizeof(char *));
	k.policy_paths = hf_calloc((size_t)argc + 1, sizeof(char *));
	status = parse(&k, argc - 2, argv + 2);
	if (!status && (k.operands_n != 0) != words[w].operands)
		status = words[w].operands
				 ? hf_command_usage("kube admission", "%s wants files", words[w].name)
				 : hf_command_usage("kube admission", "%s takes no '%s'", words[w].name, k.operands[0]);
	if (!status)
		status = check_options(&k, w);
	if (!status) {
		int r = kube_admission_load(&k, &err);
		r = r < 0 ? r : words[w].run(&k, &err);
		status = r < 0 ? hf_command_fail(&err) : r;
	}
	free(k.operands);
	free(k.policy_paths);
	hf_arena_done(&k.arena);
	return status;
}

const struct hf_command hf_kube_admission = {
	.name = "admission",
	.summary = "a validating webhook: what may be created, and what is told about it",
	.usage = "serve|review|install|uninstall|policies [OPTIONS] [FILE...]\n\n"
		 "  serve                answer the API server over HTTPS until it is ended\n"
		 "  review FILE...       judge saved AdmissionReviews; exits with 1 where one is denied\n"
		 "  install              tell the cluster of the webhook, or anew where something changed\n"
		 "  uninstall            take that back\n"
		 "  policies             print what the cluster can hold by itself: ValidatingAdmissionPolicies\n\n"
		 "  --config FILE        what to ask of pods and images (docs/admission.md)\n"
		 "  -p, --policy FILE    policies of your own; may be given several times\n"
		 "  --namespaces FILE    review: the namespaces that there are, as manifests or as kubectl get prints "
		 "them\n"
		 "  --listen ADDRESS     address and port (default 127.0.0.1:8443)\n"
		 "  --certificates DIR   make certificates there and renew them\n"
		 "  --name NAME          that the certificate is for; may be given several times\n"
		 "  --tls-cert FILE, --tls-key FILE  certificates of your own, read again when they change\n"
		 "  --decisions FILE     append each decision as a line of JSON; SIGHUP opens it anew\n"
		 "  --decisions-mib N    keep so much of it, and as much before (default: no bound)\n"
		 "  --workers N          jailed processes that judge (default: the processors)\n"
		 "  --deadline-ms N      for one review (default 4000); later than that the webhook's failurePolicy "
		 "decides\n"
		 "  --require-jail       refuse to run where the kernel lacks a part of the jail\n"
		 "  --install            serve: install as well, and again whenever the authority is renewed\n"
		 "  --url URL, --service NAMESPACE/NAME[:PORT]  where the API server finds the webhook\n"
		 "  --ca FILE            whom it is to trust (default: the authority of --certificates)\n"
		 "  --configuration NAME  what the webhook is called in the cluster (default holdfast)\n"
		 "  --timeout-s N        how long the API server waits (default 5)\n"
		 "  --resource PLURAL.GROUP  a resource to ask about whose kind holdfast does not know\n"
		 "  --print              install: print the configuration as YAML instead\n"
		 "  --kubeconfig FILE, --context NAME  which cluster (default: as kubectl; in a pod: its own)\n",
	.run = run,
};
