/* Services: what leaves the cluster's network. */
#include "check/workload.h"

static bool is_type(const struct hf_check_run *r, const char *type)
{
	return hf_sv_eq(hf_value_get_text(r->object->spec, HF_SV("type")), hf_sv_of(type));
}

static bool is_outside(const struct hf_check_run *r)
{
	return is_type(r, "NodePort") || is_type(r, "LoadBalancer") ||
	       hf_value_count(hf_value_get(r->object->spec, HF_SV("externalIPs")), HF_VALUE_ARRAY);
}

static bool is_internal(const struct hf_kube_object *o)
{
	static const struct {
		const char *key, *value;
	} marks[] = {
		{ "service.beta.kubernetes.io/aws-load-balancer-internal", "true" },
		{ "service.beta.kubernetes.io/aws-load-balancer-scheme", "internal" },
		{ "service.beta.kubernetes.io/azure-load-balancer-internal", "true" },
		{ "networking.gke.io/load-balancer-type", "Internal" },
		{ "cloud.google.com/load-balancer-type", "Internal" },
		{ "service.beta.kubernetes.io/openstack-internal-load-balancer", "true" },
	};
	const struct hf_value *annotations = hf_value_get(o->metadata, HF_SV("annotations"));

	for (size_t i = 0; i < HF_ARRAY_SIZE(marks); i++)
		if (hf_sv_eq_ascii(hf_value_get_text(annotations, hf_sv_of(marks[i].key)), hf_sv_of(marks[i].value)))
			return true;
	return false;
}

static void load_balancer(struct hf_check_run *r)
{
	const struct hf_value *ranges = hf_value_get(r->object->spec, HF_SV("loadBalancerSourceRanges"));

	if (!is_type(r, "LoadBalancer") || is_internal(r->object)) {
		hf_check_not_applicable(r);
		return;
	}
	if (!hf_value_count(ranges, HF_VALUE_ARRAY))
		hf_check_fail(r, hf_value_get(r->object->spec, HF_SV("type")), "its load balancer takes all addresses");
	hf_value_elements(ranges, e)
	{
		if (hf_sv_eq(hf_value_text(e), HF_SV("0.0.0.0/0")) || hf_sv_eq(hf_value_text(e), HF_SV("::/0"))) {
			hf_check_fail(r, e, "its load balancer takes all addresses");
			return;
		}
	}
}

static void node_port(struct hf_check_run *r)
{
	if (is_type(r, "NodePort"))
		hf_check_fail(r, hf_value_get(r->object->spec, HF_SV("type")), "opens a port of every node");
}

static void external_ips(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("externalIPs"));

	if (hf_value_count(v, HF_VALUE_ARRAY))
		hf_check_patch(r, hf_check_fail(r, v, "claims addresses of which nobody proves that they are its own"),
			       "/spec/externalIPs", NULL, false);
}

static bool is_inner_name(hf_sv name)
{
	static const char *const ends[] = { ".svc", ".cluster.local", ".internal", "localhost" };

	for (size_t i = 0; i < HF_ARRAY_SIZE(ends); i++)
		if (hf_sv_ends(name, hf_sv_of(ends[i])))
			return true;
	return hf_sv_starts(name, HF_SV("169.254.")) || hf_sv_starts(name, HF_SV("127.")) ||
	       hf_sv_starts(name, HF_SV("kubernetes.default"));
}

static void external_name(struct hf_check_run *r)
{
	const struct hf_value *v = hf_value_get(r->object->spec, HF_SV("externalName"));
	hf_sv name = hf_value_text(v);

	if (!is_type(r, "ExternalName"))
		hf_check_not_applicable(r);
	else if (is_inner_name(hf_sv_ends(name, HF_SV(".")) ? hf_sv_first(name, name.len - 1) : name))
		hf_check_fail(r, v, "leads to %.*s, which is not outside", HF_SV_FMT(name));
}

struct known_port {
	int64_t port;
	const char *what;
};

static void ask_ports(struct hf_check_run *r, const struct known_port *known, size_t n)
{
	static const char *const fields[] = { "port", "targetPort" };

	if (!is_outside(r)) {
		hf_check_not_applicable(r);
		return;
	}
	hf_value_elements(hf_value_get(r->object->spec, HF_SV("ports")), e)
	{
		for (size_t i = 0; i < 2 * n; i++) {
			int64_t port;
			if (hf_value_int(hf_value_get(e, hf_sv_of(fields[i % 2])), &port) &&
			    port == known[i / 2].port) {
				hf_check_fail(r, e, "gives port %lld, of %s, to the outside", (long long)port,
					      known[i / 2].what);
				break;
			}
		}
	}
}

static void control_plane(struct hf_check_run *r)
{
	static const struct known_port ports[] = {
		{ 2379, "etcd" },           { 2380, "etcd" },
		{ 10250, "the kubelet" },   { 10255, "the kubelet" },
		{ 2375, "the Docker API" }, { 2376, "the Docker API" },
		{ 6443, "the API server" }, { 10257, "the controller manager" },
		{ 10259, "the scheduler" }, { 44134, "Helm's Tiller" },
	};

	ask_ports(r, ports, HF_ARRAY_SIZE(ports));
}

static void administration(struct hf_check_run *r)
{
	static const struct known_port ports[] = {
		{ 22, "SSH" },          { 23, "telnet" },       { 3389, "remote desktops" },
		{ 5900, "VNC" },        { 3306, "MySQL" },      { 5432, "PostgreSQL" },
		{ 6379, "Redis" },      { 27017, "MongoDB" },   { 9200, "Elasticsearch" },
		{ 11211, "memcached" }, { 1433, "SQL Server" }, { 9042, "Cassandra" },
		{ 873, "rsync" },       { 2049, "NFS" },        { 9092, "Kafka" },
		{ 5672, "AMQP" },
	};

	ask_ports(r, ports, HF_ARRAY_SIZE(ports));
}

