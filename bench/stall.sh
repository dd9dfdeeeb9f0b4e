# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The longest wait of any client while who serves is switched, under --connections clients (64, then 10, 100 and 1000)
# that together want --rate transactions a second. Ours: `reseal cutover` and `rollback` in turn, behind our proxy. The
# peer: scripted_switch.py, to and fro between two servers that replicate each other by GTID, behind HAProxy.
# bench_clients says what a wait is. --seconds is how long the clients are watched without a switch before, which tells
# what they wait anyhow.
# shellcheck source=bench/paths.sh
. "$bench/paths.sh"
read_options "$@"
if [[ $quick == yes ]]; then rows=${rows:-1000} seconds=${seconds:-2} connections=${connections:-10}; fi
rows=${rows:-100000} seconds=${seconds:-5} rate=${rate:-400}
read -ra sizes <<<"${connections:-64 10 100 1000}"
most=$(printf '%s\n' "${sizes[@]}" | sort -n | tail -n 1)
declare -A serves=([ours]=source [scripted]=source)
runs=0

other_side() { if [[ $1 == source ]]; then echo target; else echo source; fi; }
pair_of() { if [[ $1 == ours ]]; then echo main; else echo scripted; fi; }
serving() { echo "$(pair_of "$1")/${serves[$1]}"; }

# The same account everywhere. In the scripted pair each server makes its own.
make_accounts() {
  local account="CREATE USER app IDENTIFIED BY '$app_password'; GRANT SELECT, INSERT, UPDATE, DELETE ON bench.* TO app;"
  local server
  sql main/source <<<"$account"
  for server in scripted/source scripted/target; do
    sql "$server" <<<"SET SESSION sql_log_bin=0; $account CREATE USER follower IDENTIFIED BY '$app_password';
      GRANT REPLICATION SLAVE ON *.* TO follower"
  done
}

# follow SERVER OTHER
follow() {
  sql "$1" <<SQL
CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$(setting "$2" port), SOURCE_SSL=1,
  SOURCE_USER='follower', SOURCE_PASSWORD='$app_password', SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1;
START REPLICA;
SQL
}

dump() {
  "$RESEAL_MYSQL/bin/mysqldump" --defaults-file="$(login "$1")" --single-transaction --no-create-db "$2" \
    --databases bench 2>"$folder/dump.log"
}

# The scripted pair begins with the rows of ours, its target encrypted as ours is.
seed_scripted_pair() {
  sql scripted/source <<<"CREATE DATABASE bench"
  dump main/source --set-gtid-purged=OFF | sql scripted/source || die "$(cat "$folder/dump.log")"
  sql scripted/target <<<"RESET BINARY LOGS AND GTIDS; SET sql_log_bin=0; CREATE DATABASE bench ENCRYPTION='Y'"
  dump scripted/source --set-gtid-purged=ON | sql scripted/target || die "$(cat "$folder/dump.log")"
  follow scripted/target scripted/source
  follow scripted/source scripted/target
  sql scripted/target <<<"SET GLOBAL super_read_only=ON"
}

switch_ours() {
  local verb=cutover
  if [[ ${serves[ours]} == target ]]; then verb=rollback; fi
  run_child "$reseal" "$verb" "${ours[@]}" --proxy "$folder/ours.sock" --json >"$folder/switch.json" \
    2>"$folder/switch.log" || { tail -n 5 "$folder/switch.log" >&2; die "reseal $verb failed"; }
  grep -q '"switched":true' "$folder/switch.json" || die "reseal $verb gave up: $(cat "$folder/switch.json")"
}

switch_scripted() {
  local to
  to=scripted/$(other_side "${serves[scripted]}")
  # Who has logged in before does so faster.
  write_login "$(setting "$to" port)" "$folder/app.cnf" "${app_login[@]}"
  "$RESEAL_MYSQL/bin/mysql" --defaults-file="$folder/app.cnf" <<<"DO 1" || die "the account cannot log in on $to"
  run_child python3 "$bench/scripted_switch.py" --mysql "$RESEAL_MYSQL/bin/mysql" \
    --from "$(login "$(serving scripted)")" --to "$(login "$to")" --to-port "$(setting "$to" port)" \
    --haproxy "$folder/haproxy.sock" >"$folder/switch.json" || die "the scripted switch failed"
}

json() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$1" "$2"; }

ask_clients() {
  echo >&"$lines"
  read -r -t 120 -u "$answers" answer || die "the clients are gone: $(cat "$folder/clients.log")"
  echo "$answer" >"$1"
}

