# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The kills at random moments; tools/chaos says what a round proves. Read by it, with the arguments after `kill`.

rounds= way=stream gtid=on scale=0.2 seed=1 first=1
while (($# > 0)); do
  (($# > 1)) || usage
  case $1 in
    --rounds) rounds=$2 ;;
    --way) way=$2 ;;
    --gtid) gtid=$2 ;;
    --scale) scale=$2 ;;
    --seed) seed=$2 ;;
    --first) first=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[[ $rounds =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ && $first =~ ^[1-9][0-9]*$ && $gtid =~ ^(on|off)$ && $way =~ ^(stream|dump|replica|snapshot)$ ]] || usage
# Where the copy is made under the fence, `cutover` makes it. A clone takes its time, most of it to encrypt.
fence_first=no copy_ms=1200 target_gtid=on
if [[ $way =~ ^(dump|snapshot)$ ]]; then fence_first=yes; fi
# The target's own replication commits each transaction by itself, and does not keep up with clients that never pause.
points=() rate=()
if [[ $way == replica ]]; then rate=(--rate 100); fi
if [[ $fence_first == yes ]]; then points=(copy-fence-note copy-fence); fi
if [[ $way =~ ^(replica|snapshot)$ ]]; then copy_ms=14000 points+=(clone-note clone-done clone-account); fi
if [[ $way == replica ]]; then target_gtid=$gtid; fi

source "$root/tests/chaos/common.sh"
round_folder= load= victim=

stop_all() {
  [[ -z $victim ]] || { kill -KILL "$victim" && wait "$victim"; } 2>/dev/null
  [[ -z $load ]] || { kill "$load" && wait "$load"; } 2>/dev/null
  victim= load=
  stop_servers
}

# A number from 0 to $1, inclusive; bash's own gives 15 bits. It must not run in a subshell, so it answers in `chosen`.
choose() { chosen=$(((RANDOM * 32768 + RANDOM) % ($1 + 1))); }
seconds() { printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)); }
alive() { kill -0 "$victim" 2>/dev/null; }
fail() { note_failure "round $round" "$*"; }

# --- one round ---------------------------------------------------------------------------------------------------------

begin_round() {
  round_folder=$work/round-$round
  mkdir -p "$round_folder/hooks" "$round_folder/logs"
  servers=$round_folder/servers
  local up=("$reseal" sandbox up --dir "$servers" --gtid "$gtid" --target-gtid "$target_gtid")
  "${up[@]}" >"$round_folder/sandbox.out" 2>&1 || return 1
  "$reseal" load prepare --defaults-file "$servers/source.cnf" --schema shop --scale "$scale" \
    >"$round_folder/prepare.out" 2>&1 || return 1
  # Triggers are created after the fence: many of them make the moments before the decision long enough to be hit.
  local number
  for number in {1..20}; do
    echo "CREATE TRIGGER shop.chaos_$number BEFORE DELETE ON shop.load_settings FOR EACH ROW SET @chaos = $number;"
  done >"$round_folder/triggers.sql"
  sql_file source "$round_folder/triggers.sql" || return 1
  cat >"$round_folder/hooks/reseal-on-switch" <<HOOK
#!/bin/sh
sleep 0.05
printf '%s' "$servers/target.cnf" >"$round_folder/serving.\$\$" &&
  mv "$round_folder/serving.\$\$" "$round_folder/serving"
sleep 0.05
HOOK
  printf '#!/bin/sh\nexec%s\n' "$(printf ' "%s"' "${up[@]}")" >"$round_folder/hooks/reseal-on-restart"
  chmod 755 "$round_folder/hooks/"*
  "$reseal" load run --defaults-file "$servers/source.cnf" --schema shop --clients 4 "${rate[@]}" --seconds 0 \
    --log-dir "$round_folder/logs" --serving "$round_folder/serving" >"$round_folder/load.out" 2>&1 &
  load=$!
  # A signal that meets this shell's child before it has become the load would run this script's own trap in it.
  until compgen -G "$round_folder/logs/*" >/dev/null; do sleep 0.02; done
  run=(--way "$way" --state "$round_folder/state" --source-defaults-file "$servers/source.cnf"
    --target-defaults-file "$servers/target.cnf" --hooks-path "$round_folder/hooks" --timeout 20000)
}

