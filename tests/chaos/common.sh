# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the forms of tools/chaos share: the program, the folder of the work, the pair of servers. Sets $root's
# RESEAL_MYSQL, $reseal and $work. A form defines stop_all, which ends its processes, and sets `keep` to yes when the
# folder is to stay.

RESEAL_MYSQL=$("$root/tools/mysql-server" 2>/dev/null) || exit 1
export RESEAL_MYSQL
reseal=${RESEAL_BINARY:-$root/build/dev/reseal}
[[ -x $reseal ]] || { echo "chaos: there is no $reseal; build it with tools/build dev reseal" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/reseal-chaos.XXXXXX")
servers= log= keep=no failures=()

finish() {
  local code=$?
  stop_all
  if [[ $keep == no ]]; then rm -rf "$work"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

stop_servers() { [[ -z $servers ]] || "$reseal" sandbox down --dir "$servers" >/dev/null 2>&1; }

# note_failure WHERE WHAT
note_failure() {
  failures+=("$2")
  echo "chaos: $1: $2" >&2
}

# sql SIDE STATEMENT, sql_file SIDE FILE
sql() { "$RESEAL_MYSQL/bin/mysql" --defaults-file="$servers/$1.cnf" --batch --skip-column-names -e "$2"; }
sql_file() { "$RESEAL_MYSQL/bin/mysql" --defaults-file="$servers/$1.cnf" --batch --skip-column-names <"$2"; }
open_for_writes() { sql "$1" 'SELECT NOT (@@GLOBAL.read_only OR @@GLOBAL.super_read_only)'; }

# Exit codes that an operator answers by trying again: given up (4), not ready because of lag (3), and the lock of a
# killed process that the server has not let go yet (5).
worth_another_try() { [[ $1 == 4 || $1 == 5 ]] || { [[ $1 == 3 ]] && grep -q 'not ready to switch: the ' "$log"; }; }
