"""Rows 5, 6 and 7: tokenizers whose files are odd give the reference's ids, or are refused by name."""
import json
import os
import sys
import tempfile
import unittest

import engine
import token_cases
from models import hash_of

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.programs import MODELS  # noqa: E402

REFUSED = (engine.DAMAGED, engine.NOT_IMPLEMENTED)
HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "../data/faults_tokens.json")) as file:
    REFERENCE = json.load(file)


def encode(directory, texts, model=None):
    """`directory`: for the files, and the model's own."""
    given = os.path.join(directory, "texts.jsonl")
    with open(given, "w") as lines:
        lines.writelines(json.dumps(text) + "\n" for text in texts)
    return engine.run("encode", model or directory, os.path.join(directory, "ids.jsonl"), "--texts", given)


def differs(lines, expected):
    return "" if hash_of(map(json.loads, lines)) == expected else "other ids"


class Tokens(unittest.TestCase):
    def check_row(self, row):
        def ask(directory, model):
            return encode(directory, token_cases.texts() + model.more_texts)
        self.assertEqual(engine.wrong_in_row(row, token_cases.CASES, REFERENCE, REFUSED, ask, differs), [])

    def test_05_patterns(self):
        self.check_row(5)

    def test_05_every_code_point_of_both_models(self):
        for name in ("random-neox", "SmolLM2-135M-Instruct"):
            with tempfile.TemporaryDirectory() as directory:
                found = encode(directory, token_cases.every_code_point(), os.path.join(MODELS, name))
            self.assertEqual(engine.judge(found, REFERENCE[f"every code point of {name}"], False, REFUSED, differs), "", name)

    def test_06_the_files_beside_it(self):
        self.check_row(6)

    def test_07_all_of_tokenizer_json(self):
        self.check_row(7)


if __name__ == "__main__":
    unittest.main()
