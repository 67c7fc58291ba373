/* Every limit of the program, in one place: sizes in bytes, depths and counts in units. What goes over one is reported
 * as an unparsed entry or HF_E_LIMIT, never dropped. */
#pragma once
#include <stdint.h>

#define HF_KIB(n) ((uint64_t)(n) << 10)
#define HF_MIB(n) ((uint64_t)(n) << 20)
#define HF_GIB(n) ((uint64_t)(n) << 30)

enum {
	HF_PATH_MAX = 4096,      /* a path of an archive member; longer names are reported and passed over */
	HF_PATH_DEPTH_MAX = 256, /* components */
	HF_JSON_DEPTH_MAX = 512,
	HF_YAML_DEPTH_MAX = 128, /* with what aliases stand for */
	HF_YAML_NODES_MAX = 1 << 24,
	HF_YAML_LINE_INDICATORS_MAX = 1 << 16, /* , : and brackets on one line */
	HF_YAML_DIRECTIVES_MAX = 64,           /* lines that begin with % */
	HF_YAML_ALIASED_MAX = 1 << 18,         /* nodes that a document has more once its aliases are unfolded */
	HF_PROFILE_ENTRIES_MAX = 4096,         /* of one part */
	HF_PROFILE_DETAILS_MAX = 64,           /* digests, system calls … of one entry */
	HF_PROFILE_SHAPES_MAX = 32,            /* argument lists of one executable */
	HF_PROFILE_ARGUMENTS_MAX = 64,         /* arguments of one list */
	HF_PROFILE_ARGUMENT_MAX = 512,         /* bytes of one; of a longer one the digest is kept */
	HF_PROFILE_FOLDER_MAX = 64,            /* files of one folder that are told apart */
	HF_ARCHIVE_DEPTH_MAX = 8,              /* jar in war in ear … */
	HF_LAYERS_MAX = 512,
	HF_INDEX_DEPTH_MAX = 4,        /* OCI index in index */
	HF_SYMLINKS_MAX = 40,          /* as the kernel's limit for one path */
	HF_LINKS_MAX = 8,              /* one after the other, from a wanted name to its content */
	HF_NAMES_OF_ONE_FILE_MAX = 16, /* links to one content under which it is read */
	HF_ALIASES_MAX = 1 << 18,      /* wanted names that are links */
	HF_THREADS_MAX = 64,
	HF_ZIP_MEMBERS_MAX = 1 << 20,
	HF_ARCHIVE_MEMBERS_MAX = 4 << 20, /* of one file's archive and all that are nested in it */
	HF_NESTED_ARCHIVES_MAX = 1 << 12, /* of one file */
	HF_WORKER_RESTARTS_MAX = 8,
	HF_SQLITE_DEPTH_MAX = 20,       /* levels of a b-tree, as SQLite's own limit */
	HF_RPM_TAGS_MAX = 0xffff,       /* entries of one rpm header, as rpm's own limit */
	HF_RPM_DIRS_MAX = 1 << 18,      /* directories named by one rpm header */
	HF_CONDITION_DEPTH_MAX = 32,    /* brackets, negations and macros in each other, of a rule's condition */
	HF_CONDITION_TESTS_MAX = 512,   /* of one condition, macros unfolded */
	HF_CONDITION_VALUES_MAX = 8192, /* that the tests of one condition compare with */
	HF_KUBE_FOLDER_DEPTH_MAX = 32,
	HF_POLICY_FINDINGS_MAX = 1000, /* of one policy about one object */
	HF_FLOWS_MAX = 1 << 16,        /* flows between workloads */
	HF_FLOWS_CONTAINERS_MAX = 1 << 14,
	HF_FLOWS_ADDRESSES_MAX = 1 << 15, /* whose owner is kept */
	HF_FLOWS_NAMES_MAX = 1 << 13,     /* addresses with the name that was looked up for them */
	HF_FLOW_TRIES_MAX = 100 << 20,    /* connections that a policy is tried with */
	HF_FLOW_PORTS_MAX = 64,           /* of one pair of ends, and that one workload has open; more are one range */
	HF_FLOW_PEER_ADDRESSES_MAX = 64,  /* of one flow */
	HF_FLOW_PEER_NAMES_MAX = 256,     /* of one workload */
	HF_FLOW_INSTANCE_ADDRESSES_MAX = 16, /* of one container */
	HF_KUBECONFIG_ENTRIES_MAX = 4096,    /* clusters, users, contexts, each */
	HF_KUBECONFIG_FILES_MAX = 64,
	HF_CLUSTER_RESOURCES_MAX = 1 << 16, /* that one cluster may serve, subresources too */
	HF_CLUSTER_VERSIONS_MAX = 4096,     /* versions of its groups */
};

