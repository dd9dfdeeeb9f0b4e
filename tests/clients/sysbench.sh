#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A client of tools/clients: sysbench with sysbench.lua, one connection.
#   sysbench.sh HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME
# It ends at its first error, and is started again.
set -uo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
host=$1 port=$2 user=$3 password_file=$4 ca=$5 folder=$6
export RESEAL_CLIENT_NAME=$7 RESEAL_CLIENT_FOLDER=$folder RESEAL_CLIENT_FIRST=0
name=$7
# Its certificates have fixed names in the folder that it runs in.
mkdir -p "$folder/$name" && cd "$folder/$name" || exit 1
(umask 077
  printf 'db-driver=mysql\nmysql-host=%s\nmysql-port=%s\nmysql-user=%s\nmysql-password=%s\nmysql-db=clients\n' \
    "$host" "$port" "$user" "$(<"$password_file")"
  printf 'time=0\nevents=0\nthreads=1\n'
  if [[ $ca != - ]]; then echo mysql-ssl=on; fi) >sysbench.cnf
if [[ $ca != - ]]; then
  cp "$ca" cacert.pem
  cp "$(dirname "$ca")/client-cert.pem" "$(dirname "$ca")/client-key.pem" .
fi
while [[ ! -e $folder/stop ]]; do
  sysbench --config-file=sysbench.cnf "$here/sysbench.lua" run >out 2>&1
  [[ -e $folder/stop ]] || grep -E 'FATAL|ALERT' out | tr '\n' ' ' | sed 's/$/\n/' >>"$folder/$name.errors"
  RESEAL_CLIENT_FIRST=$((RESEAL_CLIENT_FIRST + 1000000))
  sleep 0.2
done
echo "version=$(sysbench --version | tr -dc '0-9.') longest_wait_ms=-" >"$folder/$name.summary"
