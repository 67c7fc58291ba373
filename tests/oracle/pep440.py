"""pep440.py MODULE: packaging's answer to each line "A<TAB>B"."""
import importlib
import sys

version = importlib.import_module(sys.argv[1] + ".version")


def sign(a, b):
    try:
        x, y = version.Version(a), version.Version(b)
    except version.InvalidVersion:
        return "?"
    return "<" if x < y else ">" if x > y else "="


for line in sys.stdin.read().split("\n")[:-1]:
    print(sign(*line.split("\t")))
