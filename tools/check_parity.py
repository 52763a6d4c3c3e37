#!/usr/bin/env python3
"""Compares muster-engine with the committed reference values of transformers.

    check_parity.py BIN_DIR MODEL_DIR REFERENCE.jsonl.gz [--items N]

Every log-likelihood must be within 1e-4 x (1 + tokens scored), every token count and every greedy
flag equal. With --items, the first N items of each task only. Needs nothing but Python.
"""
import argparse
import gzip
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests"))
from pool import evaluation  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir")
    parser.add_argument("model")
    parser.add_argument("reference")
    parser.add_argument("--items", type=int, default=100)
    args = parser.parse_args()
    items = {task: evaluation.items(task, bin_dir=args.bin_dir) for task in ("tinyMMLU", "tinyHellaswag")}

    requests, expected = [], []
    for line in gzip.open(args.reference, "rt"):
        row = json.loads(line)
        if row["item"] >= args.items:
            continue
        context, continuations = items[row["task"]][row["item"]]
        if hashlib.sha256(context.encode()).hexdigest() != row["context_sha256"]:
            sys.exit(f"{row['task']} {row['item']}: the prompt is not the one the reference was made with")
        for continuation, score in zip(continuations + row["generated"], row["scores"], strict=True):
            requests.append((context, continuation))
            expected.append((f"{row['task']} {row['item']}", *score))

    got = evaluation.score(args.model, requests, args.bin_dir)

    failures, worst = 0, 0.0
    for (where, loglikelihood, greedy, tokens), score in zip(expected, got, strict=True):
        share = abs(score["loglikelihood"] - loglikelihood) / (1e-4 * (1 + tokens))
        worst = max(worst, share)
        if share > 1 or score["is_greedy"] != greedy or score["tokens"] != tokens:
            failures += 1
            print(f"{where}: {score} is not {loglikelihood}, {greedy}, {tokens} tokens")
    flags = sum(greedy for _, _, greedy, _ in expected)
    print(f"{len(got)} scores, {flags} of them greedy; the largest difference is {worst:.3f} of what is allowed")
    print(f"parity: {len(got) - failures} passed, {failures} failed")
    return 1 if failures or not got else 0


if __name__ == "__main__":
    sys.exit(main())
