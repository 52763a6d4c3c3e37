"""Rows 5, 6 and 7: tokenizers whose files are odd give the reference's ids, or are refused by name."""
import json
import os
import tempfile
import unittest

import engine
import token_cases
from models import Model, hash_of

REFUSED = (engine.DAMAGED, engine.NOT_IMPLEMENTED)
HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.environ.get("MUSTER_MODELS", "build/models")
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
        wrong = []
        for of_row, name, family, change, may_refuse in token_cases.CASES:
            if of_row != row:
                continue
            with tempfile.TemporaryDirectory() as directory:
                model = Model(family)
                change(model)
                model.write(directory)
                found = encode(directory, token_cases.texts() + model.more_texts)
            why = engine.judge(found, REFERENCE[f"{row} {name}"], may_refuse, REFUSED, differs)
            if why:
                wrong.append(f"{name}: {why}")
        self.assertEqual(wrong, [])

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
