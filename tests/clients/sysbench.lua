-- SPDX-License-Identifier: Apache-2.0
-- What sysbench does for tools/clients: inserts of its own in the text protocol, transactions of two, and statements that
-- stay prepared on the server for the whole run. RESEAL_CLIENT_NAME is the client, RESEAL_CLIENT_FOLDER where it tells of
-- its work, RESEAL_CLIENT_FIRST its first number.
local name = os.getenv("RESEAL_CLIENT_NAME")
local folder = os.getenv("RESEAL_CLIENT_FOLDER")
local columns = "INSERT INTO work (client, kind, number, part, words, bytes, document) VALUES "

local function words(number) return "Grüße 北京 🎉 " .. number end

local function hex_bytes(number)
  local all = {}
  for at = 0, 255 do all[at + 1] = string.format("%02x", (at + number) % 256) end
  return table.concat(all)
end

local function document(number)
  return string.format('{"number": %d, "words": "%s", "list": [1, 2.5, null]}', number, words(number))
end

local function acknowledged(kind, number)
  local file = io.open(folder .. "/" .. name .. ".acknowledged", "a")
  file:write(kind, " ", number, "\n")
  file:close()
end

local function plain(kind, number, part)
  con:query(string.format("%s('%s', '%s', %d, %d, '%s', x'%s', '%s')", columns, name, kind, number, part,
    words(number), hex_bytes(number), document(number)))
end

function thread_init()
  con = sysbench.sql.driver():connect()
  con:query("SET NAMES utf8mb4")
  con:query("SET time_zone = '+05:30', @mark = 'ü " .. name .. "'")
  insert = con:prepare(columns .. "(?, 'prepared', ?, 1, ?, UNHEX(?), ?)")
  client = insert:bind_create(sysbench.sql.type.VARCHAR, 64)
  at = insert:bind_create(sysbench.sql.type.INT)
  text = insert:bind_create(sysbench.sql.type.VARCHAR, 200)
  hex = insert:bind_create(sysbench.sql.type.VARCHAR, 600)
  json = insert:bind_create(sysbench.sql.type.VARCHAR, 400)
  insert:bind_param(client, at, text, hex, json)
  -- sysbench cannot read a prepared statement's rows, so what is wrong makes the statement fail
  same = con:prepare("DO IF(@@time_zone = '+05:30' AND @mark = CONCAT('ü ', ?), 0, " ..
    "(SELECT 1 UNION SELECT 2))")
  same_client = same:bind_create(sysbench.sql.type.VARCHAR, 64)
  same:bind_param(same_client)
  number = tonumber(os.getenv("RESEAL_CLIENT_FIRST"))
end

function event()
  local stop = io.open(folder .. "/stop")
  if stop then
    stop:close()
    os.exit(0)
  end
  number = number + 1
  plain("single", number, 1)
  acknowledged("single", number)
  con:query("BEGIN")
  plain("pair", number, 1)
  plain("pair", number, 2)
  con:query("COMMIT")
  acknowledged("pair", number)
  client:set(name)
  at:set(number)
  text:set(words(number))
  hex:set(hex_bytes(number))
  json:set(document(number))
  insert:execute()
  acknowledged("prepared", number)
  same_client:set(name)
  same:execute()
  os.execute("sleep 0.05")
end
