# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Catching up --transactions transactions of sysbench oltp_write_only over 4 tables of --rows rows. Each repeat writes
# that many more while nobody follows; then we and two native replicas catch up, one after the other. Both replicas
# have 4 workers and keep the commit order; one writes its own binlog (the default), the other does not, as we do not.
# --rand-type is sysbench's: special, its default, sends three of four writes to one row in a hundred, so that keys
# repeat; with uniform they seldom do.
read_options "$@"
if [[ $quick == yes ]]; then rows=${rows:-5000} transactions=${transactions:-5000}; fi
rows=${rows:-100000} transactions=${transactions:-50000}
replicas=(replica replica-nolog)

seed_ours() {
  "$reseal" start "${ours[@]}" --until caught-up >"$folder/ours.log" 2>&1 ||
    { tail -n 5 "$folder/ours.log" >&2; die "reseal start failed"; }
}

# seed_replica NAME: an encrypted server with the same state, which follows by GTID. The reseal schema comes along: our
# marks in the source's log would have no table there.
seed_replica() {
  local server=$1/target
  kill "$(pid_of "$1/source")"  # the pair's source is not needed
  { echo "RESET BINARY LOGS AND GTIDS; SET sql_log_bin=0;"
    echo "CREATE DATABASE bench ENCRYPTION='Y'; CREATE DATABASE reseal ENCRYPTION='Y';"; } | sql "$server"
  "$RESEAL_MYSQL/bin/mysqldump" --defaults-file="$(login main/source)" --single-transaction --set-gtid-purged=ON \
    --no-create-db --databases bench reseal 2>"$folder/dump.log" | sql "$server" || die "$(cat "$folder/dump.log")"
  sql "$server" <<SQL
SET GLOBAL replica_parallel_workers=4;
SET GLOBAL replica_preserve_commit_order=ON;
CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$(setting main/source port), SOURCE_SSL=1,
  SOURCE_USER='follower', SOURCE_PASSWORD='$follower_password', SOURCE_AUTO_POSITION=1;
SQL
  say "$1: $(sql "$server" <<<"SELECT CONCAT_WS(' ', 'sync_binlog', @@sync_binlog, 'innodb_flush_log_at_trx_commit',
    @@innodb_flush_log_at_trx_commit, 'log_replica_updates', @@log_replica_updates)")"
}

# A password of replication has at most 32 characters. The account is not in the log, so it stays on the source.
make_follower() {
  follower_password=$(setting main/source password | cut -c 1-32)
  sql main/source <<<"SET SESSION sql_log_bin=0; CREATE USER follower IDENTIFIED BY '$follower_password';
    GRANT REPLICATION SLAVE ON *.* TO follower"
}

source_gtids() { sql main/source <<<"SELECT REPLACE(@@global.gtid_executed, '\n', '')"; }

polled() {
  local who=$1 server=$2 query=$3
  shift 3
  timed "$who" "$server" --mysql "$RESEAL_MYSQL/bin/mysql" --poll-login "$(login "$server")" --poll-sql "$query" "$@"
}

# From the start of the process until every lane holds all of the source's transactions; then it is stopped.
drain_ours() {
  polled ours main/target "SELECT MIN(GTID_SUBSET('$1', end_gtids)), MIN(batch) FROM reseal.lane" \
    -- "$reseal" start "${ours[@]}" --until verified
}

# From START REPLICA until the server holds them.
drain_replica() {
  local errors="SELECT COALESCE(GROUP_CONCAT(LAST_ERROR_MESSAGE), '')"
  polled "$1" "$1/target" "SELECT GTID_SUBSET('$2', @@global.gtid_executed), @@global.gtid_executed" \
    --error-sql "SELECT CONCAT(
      ($errors FROM performance_schema.replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER<>0),
      ($errors FROM performance_schema.replication_connection_status WHERE LAST_ERROR_NUMBER<>0))" \
    --start-sql "START REPLICA"
}

run_one() {
  local who=$1 goal server=$1/target
  [[ $who != ours ]] || server=main/target
  goal=$(source_gtids)
  settle main/source "$server"
  if [[ $who == ours ]]; then
    drain_ours "$goal" || { tail -n 5 "$folder/ours.log" >&2; die "reseal start failed"; }
  else
    drain_replica "$who" "$goal" || die "$who failed"
    sql "$server" <<<"STOP REPLICA"
  fi
  equal "$server" || void "$who"
}

prepare_machine
pair_up main
pair_up replica
pair_up replica-nolog --target-option log_replica_updates=OFF
write_sysbench_configuration
ours=(--state "$folder/state" --schemas bench --source-defaults-file "$(login main/source)"
  --target-defaults-file "$(login main/target)")
say "filling the source: 4 x $rows sysbench rows; seeding three targets"
sql main/source <<<"CREATE DATABASE bench"
sysbench_on_source 2 prepare
write_equality_check
seed_ours
make_follower
for replica in "${replicas[@]}"; do seed_replica "$replica"; done
for ((repeat = 1; repeat <= repeats; repeat++)); do
  say "writing $transactions transactions"
  sysbench_on_source 4 run --rand-type="$rand_type" --events="$transactions" --time=0
  digest_source
  for who in $(in_turn "$repeat" ours "${replicas[@]}"); do run_one "$who"; done
done
prove_check
python3 "$bench/report.py" drain "$folder/results" "rows=4x$rows transactions=$transactions rand_type=$rand_type"
