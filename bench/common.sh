# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the measurements share. Sourced by bench/run, which has set `bench` and `metric`.
root=$(dirname "$bench")
repeats=5 rows='' transactions='' clients=8 connections='' seconds='' rate='' rand_type=special quick=no
folder='' child='' background=() pairs=()

say() { printf 'bench: [%4ds] %s\n' "$SECONDS" "$*" >&2; }
die() { say "$*"; exit 1; }

read_options() {
  while (($# > 0)); do
    case $1 in
      --quick) quick=yes repeats=1 ;;
      --rows | --repeats | --transactions | --clients | --connections | --seconds | --rate)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { say "$1 needs a number"; exit 64; }
        printf -v "${1#--}" %s "$2"
        shift ;;
      --rand-type)
        [[ ${2:-} =~ ^(uniform|special|gaussian|pareto|zipfian)$ ]] || { say "$1 needs sysbench's name"; exit 64; }
        rand_type=$2
        shift ;;
      *) say "unknown option $1"; exit 64 ;;
    esac
    shift
  done
}

# Debian packages of the programs we are measured against, and of what the scripts need; MySQL's own programs come from
# tools/mysql-server.
install_peers() {
  local package missing=() wanted=(sysbench python3)
  case $metric in
    proxy | stall) wanted+=(haproxy) ;;
    *) wanted+=(mydumper) ;;
  esac
  for package in "${wanted[@]}"; do
    PATH=$PATH:/usr/sbin command -v "$package" >/dev/null || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0
  (($(id -u) == 0)) || die "missing: run sudo apt-get install ${missing[*]}"
  DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${missing[@]}" >&2
}

prepare_machine() {
  install_peers
  RESEAL_MYSQL=$("$root/tools/mysql-server")
  export RESEAL_MYSQL
  reseal=${RESEAL_BIN:-$root/build/release/reseal}
  [[ -x $reseal || -n ${RESEAL_BIN:-} ]] || reseal=$root/build/dev/reseal
  [[ -x $reseal ]] || die "no program to measure; run tools/build release"
  folder=$(mktemp -d "${TMPDIR:-/var/tmp}/reseal-bench.XXXXXX")
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  [[ $(stat -f -c %T "$folder") != tmpfs ]] || die "$folder is in memory; set TMPDIR to a folder on disk"
  # A copy, since a build in the middle of a measurement would change what is measured.
  say "measuring $reseal against MySQL $(cat "$RESEAL_MYSQL/version"), $repeats repeats, data in $folder"
  cp "$reseal" "$folder/program"
  reseal=$folder/program
}

# The program with our clients, of the build that is measured.
client_program() {
  local program
  for program in "${RESEAL_BIN:+$(dirname "$RESEAL_BIN")/bench/bench_clients}" \
    "$root"/build/{release,dev}/bench/bench_clients; do
    [[ ! -x $program ]] || { echo "$program"; return; }
  done
  die "there is no bench_clients; run tools/build release"
}

clean_up() {
  local code=$? pair kept=no
  trap '' INT TERM HUP
  if [[ -n $child ]]; then end_process "$child"; fi
  for child in "${background[@]}"; do end_process "$child"; done
  for pair in "${pairs[@]}"; do
    "$reseal" sandbox down --dir "$folder/$pair" >"$folder/down.log" 2>&1 ||
      { say "servers of $folder/$pair may still run: $(cat "$folder/down.log")"; kept=yes; }
  done
  [[ $kept == yes ]] || rm -rf "$folder"
  exit "$code"
}

end_process() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Runs a long command so that a signal to this script ends it too.
run_child() {
  local code=0
  "$@" &
  child=$!
  wait "$child" || code=$?
  child=''
  return "$code"
}

# pair_up NAME [option of `sandbox up`...]: a plain source and an encrypted target. Every server of a measurement has
# these same options, the peers' too.
pair_up() {
  local pair=$1 side options=()
  shift
  for side in source target; do
    options+=("--$side-option" innodb_buffer_pool_size=1G "--$side-option" innodb_redo_log_capacity=1G)
  done
  pairs+=("$pair")
  "$reseal" sandbox up --dir "$folder/$pair" "${options[@]}" "$@" >"$folder/up.log" || die "$(cat "$folder/up.log")"
}

login() { echo "$folder/$1.cnf"; }  # of a server, written PAIR/source or PAIR/target
pid_of() { cat "$folder/$1/mysqld.pid"; }
setting() { sed -n "s/^$2=//p" "$(login "$1")"; }

# sql SERVER [option of mysql...]: statements on stdin, rows without headings on stdout.
sql() {
  local server=$1
  shift
  "$RESEAL_MYSQL/bin/mysql" --defaults-file="$(login "$server")" --batch --skip-column-names "$@"
}

# For sysbench, which shall not show a password on its command line.
write_sysbench_configuration() {
  local name
  (umask 077 && for name in host port user password; do echo "mysql-$name=$(setting main/source $name)"; done \
    >"$folder/sysbench.conf")
  printf '%s\n' db-driver=mysql mysql-db=bench mysql-ignore-errors=1213,1020,1205,1062 >>"$folder/sysbench.conf"
}

