"""What tests/root/docker.py and tests/kube/server.py have in common: programs started and swept, and tests run as TAP."""
import ctypes
import fcntl
import os
import pathlib
import signal
import sys
import tempfile
import time

LIBC = ctypes.CDLL(None)
PATIENCE_S = 120  # for what takes a moment, on a machine that is slow and has other things to do


# ---- programs ----

def die_with_parent(strength=signal.SIGTERM):
    """For preexec_fn: the signal comes when the thread that started the program ends."""
    LIBC.prctl(1, strength)


class Done(str):
    """What a program printed; .out as a plain str."""
    err, status = "", 0

    @property
    def out(self):
        return str(self)


def finish(child, input, timeout, status, what):
    """The Done of a Popen with pipes. Fails, naming @what, unless it exits with @status (None: any)."""
    try:
        out, err = child.communicate(input, timeout=timeout)
    except BaseException:
        child.kill()
        child.wait()
        raise
    done = Done(out.decode("utf-8", "replace").rstrip("\n"))
    done.err, done.status = err.decode("utf-8", "replace"), child.returncode
    assert status is None or child.returncode == status, f"{what}: {child.returncode}\n{done}\n{done.err}"
    return done


# ---- folders that outlive a killed test ----

def claim(folder):
    """Locks a new folder as in use. Returns the open lock, to be closed when the folder is gone."""
    owner = open(folder / "owner.new", "w")
    fcntl.flock(owner, fcntl.LOCK_EX)
    os.rename(folder / "owner.new", folder / "owner")  # nobody sees it unlocked
    return owner


def abandoned(prefix, *bases):
    """Claimed folders of that name whose owner has died; each is locked until the next is asked for."""
    for base in {tempfile.gettempdir(), *bases}:
        for folder in pathlib.Path(base).glob(prefix + "*"):
            try:
                with open(folder / "owner") as owner:
                    fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield folder
            except OSError:
                continue


# ---- the run ----

def wait_until(condition, seconds=PATIENCE_S, what="it"):
    """Polls until condition() is true, and returns that."""
    end = time.monotonic() + seconds
    while not (got := condition()):
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.05)
    return got


def main(tests, *context):
    """Runs the functions as TAP, each with @context; the first line of a docstring is the title."""
    failed = 0
    print(f"1..{len(tests)}")
    for number, function in enumerate(tests, 1):
        title = (function.__doc__ or function.__name__).strip().splitlines()[0]
        try:
            why = function(*context)
            print(f"ok {number} - {title}" + (f" # SKIP {why}" if isinstance(why, str) else ""))
        except Exception as error:
            failed += 1
            at = error.__traceback__.tb_next
            print(f"not ok {number} - {title}\n# {function.__name__}, line {at.tb_lineno if at else '?'}")
            print("#", f"{type(error).__name__}: {error}"[:3000].replace("\n", "\n# "))
        sys.stdout.flush()
    return failed > 0
