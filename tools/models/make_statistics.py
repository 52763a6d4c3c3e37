#!/usr/bin/env python3
"""What scipy and statsmodels make of the cases that src/eval/statistics is held against.

    make_statistics.py OUT.json

Needs the PyPI packages scipy and statsmodels. Where neither has a statistic (Tango's interval) it is computed from its
definition, by other steps than the code's; an exact test is also counted with whole numbers.
"""
import json
import math
import random
import sys
from decimal import Context, Decimal, localcontext

import numpy
from scipy.optimize import brentq
from scipy.stats import binomtest, norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

COVERAGES = (0.95, 0.5, 0.99)
SIZES = (1, 2, 3, 10, 57, 100, 1000, 14042, 56000)


def quantile_of(coverage):
    return float(norm.isf((1 - coverage) / 2))


def coverage_cases():
    return [{"share": share, "z": quantile_of(share)} for share in COVERAGES]


def wilson_cases(chance):
    pairs = {(n, c) for n in SIZES for c in (0, 1, 2, n // 4, n // 2, n - 1, n) if c <= n} | {(100, 16)}
    pairs |= {(n, chance.randint(0, n)) for n in (chance.randint(1, 60000) for _ in range(60))}
    for total, correct in sorted(pairs):
        for coverage in COVERAGES:
            low, high = proportion_confint(correct, total, 1 - coverage, "wilson")
            yield {"correct": correct, "total": total, "z": quantile_of(coverage), "low": float(low), "high": float(high)}


def normal_cases(chance):
    for value, error in [(0.5, 0.0), (0.5, 0.05), (-3.25, 1e-6), (17.3, 4.2)] + [
            (chance.uniform(-9, 9), chance.random()) for _ in range(20)]:
        low, high = norm.interval(0.95, value, error) if error else (value, value)
        yield {"value": value, "stderr": error, "z": quantile_of(0.95), "low": float(low), "high": float(high)}


def counted_p(fewer, total):
    """The exact p, from the whole number of ways, in fifty digits."""
    with localcontext(Context(prec=50, Emin=-10**7, Emax=10**7)):
        ways = math.comb(total, fewer)
        term, tail = Decimal(ways >> max(0, ways.bit_length() - 200)), Decimal(0)
        term *= Decimal(2) ** (max(0, ways.bit_length() - 200) + 1 - total)
        for k in range(fewer, -1, -1):
            tail += term
            if term < tail * Decimal("1e-40"):
                break
            term = term * k / (total - k + 1)
        return float(min(Decimal(1), tail))


def mcnemar_cases(chance):
    pairs = {(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2), (0, 5), (0, 6), (7, 13), (20, 40), (3, 23), (0, 1000), (0, 1020),
             (500, 500), (500, 501), (499, 501), (400, 600), (1, 999), (28000, 28000), (27800, 28200), (0, 56000),
             (500000, 500000), (499500, 500500), (490000, 510000), (482000, 518000), (481265, 518735)}
    for most in (20, 200, 3000, 50000):
        pairs |= {(chance.randint(0, most), chance.randint(0, most)) for _ in range(25)}
    for only_a, only_b in sorted(pairs | {(b, a) for a, b in pairs if a + b < 100}):
        fewer, total = min(only_a, only_b), only_a + only_b
        p = binomtest(fewer, total, 0.5).pvalue if total else 1.0
        table = [[5, only_a], [only_b, 5]]
        assert math.isclose(p, mcnemar(table, exact=True).pvalue if total else 1.0, rel_tol=1e-11), (only_a, only_b)
        counted = counted_p(fewer, total)  # scipy's has about twelve digits where there are many items.
        assert math.isclose(p, counted, rel_tol=1e-11), (only_a, only_b, p, counted)
        yield {"only_a": only_a, "only_b": only_b, "p": counted}


def holm_cases(chance):
    lists = [[], [0.03], [1.0, 1.0], [0.0, 0.0, 1.0], [0.01, 0.04, 0.03, 0.005], [0.02] * 5, [0.5, 0.9, 0.4],
             [0.04, 0.01, 0.04, 0.01], [1e-300, 1e-12, 0.2]]
    lists += [[chance.random() ** 6 for _ in range(n)] for n in (2, 3, 10, 50, 100)]
    lists += [[round(chance.random() ** 3, 1) for _ in range(30)] for _ in range(5)]
    for values in lists:
        adjusted = multipletests(values, method="holm")[1] if values else []
        yield {"p": values, "adjusted": [float(p) for p in adjusted]}


def likeliest(more, fewer, total, difference):
    """The probability that only the other is right under which the counts are likeliest, given the difference."""
    alike = total - more - fewer
    low, high = max(0.0, -difference), (1 - difference) / 2

    def slope(q):  # Of the likelihood's logarithm, times everything that it is divided by.
        return more * q * (1 - 2 * q - difference) + fewer * (q + difference) * (1 - 2 * q - difference) \
            - 2 * alike * q * (q + difference)
    inside = (low + high) / 2
    low, high = low + 1e-13 * (inside - low), high - 1e-13 * (high - inside)
    return brentq(slope, low, high, xtol=1e-17, rtol=1e-15) if slope(low) > 0 > slope(high) else \
        low if slope(low) <= 0 else high


def tango_end(more, fewer, total, z):
    """Where the score statistic of the difference is -z: the upper end."""
    observed = (more - fewer) / total

    def off(difference):
        q = likeliest(more, fewer, total, difference)
        return more - fewer - total * difference + z * math.sqrt(
            max(0.0, total * (2 * q + difference * (1 - difference))))
    # A difference of -1 is a root, too, but no end.
    return 1.0 if observed == 1 else float(brentq(off, observed + 1e-13, 1 - 1e-15, xtol=1e-16, rtol=1e-15))


def tango_cases(chance):
    tables = [(9, 7, 13, 71), (1, 7, 1, 12), (36, 2, 12, 0), (0, 0, 0, 1), (1, 0, 0, 0), (50, 0, 0, 50), (0, 5, 0, 0), (0, 0, 5, 0),
              (0, 1, 0, 0), (10, 1, 0, 10), (10, 0, 1, 10), (0, 5, 5, 0), (5000, 400, 500, 8142), (20000, 3000, 3000, 30000)]
    tables += [tuple(chance.randint(0, most) for _ in range(4)) for most in (5, 50, 3000) for _ in range(15)]
    for both_right, only_a, only_b, both_wrong in tables:
        total = both_right + only_a + only_b + both_wrong
        if not total:
            continue
        for coverage in COVERAGES[:2]:
            z = quantile_of(coverage)
            yield {"counts": [both_right, only_a, only_b, both_wrong], "z": z,
                   "low": -tango_end(only_a, only_b, total, z), "high": tango_end(only_b, only_a, total, z)}


def quantile_cases(chance):
    for count in (1, 2, 3, 10, 101):
        values = sorted(round(chance.gauss(0, 1), 6) for _ in range(count))
        for probability in (0.0, 0.025, 0.25, 0.5, 0.975, 1.0):
            yield {"sorted": values, "probability": probability, "quantile": float(numpy.quantile(values, probability))}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    chance = random.Random(1)
    sections = {"coverage": coverage_cases(), "wilson": wilson_cases(chance), "normal": normal_cases(chance),
                "mcnemar": mcnemar_cases(chance), "holm": holm_cases(chance), "tango": tango_cases(chance),
                "quantile": quantile_cases(chance)}
    texts = [json.dumps(name) + ": [\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"
             for name, cases in sections.items()]
    with open(sys.argv[1], "w") as out:
        out.write("{\n" + ",\n".join(texts) + "\n}\n")


if __name__ == "__main__":
    main()
