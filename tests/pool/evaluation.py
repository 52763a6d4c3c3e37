"""What a task asks, and what one engine answers by itself: with this a pool's numbers are compared."""
import json
import os
import subprocess
import tempfile

from .programs import BIN

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../data")


def items(task, limit=None, bin_dir=BIN):
    """The requests of a task by item, as (context, continuations): consecutive requests with one context are one item's."""
    limits = ["--limit", str(limit)] if limit else []
    lines = subprocess.run([os.path.join(bin_dir, "muster"), "requests", task, *limits], check=True, capture_output=True,
                           text=True).stdout
    found = []
    for line in lines.splitlines():
        request = json.loads(line)
        if not found or found[-1][0] != request["context"]:
            found.append((request["context"], []))
        found[-1][1].append(request["continuation"])
    return found


def gold(task, limit=None):
    """Which choice of each item is right, counted from 0."""
    with open(os.path.join(DATA, f"{task}.jsonl")) as lines:
        return [json.loads(line)["gold"] for line in lines][:limit]


def write_requests(path, requests):
    """`requests`: pairs of context and continuation, for `muster-engine score`."""
    with open(path, "w") as out:
        for context, continuation in requests:
            out.write(json.dumps({"context": context, "continuation": continuation}) + "\n")


def score_command(model, requests, output, *flags, bin_dir=BIN):
    """Scores the file `requests` into the file `output`."""
    program = os.path.join(bin_dir, "muster-engine")
    return [program, "score", "--model", model, "--requests", requests, "--output", output, *flags]


def score(model, requests, bin_dir=BIN):
    """What `muster-engine score` says of each pair of context and continuation."""
    with tempfile.TemporaryDirectory() as work:
        asked, answered = os.path.join(work, "in"), os.path.join(work, "out")
        write_requests(asked, requests)
        subprocess.run(score_command(model, asked, answered, bin_dir=bin_dir), check=True)
        with open(answered) as lines:
            return [json.loads(line) for line in lines]


def scores_alone(model, task, limit, bin_dir=BIN):
    """acc and acc_norm_raw of a task from muster-engine in one process, without a pool."""
    asked, right = items(task, limit, bin_dir), gold(task, limit)
    scores = iter(score(model, [(context, one) for context, choices in asked for one in choices], bin_dir))
    acc = norm = 0
    for (_, choices), best in zip(asked, right, strict=True):
        values = [next(scores)["loglikelihood"] for _ in choices]
        per_length = [value / (len(choice) - 1) for value, choice in zip(values, choices)]
        acc += max(range(len(values)), key=values.__getitem__) == best
        norm += max(range(len(values)), key=per_length.__getitem__) == best
    return acc / len(right), norm / len(right)
