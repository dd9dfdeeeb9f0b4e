# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Copy of a source without traffic into an empty encrypted target, indexes included: 4 sysbench tables of --rows rows
# and a table of a fifth as many JSON rows.
read_options "$@"
if [[ $quick == yes ]]; then rows=${rows:-10000}; fi
rows=${rows:-500000}

fill_source() {
  say "filling the source: 4 x $rows sysbench rows, $((rows / 5)) JSON rows"
  sql main/source <<<"CREATE DATABASE bench"
  sysbench_on_source 2 prepare
  # Only what JSON text can say: a dump turns a DECIMAL inside of JSON into a DOUBLE, and the equality check sees it.
  sql main/source >/dev/null <<SQL
SET SESSION cte_max_recursion_depth=$((rows + 1));
CREATE TABLE bench.document (id BIGINT PRIMARY KEY, number CHAR(32) NOT NULL, kind INT NOT NULL, body JSON,
  UNIQUE KEY (number), KEY (kind));
INSERT INTO bench.document
  WITH RECURSIVE counter AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM counter WHERE n < $((rows / 5)))
  SELECT n, LEFT(SHA2(n, 256), 32), n % 100, JSON_OBJECT('customer', CONCAT('customer ', n % 977), 'total', n * 1.25e0,
    'paid', IF(n % 3, CAST('true' AS JSON), CAST('null' AS JSON)), 'lines', JSON_ARRAY(
      JSON_OBJECT('article', LEFT(SHA2(n + 1, 256), 20), 'count', n % 7), JSON_OBJECT('article', 'ü\"\\\\n', 'count', -n)))
  FROM counter;
ANALYZE TABLE bench.sbtest1, bench.sbtest2, bench.sbtest3, bench.sbtest4, bench.document;
SQL
}

copy_ours() {
  rm -rf "$folder/state"
  timed ours main/target -- "$reseal" start --state "$folder/state" --schemas bench --until caught-up \
    --source-defaults-file "$(login main/source)" --target-defaults-file "$(login main/target)"
}

# Our load writes no binlog on the target, so neither does theirs.
copy_mysqldump() {
  timed mysqldump main/target -- bash -c 'set -o pipefail
    "$0/mysqldump" --defaults-file="$1" --single-transaction --set-gtid-purged=OFF bench |
      "$0/mysql" --defaults-file="$2" --init-command="SET sql_log_bin=0" bench' \
    "$RESEAL_MYSQL/bin" "$(login main/source)" "$(login main/target)"
}

# myloader writes no binlog unless it is told to (--enable-binlog).
copy_mydumper() {
  rm -rf "$folder/dump"
  timed mydumper main/target -- bash -c 'set -e
    mydumper --defaults-file="$1" --ssl --threads 2 --database bench --trx-consistency-only --outputdir "$0"
    myloader --defaults-file="$2" --ssl --threads 2 --directory "$0"' \
    "$folder/dump" "$(login main/source)" "$(login main/target)"
}

run_one() {
  local who=$1 repeat=$2
  empty_target
  # The peers find an encrypted schema; the one their dump would make says ENCRYPTION='N'.
  [[ $who == ours ]] || sql main/target <<<"SET sql_log_bin=0; CREATE DATABASE bench ENCRYPTION='Y'"
  settle main/source main/target
  if ! "copy_$who"; then
    [[ $who != ours ]] || { tail -n 5 "$folder/ours.log" >&2; die "reseal start failed"; }
    failed[$who]=$(tail -n 2 "$folder/$who.log" | tr '\n"' " '")
    say "$who failed: ${failed[$who]}"
    return
  fi
  if [[ $who == ours ]]; then
    cp "$folder/ours.log" "$folder/ours.$repeat.log"
    logs+=("$folder/ours.$repeat.log")
  fi
  equal main/target || void "$who"
  # The next run empties the target, so the changed row is gone by then.
  [[ $who != ours || $repeat != "$repeats" ]] || prove_check
}

prepare_machine
pair_up main
write_sysbench_configuration
fill_source
write_equality_check
digest_source
declare -A failed=()
logs=()
for ((repeat = 1; repeat <= repeats; repeat++)); do
  for who in $(in_turn "$repeat" ours mysqldump mydumper); do
    [[ -n ${failed[$who]:-} ]] || run_one "$who" "$repeat"
  done
done
for who in "${!failed[@]}"; do
  sed -i "/^$who\t/d" "$folder/results"
  echo "BENCH metric=copy peer=$who failed=\"${failed[$who]}\""
done
python3 "$bench/report.py" copy "$folder/results" "rows=4x$rows+$((rows / 5))" "${logs[@]}"
