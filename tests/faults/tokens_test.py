"""Rows 5, 6 and 7: tokenizers whose files are odd give the reference's ids, or are refused by name."""
import json
import os
import subprocess
import tempfile
import unittest

import token_cases
from models import Model, hash_of

HERE = os.path.dirname(os.path.abspath(__file__))
ENGINE = os.path.join(os.environ.get("MUSTER_BIN", "build/release/bin"), "muster-engine")
MODELS = os.environ.get("MUSTER_MODELS", "build/models")
REFUSED = (65, 78)  # Damaged, not implemented.
with open(os.path.join(HERE, "../data/faults_tokens.json")) as file:
    REFERENCE = json.load(file)


def encode(directory, texts, model=None):
    """The ids, or what was said instead: (code, words). `directory`: for the files, and the model's own."""
    given, output = os.path.join(directory, "texts.jsonl"), os.path.join(directory, "ids.jsonl")
    with open(given, "w") as lines:
        lines.writelines(json.dumps(text) + "\n" for text in texts)
    done = subprocess.run([ENGINE, "encode", "--model", model or directory, "--texts", given, "--output", output],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return done.returncode, done.stderr
    with open(output) as lines:
        return list(map(json.loads, lines))


def judge(found, expected, may_refuse):
    """What is wrong about it; empty: nothing."""
    if isinstance(found, tuple):
        code, words = found
        if code not in REFUSED or "muster-engine: " not in words:
            return f"exit code {code}: {words}"
        return "" if expected is None or may_refuse else f"refused, the reference is not: {words}"
    if expected is None:
        return "encoded, the reference refuses it"
    return "" if hash_of(found) == expected else "other ids"


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
            why = judge(found, REFERENCE[f"{row} {name}"], may_refuse)
            if why:
                wrong.append(f"{name}: {why}")
        self.assertEqual(wrong, [])

    def test_05_patterns(self):
        self.check_row(5)

    def test_05_every_code_point_of_both_models(self):
        for name in ("random-neox", "SmolLM2-135M-Instruct"):
            with tempfile.TemporaryDirectory() as directory:
                found = encode(directory, token_cases.every_code_point(), os.path.join(MODELS, name))
            self.assertEqual(judge(found, REFERENCE[f"every code point of {name}"], False), "", name)

    def test_07_all_of_tokenizer_json(self):
        self.check_row(7)


if __name__ == "__main__":
    unittest.main()
