#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client of tools/clients: PyMySQL or mysqlclient, which share Python's interface to databases.

    python_client.py pymysql|MySQLdb HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME

What it does and writes is told in tools/clients. Neither library prepares on the server, and neither has a pool.
"""
import importlib
import json
import os
import sys
import time

MODULE, HOST, PORT, USER, PASSWORD_FILE, CA, FOLDER, NAME = sys.argv[1:]
driver = importlib.import_module(MODULE)
with open(PASSWORD_FILE, encoding="utf-8") as file:
    PASSWORD = file.read().strip()
MODE = "STRICT_TRANS_TABLES,NO_ZERO_DATE"
INSERT = "INSERT INTO work (client, kind, number, part, words, bytes, document) VALUES (%s, %s, %s, %s, %s, %s, %s)"
longest = 0.0


def words(number):
    return f"Grüße 北京 🎉 {number}"


def all_bytes(number):
    first = number % 256
    return bytes(range(first, 256)) + bytes(range(first))


def document(number):
    return {"number": number, "words": words(number), "list": [1, 2.5, None]}


def note(suffix, line):
    with open(os.path.join(FOLDER, NAME + suffix), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def expect(what, wanted, seen):
    if wanted != seen:
        raise ValueError(f"wrong {what}: {seen!r} and not {wanted!r}")


class Client:
    def __init__(self):
        options = {"host": HOST, "port": int(PORT), "user": USER, "password": PASSWORD, "database": "clients",
                   "charset": "utf8mb4", "autocommit": True}
        if CA != "-":
            options["ssl"] = {"ca": CA, "check_hostname": False}
        if driver.__name__ == "MySQLdb" and os.environ.get("RESEAL_CLIENT_COMPRESSION"):
            options["compress"] = True
        self.connection = driver.connect(**options)
        self.cursor = self.connection.cursor()
        self.mark = f"{NAME} ü 🎉"
        self.run("SET time_zone = '+05:30', sql_mode = %s, @mark = %s, @amount = 2.50", (MODE, self.mark))

    def run(self, statement, arguments=None):
        """Returns how many rows it changed or found."""
        global longest
        begin = time.monotonic()
        rows = self.cursor.execute(statement, arguments)
        longest = max(longest, time.monotonic() - begin)
        return rows

    def insert(self, kind, number, part=1):
        rows = self.run(INSERT, (NAME, kind, number, part, words(number), all_bytes(number),
                                 json.dumps(document(number))))
        expect("affected rows", 1, rows)
        return self.cursor.lastrowid

    def single(self, number):
        told = self.insert("single", number)
        note(".acknowledged", f"single {number}")
        self.run("SELECT LAST_INSERT_ID()")
        expect("last insert id", told, self.cursor.fetchone()[0])

    def pair(self, number):
        self.run("START TRANSACTION")
        self.insert("pair", number, 1)
        self.insert("pair", number, 2)
        self.connection.commit()
        note(".acknowledged", f"pair {number}")

    def look(self, number):
        self.run("SELECT @@time_zone, @@sql_mode, @mark, CAST(@amount AS CHAR), @@character_set_client, "
                 "@@autocommit, DATABASE()")
        expect("session", ("+05:30", MODE, self.mark, "2.50", "utf8mb4", 1, "clients"), tuple(self.cursor.fetchone()))
        self.run("SELECT words, bytes, document FROM work WHERE client = %s AND kind = 'single' AND number = %s",
                 (NAME, number))
        row = self.cursor.fetchone()
        expect("words", words(number), row[0])
        expect("bytes", all_bytes(number), row[1])
        expect("document", document(number), json.loads(row[2]))


def main():
    number = 0
    client = None
    while not os.path.exists(os.path.join(FOLDER, "stop")):
        number += 1
        try:
            client = client or Client()
            client.single(number)
            client.pair(number)
            client.look(number)
        except Exception as error:  # whatever it is, it is to be told, and the work goes on
            note(".errors", f"{type(error).__name__}: {error}".replace("\n", " "))
            client = None
            time.sleep(0.2)
        time.sleep(0.05)
    note(".summary", f"version={driver.__version__} longest_wait_ms={int(longest * 1000)}")


main()
