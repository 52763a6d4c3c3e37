"""The table that every deployment has to give, that of ./dev demo; and what is told on the way there."""
import os
import sys

from pool.evaluation import scores_alone
from pool.programs import SMOL

LIMIT = 25
SMOL_THERE = "/models/" + os.path.basename(SMOL)  # Where containers have the folder of models.


def say(words):
    print("  " + words, file=sys.stderr, flush=True)


def values_of(table):
    """The values of a printed table, by row."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")]
    return [row[6] for row in rows[2:]]


def expected_values():
    return ["%.4f" % value for task in ("tinyMMLU", "tinyHellaswag") for value in scores_alone(SMOL, task, LIMIT)]
