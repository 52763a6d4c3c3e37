"""Rows 1, 2, 8 and 9: models whose files are odd give the reference's numbers, or are refused by name."""
import json
import os
import sys
import unittest

import engine
from cases import CASES
from models import REQUESTS

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import write_requests  # noqa: E402

REFUSED = (engine.DAMAGED, engine.NOT_THERE, engine.NOT_IMPLEMENTED)
HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "../data/faults.json")) as file:
    REFERENCE = json.load(file)


def score(directory, _):
    requests = os.path.join(directory, "in.jsonl")
    write_requests(requests, REQUESTS)
    return engine.run("score", directory, os.path.join(directory, "out.jsonl"), "--requests", requests, "--threads", "1")


def differs(lines, expected):
    for line, (value, greedy, tokens) in zip(lines, expected, strict=True):
        one = json.loads(line)
        near = abs(one["loglikelihood"] - value) <= 1e-4 * (1 + tokens)
        if not near or (one["tokens"], one["is_greedy"]) != (tokens, greedy):
            return f"{line.strip()}, the reference: {[value, greedy, tokens]}"
    return ""


class Models(unittest.TestCase):
    def check_row(self, row):
        self.assertEqual(engine.wrong_in_row(row, CASES, REFERENCE, REFUSED, score, differs), [])

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
