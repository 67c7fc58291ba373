/* argv to a row of commands.def, nothing else. */
#include "cmd/command.h"

int main(int argc, char **argv)
{
	return hf_command_main(argc, argv);
}
