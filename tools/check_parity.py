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
import subprocess
import sys
import tempfile


def contexts(muster, task):
    lines = subprocess.run([muster, "requests", task], check=True, capture_output=True, text=True).stdout
    items = []
    for line in lines.splitlines():
        request = json.loads(line)
        if not items or items[-1][0] != request["context"]:
            items.append((request["context"], []))
        items[-1][1].append(request["continuation"])
    return items


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir")
    parser.add_argument("model")
    parser.add_argument("reference")
    parser.add_argument("--items", type=int, default=100)
    args = parser.parse_args()
    muster, engine = (os.path.join(args.bin_dir, name) for name in ("muster", "muster-engine"))
    items = {task: contexts(muster, task) for task in ("tinyMMLU", "tinyHellaswag")}

    requests, expected = [], []
    for line in gzip.open(args.reference, "rt"):
        row = json.loads(line)
        if row["item"] >= args.items:
            continue
        context, continuations = items[row["task"]][row["item"]]
        if hashlib.sha256(context.encode()).hexdigest() != row["context_sha256"]:
            sys.exit(f"{row['task']} {row['item']}: the prompt is not the one the reference was made with")
        for continuation, score in zip(continuations + row["generated"], row["scores"], strict=True):
            requests.append({"context": context, "continuation": continuation})
            expected.append((f"{row['task']} {row['item']}", *score))

    with tempfile.TemporaryDirectory() as work:
        with open(f"{work}/in.jsonl", "w") as out:
            out.writelines(json.dumps(r) + "\n" for r in requests)
        subprocess.run([engine, "score", "--model", args.model, "--requests", f"{work}/in.jsonl",
                        "--output", f"{work}/out.jsonl"], check=True)
        got = [json.loads(line) for line in open(f"{work}/out.jsonl")]

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
