# SPDX-License-Identifier: Apache-2.0
# To be sourced by the tests of `reseal sandbox rds`: starts an endpoint in $folder and ends it with the shell.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
RESEAL_MYSQL=$("$root/tools/mysql-server" 2>/dev/null) || { echo "there is no MySQL server" >&2; exit 1; }
export RESEAL_MYSQL
mysql=$RESEAL_MYSQL/bin/mysql
failures=0
say() { echo "$(date -u +%T) $*"; }
fail() {
  failures=$((failures + 1))
  echo "FAILED: $*" >&2
}

# start_sandbox RESEAL [OPTION...]: sets $endpoint and $sandbox, its process, and takes its credentials.
start_sandbox() {
  local reseal=$1
  shift
  folder=$(mktemp -d "${TMPDIR:-/tmp}/reseal-rds-test.XXXXXX")
  : >"$folder/out"
  export TMPDIR=$folder
  "$reseal" sandbox rds "$@" >"$folder/out" 2>"$folder/log" &
  sandbox=$!
  trap end_sandbox EXIT
  for _ in {1..100}; do
    if grep -q '^stop' "$folder/out"; then break; fi
    sleep 0.1
  done
  endpoint=$(grep -o 'http://127.0.0.1:[0-9]*' "$folder/out" | head -n 1)
  [[ -n $endpoint ]] || { cat "$folder/log" >&2; exit 1; }
  # shellcheck disable=SC1090
  . "$(sed -n 's/^key *\. //p' "$folder/out")"
}

end_sandbox() {
  if [[ -n ${sandbox:-} ]]; then
    kill "$sandbox" 2>/dev/null
    wait "$sandbox" 2>/dev/null
  fi
  rm -rf "$folder"
}

# The options are this test's own: nothing of ~/.aws counts.
rds() {
  AWS_PAGER="" AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_MAX_ATTEMPTS=${attempts:-1} \
    /usr/bin/aws --endpoint-url "$endpoint" --output text rds "$@"
}

# faults FIELDS: sets faults while the endpoint runs, "hold=true" for one.
faults() {
  local place=${endpoint#http://} answer
  exec 3<>"/dev/tcp/${place%:*}/${place#*:}" || return 1
  printf 'POST /sandbox/faults HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$place" "${#1}" "$1" >&3
  answer=$(cat <&3)
  exec 3>&-
  [[ $answer == *" 200 OK"* ]] || fail "setting $1: $answer"
}

# instance NAME QUERY
instance() { rds describe-db-instances --db-instance-identifier "$1" --query "DBInstances[0].$2"; }
snapshot() { rds describe-db-snapshots --db-snapshot-identifier "$1" --query "DBSnapshots[0].$2"; }

# wait_until WANTED BAD COMMAND...: until the command prints WANTED; what it printed on the way is in $seen.
wait_until() {
  local wanted=$1 bad=$2 state last=
  shift 2
  seen=
  for _ in {1..400}; do
    state=$("$@" 2>&1)
    if [[ $state != "$last" ]]; then seen+=" $state"; fi
    last=$state
    if [[ $state == "$wanted" ]]; then return 0; fi
    if [[ $state =~ $bad ]]; then break; fi
    sleep 0.3
  done
  fail "$* gave$seen and not $wanted"
  cat "$folder/log" >&2
  exit 1
}
wait_available() { wait_until available '^(failed|restore-error|incompatible.*)$' instance "$1" DBInstanceStatus; }
wait_snapshot() { wait_until available '^failed$' snapshot "$1" Status; }

# refused CODE COMMAND...: the command must fail with this code.
refused() {
  local code=$1 output
  shift
  output=$(rds "$@" 2>&1) && { fail "was not refused: $*"; return; }
  [[ $output == *"($code)"* ]] || fail "$* was refused with: $output, not with $code"
}

# sql INSTANCE [OPTION...]: the master user runs what it reads.
sql() {
  local name=$1 place
  shift
  place=$(instance "$name" '[Endpoint.Address,Endpoint.Port]')
  read -r host port <<<"$place"
  MYSQL_PWD=$password "$mysql" --no-defaults --host="$host" --port="$port" --user=admin --ssl-mode=REQUIRED --batch \
    --skip-column-names "$@"
}
# same NAME EXPECTED GOT
same() { [[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"; }
