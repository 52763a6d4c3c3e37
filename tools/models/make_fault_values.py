#!/usr/bin/env python3
"""What transformers makes of the models of tests/faults/cases.py, for the tests to be held against.

    make_fault_values.py OUT.json

For each case its scores (log-likelihood, is_greedy, tokens of each request), or null where transformers refuses the
model. Needs the PyPI packages torch, transformers and tokenizers; scoring is make_reference.py's.
"""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../tests/faults")]
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

from cases import CASES  # noqa: E402
from make_reference import Reference  # noqa: E402
from models import REQUESTS, write_changed  # noqa: E402


def word_on(family, change):
    with tempfile.TemporaryDirectory() as directory:
        write_changed(family, change, directory)
        try:
            reference = Reference(directory)
            return [reference.score(*request) for request in REQUESTS]
        except Exception as error:
            print(f"    {type(error).__name__}: {' '.join(str(error).split())[:150]}", file=sys.stderr)
            return None


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    words = {}
    for row, name, family, change, _ in CASES:
        print(f"{row} {name}", file=sys.stderr)
        assert f"{row} {name}" not in words, "two cases of one name"
        words[f"{row} {name}"] = word_on(family, change)
    with open(sys.argv[1], "w") as out:
        out.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(word)}" for name, word in words.items()) + "\n}\n")


if __name__ == "__main__":
    main()
