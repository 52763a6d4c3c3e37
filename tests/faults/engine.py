"""muster-engine as the tests of odd files call it, and what they ask of a refusal."""
import os
import subprocess

PROGRAM = os.path.join(os.environ.get("MUSTER_BIN", "build/release/bin"), "muster-engine")
DAMAGED, NOT_THERE, NOT_IMPLEMENTED = 65, 74, 78


class Refusal:
    """What was said instead of an answer."""

    def __init__(self, done):
        self.code, self.words = done.returncode, done.stderr


def run(command, model, output, *flags):
    """The lines of `output`, or a Refusal."""
    done = subprocess.run([PROGRAM, command, "--model", model, "--output", output, *flags], capture_output=True, text=True)
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
