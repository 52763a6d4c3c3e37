#!/usr/bin/env python3
"""Writes token ids of odd texts as Hugging Face's tokenizers gives them.

    make_token_vectors.py OUT.jsonl MODEL_DIR...

One line per model and text: {"model", "text", "ids"}. Needs the PyPI package tokenizers.
"""
import json
import os
import sys

from tokenizers import Tokenizer

TEXTS = [
    "", " ", "Hello world", " Hello  world ", "don't we'll I'M", "a\n\n\nb\r\n c\t\td", "12345 6,789.01", "x" * 300,
    "                              thirty spaces", "tabs\t\t\t\tand nbsp\u00a0\u3000", "caf\u00e9 cafe\u0301 \ufb01", "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd", "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 ok", "<|endoftext|>a<|endoftext|>", "<|im_start|>user\nhi<|im_end|>",
    "\u00b2\u00bd\u2167 \u0664\u0665", "\x00\x01\x02 control \x7f", "\u2028\u2029line", "a\u0301\u0323 b\u0323\u0301", "def f(x):\n    return x**2  # square\n",
    "The following are multiple choice questions (with answers) about high school statistics.\n\n", "\u180e mongolian", "\u00c5ngstr\u00f6m \u212b", "...!?!?---", "\ufffd\ufeffbom",
]


def main():
    out, *models = sys.argv[1:]
    with open(out, "w") as lines:
        for model in models:
            tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
            for text in TEXTS:
                row = {"model": os.path.basename(model), "text": text, "ids": tokenizer.encode(text).ids}
                lines.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
