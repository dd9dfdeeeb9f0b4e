# SPDX-License-Identifier: Apache-2.0
# What tools/cutover and tools/clients share: a pair of servers, a proxy, and switches there and back under clients.
# To be sourced by a script in tools/. It makes $folder, and sets $root, $mysql and $reseal; what is started in it is
# ended by end_servers. RESEAL_BINARY names another program than build/dev/reseal.

tool=$(basename -- "$0")
say() { echo "$tool: $*"; }
fail() {
  failed=yes
  echo "$tool: $*" >&2
}
failed=no

# prepare_folder: finds the programs and makes $folder.
prepare_folder() {
  RESEAL_MYSQL=$("$root/tools/mysql-server" 2>/dev/null) || exit 1
  export RESEAL_MYSQL
  mysql=$RESEAL_MYSQL/bin/mysql
  reseal=${RESEAL_BINARY:-$root/build/dev/reseal}
  [[ -x $reseal ]] || { echo "$tool: there is no $reseal; build it with tools/build dev reseal" >&2; exit 1; }
  folder=$(mktemp -d "${TMPDIR:-/tmp}/reseal-$tool.XXXXXX")
}

end_process() { kill "$1" && wait "$1"; } 2>/dev/null

end_servers() { "$reseal" sandbox down --dir "$folder/servers" >/dev/null 2>&1; }

# sql source|target: runs what it reads.
sql() {
  "$mysql" --defaults-file="$folder/servers/$1.cnf" --batch --skip-column-names --default-character-set=utf8mb4
}

# start_proxy: sets $proxy, its process, and $port. Its control socket is $folder/proxy.sock.
start_proxy() {
  : >"$folder/proxy.log"
  "$reseal" proxy run --source-defaults-file "$folder/servers/source.cnf" --listen 127.0.0.1:0 --ask-plain-clients \
    --target-defaults-file "$folder/servers/target.cnf" --control "$folder/proxy.sock" --drain 2 \
    --tls-cert "$folder/servers/source/data/server-cert.pem" --tls-key "$folder/servers/source/data/server-key.pem" \
    2>"$folder/proxy.log" &
  proxy=$!
  for _ in {1..100}; do
    port=$(sed -n 's/.* on port \([0-9]*\)$/\1/p' "$folder/proxy.log")
    [[ -z $port ]] || return 0
    sleep 0.1
  done
  cat "$folder/proxy.log" >&2
  return 1
}

# start_move: copies and follows, so that switches can begin.
start_move() {
  run=(--state "$folder/state" --source-defaults-file "$folder/servers/source.cnf"
    --target-defaults-file "$folder/servers/target.cnf" --proxy "$folder/proxy.sock")
  "$reseal" start "${run[@]}" --until caught-up >"$folder/start.out" 2>&1 ||
    { fail "the move: $(tail -n 3 "$folder/start.out")"; return 1; }
}

switched=0 given_up=0 serves=source

# one_switch: to the side that does not serve; one that is given up is tried again, twice at most. Its stall, and the
# part of it that was the wait for transactions, are noted as milliseconds.
one_switch() {
  local verb=cutover to=target try code out=$folder/switch.json
  if [[ $serves == target ]]; then verb=rollback to=source; fi
  for try in 1 2 3; do
    "$reseal" "$verb" "${run[@]}" --drain 3000 --json >"$out" 2>"$folder/switch.log"
    code=$?
    if ((code == 0)) && grep -q '"switched":true' "$out"; then
      serves=$to switched=$((switched + 1))
      sed -n 's/.*"stall_ms":\([0-9]*\).*/\1/p' "$out" >>"$folder/stalls"
      grep -o '{"ms":[0-9]*,"step":"hold"}' "$out" | tr -dc '0-9\n' >>"$folder/holds"
      return 0
    fi
    grep -q '"switched":false' "$out" || break
    given_up=$((given_up + 1))
    say "$verb was given up: $(tail -n 1 "$folder/switch.log")"
  done
  fail "$verb ended with $code: $(tail -n 1 "$folder/switch.log")"
  return 1
}

# distribution FILE: min, median, p95 and max of its numbers, by the nearest rank.
distribution() {
  sort -n "$1" | awk '{ v[NR] = $1 } function rank(p) { r = int(p * NR); if (r < p * NR) ++r; return v[r < 1 ? 1 : r] }
    END { if (NR) printf "min=%d median=%d p95=%d max=%d\n", v[1], rank(0.5), rank(0.95), v[NR] }'
}

say_stalls() {
  [[ -s $folder/stalls ]] || return 0
  say "stall_ms of $switched switches: $(distribution "$folder/stalls")"
  say "of it, the wait for transactions to end: $(distribution "$folder/holds")"
}

count_lines() { if [[ -e $1 ]]; then wc -l <"$1"; else echo 0; fi; }
