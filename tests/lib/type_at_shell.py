"""type_at_shell.py SHELL SCRIPT: types each line of standard input and a TAB at an interactive SHELL that has read SCRIPT, then prints
the line and the arguments that the program would have got, each in brackets."""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 120 # seconds for one answer, on a machine that has other things to do
PROMPT = "<~ready~>"
START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
# The prompt last, and never in one piece: what is typed is seen as well.
SETUP = {
    "bash": ["bind 'set enable-bracketed-paste off'", "source '{script}'", "holdfast() {{ printf '[%s]' \"$@\"; echo '=''args'; }}",
             "PS1='<~''ready~>'"],
    "zsh": ["unset zle_bracketed_paste; unsetopt prompt_sp beep", "autoload -U compinit; compinit -u -D", "source '{script}'",
            "holdfast() {{ printf '[%s]' \"$@\"; echo '=''args'; }}", "PS1='<~''ready~>'"],
    "fish": ["set -g fish_autosuggestion_enabled 0", "source '{script}'", "function holdfast; printf '[%s]' $argv; echo '=''args'; end",
             "function fish_prompt; echo -n '<~''ready~>'; end"],
}


class Shell:
    def __init__(self, name, script):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "vt100" if name == "zsh" else "dumb"
            os.execvp(START[name][0], START[name])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 240, 0, 0))
        self.read_until(None, 1)
        for line in SETUP[name]:
            self.send(line.format(script=script) + "\n")
        self.read_until(PROMPT, PATIENCE)

    def send(self, text):
        os.write(self.fd, text.encode())

    def read_until(self, mark, seconds):
        """What comes until mark, a pattern, or without one until nothing has come for so long."""
        got = ""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (mark and re.search(mark, got, re.DOTALL)):
            if not select.select([self.fd], [], [], 0.05)[0]:
                continue
            try:
                got += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                break
            end = end if mark else time.monotonic() + seconds
        return got


def main():
    shell = Shell(sys.argv[1], sys.argv[2])
    for line in sys.stdin.read().splitlines():
        shell.send(line + "\t")
        shell.read_until(None, 0.4) # bash forgets what is typed while it completes: where that takes longer, the line is ended again
        got, end = "", time.monotonic() + PATIENCE
        while not re.search("=args.*" + PROMPT, got, re.DOTALL) and time.monotonic() < end:
            shell.send("\n")
            got += shell.read_until("=args.*" + PROMPT, 5)
        hits = re.findall(r"((?:\[[^\]\n]*\])+)=args", got)
        print(f"{line} -> {hits[-1] if hits else repr(got[-300:])}", flush=True)
    os.close(shell.fd)


main()
