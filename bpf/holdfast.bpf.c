/* All programs in one object, since they share maps and helpers; user space chooses which are loaded. A part is a file of its own. */
#include "cgroup.bpf.h"
#include "dns.bpf.h"
#include "namespace.bpf.h"
#include "privilege.bpf.h"
#include "process.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
