/* The options of the commands that run the agent's loop: watch, learn, flows. */
#pragma once
#include "agent/agent.h"
#include "cmd/command.h"

#define RUNTIME_AGENT_USAGE                                                                                \
	"  --for SECONDS         ends by itself; else it goes on until Ctrl-C\n"                           \
	"  --docker-socket PATH  of the engine that knows names; default $DOCKER_HOST, /run/docker.sock\n" \
	"  --host                what happens outside of containers too\n"                                 \
	"  --deep                system calls too; taxes every system call of the machine\n"               \
	"  --no-rules            no alerts at all\n"                                                       \
	"  --ring-bytes N        memory of each ring between kernel and agent, a power of two\n"           \
	"  --cgroups N           how many cgroups are told apart at once; default 8192\n"

/* 0: argv[*i] is none of them; 1: it was taken, with its value, and *i stands on that; 2: usage was printed. */
int runtime_agent_option(struct hf_agent_options *o, const char *command, int argc, char **argv, int *i);
/* SIGINT and SIGTERM end the loop. To be called before hf_agent_run. */
void runtime_agent_prepare(struct hf_agent_options *o);
/* Runs the loop for @sink alone: nothing is printed but a line on standard error, nobody can ask, every alert is handed out by itself. Until
 * --for is over or a signal comes. HF_PARTIAL is taken as HF_OK. */
hf_nodiscard int runtime_agent_observe(struct hf_agent_options *o, struct hf_event_sink sink, const char *doing,
				       struct hf_err *err);