stop_load() {
  [[ -n $load ]] || return 0
  kill "$load"
  wait "$load" || fail "the load ended with an error, see load.out"
  load=
}

# start_victim VERB: the verb in the background; its log is $log.
start_victim() {
  attempt=$((attempt + 1))
  log=$round_folder/$(printf '%02d' "$attempt")-$1.log
  local arguments=("${run[@]}")
  if [[ $1 == start ]]; then arguments=("${run[@]:0:${#run[@]}-2}"); fi
  if [[ $1/$fence_first == start/no ]]; then arguments+=(--until verified); fi
  started_at=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
  "$reseal" "$1" "${arguments[@]}" >"$log" 2>&1 &
  victim=$!
}

await_line() { while alive && ! grep -q -- "$1" "$log" 2>/dev/null; do sleep 0.02; done; }
# The newest journal event of this attempt that begins with $1.
await_event() {
  while alive && ! "$reseal" status --state "$round_folder/state" 2>/dev/null |
    awk -v at="$started_at" -v event="$1" '$1 >= at && index($0, "  " event) { found = 1 } END { exit !found }'; do :; done
}

phase() { "$reseal" status --state "$round_folder/state" 2>/dev/null | sed -n 's/^STATUS .*phase=\([^ ]*\) .*/\1/p'; }

# Where a kill fell, as the journal and the servers tell it.
place_of_kill() {
  local now events
  now=$(phase)
  case $now in
    '' | fresh) place=provision ;;
    provisioned) place=seed ;;
    seeded) place=follow ;;
    caught-up) place=verify ;;
    switched) place=cutover:switched ;;
    verified)
      place=verify-again
      events=$("$reseal" status --state "$round_folder/state" | awk -v at="$started_at" '$1 >= at')
      if [[ $(sql target "SELECT COUNT(*) FROM reseal.decision WHERE serves='target'") == 1 ]]; then
        place=cutover:decided
        if [[ $(open_for_writes target) == 1 ]]; then place=cutover:opened; fi
      elif [[ $events == *switch-compared* ]]; then
        place=cutover:triggers
      elif [[ $events == *'switch: begun'* ]]; then
        place=cutover:begun
        if [[ $(open_for_writes source) == 0 ]]; then place=cutover:fenced; fi
      elif grep -q '0 differences' "$log"; then
        place=cutover:guardrails
      fi
      ;;
    *) place=$now ;;
  esac
  if [[ $now != '' && $now != fresh && $(open_for_writes source)$(open_for_writes target) == 11 ]]; then
    fail "both servers are open for writes after a kill in $place"
  fi
}

# Every other kill of a copy under the fence is followed by `reseal start`, which is to give the source back.
give_back() {
  [[ $fence_first == yes && $(phase) != switched ]] && choose 1 && ((chosen == 1)) || return 0
  local decided
  start_victim start
  wait "$victim"
  local code=$?
  victim=
  decided=$(sql target "SELECT COUNT(*) FROM reseal.decision WHERE serves='target'" 2>/dev/null)
  if ((code != 0)); then
    worth_another_try "$code" || fail "start ended with $code: $(tail -n 1 "$log")"
  elif [[ ${decided:-0} == 0 && $(open_for_writes source) == 0 ]]; then
    fail "start ended well and the source still takes no writes"
  fi
}

# kill_in ZONE: runs what leads to the zone and kills it there, after a further random time. False: it had ended before.
kill_in() {
  local verb=start
  if [[ $1 == switch* || ($fence_first == yes && $1 != provision) ]]; then verb=cutover; fi
  if [[ $verb == cutover && $((round % 2)) == 0 ]]; then stop_load; fi
  start_victim "$verb"
  case $1 in
    provision) choose 1000 ;;
    seed) await_line 'bookmark:\|copy \|fence: \|clone: ' && choose "$copy_ms" ;;
    follow) await_line 'follow: \|building unique\|verify: ' && choose 500 ;;
    verify) await_line 'verify: ' && choose 500 ;;
    switch) await_line '0 differences' && choose 600 ;;
    switch-begun) await_event 'switch: begun' && choose 400 ;;
    switch-compared) await_event 'switch-compared' && choose 220 ;;
  esac
  sleep "$(seconds "$chosen")"
  kill -KILL "$victim" 2>/dev/null
  wait "$victim" 2>/dev/null
  local code=$?
  victim=
  if [[ $code == 137 ]]; then
    kills=$((kills + 1))
    place_of_kill
    places+=("$place")
    echo "killed in $place" >>"$log"
    give_back
  elif [[ $code != 0 ]] && ! worth_another_try "$code"; then
    fail "$verb ended with $code: $(tail -n 1 "$log")"
  fi
  [[ $code == 137 ]]
}

