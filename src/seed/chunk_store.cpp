// SPDX-License-Identifier: Apache-2.0
#include "seed/chunk_store.hpp"

#include "base/byte_cursor.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {
namespace {

std::string key_or_null(const std::optional<sql::KeyValues>& key) {
  if (!key) return "NULL";
  std::string literal;
  sql::append_binary_literal(literal, pack_key(*key));
  return literal;
}

std::optional<sql::KeyValues> key_of(const mysql::Cell& cell) {
  if (!cell) return std::nullopt;
  return unpack_key(*cell);
}

}  // namespace

std::string pack_key(const sql::KeyValues& values) {
  std::string bytes;
  for (const auto& value : values) {
    for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(value.size() >> 8 * i & 0xFF);
    bytes += value;
  }
  return bytes;
}

sql::KeyValues unpack_key(std::string_view bytes) {
  sql::KeyValues values;
  base::ByteCursor cursor(bytes);
  while (cursor.remaining() > 0) values.emplace_back(cursor.bytes(cursor.u32()));
  if (!cursor.ok()) throw base::Failure(base::FailureKind::target, "reseal.chunk holds a key that cannot be read");
  return values;
}

void create_chunk_table(mysql::Session& target) {
  target.execute(
      "CREATE TABLE IF NOT EXISTS reseal.chunk (table_schema VARCHAR(64) NOT NULL, table_name VARCHAR(64) NOT NULL,"
      " number INT UNSIGNED NOT NULL, lower_key LONGBLOB, upper_key LONGBLOB, done TINYINT NOT NULL DEFAULT 0,"
      " copied_rows BIGINT UNSIGNED NOT NULL DEFAULT 0, PRIMARY KEY (table_schema, table_name, number))"
      " ENCRYPTION='Y' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
}

void store_plan(mysql::Session& target, const std::vector<Chunk>& chunks) {
  target.execute("START TRANSACTION");
  for (const auto& chunk : chunks)
    target.execute("INSERT INTO reseal.chunk (table_schema, table_name, number, lower_key, upper_key) VALUES (" +
                   sql::quote_text(chunk.table.schema) + "," + sql::quote_text(chunk.table.name) + "," +
                   std::to_string(chunk.number) + "," + key_or_null(chunk.lower) + "," + key_or_null(chunk.upper) +
                   ")");
  target.execute("COMMIT");
}

std::vector<Chunk> read_chunks(mysql::Session& target) {
  std::vector<Chunk> chunks;
  for (const auto& row : target.query("SELECT table_schema, table_name, number, lower_key, upper_key, done, copied_rows"
                                      " FROM reseal.chunk ORDER BY table_schema, table_name, number")) {
    Chunk chunk;
    chunk.table = {row[0].value_or(""), row[1].value_or("")};
    chunk.number = static_cast<std::uint32_t>(std::stoul(row[2].value_or("0")));
    chunk.lower = key_of(row[3]);
    chunk.upper = key_of(row[4]);
    chunk.done = row[5] == "1";
    chunk.rows = std::stoull(row[6].value_or("0"));
    chunks.push_back(std::move(chunk));
  }
  return chunks;
}

namespace {
std::string this_chunk(const Chunk& chunk) {
  return " WHERE table_schema=" + sql::quote_text(chunk.table.schema) +
         " AND table_name=" + sql::quote_text(chunk.table.name) + " AND number=" + std::to_string(chunk.number);
}
}  // namespace

bool claim(mysql::Session& target, const Chunk& chunk) {
  return target.scalar("SELECT done FROM reseal.chunk" + this_chunk(chunk) + " FOR UPDATE") == "0";
}

void mark_done(mysql::Session& target, const Chunk& chunk, std::uint64_t rows) {
  target.execute("UPDATE reseal.chunk SET done=1, copied_rows=" + std::to_string(rows) + this_chunk(chunk));
}

}  // namespace reseal::seed