# sysbench_on_source THREADS COMMAND [option...]: 1213, 1020, 1205 and 1062 are what concurrent writers run into.
sysbench_on_source() {
  local threads=$1 command=$2
  shift 2
  run_child sysbench --config-file="$folder/sysbench.conf" --threads="$threads" "$@" oltp_write_only --tables=4 \
    --table-size="$rows" "$command" >"$folder/sysbench.log" 2>&1 || die "sysbench: $(tail -n 3 "$folder/sysbench.log")"
}

# Both servers of a run begin it with nothing left to write.
settle() {
  local server dirty deadline=$((SECONDS + 60))
  sync
  for server in "$@"; do
    while dirty=$(sql "$server" <<<"SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'" | cut -f 2); do
      ((dirty > 50 && SECONDS < deadline)) || break
      sleep 0.5
    done
  done
}

# An empty target without the record of an earlier run; the servers are not made anew.
empty_target() {
  sql main/source <<<"DROP DATABASE IF EXISTS reseal"
  sql main/target <<'SQL'
SET SESSION sql_log_bin=0;
RESET PERSIST IF EXISTS read_only;
RESET PERSIST IF EXISTS super_read_only;
SET GLOBAL super_read_only=OFF;
SET GLOBAL read_only=OFF;
DROP DATABASE IF EXISTS reseal;
DROP DATABASE IF EXISTS bench;
SQL
}

# The statements of the equality check, made from the source's columns and run alike on every server: per table the
# number of rows and the sum of 64 bits of each row's SHA-256, then columns and indexes.
write_equality_check() {
  sql main/source >"$folder/check.sql" <<'SQL'
SET SESSION group_concat_max_len=1000000;
SELECT CONCAT('SELECT ''', TABLE_NAME, ''', COUNT(*), SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS(''#'',',
  GROUP_CONCAT('QUOTE(CAST(`', COLUMN_NAME, '` AS CHAR))' ORDER BY ORDINAL_POSITION),
  '),256),16),16,10) AS UNSIGNED)) FROM bench.`', TABLE_NAME, '`;')
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='bench' GROUP BY TABLE_NAME ORDER BY TABLE_NAME;
SQL
  cat >>"$folder/check.sql" <<'SQL'
SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, COLLATION_NAME, EXTRA
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='bench' ORDER BY TABLE_NAME, ORDINAL_POSITION;
SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART
  FROM information_schema.STATISTICS WHERE TABLE_SCHEMA='bench' ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX;
SQL
  [[ $(grep -c '^SELECT .*SHA2' "$folder/check.sql") -ge 4 ]] || die "the equality check has no tables"
}

digest() { sql "$1" <"$folder/check.sql"; }

# The source's digest; taken anew whenever the source was written to.
digest_source() { digest main/source >"$folder/source.digest" || die "no digest of the source"; }

# equal SERVER: same rows, columns and indexes as the source, and every table encrypted.
equal() {
  local plain
  digest "$1" >"$folder/other.digest" || { echo "its tables cannot be read" >"$folder/differences"; return 1; }
  diff "$folder/source.digest" "$folder/other.digest" >"$folder/differences" || return 1
  plain=$(sql "$1" <<<"SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES
    WHERE NAME LIKE 'bench/%' AND ENCRYPTION<>'Y'")
  [[ $plain == 0 ]] || { echo "$plain tables are not encrypted" >"$folder/differences"; return 1; }
}

# void PEER: the check failed, so nothing of this measurement counts.
void() {
  head -n 5 "$folder/differences" >&2
  echo "BENCH metric=$metric peer=$1 equal=no"
  die "the result of $1 is not equal to the source: the measurement is void"
}

# A check that cannot fail proves nothing: one changed row must be seen.
prove_check() {
  sql main/target <<<"SET sql_log_bin=0; UPDATE bench.sbtest2 SET pad=REVERSE(pad) ORDER BY id LIMIT 1"
  ! equal main/target || die "the equality check does not see a changed row: the measurement is void"
  say "the equality check saw a row that was changed on purpose"
}

# timed WHO [option of timed.py...] [-- COMMAND...]: one line of results for WHO, CPU of the two servers included.
timed() {
  local who=$1 target=$2 line
  shift 2
  run_child python3 "$bench/timed.py" --server-pid "$(pid_of main/source)" --server-pid "$(pid_of "$target")" \
    --output "$folder/timed" --log "$folder/$who.log" "$@" || return 1
  line=$(cat "$folder/timed")
  printf '%s\t%s\n' "$who" "$line" >>"$folder/results"
  say "$who: wall $(cut -f 3 <<<"$line") s, CPU $(cut -f 4 <<<"$line") s in the tool, $(cut -f 5 <<<"$line") s in the servers"
}

# Every other repeat runs the peers in the opposite order.
in_turn() {
  local repeat=$1
  shift
  if ((repeat % 2 == 1)); then echo "$@"; else printf '%s\n' "$@" | tac | xargs; fi
}