# kill_at POINT: the same at a place that a random moment seldom meets (RESEAL_STOP_AT).
kill_at() {
  local verb=start
  if [[ $fence_first == yes ]]; then verb=cutover; fi
  export RESEAL_STOP_AT=$1
  start_victim "$verb"
  unset RESEAL_STOP_AT
  while alive && [[ $(ps -o stat= -p "$victim" 2>/dev/null) != T* ]]; do sleep 0.05; done
  kill -KILL "$victim" 2>/dev/null
  wait "$victim" 2>/dev/null
  local code=$?
  victim=
  [[ $code == 137 ]] || { fail "$verb did not come to $1: it ended with $code: $(tail -n 1 "$log")"; return 1; }
  kills=$((kills + 1))
  places+=("$1")
  echo "killed at $1" >>"$log"
  give_back
}

finish_move() {
  local try code
  for try in {1..20}; do
    if ((try == 1 && round % 2 == 0)); then stop_load; fi
    start_victim cutover
    wait "$victim"
    code=$?
    victim=
    ((code != 0)) || return 0
    worth_another_try "$code" || { fail "cutover ended with $code: $(tail -n 1 "$log")"; return 1; }
  done
  fail "the switch was given up 20 times: $(tail -n 1 "$log")"
  return 1
}

# --- what is proved at the end -----------------------------------------------------------------------------------------

