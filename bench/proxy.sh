# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Point selects (sysbench oltp_point_select, --clients at a time for --seconds) on one server: directly, through our
# proxy, HAProxy and MySQL Router; then the memory of --connections idle sessions in each of the three. Ways of work:
#   prepared   prepared statements, no TLS
#   text       the statement as text, no TLS
#   tls        prepared statements over TLS. HAProxy and mysqlrouter pass the client's TLS through; we and
#              mysqlrouter-tls end it and speak TLS to the server too
# shellcheck source=bench/paths.sh
. "$bench/paths.sh"
read_options "$@"
if [[ $quick == yes ]]; then rows=${rows:-1000} seconds=${seconds:-2} connections=${connections:-100}; fi
rows=${rows:-100000} seconds=${seconds:-10} connections=${connections:-1000}

start_path() {
  case $1 in
    direct) port[direct]=$(setting main/source port) ;;
    ours) begin_ours ;;
    haproxy) begin_haproxy main/source ;;
    mysqlrouter) begin_router main/source ;;
    mysqlrouter-tls)
      begin_router main/source mysqlrouter-tls client_ssl_mode=REQUIRED server_ssl_mode=REQUIRED \
        "client_ssl_cert=$folder/main/source/data/server-cert.pem" \
        "client_ssl_key=$folder/main/source/data/server-key.pem" ;;
  esac
  write_logins "$1"
}

# The paths that a way of work is measured on.
paths_of() {
  echo direct ours haproxy mysqlrouter
  [[ $1 != tls ]] || echo mysqlrouter-tls
}

# Its port is another one after each start.
write_logins() {
  local account=("user=$(setting main/source user)" "password=$(setting main/source password)")
  write_login "${port[$1]}" "$folder/$1.plain.cnf" "${account[@]}" ssl-mode=DISABLED loose-get-server-public-key
  write_login "${port[$1]}" "$folder/$1.tls.cnf" "${account[@]}" ssl-mode=REQUIRED
}

# Where this sysbench looks for them, without a way to name others.
link_certificates() {
  ln -s main/source/data/ca.pem "$folder/cacert.pem"
  ln -s main/source/data/{client-cert,client-key}.pem "$folder/"
}

# rows_through PATH plain|tls TABLE: a digest of which server answers, and of a fixed set of its rows.
rows_through() {
  { echo 'SELECT @@server_uuid;'
    seq -f "SELECT id, k, c, pad FROM $3 WHERE id=%.0f;" 1 7 $((rows < 2000 ? rows : 2000)); } |
    "$RESEAL_MYSQL/bin/mysql" --defaults-file="$folder/$1.$2.cnf" --batch --skip-column-names 2>"$folder/rows.log" |
    sha256sum || { cat "$folder/rows.log" >&2; return 1; }
}

check_rows() {
  local path=$1 transport=plain
  if [[ $2 == tls ]]; then transport=tls; fi
  [[ $(rows_through "$path" "$transport" bench.sbtest1) == "$expected" ]] ||
    { echo "rows through $path ($2) are others" >"$folder/differences"; void "$path"; }
}

prove_check_of_rows() {
  expected=$(rows_through direct plain bench.sbtest1)
  [[ $(rows_through ours plain bench.sbtest2) != "$expected" ]] ||
    die "the equality check does not see another table's rows: the measurement is void"
  say "the equality check saw another table's rows"
}

tls_logins() { sql main/source <<<"SHOW GLOBAL STATUS LIKE 'Ssl_finished_accepts'" | cut -f 2; }
cpu_of_path() { if [[ $1 == direct ]]; then echo 0 0; else cpu_seconds "${process[$1]}"; fi; }

