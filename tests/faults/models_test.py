"""Rows 1, 2, 8 and 9: models whose files are odd give the reference's numbers, or are refused by name."""
import json
import os
import subprocess
import tempfile
import unittest

from cases import CASES
from models import REQUESTS, Model

HERE = os.path.dirname(os.path.abspath(__file__))
ENGINE = os.path.join(os.environ.get("MUSTER_BIN", "build/release/bin"), "muster-engine")
REFUSED = (65, 74, 78)  # Damaged, not there, not implemented.
with open(os.path.join(HERE, "../data/faults.json")) as file:
    REFERENCE = json.load(file)


def score(directory):
    """The scores, or what was said instead: (code, words)."""
    requests, output = os.path.join(directory, "in.jsonl"), os.path.join(directory, "out.jsonl")
    with open(requests, "w") as lines:
        lines.writelines(json.dumps({"context": c, "continuation": t}) + "\n" for c, t in REQUESTS)
    done = subprocess.run([ENGINE, "score", "--model", directory, "--requests", requests, "--output", output,
                           "--threads", "1"], capture_output=True, text=True)
    if done.returncode != 0:
        return done.returncode, done.stderr
    with open(output) as lines:
        return [(one["loglikelihood"], one["is_greedy"], one["tokens"]) for one in map(json.loads, lines)]


def judge(found, expected, may_refuse):
    """What is wrong about it; empty: nothing."""
    if isinstance(found, tuple):
        code, words = found
        if code not in REFUSED or "muster-engine: " not in words:
            return f"exit code {code}: {words}"
        return "" if expected is None or may_refuse else f"refused, the reference is not: {words}"
    if expected is None:
        return f"scored, the reference refuses it: {found}"
    for (value, greedy, tokens), (wanted, wanted_greedy, wanted_tokens) in zip(found, expected):
        if tokens != wanted_tokens or greedy != wanted_greedy or abs(value - wanted) > 1e-4 * (1 + tokens):
            return f"{found}, the reference: {expected}"
    return ""


class Models(unittest.TestCase):
    def check_row(self, row):
        wrong = []
        for of_row, name, family, change, may_refuse in CASES:
            if of_row != row:
                continue
            with tempfile.TemporaryDirectory() as directory:
                model = Model(family)
                change(model)
                model.write(directory)
                why = judge(score(directory), REFERENCE[f"{row} {name}"], may_refuse)
            if why:
                wrong.append(f"{name}: {why}")
        self.assertEqual(wrong, [])

    def test_01_files_of_a_checkpoint(self):
        self.check_row(1)

    def test_02_tensors_that_contradict_the_config(self):
        self.check_row(2)

    def test_08_fields_of_another_type(self):
        self.check_row(8)

    def test_09_files_that_end_otherwise(self):
        self.check_row(9)


if __name__ == "__main__":
    unittest.main()