# one_run WHO CONNECTIONS: one line of results.
one_run() {
  local who=$1 count=$2 answers lines answer path=ours
  if [[ $who == scripted ]]; then path=haproxy; fi
  runs=$((runs + 1))
  write_login "${port[$path]}" "$folder/clients.cnf" "${app_login[@]}"
  coproc CLIENTS {
    exec "$bench_clients" "$folder/clients.cnf" "$count" $((count * 1000 / rate)) "$rows" $((runs * 10000)) \
      "$folder/acknowledged" 2>"$folder/clients.log"
  }
  child=$CLIENTS_PID
  exec {answers}<&"${CLIENTS[0]}" {lines}>&"${CLIENTS[1]}" {CLIENTS[0]}<&- {CLIENTS[1]}>&-
  read -r -t 300 -u "$answers" answer && [[ $answer == ready ]] || die "clients of $who: $(cat "$folder/clients.log")"
  clients_process=$child
  sleep 2
  ask_clients "$folder/before.json"
  sleep "$seconds"
  ask_clients "$folder/quiet.json"
  "switch_$who"
  serves[$who]=$(other_side "${serves[$who]}")
  sleep 1
  ask_clients "$folder/during.json"
  sleep 1  # the new side has to work too
  child=$clients_process
  exec {lines}>&- {answers}<&-
  wait "$child" || die "clients of $who: $(cat "$folder/clients.log")"
  child=''
  note_run "$who" "$count"
  equal_ledger "$who" || void "$who"
}

note_run() {
  local who=$1 count=$2 field line
  line=$who$'\t'$(json "$folder/during.json" longest_ms)
  for field in longest_ms median_ms; do line+=$'\t'quiet_${field%_ms}=$(json "$folder/quiet.json" "$field"); done
  line+=$'\t'said=$(json "$folder/switch.json" stall_ms)$'\t'transactions=$(json "$folder/during.json" transactions)
  for field in errors dropped refused conflicts; do line+=$'\t'sum_$field=$(json "$folder/during.json" "$field"); done
  echo "$line" >>"$folder/results.$count"
  say "$count $line"
  say "  $(tr -d '\n' <"$folder/switch.json" | grep -o '"steps".*')"
  if [[ -n $(json "$folder/during.json" last_error) ]]; then say "  $(json "$folder/during.json" last_error)"; fi
}

# equal_ledger WHO: every transaction that was acknowledged is on the serving side, once, and no row is there twice.
equal_ledger() {
  local first=$((runs * 10000))
  sql "$(serving "$1")" >"$folder/ledger" <<<"SELECT client, number, COUNT(*) FROM bench.ledger
    WHERE client BETWEEN $first AND $((first + 9999)) GROUP BY client, number" || return 1
  awk -F '\t' 'NR == FNR { there[$1, $2] = $3; if ($3 > 1) { print "twice: client " $1 " number " $2; bad = 1 } next }
    { ++rows } !(($1, $2) in there) { print "lost: client " $1 " number " $2; bad = 1 }
    END { if (!rows) print "no row was acknowledged"; exit bad || !rows }' "$folder/ledger" "$folder/acknowledged" \
    >"$folder/differences"
}

prove_ledger_check() {
  sql "$(serving "$1")" <<<"DELETE FROM bench.ledger WHERE client >= $((runs * 10000)) ORDER BY id LIMIT 1"
  ! equal_ledger "$1" || die "the equality check does not see a lost row: the measurement is void"
  say "the equality check saw a row that was lost on purpose"
}

prepare_machine
bench_clients=$(client_program)
ulimit -n "$(ulimit -Hn)"
(($(ulimit -n) > 2 * most + 200)) || die "$most connections need more open files than ulimit -n allows"
options=(--source-option "max_connections=$((2 * most + 200))" --target-option "max_connections=$((2 * most + 200))")
pair_up main "${options[@]}"
pair_up scripted "${options[@]}"
write_sysbench_configuration
app_password=$(openssl rand -hex 16)
app_login=(user=app "password=$app_password" ssl-mode=DISABLED loose-get-server-public-key)
say "filling the source: 4 x $rows sysbench rows; seeding two targets"
sql main/source <<<"CREATE DATABASE bench;
  CREATE TABLE bench.ledger (id BIGINT AUTO_INCREMENT PRIMARY KEY, client INT NOT NULL, number INT NOT NULL)"
sysbench_on_source 2 prepare
make_accounts
seed_scripted_pair
ours=(--state "$folder/state" --schemas bench --source-defaults-file "$(login main/source)"
  --target-defaults-file "$(login main/target)")
"$reseal" start "${ours[@]}" --until caught-up >"$folder/start.log" 2>&1 ||
  { tail -n 5 "$folder/start.log" >&2; die "reseal start failed"; }
begin_ours
begin_haproxy scripted/source
for size in "${sizes[@]}"; do
  for ((repeat = 1; repeat <= repeats; repeat++)); do
    for who in $(in_turn "$repeat" ours scripted); do one_run "$who" "$size"; done
  done
done
prove_ledger_check "$who"
for size in "${sizes[@]}"; do
  python3 "$bench/compare.py" stall ms lower "$folder/results.$size" \
    "connections=$size rate=$rate rows=4x$rows quiet_seconds=$seconds"
done