# point_selects PATH WAY: one line of results. 1 if sysbench failed.
point_selects() {
  local path=$1 way=$2 options=() before after accepted done_ ignored rate
  [[ $way != text ]] || options+=(--db-ps-mode=disable)
  [[ $way != tls ]] || options+=(--mysql-ssl=on)
  accepted=$(tls_logins)
  before=$(cpu_of_path "$path")
  if ! (cd "$folder" && exec sysbench --config-file=sysbench.conf --mysql-port="${port[$path]}" --threads="$clients" \
    "${options[@]}" oltp_point_select --tables=4 --table-size="$rows" --time="$seconds" --events=0 run) \
    >"$folder/sysbench.log" 2>&1; then
    say "sysbench through $path: $(head -n 1 <(grep FATAL "$folder/sysbench.log"))"
    return 1
  fi
  after=$(cpu_of_path "$path")
  read -r done_ rate < <(sed -n 's/^ *transactions: *\([0-9]*\) *(\([0-9.]*\) per sec.*/\1 \2/p' "$folder/sysbench.log")
  ignored=$(sed -n 's/^ *ignored errors: *\([0-9]*\) .*/\1/p' "$folder/sysbench.log")
  ((done_ > 0 && ignored == 0)) || { cp "$folder/sysbench.log" "$folder/differences"; void "$path"; }
  accepted=$(($(tls_logins) - accepted - 1))  # one of them asked
  [[ $way != tls && $accepted == 0 || $way == tls && $accepted -ge $clients ]] ||
    { echo "$accepted logins over TLS" >"$folder/differences"; void "$path"; }
  awk -v path="$path" -v rate="$rate" -v n="$done_" -v OFS='\t' '{ print path, rate, \
    "cpu_us=" ($3 - $1 + $4 - $2) * 1e6 / n, "user_us=" ($3 - $1) * 1e6 / n, "system_us=" ($4 - $2) * 1e6 / n }' \
    <<<"$before $after" >>"$folder/results.$way"
  say "$way $path: $(tail -n 1 "$folder/results.$way" | cut -f 2-3)"
}

# A peer that refuses a login now and then gets another two tries (mysqlrouter-tls does, by what the client library calls
# a malformed packet, 2027). We get none.
try_again() {
  if [[ $1 == ours || $1 == direct ]]; then die "$1 failed"; fi
  say "$1 gets another try"
  point_selects "$@" || point_selects "$@" || die "$1 failed three times"
}

# idle_memory PATH plain|tls: resident memory that --connections sessions add to a proxy that has just been started.
idle_memory() {
  local path=$1 transport=$2 before after answers lines
  # In place of the one that was measured before: its memory is what its past has left.
  end_path "$path"
  start_path "$path"
  check_rows "$path" "$transport"
  before=$(resident_kib "${process[$path]}")
  coproc IDLE { exec "$bench_clients" "$folder/$path.$transport.cnf" "$connections" idle 2>"$folder/idle.log"; }
  child=$IDLE_PID
  exec {answers}<&"${IDLE[0]}" {lines}>&"${IDLE[1]}" {IDLE[0]}<&- {IDLE[1]}>&-
  read -r -t 300 -u "$answers" answer && [[ $answer == ready ]] || die "$path: $(cat "$folder/idle.log")"
  sleep 1
  after=$(resident_kib "${process[$path]}")
  (($(sql main/source <<<"SHOW GLOBAL STATUS LIKE 'Threads_connected'" | cut -f 2) > connections)) ||
    die "the sessions through $path are not there: the measurement is void"
  exec {lines}>&- {answers}<&-
  wait "$child" || die "$path: $(cat "$folder/idle.log")"
  child=''
  printf '%s\t%s\n' "$path" "$(awk -v a="$after" -v b="$before" -v n="$connections" 'BEGIN { print (a - b) / n }')" \
    >>"$folder/results.idle.$transport"
  say "idle $transport $path: $(tail -n 1 "$folder/results.idle.$transport" | cut -f 2) KiB"
}

prepare_machine
bench_clients=$(client_program)
ulimit -n "$(ulimit -Hn)"
(($(ulimit -n) > 2 * connections + 200)) || die "--connections $connections needs more open files than ulimit -n allows"
pair_up main --source-option "max_connections=$((connections + 200))"
write_sysbench_configuration
say "filling the source: 4 x $rows sysbench rows"
sql main/source <<<"CREATE DATABASE bench"
sysbench_on_source 2 prepare
for path in direct ours haproxy mysqlrouter mysqlrouter-tls; do start_path "$path"; done
link_certificates
prove_check_of_rows
for ((repeat = 1; repeat <= repeats; repeat++)); do
  for way in prepared text tls; do
    # shellcheck disable=SC2046  # one word per path
    for path in $(in_turn "$repeat" $(paths_of "$way")); do
      point_selects "$path" "$way" || try_again "$path" "$way"
      check_rows "$path" "$way"
    done
  done
done
for way in prepared text tls; do
  python3 "$bench/compare.py" proxy tps higher "$folder/results.$way" "way=$way clients=$clients seconds=$seconds"
done
for ((repeat = 1; repeat <= repeats; repeat++)); do
  for path in $(in_turn "$repeat" ours haproxy mysqlrouter); do idle_memory "$path" plain; done
  for path in $(in_turn "$repeat" ours haproxy mysqlrouter mysqlrouter-tls); do idle_memory "$path" tls; done
done
for transport in plain tls; do
  python3 "$bench/compare.py" idle_connection KiB lower "$folder/results.idle.$transport" \
    "transport=$transport connections=$connections"
done
