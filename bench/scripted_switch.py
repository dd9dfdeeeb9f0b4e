#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The switch that operators script: from one server to its replica, behind HAProxy.

    scripted_switch.py --mysql PROGRAM --from OPTION_FILE --to OPTION_FILE --to-port PORT --haproxy SOCKET

Both sessions and the program are there before it begins, and it begins once the replica is hardly behind, or below the
lag that we allow ourselves if it stays behind: what is measured is the switch. Prints one JSON object: stall_ms, from the fence to HAProxy's last answer, and the steps."""
import argparse
import json
import socket
import subprocess
import sys
import time

SMALL_LAG_SECONDS = 0.2
ALLOWED_LAG_SECONDS = 2.0  # as `reseal cutover` has it
LOOKS_FOR_SMALL_LAG = 10
LAG_LOOKS = 50


class Session:
    def __init__(self, program, login):
        self.client = subprocess.Popen(
            [program, f"--defaults-file={login}", "--batch", "--skip-column-names", "--unbuffered"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def scalar(self, sql):
        self.client.stdin.write(sql + ";\n")
        self.client.stdin.flush()
        line = self.client.stdout.readline()
        if not line:
            sys.exit("scripted_switch: the server refused: " + sql[:60])
        return line.rstrip("\n")

    def do(self, sql):
        self.scalar(sql + "; SELECT 1")

    def gtids(self):
        return self.scalar("SELECT REPLACE(@@global.gtid_executed, '\\n', '')")

    def wait_for(self, gtids):
        if self.scalar(f"SELECT WAIT_FOR_EXECUTED_GTID_SET('{gtids}', 60)") != "0":
            sys.exit("scripted_switch: the replica does not arrive: " + self.scalar(
                "SELECT CONCAT_WS(' ', (SELECT GROUP_CONCAT(LAST_ERROR_MESSAGE) FROM"
                " performance_schema.replication_applier_status_by_worker), (SELECT LAST_ERROR_MESSAGE FROM"
                " performance_schema.replication_connection_status))"))

    def close(self):
        self.client.stdin.close()
        self.client.wait()


def tell_haproxy(path, commands):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall((";".join(commands) + "\n").encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part
    # It answers a change of address with what it was, and else only if it refuses.
    if b"IP changed" not in answer and b"port changed" not in answer:
        sys.exit(f"scripted_switch: haproxy: {answer.decode().strip()}")


def wait_for_small_lag(source, target):
    """On a machine that is too busy for the small one, what we allow ourselves will do."""
    for look in range(LAG_LOOKS):
        gtids, began = source.gtids(), time.monotonic()
        target.wait_for(gtids)
        if time.monotonic() - began < (SMALL_LAG_SECONDS if look < LOOKS_FOR_SMALL_LAG else ALLOWED_LAG_SECONDS):
            return
    sys.exit("scripted_switch: the replica stays behind")


def switch(source, target, options):
    steps = []
    began = last = time.monotonic()

    def step(name):
        nonlocal last
        now = time.monotonic()
        steps.append({"step": name, "ms": round(1000 * (now - last), 1)})
        last = now

    source.do("SET GLOBAL super_read_only=ON")
    step("fence")
    target.wait_for(source.gtids())
    step("wait")
    target.do("SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF")
    step("open")
    tell_haproxy(options.haproxy, [f"set server mysql/serving addr 127.0.0.1 port {options.to_port}",
                                   "shutdown sessions server mysql/serving"])
    step("haproxy")
    return {"stall_ms": round(1000 * (last - began), 1), "steps": steps}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mysql", required=True)
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    parser.add_argument("--to-port", required=True)
    parser.add_argument("--haproxy", required=True)
    options = parser.parse_args()
    source, target = Session(options.mysql, options.source), Session(options.mysql, options.target)
    wait_for_small_lag(source, target)
    print(json.dumps(switch(source, target, options)))
    source.close()
    target.close()


main()
