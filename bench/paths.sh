# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The programs that stand between clients and a server, each with its defaults but for what is needed to run here and to
# let enough clients in. All run without pinning, with two threads or as many as there are cores. Sourced.
router=''
declare -A port=() process=()

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_for_port() {
  local name=$1
  for _ in {1..300}; do
    if (: <"/dev/tcp/127.0.0.1/${port[$name]}") 2>/dev/null; then return 0; fi
    kill -0 "${process[$name]}" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 5 "$folder/$name.log" >&2
  die "$name does not listen"
}

# begin NAME COMMAND...: in the background, on the port that was chosen for it.
begin() {
  local name=$1
  shift
  "$@" >"$folder/$name.log" 2>&1 &
  process[$name]=$!
  background+=("$!")
  wait_for_port "$name"
}

end_path() {
  end_process "${process[$1]}"
  unset "process[$1]"
}

# begin_ours [NAME]: for the pair "main".
begin_ours() {
  local name=${1:-ours}
  port[$name]=$(free_port)
  begin "$name" "$reseal" proxy run --source-defaults-file "$(login main/source)" \
    --target-defaults-file "$(login main/target)" --listen "127.0.0.1:${port[$name]}" --control "$folder/$name.sock" \
    --tls-cert "$folder/main/source/data/server-cert.pem" --tls-key "$folder/main/source/data/server-key.pem" \
    --ask-plain-clients --drain 1
}

# begin_haproxy SERVER [NAME]: passes bytes; TLS is between client and server.
begin_haproxy() {
  local server=$1 name=${2:-haproxy}
  port[$name]=$(free_port)
  cat >"$folder/$name.cfg" <<CONF
global
  maxconn 8000
  stats socket $folder/$name.sock mode 600 level admin
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen mysql
  bind 127.0.0.1:${port[$name]}
  server serving 127.0.0.1:$(setting "$server" port)
CONF
  begin "$name" env PATH="$PATH:/usr/sbin" haproxy -db -f "$folder/$name.cfg"
}

# begin_router SERVER [NAME [SETTING...]]: without settings it passes bytes, as HAProxy does.
begin_router() {
  local server=$1 name=${2:-mysqlrouter}
  shift $(($# < 2 ? $# : 2))
  [[ -n $router ]] || router=$("$root/tools/mysql-server" --router)
  port[$name]=$(free_port)
  mkdir -p "$folder/$name".d
  cat >"$folder/$name.cfg" <<CONF
[DEFAULT]
plugin_folder=$(dirname "$(find "$router/root" -name 'routing.so' | head -n 1)")
runtime_folder=$folder/$name.d
data_folder=$folder/$name.d
logging_folder=
max_total_connections=8000
[logger]
level=WARNING
[routing:mysql]
bind_address=127.0.0.1
bind_port=${port[$name]}
destinations=127.0.0.1:$(setting "$server" port)
routing_strategy=first-available
protocol=classic
max_connections=8000
$(printf '%s\n' "${@:-client_ssl_mode=PASSTHROUGH}")
CONF
  begin "$name" "$router/bin/mysqlrouter" --config "$folder/$name.cfg"
}

# write_login PORT FILE LINE...: an option file.
write_login() {
  local number=$1 file=$2
  shift 2
  (umask 077 && printf '%s\n' '[client]' host=127.0.0.1 "port=$number" "$@" >"$file")
}

# CPU seconds of a process so far, user and system.
cpu_seconds() {
  awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.2f %.2f\n", $12 / hz, $13 / hz }' "/proc/$1/stat"
}
resident_kib() { awk '/^Rss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