static bool is_dashboard(const struct hf_kube_object *o)
{
	static const char *const names[] = { "kubernetes-dashboard", "weave-scope", "kubeflow",
					     "argo-workflows-server" };
	const struct hf_value *selector = hf_value_get(o->spec, HF_SV("selector"));

	for (size_t i = 0; i < HF_ARRAY_SIZE(names); i++) {
		if (hf_sv_starts(o->name, hf_sv_of(names[i])))
			return true;
		hf_value_members(selector, m) if (hf_sv_eq(hf_value_text(&m->value), hf_sv_of(names[i]))) return true;
	}
	return false;
}

static const struct hf_value *routed_dashboard(const struct hf_kube_object *o)
{
	hf_value_elements(hf_value_get(o->spec, HF_SV("rules")), rule)
	{
		hf_value_elements(hf_value_at(rule, "http.paths"), path)
		{
			hf_sv name = hf_value_text(hf_value_at(path, "backend.service.name"));
			if (hf_sv_starts(name, HF_SV("kubernetes-dashboard")))
				return path;
		}
	}
	return NULL;
}

static void dashboard(struct hf_check_run *r)
{
	const struct hf_value *path = r->object->kind == HF_KUBE_INGRESS ? routed_dashboard(r->object) : NULL;

	if (path)
		hf_check_fail(r, path, "leads to the dashboard");
	else if (r->object->kind == HF_KUBE_SERVICE && is_outside(r) && is_dashboard(r->object))
		hf_check_fail(r, NULL, "gives the dashboard to the outside");
}

#define SERVICE .subject = HF_CHECK_OBJECT, .kinds = { HF_KUBE_SERVICE }

static const struct hf_check checks[] = {
	{ .id = "HF-K8S-521",
	  .name = "load-balancer-open",
	  .title = "A load balancer takes all addresses",
	  .severity = HF_SEV_MEDIUM,
	  SERVICE,
	  .why = "The whole internet may try what is behind it.",
	  .fix = "Set loadBalancerSourceRanges, or mark it internal as the cloud wants it.",
	  .references = "NSA-network-exposure MITRE-T1133 kube-linter:exposed-services",
	  .evaluate = load_balancer },
	{ .id = "HF-K8S-522",
	  .name = "node-port",
	  .title = "A Service opens a port of every node",
	  .severity = HF_SEV_LOW,
	  SERVICE,
	  .why = "It is reached past ingress controllers and load balancers, and what they ask for.",
	  .fix = "Use ClusterIP behind an Ingress or a Gateway.",
	  .references = "NSA-network-exposure MITRE-T1133 kube-linter:exposed-services",
	  .evaluate = node_port },
	{ .id = "HF-K8S-523",
	  .name = "external-ips",
	  .title = "A Service claims external addresses",
	  .severity = HF_SEV_MEDIUM,
	  SERVICE,
	  .why = "Traffic of pods and nodes for these addresses goes to it, whosever they are (CVE-2020-8554).",
	  .fix = "Remove externalIPs; let a load balancer give the address.",
	  .references = "CIS-1.2.3 NSA-network-exposure MITRE-T1557 KSV-0108",
	  .evaluate = external_ips },
	{ .id = "HF-K8S-524",
	  .name = "external-name-inner",
	  .title = "A Service of type ExternalName leads inside",
	  .severity = HF_SEV_MEDIUM,
	  SERVICE,
	  .why = "Controllers of ingress that follow it hand services of other namespaces, or the cloud's metadata, to "
		 "the outside.",
	  .fix = "Use a Service of the target's own namespace.",
	  .references = "NSA-network-exposure MITRE-T1090",
	  .evaluate = external_name },
	{ .id = "HF-K8S-525",
	  .name = "control-plane-exposed",
	  .title = "A Service gives a port of the control plane to the outside",
	  .severity = HF_SEV_HIGH,
	  SERVICE,
	  .why = "etcd, kubelets and the API server are what the cluster is; one hole or one weak credential is all of "
		 "it.",
	  .fix = "Make it ClusterIP, or remove it.",
	  .references = "NSA-control-plane MITRE-T1133",
	  .evaluate = control_plane },
	{ .id = "HF-K8S-526",
	  .name = "dashboard-exposed",
	  .title = "A dashboard of the cluster is reached from outside",
	  .severity = HF_SEV_HIGH,
	  .subject = HF_CHECK_OBJECT,
	  .kinds = { HF_KUBE_SERVICE, HF_KUBE_INGRESS },
	  .why = "Who gets past its login, where it has one, acts with its account.",
	  .fix = "Reach it by kubectl port-forward.",
	  .references = "NSA-network-exposure MITRE-T1133 CKV_K8S_33",
	  .evaluate = dashboard },
	{ .id = "HF-K8S-527",
	  .name = "administration-exposed",
	  .title = "A Service gives a port of administration or of a database to the outside",
	  .severity = HF_SEV_HIGH,
	  SERVICE,
	  .why = "Such programs are searched for all over the internet, and tried with known passwords and holes.",
	  .fix = "Make it ClusterIP.",
	  .references = "NSA-network-exposure MITRE-T1133 MITRE-T1190",
	  .evaluate = administration },
};

const struct hf_check_group hf_check_group_exposure = { "exposure", checks, HF_ARRAY_SIZE(checks) };