#define HF_YAML_SIZE_MAX          HF_MIB(256) /* one stream of documents */
#define HF_PROFILE_SIZE_MAX       HF_MIB(16)  /* one file */
#define HF_PROFILE_ARENA_MAX      HF_MIB(64)  /* one profile in memory */
#define HF_MANIFEST_SIZE_MAX      HF_MIB(8)   /* manifest, index, config, each */
#define HF_FILE_SPOOL_MAX         HF_MIB(64)  /* one file of a compressed layer held whole where parts of it would do */
#define HF_SPOOL_TOTAL_MAX        HF_MIB(88)  /* what is held of such files at once, over all threads */
#define HF_FILE_PARTS_MAX         HF_GIB(4)   /* size of a file of which parts are held */
#define HF_ZSTD_WINDOW_MAX        HF_MIB(64)  /* one frame's window */
#define HF_ZSTD_WINDOWS_TOTAL_MAX HF_MIB(64)  /* over all threads */
#define HF_INFLATED_LAYER_MAX     HF_GIB(256) /* plain size of one layer */
#define HF_INFLATE_RATIO_MAX      4096        /* plain : compressed, past the first 64 MiB */
#define HF_REPORT_SIZE_MAX        HF_GIB(1)   /* what a worker hands to its parent */
#define HF_WANTED_FILE_MAX        HF_MIB(512) /* one file that a cataloger reads from its begin to its end */
#define HF_FILES_MAX              (UINT64_C(32) << 20) /* entries of one artifact */
#define HF_PARSE_ARENA_MAX        HF_MIB(32)           /* one parser call's working memory */
#define HF_INVENTORY_ARENA_MAX    HF_GIB(1)            /* all packages, ownership and paths of one artifact */
#define HF_NESTED_FILE_MAX        HF_MIB(48)           /* a compressed member of an archive that is opened itself */
#define HF_DATABASE_VALUE_MAX     HF_MIB(12)  /* one header of a package database that lies over several pages */
#define HF_RPM_OWNED_PATHS_MAX    HF_MIB(256) /* paths named by one rpm database, all together */
#define HF_DATABASE_BUILD_MAX     HF_MIB(768) /* all advisories of one database while it is built */
#define HF_DATABASE_SCRATCH_MAX   HF_MIB(256) /* the working memory of the reader of one feed's file */
#define HF_FEED_FILE_MAX          HF_MIB(512) /* one file of a feed, inflated */
#define HF_CONDITION_SIZE_MAX     HF_KIB(32)  /* text of one condition or macro */
#define HF_CONDITION_SIZE_MAX     HF_KIB(32)  /* text of one condition or macro */
#define HF_RULES_ARENA_MAX        HF_MIB(16)  /* all rules, as they stand and compiled */
#define HF_RULES_FILE_MAX         HF_MIB(1)   /* one file of rules or exceptions */
#define HF_ARCHIVE_INFLATED_MAX \
	HF_GIB(1) /* all members read from one archive, nested ones too; the larger of packed and plain size */
#define HF_POLICY_PROGRAM_MAX HF_KIB(64) /* one jq program */
#define HF_POLICY_JOINT_MAX   HF_MIB(16) /* all of them in one */
#define HF_ADMISSION_REVIEW_MAX \
	HF_MIB(8) /* one AdmissionReview: etcd holds objects of 1.5 MiB, and there are two of them */
#define HF_ADMISSION_BODIES_MAX        HF_MIB(256) /* reviews of all connections, before they are judged */
#define HF_ADMISSION_ANSWER_MAX        HF_MIB(1)   /* the answer to one, and what is kept of it, each */
#define HF_ADMISSION_CONFIGURATION_MAX HF_MIB(1)   /* that is sent to a cluster */
#define HF_ADMISSION_ARENA_MAX         HF_MIB(256) /* one review as a tree */
#define HF_ADMISSION_NAMESPACES_MAX    HF_MIB(64)  /* all namespaces of a cluster */
#define HF_ADMISSION_WORKER_MAX        HF_MIB(768) /* a worker's heap, policies included */
#define HF_KUBE_INPUT_MAX              HF_MIB(512) /* one input that is not mapped: standard input, one list of a cluster */
#define HF_KUBE_WATCH_MAX              HF_GIB(1)  /* texts of all objects of clusters that are followed */
#define HF_KUBE_INPUT_ARENA_MAX        HF_MIB(64) /* names of inputs, and notes on them */
#define HF_KUBE_ARENA_MAX              HF_GIB(4)  /* all objects as trees, and what is made of them */
#define HF_FLOWS_ARENA_MAX             HF_MIB(96) /* all that is kept of flows; their graph may take as much again */
#define HF_ENGINE_ANSWER_MAX           HF_MIB(8) /* one answer or event of a container engine; a bundle's config.json */
#define HF_ENGINE_ARENA_MAX            HF_MIB(32) /* its parser's working memory */
#define HF_ENGINE_FACTS_MAX            HF_MIB(12) /* names of all containers; past it lists and labels of new ones are left out */
#define HF_KUBECONFIG_SIZE_MAX         HF_MIB(4)  /* one file */
#define HF_KUBECONFIG_ARENA_MAX        HF_MIB(64) /* all of them */
#define HF_CLUSTER_PAGE_MAX            HF_MIB(64) /* one page of a list; what is larger is asked for in smaller pages */
#define HF_CLUSTER_EVENT_MAX           HF_MIB(16) /* one event of a watch */
#define HF_CLUSTER_DISCOVERY_MAX       HF_MIB(32) /* one document of what a cluster serves */
#define HF_CLUSTER_CREDENTIAL_MAX      HF_MIB(1)  /* a certificate, a key, a token, the answer of an exec plugin */
