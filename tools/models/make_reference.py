#!/usr/bin/env python3
"""Computes the parity tests' reference values with transformers in float32.

    make_reference.py MUSTER MODEL_DIR OUT.jsonl.gz

For every item of tinyMMLU and tinyHellaswag (requests from `MUSTER requests`): the scores of its
choices, and of two continuations that the model itself generates greedily (of up to 6 tokens; those
whose text encodes to the very tokens), so that a third of the greedy flags are true. One line per item:

    {"task", "item", "context_sha256", "generated": [text, text],
     "scores": [[log-likelihood, is_greedy, tokens], ...]}      choices first, then generated

Needs the PyPI packages torch and transformers. Encoding and truncation follow lm-eval (HFLM).
"""
import gzip
import hashlib
import json
import os
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests"))
from pool import evaluation  # noqa: E402

GENERATED_TOKENS = (2, 6, 3, 4, 5, 1)  # In order of preference.


class Reference:
    def __init__(self, directory):
        self.tokenizer = AutoTokenizer.from_pretrained(directory)
        self.model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
        self.max_length = self.model.config.max_position_embeddings
        self.logits = {}

    def encode(self, context, continuation):
        spaces = len(context) - len(context.rstrip())
        if spaces:
            continuation = context[-spaces:] + continuation
            context = context[:-spaces]
        whole = self.tokenizer(context + continuation)["input_ids"]
        head = self.tokenizer(context)["input_ids"]
        return head, whole[len(head):]

    def run(self, tokens):
        key = tuple(tokens)
        if key not in self.logits:
            with torch.no_grad():
                self.logits[key] = self.model(torch.tensor([tokens])).logits[0]
        return self.logits[key]

    def score(self, context, continuation):
        head, tail = self.encode(context, continuation)
        tokens = (head + tail)[-(self.max_length + 1):][:-1]
        logits = torch.log_softmax(self.run(tokens)[-len(tail):], dim=-1)
        picked = logits[torch.arange(len(tail)), torch.tensor(tail)]
        greedy = bool((logits.argmax(dim=-1) == torch.tensor(tail)).all())
        return [float(picked.double().sum()), greedy, len(tail)]

    def generate(self, context, count):
        tokens = self.tokenizer(context)["input_ids"][-(self.max_length - count):]
        with torch.no_grad():
            out = self.model.generate(torch.tensor([tokens]), max_new_tokens=count, do_sample=False,
                                      attention_mask=torch.ones(1, len(tokens), dtype=torch.long),
                                      pad_token_id=0, eos_token_id=None)
        new = out[0, len(tokens):].tolist()
        texts = [(n, self.tokenizer.decode(new[:n])) for n in GENERATED_TOKENS]
        exact = [t for n, t in texts if t and self.encode(context, t)[1] == new[:n]]
        return (exact + [" the", " a"])[:2]

    def item(self, context, continuations):
        self.logits.clear()
        generated = self.generate(context, max(GENERATED_TOKENS))
        return generated, [self.score(context, c) for c in continuations + generated]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    muster, directory, out_path = sys.argv[1:]
    reference = Reference(directory)
    lines = []
    for task in ("tinyMMLU", "tinyHellaswag"):
        items = evaluation.items(task, bin_dir=os.path.dirname(muster))
        for index, (context, continuations) in enumerate(items):
            generated, scores = reference.item(context, continuations)
            lines.append(json.dumps({
                "task": task, "item": index,
                "context_sha256": hashlib.sha256(context.encode()).hexdigest(),
                "generated": generated, "scores": scores}, ensure_ascii=False))
            print(f"\r{task} {index + 1}", end="", file=sys.stderr, flush=True)
    flags = [s[1] for line in lines for s in json.loads(line)["scores"]]
    print(f"\n{len(flags)} scores, {sum(flags)} greedy", file=sys.stderr)
    with open(out_path, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        out.write(("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
