/* What `holdfast plumbing` calls: one function a word behind it, with argv[0] that word; the exit status is cli.md's. */
#pragma once

/* plumbing purl PURL|-: the parts of a package URL as a line of JSON. */
int hf_plumbing_purl(int argc, char **argv);
/* plumbing kube-object TARGET...: Kubernetes objects as lines of JSON, with the defaults that an API server fills in. */
int hf_plumbing_kube_object(int argc, char **argv);
