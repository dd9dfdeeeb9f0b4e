#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times one run: wall seconds, and CPU seconds of the tool and of the servers (their /proc/PID/stat).

Without --poll-sql the run ends when the command does. With it, the run ends when that query answers 1 in its first
column; its second column is a counter whose first change is noted. --error-sql, asked seldom, ends it with the text of
an error. The run then begins with the command, or with --start-sql in the polling session; a command is stopped at the end.

Writes one line: started and ended (Unix time), wall, tool CPU, server CPU, seconds to the counter's first change."""
import argparse
import os
import resource
import signal
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")
POLL_SECONDS = 0.02
LOOKS_PER_ERROR_CHECK = 50


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS  # utime, stime: proc(5)


def cpu_of_ended_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Poller:
    """One mysql client for the whole run, so that a look costs a query and no connection."""

    def __init__(self, options):
        self.sql, self.error_sql = options.poll_sql, options.error_sql
        self.looks = 0
        self.client = subprocess.Popen(
            [options.mysql, f"--defaults-file={options.poll_login}", "--batch", "--skip-column-names", "--unbuffered"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        done, self.first_counter = self.ask(self.sql)
        if done == "1":
            sys.exit("timed: the work is done before it has begun")

    def execute(self, sql):
        self.client.stdin.write(sql + ";\n")
        self.client.stdin.flush()

    def ask(self, sql):
        self.execute(sql)
        line = self.client.stdout.readline()
        if not line:
            sys.exit("timed: the polling session ended")
        return line.rstrip("\n").split("\t")

    def error(self):
        self.looks += 1
        return self.ask(self.error_sql)[0] if self.error_sql and self.looks % LOOKS_PER_ERROR_CHECK == 0 else ""

    def wait(self, started, command, timeout):
        first_change = None
        while True:
            done, counter = self.ask(self.sql)
            now = time.time()
            if first_change is None and counter != self.first_counter:
                first_change = now - started
            if done == "1":
                return first_change or 0.0
            if error := self.error():
                sys.exit(f"timed: {error}")
            if command and command.poll() is not None:
                sys.exit(f"timed: the command ended with {command.returncode} before the work was done")
            if now - started > timeout:
                sys.exit(f"timed: not done after {timeout} s")
            time.sleep(POLL_SECONDS)


def end_group(process):
    if process and process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def measure(options):
    poller = Poller(options) if options.poll_sql else None
    command = None
    try:
        servers = sum(map(cpu_of, options.server_pid))
        children = cpu_of_ended_children()
        started = time.time()
        if options.start_sql:
            poller.execute(options.start_sql)
        if options.command:
            command = subprocess.Popen(options.command, stdin=subprocess.DEVNULL, stdout=options.log,
                                       stderr=subprocess.STDOUT, start_new_session=True)
        first_change = tool = 0.0
        if poller:
            first_change = poller.wait(started, command, options.timeout)
            tool = cpu_of(command.pid) if command else 0.0
        elif command.wait(options.timeout) != 0:
            sys.exit(f"timed: the command ended with {command.returncode}")
        ended = time.time()
        servers = sum(map(cpu_of, options.server_pid)) - servers
        if not poller:
            tool = cpu_of_ended_children() - children
        return [started, ended, ended - started, tool, servers, first_change]
    finally:
        end_group(command)
        if poller:
            poller.client.stdin.close()
            poller.client.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server-pid", type=int, action="append", default=[])
    parser.add_argument("--output", required=True)
    parser.add_argument("--log", required=True, type=lambda path: open(path, "w"))
    parser.add_argument("--mysql")
    parser.add_argument("--poll-login")
    parser.add_argument("--poll-sql")
    parser.add_argument("--error-sql")
    parser.add_argument("--start-sql")
    parser.add_argument("--timeout", type=float, default=3600)
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    line = measure(options)
    with open(options.output, "w") as output:
        output.write("\t".join(f"{value:.3f}" for value in line) + "\n")


main()
