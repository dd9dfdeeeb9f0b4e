#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the BENCH lines of one measurement.   report.py METRIC RESULTS SIZE [LOG_OF_OURS...]

RESULTS holds a line per run: who ("ours" or a peer), then the fields of timed.py. All of these runs passed the
equality check. SIZE is printed as it is. A log of `reseal start` per run of ours, in order, says where its time went."""
import statistics
import sys
from datetime import datetime

# The log line that ends each phase of `reseal start`; the run's end ends the last one.
PHASES = [("check", "provision: "), ("provision", "bookmark: "), ("copy", "copy done: "),
          ("plain_indexes", "follow: catching up"), ("follow", "the copy's overlap is applied"),
          ("unique_indexes", None)]


def read_results(path):
    runs = {}
    with open(path) as lines:
        for line in lines:
            who, *numbers = line.rstrip("\n").split("\t")
            runs.setdefault(who, []).append([float(number) for number in numbers])
    return runs


def spread(values):
    return (max(values) - min(values)) / statistics.median(values)


def print_peer(metric, peer, ours, theirs, size):
    our_wall, their_wall = [run[2] for run in ours], [run[2] for run in theirs]
    our_median, their_median = statistics.median(our_wall), statistics.median(their_wall)
    cpu = [statistics.median(run[3] + run[4] for run in runs) for runs in (ours, theirs)]
    print(f"BENCH metric={metric} peer={peer} ours={our_median:.2f} theirs={their_median:.2f} unit=s "
          f"ratio={their_median / our_median:.2f} spread={max(spread(our_wall), spread(their_wall)):.2f} "
          f"repeats={min(len(ours), len(theirs))} equal=yes ours_cpu={cpu[0]:.2f} theirs_cpu={cpu[1]:.2f} {size}")


def phase_seconds(run, log):
    """Seconds of each phase of one run."""
    ends, pending = [], [mark for _, mark in PHASES[:-1]]
    with open(log) as lines:
        for line in lines:
            if pending and pending[0] in line:
                ends.append(datetime.fromisoformat(line.split()[0].replace("Z", "+00:00")).timestamp())
                pending.pop(0)
    if pending:
        sys.exit(f"report: {log} has no line '{pending[0]}'")
    ends.append(run[1])
    return [end - begin for begin, end in zip([run[0]] + ends, ends)]


def print_time(metric, names, rows):
    medians = [statistics.median(column) for column in zip(*rows)]
    print(f"BENCH-TIME metric={metric} " + " ".join(f"{n}={m:.2f}" for n, m in zip(names, medians)) + " unit=s")


def main():
    metric, results, size, *logs = sys.argv[1:]
    runs = read_results(results)
    ours = runs.pop("ours")
    for peer, theirs in runs.items():
        print_peer(metric, peer, ours, theirs, size)
    if logs:
        rows = [phase_seconds(run, log) for run, log in zip(ours, logs)]
        print_time(metric, [name for name, _ in PHASES] + ["tool_cpu", "servers_cpu"],
                   [phases + run[3:5] for phases, run in zip(rows, ours)])
    else:
        print_time(metric, ["to_first_commit", "rest", "tool_cpu", "servers_cpu"],
                   [[run[5], run[2] - run[5], run[3], run[4]] for run in ours])


main()
