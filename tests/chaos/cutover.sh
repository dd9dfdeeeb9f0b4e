# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The points of the switch; tools/chaos says what a case is and proves. Read by it, with the arguments after `cutover`.

# In the order of the switch. `decide:before` and not `triggers:after`, since the time-out is looked at in between.
forward_points=(announce:before announce-row:after announce:after hold:after fence-note:after fence:after
  end-writes:after position:after drain:after counters:after verify:after triggers-note:after decide:before
  decide-row:before decide-row:after decide:after open-persisted:before open:after release-moved:after release:after
  events:after hook:after record:after)
backing_points=(lower-fence:before lower-fence-persisted:before lower-fence-note:before lower-fence:after
  drop-triggers:before drop-triggers-note:before drop-triggers:after resume-follow:after)
all_victims=(tool alone asleep proxy source target net-source net-target net-proxy)

points=all victims=all cases= gtid=on turn=0
while (($# > 0)); do
  if [[ $1 == --back ]]; then turn=1; shift; continue; fi
  (($# > 1)) || usage
  case $1 in
    --points) points=$2 ;;
    --victims) victims=$2 ;;
    --cases) cases=$2 ;;
    --gtid) gtid=$2 ;;
    *) usage ;;
  esac
  shift 2
done

# chosen WISH NAME...: the names that are wished for, one a line; fails for one that is none.
chosen() {
  local wish names=("${@:2}")
  if [[ $1 == all ]]; then printf '%s\n' "${names[@]}"; return; fi
  for wish in ${1//,/ }; do
    [[ " ${names[*]} " == *" $wish "* ]] || { echo "chaos: there is no $wish; there are: ${names[*]}" >&2; return 1; }
    echo "$wish"
  done
}
[[ $gtid =~ ^(on|off)$ && $points == [a-z]* && $victims == [a-z]* ]] || usage
points=$(chosen "$points" "${forward_points[@]}" "${backing_points[@]}") || usage
victims=$(chosen "$victims" "${all_victims[@]}") || usage
mapfile -t points <<<"$points"
mapfile -t victims <<<"$victims"
# Every case as POINT/VICTIM/TURN; an odd turn is a rollback.
list=()
if [[ -n $cases ]]; then
  for one in ${cases//,/ }; do
    [[ $one == */* ]] || usage
    chosen "${one%%/*}" "${forward_points[@]}" "${backing_points[@]}" >/dev/null || usage
    chosen "${one#*/}" "${all_victims[@]}" >/dev/null || usage
    list+=("$one/$(((${#list[@]} + turn) % 2))")
  done
  mapfile -t points < <(printf '%s\n' "${list[@]%%/*}" | sort -u)
else
  for ((p = 0; p < ${#points[@]}; ++p)); do
    for ((v = 0; v < ${#victims[@]}; ++v)); do list+=("${points[p]}/${victims[v]}/$(((p + v + turn) % 2))"); done
  done
fi

source "$root/tests/chaos/common.sh"

timeout_ms=4000         # of the switch
lease_ms=9000           # the proxy's, 5 s more than the tool's time-out
unserved_limit_ms=45000 # the lease, a server's start, and the wait of a login in between, with room for a slow machine
cases_of_a_pair=40      # then a new one: the audit reads all logs since the load's tables were made

pair= kept=() relays=() load= tool= logs=()
number=0 pairs=0

fail() { note_failure "case $number $point victim=$victim" "$*"; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# wait_until MILLISECONDS COMMAND...: false when the time is over and it still fails.
wait_until() {
  local end=$(($(now_ms) + $1))
  until "${@:2}"; do
    (($(now_ms) < end)) || return 1
    sleep 0.05
  done
}
end_process() { kill "-$1" "$2" && wait "$2"; } 2>/dev/null

# --- the pair of servers and what works with it ---------------------------------------------------------------------

# keep NAME COMMAND...: runs it now, and again 0.3 s after it has ended, as a supervisor would. Its process is in
# $pair/NAME.pid.
keep() {
  local name=$1
  shift
  (
    child=
    trap 'kill -KILL $child; exit' TERM
    while :; do
      "$@" >>"$pair/$name.log" 2>&1 &
      child=$!
      echo "$child" >"$pair/$name.pid"
      wait "$child"
      sleep 0.3
    done
  ) 2>/dev/null &
  kept+=($!)
}

# Whether SIDE takes writes, about 15 times a second, in $pair/samples: the time, the side, 1 or 0.
look_at() {
  exec "$RESEAL_MYSQL/bin/mysql" --defaults-file="$servers/$1.cnf" --batch --skip-column-names --unbuffered \
    >>"$pair/samples" 2>/dev/null < <(yes "SELECT UNIX_TIMESTAMP(NOW(6)), '$1',
      NOT (@@GLOBAL.read_only OR @@GLOBAL.super_read_only); DO SLEEP(0.05);")
}

# relay NAME SIDE...: a relay to these servers; for each an option file NAME-SIDE.cnf that leads through it.
relay() {
  local name=$1 side ports=()
  shift
  for side; do ports+=("$(sed -n 's/^port=//p' "$servers/$side.cnf")"); done
  "$root/tests/chaos/relay" "${ports[@]}" >"$pair/$name.ports" 2>"$pair/$name.log" &
  relays+=($!)
  echo $! >"$pair/$name.pid"
  wait_until 60000 test -s "$pair/$name.ports" || return 1
  read -ra ports <"$pair/$name.ports"
  for side; do
    (umask 077 && sed "s/^port=.*/port=${ports[0]}/" "$servers/$side.cnf" >"$pair/$name-$side.cnf")
    ports=("${ports[@]:1}")
  done
}

start_proxy() {
  local password port=0
  password=$(openssl rand -hex 16)
  sql source "CREATE USER app IDENTIFIED BY '$password'; GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO app" ||
    return 1
  port=$(shuf -i 16000-19999 -n 1)
  keep proxy "$reseal" proxy run --source-defaults-file "$pair/proxy-relay-source.cnf" --listen "127.0.0.1:$port" \
    --target-defaults-file "$pair/proxy-relay-target.cnf" --control "$pair/proxy.sock" \
    --tls-cert "$servers/source/data/server-cert.pem" --tls-key "$servers/source/data/server-key.pem"
  (umask 077 && printf '[client]\nhost=127.0.0.1\nport=%s\nuser=app\npassword=%s\nssl-mode=VERIFY_CA\nssl-ca=%s\n' \
    "$port" "$password" "$servers/source/data/ca.pem" >"$pair/app.cnf")
  wait_until 60000 proxy_serves source
}

proxy_serves() {
  local status
  status=$("$reseal" proxy status --control "$pair/proxy.sock" 2>/dev/null) &&
    [[ $status == *'"holding":false'* && $status == *"\"serves\":\"$1\""* ]]
}

begin_pair() {
  pairs=$((pairs + 1)) logs=() serves=source
  pair=$work/pair-$pairs
  servers=$pair/servers
  mkdir "$pair"
  "$reseal" sandbox up --dir "$servers" --gtid "$gtid" >"$pair/sandbox.out" 2>&1 &&
    "$reseal" load prepare --defaults-file "$servers/source.cnf" --schema shop --scale 0.05 \
      >"$pair/prepare.out" 2>&1 &&
    relay tool-s source && relay tool-t target && relay proxy-relay source target && start_proxy || return 1
  run=(--state "$pair/state" --source-defaults-file "$pair/tool-s-source.cnf"
    --target-defaults-file "$pair/tool-t-target.cnf" --proxy "$pair/proxy.sock")
  "$reseal" start "${run[@]}" --until caught-up >"$pair/start.out" 2>&1 || return 1
  keep look-source look_at source
  keep look-target look_at target
}

stop_all() {
  local process
  [[ -z $tool ]] || end_process KILL "$tool"
  [[ -z $load ]] || end_process TERM "$load"
  for process in ${kept[@]+"${kept[@]}"} ${relays[@]+"${relays[@]}"}; do end_process TERM "$process"; done
  tool= load= kept=() relays=()
  stop_servers
  pair= servers=
}

# --- the parts of a case --------------------------------------------------------------------------------------------

start_load() {
  mkdir "$case_folder/load"
  logs+=(--log-dir "$case_folder/load")
  "$reseal" load run --defaults-file "$pair/app.cnf" --schema shop --clients 4 --rate 60 --seconds 0 \
    --log-dir "$case_folder/load" >"$case_folder/load.out" 2>&1 &
  load=$!
  # A signal that meets this shell's child before it has become the load would run this script's own trap in it.
  wait_until 60000 compgen -G "$case_folder/load/*" >/dev/null || fail "the load does not start, see load.out"
}

stop_load() {
  [[ -n $load ]] || return 0
  end_process TERM "$load" || fail "the load ended with an error, see load.out"
  load=
  unserved=$(sed -n 's/.*"longest_stall_ms": *\([0-9]*\).*/\1/p' "$case_folder/load/summary.json" 2>/dev/null)
}

latest_epoch() { sql target 'SELECT COALESCE(MAX(epoch), 0) FROM reseal.attempt'; }
alive() { kill -0 "$tool" 2>/dev/null; }
# Whether the tool stands at its point, or has ended.
stands_or_ended() { ! alive || [[ $(sed 's/.*) //;s/ .*//' "/proc/$tool/stat" 2>/dev/null) == T ]]; }

# The switch, up to the point. False: it ended before, which is a failure but for what is worth another try.
reach_point() {
  local verb=cutover stops=$point try code
  if [[ $from == target ]]; then verb=rollback; fi
  if [[ " ${backing_points[*]} " == *" $point "* ]]; then stops=triggers-note:after,$point; fi
  for try in 1 2 3 4; do
    epoch_before=$(latest_epoch)
    log=$case_folder/$verb-$try.log
    RESEAL_STOP_AT=$stops "$reseal" "$verb" "${run[@]}" --timeout "$timeout_ms" >"$log" 2>&1 &
    tool=$!
    wait_until 60000 stands_or_ended || { fail "$verb did not come to the point in 60 s"; return 1; }
    if [[ $stops == *,* ]] && alive; then
      sleep "$((timeout_ms / 1000)).2"
      kill -CONT "$tool"
      sleep 0.1
      wait_until 30000 stands_or_ended || { fail "$verb did not come to the point in 30 s"; return 1; }
    fi
    if alive; then return 0; fi
    wait "$tool"
    code=$?
    tool=
    worth_another_try "$code" || { fail "$verb ended with $code before the point: $(tail -n 1 "$log")"; return 1; }
  done
  fail "$verb ended four times before the point: $(tail -n 1 "$log")"
  return 1
}

kill_server() {
  local process
  process=$(<"$servers/$1/mysqld.pid")
  kill -KILL "$process"
  kill -CONT "$tool"
  sleep 0.5
  # Its lock on the socket stands until the process is gone.
  wait_until 20000 gone "$process"
  "$reseal" sandbox up --dir "$servers" --gtid "$gtid" >"$case_folder/sandbox.out" 2>&1 ||
    fail "the $1 does not start again, see sandbox.out"
}

signal_and_go_on() {
  kill "-$1" "$(<"$pair/$2.pid")"
  kill -CONT "$tool"
}

do_harm() {
  case $victim in
    tool | alone) kill -KILL "$tool" ;;
    asleep)
      sleep "$((lease_ms / 1000 + 2))"
      kill -CONT "$tool"
      ;;
    source | target) kill_server "$victim" ;;
    proxy) signal_and_go_on KILL proxy ;;
    net-source) signal_and_go_on USR1 tool-s ;;
    net-target) signal_and_go_on USR1 tool-t ;;
    net-proxy) signal_and_go_on USR1 proxy-relay ;;
  esac
}

# rerun VERB OPTION...: until it ends with 0.
rerun() {
  local try code
  for try in {1..8}; do
    log=$case_folder/$1-again-$try.log
    timeout 90 "$reseal" "$1" "${run[@]}" "${@:2}" >"$log" 2>&1
    code=$?
    ((code != 0)) || return 0
    worth_another_try "$code" || break
  done
  fail "$1, run again, ended with $code: $(tail -n 1 "$log")"
  return 1
}

# Waits for the end of the attempt, whoever brings it about; sets `by`.
come_to_an_end() {
  local code
  if [[ $victim == alone ]]; then
    wait "$tool" 2>/dev/null
    tool= by=lease
    return 0
  fi
  wait_until 60000 ended || { fail "the tool did not end in 60 s"; kill -KILL "$tool"; }
  wait "$tool" 2>/dev/null
  code=$?
  tool= by=itself
  [[ $code =~ ^(0|1|3|4|5|137)$ ]] || fail "the tool ended with $code: $(tail -n 1 "$log")"
  if ((code != 0 && code != 4)); then
    by=rerun
    rerun start --until caught-up
  fi
}
ended() { ! alive; }
gone() { ! kill -0 "$1" 2>/dev/null; }

other() { if [[ $1 == source ]]; then echo target; else echo source; fi; }
persisted() {
  sql "$1" "SELECT COUNT(*) FROM performance_schema.persisted_variables
    WHERE variable_name IN ('read_only', 'super_read_only') AND variable_value='ON'"
}

# The state that the record calls for, within the proxy's lease and some seconds.
judge_state() {
  decision=none serves=$from
  [[ $(sql target "SELECT COUNT(*) FROM reseal.decision WHERE outcome='decided' AND epoch>$epoch_before") == 0 ]] ||
    decision=made serves=$to
}
legal() {
  judge_state
  proxy_serves "$serves" && [[ $(open_for_writes "$serves") == 1 ]] && [[ $(open_for_writes "$(other "$serves")") == 0 ]]
}
rows_in_ledger() { sql "$serves" 'SELECT COUNT(*) FROM shop.ledger'; }
clients_write() { (($(rows_in_ledger) > rows_before + 4)); }

judge() {
  wait_until $((lease_ms + 15000)) legal ||
    fail "decision $decision, source open $(open_for_writes source), target open $(open_for_writes target)," \
      "proxy $("$reseal" proxy status --control "$pair/proxy.sock" 2>&1 | grep -o '"holding.*')"
  [[ $(persisted "$serves") == 0 ]] || fail "the $serves serves, and would not after its next start"
  [[ $(persisted "$(other "$serves")") != 0 ]] || fail "the $(other "$serves") would be open after its next start"
  rows_before=$(rows_in_ledger)
  wait_until 30000 clients_write || fail "the clients do not write again"
  stop_load
  ((${unserved:-999999} <= unserved_limit_ms)) || fail "a client was without a commit for ${unserved:-?} ms"
  never_both_open || fail "both servers were open for writes, see samples"
  audit
}

# In the samples since the case began: never is one side open, then the other, then the first again, without having
# been seen closed in between.
never_both_open() {
  sed -n "$((samples_before + 1)),\$p" "$pair/samples" | sort -n >"$case_folder/samples"
  awk '{ other = $2 == "source" ? "target" : "source" }
    $3 == 0 { open[$2] = seen[$2] = 0 }
    $3 == 1 { if (open[$2] && seen[$2]) bad = 1; open[$2] = 1; seen[$2] = 0; if (open[other]) seen[other] = 1 }
    END { exit bad || NR < 10 }' "$case_folder/samples"
}

audit() {
  local code line
  "$reseal" load audit "${logs[@]}" --defaults-file "$servers/$serves.cnf" --schema shop \
    --other-defaults-file "$servers/$(other "$serves").cnf" >"$case_folder/audit.out" 2>&1
  code=$?
  line=$(grep '^AUDIT ' "$case_folder/audit.out")
  lost=$(sed -n 's/.* lost=\([0-9]*\).*/\1/p' <<<"$line")
  duplicated=$(sed -n 's/.* duplicated=\([0-9]*\).*/\1/p' <<<"$line")
  ((code == 0)) || fail "the audit ended with $code: $(tail -n 1 "$case_folder/audit.out")"
  [[ $line =~ \ ops=[1-9] ]] || fail "the clients did nothing, so the audit proves nothing"
}

# The side that the case leaves must serve; without traffic, and no part of what is judged.
make_ready() {
  if [[ -z $pair ]] || ((${#logs[@]} >= 2 * cases_of_a_pair)); then
    stop_all
    begin_pair || { fail "the servers could not be made ready, see $pair"; return 1; }
  fi
  case_folder=$pair/case-$number
  mkdir "$case_folder"
  if [[ $serves == target && $from == source ]]; then rerun rollback || return 1; fi
  if [[ $serves == source && $from == target ]]; then rerun cutover || return 1; fi
  serves=$from
}

one_case() {
  failures=() decision='?' by='?' lost='?' duplicated='?' unserved='?'
  number=$((number + 1)) case_folder=
  if make_ready; then
    samples_before=$(wc -l <"$pair/samples")
    start_load
    if reach_point; then
      do_harm
      come_to_an_end
      judge
      # The tool that nobody ran again: it must find what the proxy left.
      [[ $victim != alone ]] || rerun start --until caught-up
    fi
    stop_load
  fi
  local ending=ok
  if ((${#failures[@]} > 0)); then
    failed=$((failed + 1)) keep=yes ending="FAILED, kept in ${case_folder:-$pair}"
    stop_all
  fi
  [[ $lost == [0-9]* ]] && lost_in_all=$((lost_in_all + lost))
  [[ $duplicated == [0-9]* ]] && duplicated_in_all=$((duplicated_in_all + duplicated))
  echo "POINT $point victim=$victim from=$from decision=$decision serves=$serves by=$by lost=$lost" \
    "duplicated=$duplicated unserved_ms=$unserved $ending"
}

lost_in_all=0 duplicated_in_all=0 failed=0
for one in "${list[@]}"; do
  IFS=/ read -r point victim turn <<<"$one"
  from=source to=target
  if [[ $turn == 1 ]]; then from=target to=source; fi
  one_case
done
echo "CHAOS cutover points=${#points[@]} cases=$number lost=$lost_in_all duplicated=$duplicated_in_all failed=$failed"
((failed == 0))
