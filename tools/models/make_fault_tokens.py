#!/usr/bin/env python3
"""What tokenizers makes of the tokenizers of tests/faults/token_cases.py, for the tests to be held against.

    make_fault_tokens.py OUT.json MODELS [CASE]

For each case a hash of the ids of all its texts, or null where the reference refuses the model or one of its texts.
With CASE, prints the ids of those whose name has it. Rows 5 and 7 are about tokenizer.json, which tokenizers reads;
row 6 about what AutoTokenizer makes of the files beside it. Of the models in MODELS every code point. Needs the PyPI packages transformers and tokenizers.
"""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../../tests/faults")]
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import token_cases  # noqa: E402
from models import hash_of, write_changed  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402



def ids_of(row, directory, texts):
    if row == 6:
        tokenizer = AutoTokenizer.from_pretrained(directory)
        return [tokenizer(text)["input_ids"] for text in texts]
    tokenizer = Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return [tokenizer.encode(text).ids for text in texts]


def word_on(row, family, change, show):
    with tempfile.TemporaryDirectory() as directory:
        texts = token_cases.texts() + write_changed(family, change, directory).more_texts
        try:
            ids = ids_of(row, directory, texts)
        except BaseException as error:  # A panic of the reference is none of Exception's.
            print(f"    {type(error).__name__}: {' '.join(str(error).split())[:150]}", file=sys.stderr)
            return None
        if show:
            for text, of_text in zip(texts, ids):
                print(json.dumps(text), of_text)
        return hash_of(ids)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    words, only = {}, "".join(sys.argv[3:])
    for row, name, family, change, _ in token_cases.CASES:
        if only not in name:
            continue
        print(f"{row} {name}", file=sys.stderr)
        assert f"{row} {name}" not in words, "two cases of one name"
        words[f"{row} {name}"] = word_on(row, family, change, only)
    if only:
        return
    for name in sorted(os.listdir(sys.argv[2])):
        print(f"every code point of {name}", file=sys.stderr)
        words[f"every code point of {name}"] = hash_of(
            ids_of(5, os.path.join(sys.argv[2], name), token_cases.every_code_point()))
    with open(sys.argv[1], "w") as out:
        out.write("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(word)}" for name, word in words.items()) + "\n}\n")


if __name__ == "__main__":
    main()