# One line per table: name, rows, and a sum over a hash of each row that does not depend on the order of the rows.
sums_of_rows() {
  sql "$1" "SET SESSION group_concat_max_len=1000000;
    SELECT CONCAT('SELECT ''', table_name, ''', COUNT(*), COALESCE(SUM(CAST(CONV(LEFT(SHA2(CONCAT_WS(''|'',',
      GROUP_CONCAT(CONCAT('COALESCE(HEX(CAST(\`', column_name, '\` AS BINARY)),''-'')') ORDER BY ordinal_position),
      '),256),14),16,10) AS DECIMAL(30))),0) FROM shop.\`', table_name, '\`;')
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema='shop' AND table_type='BASE TABLE' GROUP BY table_name ORDER BY table_name" \
    >"$round_folder/$1.sums.sql" && [[ -s $round_folder/$1.sums.sql ]] &&
    sed -i "1i SET time_zone='+00:00';" "$round_folder/$1.sums.sql" &&
    sql_file "$1" "$round_folder/$1.sums.sql" >"$round_folder/$1.sums"
}

schema_lines() {
  sql "$1" "
    SELECT 'column', table_name, column_name, column_type, is_nullable, column_default, collation_name, extra
      FROM information_schema.columns WHERE table_schema='shop' ORDER BY 2, 3;
    SELECT 'index', table_name, index_name, non_unique, seq_in_index, column_name, sub_part, collation, expression,
      index_type, is_visible FROM information_schema.statistics WHERE table_schema='shop' ORDER BY 2, 3, 5;
    SELECT 'constraint', table_name, constraint_name, constraint_type, enforced
      FROM information_schema.table_constraints WHERE table_schema='shop' ORDER BY 2, 3;
    SELECT 'foreign key', table_name, constraint_name, referenced_table_name, update_rule, delete_rule
      FROM information_schema.referential_constraints WHERE constraint_schema='shop' ORDER BY 2, 3;
    SELECT 'view', table_name, view_definition FROM information_schema.views WHERE table_schema='shop' ORDER BY 2;
    SELECT 'routine', routine_type, routine_name, routine_definition
      FROM information_schema.routines WHERE routine_schema='shop' ORDER BY 2, 3;
    SELECT 'trigger', trigger_name, event_object_table, action_timing, event_manipulation, action_order,
      action_statement FROM information_schema.triggers WHERE trigger_schema='shop' ORDER BY 2;
    SELECT 'event', event_name, status, event_definition
      FROM information_schema.events WHERE event_schema='shop' ORDER BY 2" >"$round_folder/$1.schema"
}

# Lines that only one of the servers has, counted by their subject.
count_differences() {
  local what=$1 different
  different=$(diff "$round_folder/source.$what" "$round_folder/target.$what" | sed -n 's/^[<>] //p' |
    if [[ $what == sums ]]; then cut -f 1; else cut -f 1-3; fi | sort -u | tee -a "$round_folder/differences" | wc -l)
  differences=$((differences + different))
}

judge() {
  [[ $(sql source 'SELECT @@GLOBAL.super_read_only') == 1 ]] || fail "the source is not fenced at the end"
  [[ $(open_for_writes target) == 1 ]] || fail "the target is not open at the end"
  [[ $(phase) == switched ]] || fail "the journal is not in phase switched at the end"
  "$reseal" load audit --log-dir "$round_folder/logs" --defaults-file "$servers/target.cnf" --schema shop \
    --other-defaults-file "$servers/source.cnf" >"$round_folder/audit.out" 2>&1
  local code=$? line
  line=$(grep '^AUDIT ' "$round_folder/audit.out")
  lost=$(sed -n 's/.* lost=\([0-9]*\).*/\1/p' <<<"$line")
  duplicated=$(sed -n 's/.* duplicated=\([0-9]*\).*/\1/p' <<<"$line")
  ((code == 0)) || fail "the audit ended with $code: $(tail -n 1 "$round_folder/audit.out")"
  [[ $line =~ \ ops=[1-9] ]] || fail "the clients did nothing, so the audit proves nothing"
  schema_lines source && schema_lines target && [[ -s $round_folder/source.schema ]] || fail "cannot read the schemas"
  count_differences schema
  if ((round % 2 == 0)); then
    sums_of_rows source && sums_of_rows target || fail "cannot compare the rows"
    [[ -s $round_folder/source.sums ]] || fail "no table was compared"
    count_differences sums
  fi
  if ((differences > 0)); then fail "$differences differences, the first: $(head -n 1 "$round_folder/differences")"; fi
}

one_round() {
  failures=() places=() kills=0 attempt=0 lost=0 duplicated=0 differences=0
  RANDOM=$(((seed * 1009 + round) % 32768))
  # Three to six places in the order of the move; a kill that came too late is made up for in the comparison, which
  # every `reseal start` does again.
  local names=(provision seed follow verify switch switch-begun switch-compared switch-compared) zones=() zone number
  choose 3
  local wanted=$((3 + chosen))
  for ((number = 0; number < wanted; ++number)); do
    choose 7
    zones+=("$chosen")
  done
  mapfile -t zones < <(printf '%s\n' "${zones[@]}" | sort -n)
  if begin_round; then
    local point
    for point in "${points[@]}"; do
      ((${#failures[@]} == 0)) && kill_at "$point:after"
    done
    for zone in "${zones[@]}"; do
      ((${#failures[@]} == 0)) || break
      kill_in "${names[zone]}" || [[ ${names[zone]} == switch* ]] || kill_in verify
    done
    if ((${#failures[@]} == 0)) && finish_move; then
      # What the clients write after the switch is audited, too.
      if [[ -n $load ]]; then sleep 1; fi
      stop_load
      judge
    fi
  else
    fail "the servers could not be made ready, see sandbox.out and prepare.out"
  fi
  stop_all
  local ending=
  if ((${#failures[@]} > 0)); then
    failed=$((failed + 1)) keep=yes ending=" FAILED, kept in $round_folder"
  else
    rm -rf "$round_folder"
  fi
  lost_in_all=$((lost_in_all + ${lost:-0})) duplicated_in_all=$((duplicated_in_all + ${duplicated:-0}))
  differences_in_all=$((differences_in_all + differences))
  echo "ROUND $round kills=$kills phases=$(IFS=,; echo "${places[*]}") lost=${lost:-?} duplicated=${duplicated:-?}" \
    "differences=$differences$ending"
}

lost_in_all=0 duplicated_in_all=0 differences_in_all=0 failed=0
for ((round = first; round < first + rounds; ++round)); do one_round; done
echo "CHAOS kill rounds=$rounds lost=$lost_in_all duplicated=$duplicated_in_all differences=$differences_in_all" \
  "failed=$failed"
((failed == 0))
