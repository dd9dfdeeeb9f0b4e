#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a BENCH line per peer.   compare.py METRIC UNIT lower|higher RESULTS SIZE

RESULTS holds a line per run: who ("ours" or a peer), the number that is compared, then NAME=NUMBER. Of these the median
is printed, or the sum if NAME begins with "sum_". ratio is above 1 where we are better, which is lower or higher. All
of these runs passed the equality check. SIZE is printed as it is."""
import statistics
import sys


def read_results(path):
    runs = {}
    with open(path) as lines:
        for line in lines:
            who, value, *more = line.rstrip("\n").split("\t")
            runs.setdefault(who, []).append((float(value), dict(word.split("=") for word in more)))
    return runs


def spread(values):
    median = statistics.median(values)
    return (max(values) - min(values)) / median if median else 0.0


def summary(name, runs):
    numbers = [float(more[name]) for _, more in runs]
    if name.startswith("sum_"):
        return f"{sum(numbers):.0f}"
    return f"{statistics.median(numbers):.2f}"


def main():
    metric, unit, better, path, size = sys.argv[1:]
    runs = read_results(path)
    ours = runs.pop("ours")
    our_values = [value for value, _ in ours]
    for peer, theirs in runs.items():
        their_values = [value for value, _ in theirs]
        our_median, their_median = statistics.median(our_values), statistics.median(their_values)
        pair = (our_median, their_median) if better == "higher" else (their_median, our_median)
        more = "".join(f" {name.removeprefix('sum_')}_{who}={summary(name, of)}" for name in ours[0][1]
                       for who, of in (("ours", ours), ("theirs", theirs)))
        print(f"BENCH metric={metric} peer={peer} ours={our_median:.2f} theirs={their_median:.2f} unit={unit} "
              f"ratio={pair[0] / pair[1] if pair[1] else float('inf'):.2f} "
              f"spread={max(spread(our_values), spread(their_values)):.2f} repeats={min(len(ours), len(theirs))} "
              f"equal=yes{more} {size}")


main()
