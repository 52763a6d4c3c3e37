"""muster-engine as the tests of odd files call it, and what they ask of a refusal."""
import os
import subprocess
import sys
import tempfile

from models import write_changed

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.programs import ENGINE  # noqa: E402

DAMAGED, NOT_THERE, NOT_IMPLEMENTED = 65, 74, 78


class Refusal:
    """What was said instead of an answer."""

    def __init__(self, done):
        self.code, self.words = done.returncode, done.stderr


def run(command, model, output, *flags):
    """The lines of `output`, or a Refusal."""
    done = subprocess.run([ENGINE, command, "--model", model, "--output", output, *flags], capture_output=True, text=True)
    if done.returncode != 0:
        return Refusal(done)
    with open(output) as lines:
        return lines.readlines()


def judge(found, expected, may_refuse, codes, differs):
    """What is wrong about it; empty: nothing. `expected`: None where the reference refuses, too; `codes`: by which muster
    may; `differs(lines, expected)` says how an answer is another one."""
    if isinstance(found, Refusal):
        if found.code not in codes or "muster-engine: " not in found.words:
            return f"exit code {found.code}: {found.words}"
        return "" if expected is None or may_refuse else f"refused, the reference is not: {found.words}"
    return "taken, the reference refuses it" if expected is None else differs(found, expected)


def wrong_in_row(row, cases, reference, codes, ask, differs):
    """What is wrong in one row of a table of cases. `reference`: by row and name; `ask(directory, model)` gives the lines or
    the Refusal; `codes` and `differs` as for judge."""
    wrong = []
    for of_row, name, family, change, may_refuse in cases:
        if of_row != row:
            continue
        with tempfile.TemporaryDirectory() as directory:
            found = ask(directory, write_changed(family, change, directory))
        if why := judge(found, reference[f"{row} {name}"], may_refuse, codes, differs):
            wrong.append(f"{name}: {why}")
    return wrong
