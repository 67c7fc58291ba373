/* plumbing match, called from cmd_plumbing.c. */
#pragma once

/* argv[0] is "match". Returns the exit status. */
int hf_plumbing_match(int argc, char **argv);
