/* Profiles that a container is started with. Nothing that a running container could be given. */
#include "enforce/rung.h"

#include <stdio.h>

static bool probe(char *why, size_t size)
{
	snprintf(why, size,
		 "for containers that are started from now on: 'holdfast runtime harden --write' makes them");
	return false;
}

const struct hf_rung hf_rung_start = {
	.name = "start",
	.residual = "seccomp, capabilities, a read-only root and AppArmor hold whole classes of calls from the start "
		    "and without this "
		    "process; open: containers that run already",
	.probe = probe,
};
