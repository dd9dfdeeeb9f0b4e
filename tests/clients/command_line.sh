#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A client of tools/clients: the command line of MySQL or of MariaDB, a session that is fed from a pipe.
# RESEAL_CLIENT_COMPRESSION is zlib, zstd (MySQL's only) or not set.
#   command_line.sh PROGRAM mysql|mariadb HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME
set -uo pipefail
program=$1 flavour=$2 host=$3 port=$4 user=$5 password_file=$6 ca=$7 folder=$8 name=$9
trap '' PIPE
mode=STRICT_TRANS_TABLES,NO_ZERO_DATE
mark="$name ü 🎉"
session="+05:30"$'\t'"$mode"$'\t'"$mark"$'\t2.50\tutf8mb4\t1\tclients'
hex_bytes=$(printf '%02X' {0..255})
longest=0

option_file() {
  printf '[client]\nhost=%s\nport=%s\nuser=%s\npassword=%s\n' "$host" "$port" "$user" "$(<"$password_file")"
  case $flavour$ca in
    mysql-) printf 'ssl-mode=DISABLED\nget-server-public-key\n' ;;
    mysql*) printf 'ssl-mode=VERIFY_CA\nssl-ca=%s\n' "$ca" ;;
    mariadb-) printf 'skip-ssl\n' ;;
    *) printf 'ssl\nssl-ca=%s\n' "$ca" ;;
  esac
  case $flavour-${RESEAL_CLIENT_COMPRESSION:-} in
    *-) ;;
    mysql-*) printf 'compression-algorithms=%s\n' "$RESEAL_CLIENT_COMPRESSION" ;;
    mariadb-*) printf 'compress\n' ;;
  esac
}
(umask 077; option_file >"$folder/$name.cnf")

note() { printf '%s\n' "${2//$'\n'/ }" >>"$folder/$name.$1"; }

words() { echo "Grüße 北京 🎉 $1"; }
bytes() { echo "${hex_bytes:$1 % 256 * 2}${hex_bytes:0:$1 % 256 * 2}"; }
document() { echo "{\"list\": [1, 2.5, null], \"words\": \"$(words "$1")\", \"number\": $1}"; }

# insert KIND NUMBER PART: its statement.
insert() {
  echo "INSERT INTO work (client, kind, number, part, words, bytes, document) VALUES ('$name', '$1', $2, $3," \
    "'$(words "$2")', x'$(bytes "$2")', '$(document "$2")');"
}

# ask STATEMENTS WANTED: sends them; their only row must be WANTED.
ask() {
  local begin answer= took
  begin=$(date +%s%3N)
  printf '%s\n' "$1" >&"$statements" || return 1
  IFS= read -r answer <&"$answers" || return 1
  took=$(($(date +%s%3N) - begin))
  if ((took > longest)); then longest=$took; fi
  [[ $answer == "$2" ]] || { note errors "wrong answer: $answer and not $2"; return 2; }
}

# round NUMBER
round() {
  # Not ROW_COUNT(): of all that a session knows of its last statement only the insert id goes along in a move.
  ask "$(insert single "$1" 1) SELECT LAST_INSERT_ID() > 0;" 1 || return
  note acknowledged "single $1"
  ask "BEGIN; $(insert pair "$1" 1) $(insert pair "$1" 2) COMMIT; SELECT 'done';" "done" || return
  note acknowledged "pair $1"
  ask 'SELECT @@time_zone, @@sql_mode, @mark, CAST(@amount AS CHAR), @@character_set_client, @@autocommit,
    DATABASE();' "$session" || return
  ask "SELECT words, HEX(bytes), document FROM work WHERE client = '$name' AND kind = 'single' AND number = $1;" \
    "$(words "$1")"$'\t'"$(bytes "$1")"$'\t'"$(document "$1")"
}

number=0
while [[ ! -e $folder/stop ]]; do
  coproc SESSION {
    exec "$program" --defaults-file="$folder/$name.cnf" --batch --raw --skip-column-names --unbuffered \
      --default-character-set=utf8mb4 clients 2>"$folder/$name.said"
  }
  process=$SESSION_PID
  exec {answers}<&"${SESSION[0]}" {statements}>&"${SESSION[1]}" {SESSION[0]}<&- {SESSION[1]}>&-
  if ask "SET time_zone = '+05:30', sql_mode = '$mode', @mark = '$mark', @amount = 2.50; SELECT 'set';" set; then
    while [[ ! -e $folder/stop ]]; do
      number=$((number + 1))
      round "$number" || break
      sleep 0.05
    done
  fi
  exec {answers}<&- {statements}>&-
  wait "$process"
  if [[ ! -e $folder/stop || -s $folder/$name.said ]]; then
    note errors "ended: $(<"$folder/$name.said")"
    sleep 0.2
  fi
done
version=$("$program" --version | sed -nE 's/.*(Ver|Distrib) ([0-9.]+[0-9]).*/\2/p')
note summary "version=$version longest_wait_ms=$longest"
