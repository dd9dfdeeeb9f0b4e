// SPDX-License-Identifier: Apache-2.0
#include "verify/row_reader.hpp"

#include <algorithm>
#include <cstring>

#include "base/failure.hpp"

namespace reseal::verify {
namespace {

using base::Failure;
using base::FailureKind;

// Keys of one query together, so that the statement stays far below any max_allowed_packet.
constexpr std::size_t max_query_key_bytes = 256 << 10;
// Server errors and warnings of a value that was cut or given up (MySQL manual, "Server Error Message Reference").
constexpr std::string_view cut_group_concat = "1260";  // ER_CUT_VALUE_GROUP_CONCAT
constexpr std::string_view packet_overflow = "1301";   // ER_WARN_ALLOWED_PACKET_OVERFLOWED

[[noreturn]] void fail_hash(const mysql::Session& session, const sql::Table& table) {
  throw Failure(FailureKind::unsupported,
                "the " + std::string(session.side() == mysql::Side::source ? "source" : "target") +
                    " could not hash a row of " + table.name.text() +
                    ": a value passes its max_allowed_packet; nothing was compared for these rows. Raise"
                    " max_allowed_packet on both servers and verify again");
}

void check_warnings(mysql::Session& session, const sql::Table& table) {
  for (const auto& warning : session.query("SHOW WARNINGS"))
    if (warning.at(1) == cut_group_concat || warning.at(1) == packet_overflow) fail_hash(session, table);
}

}  // namespace

std::string encode_key(const sql::KeyValues& key) {
  std::string encoded;
  for (const auto& part : key) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (int shift = 0; shift < 32; shift += 8) encoded += static_cast<char>(size >> shift & 0xFF);
    encoded += part;
  }
  return encoded;
}

sql::KeyValues decode_key(std::string_view encoded) {
  sql::KeyValues key;
  while (!encoded.empty()) {
    RESEAL_CHECK(encoded.size() >= 4);
    std::uint32_t size = 0;
    for (unsigned i = 0; i < 4; ++i) size |= std::uint32_t{static_cast<unsigned char>(encoded[i])} << (8 * i);
    RESEAL_CHECK(encoded.size() - 4 >= size);
    key.emplace_back(encoded.substr(4, size));
    encoded.remove_prefix(4 + std::size_t{size});
  }
  return key;
}

std::string key_digest(std::string_view encoded) {
  std::string joined;
  const auto key = decode_key(encoded);
  for (std::size_t i = 0; i < key.size(); ++i) joined += (i > 0 ? "," : "") + key[i];
  return hexadecimal(sha256(joined));
}

void read_rows(mysql::Session& session, const sql::Table& table, const sql::Key* key, const std::string& condition,
               const std::function<void(std::string&& key, const RowHash& hash)>& row) {
  auto statement = "SELECT " + row_hash_expression(table);
  if (key != nullptr) statement += ", " + sql::key_columns(table, *key);
  statement += " FROM " + table.name.quoted() + " AS " + std::string(row_alias);
  if (key != nullptr) statement += sql::key_index_hint(*key);
  statement += " WHERE " + condition;
  // The result is read to its end even when a hash is missing: the session stays usable for the message.
  bool failed = false;
  sql::KeyValues values;
  RowHash hash;
  session.stream(statement, [&](const mysql::RowView& view) {
    if (view[0].size() != hash.size()) {
      failed = true;
      return false;
    }
    std::memcpy(hash.data(), view[0].data(), hash.size());
    values.clear();
    for (std::size_t i = 1; i < view.size(); ++i) values.emplace_back(view[i]);
    row(encode_key(values), hash);
    return true;
  });
  if (failed) fail_hash(session, table);
  if (needs_warning_check(table)) check_warnings(session, table);
}

RangeHashes read_range(mysql::Session& session, const sql::Table& table, const sql::Key& key,
                       const std::string& condition, std::size_t max_key_bytes) {
  RangeHashes range;
  std::size_t bytes = 0;
  read_rows(session, table, &key, condition, [&](std::string&& row_key, const RowHash& hash) {
    range.sum.add(hash);
    if (!range.complete) return;
    bytes += row_key.size() + sizeof(KeyedHash);
    if (bytes > max_key_bytes) {
      range.complete = false;
      range.rows = {};
    } else {
      range.rows.push_back({std::move(row_key), hash});
    }
  });
  return range;
}

std::map<std::string, RowHash> read_keys(mysql::Session& session, const sql::Table& table, const sql::Key& key,
                                         const std::vector<std::string>& keys, std::size_t keys_per_query) {
  std::map<std::string, RowHash> rows;
  for (std::size_t next = 0; next < keys.size();) {
    std::vector<sql::KeyValues> batch;
    for (std::size_t bytes = 0; next < keys.size() && batch.size() < keys_per_query && bytes < max_query_key_bytes;) {
      bytes += keys[next].size();
      batch.push_back(decode_key(keys[next++]));
    }
    read_rows(session, table, &key, sql::key_list_condition(table, key, batch),
              [&](std::string&& row_key, const RowHash& hash) { rows.insert_or_assign(std::move(row_key), hash); });
  }
  return rows;
}

const sql::Key* usable_key(const sql::Table& table) {
  const auto bounds = [&](const sql::KeyPart& part) {
    if (part.functional || part.prefix || table.columns[part.column].nullable) return false;
    switch (table.columns[part.column].family) {
      case sql::ColumnFamily::real32:
      case sql::ColumnFamily::real64:
      case sql::ColumnFamily::json:
      case sql::ColumnFamily::geometry:
      case sql::ColumnFamily::vector:
        return false;
      default:
        return true;
    }
  };
  const sql::Key* found = nullptr;
  for (const auto& key : table.keys) {
    if (!key.unique || key.parts.empty() || !std::all_of(key.parts.begin(), key.parts.end(), bounds)) continue;
    if (key.primary()) return &key;
    if (found == nullptr) found = &key;
  }
  return found;
}

}  // namespace reseal::verify
