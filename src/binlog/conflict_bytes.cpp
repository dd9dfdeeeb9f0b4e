// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "binlog/literal.hpp"

namespace reseal::binlog {
namespace {

void append_framed(std::string& out, Field::State state, std::string_view bytes) {
  out += static_cast<char>(state);
  for (auto length = static_cast<std::uint64_t>(bytes.size());; length >>= 7) {
    out += static_cast<char>((length & 0x7F) | (length >= 0x80 ? 0x80U : 0U));
    if (length < 0x80) break;
  }
  out += bytes;
}

bool zero_real(std::string_view raw) {
  return !raw.empty() && (raw.back() & 0x7F) == 0 &&
         std::all_of(raw.begin(), raw.end() - 1, [](char byte) { return byte == 0; });
}

std::string_view without_trailing(std::string_view raw, char pad) {
  const auto last = raw.find_last_not_of(pad);
  return last == std::string_view::npos ? std::string_view{} : raw.substr(0, last + 1);
}

std::string_view conflict_view(std::string_view raw, const sql::Column& column) {
  switch (column.family) {
    case sql::ColumnFamily::text:
      // Two texts that differ in bytes may be equal under the collation, unless it compares code points; and then
      // trailing spaces do not count under PAD SPACE. In multi-byte sets such as utf16 a space is more than one byte.
      if (!column.collation.ends_with("_bin")) return {};
      if (column.character_set.starts_with("utf16") || column.character_set.starts_with("utf32") ||
          column.character_set == "ucs2")
        return {};
      return without_trailing(raw, ' ');
    case sql::ColumnFamily::bytes:
      return column.data_type == "binary" ? without_trailing(raw, '\0') : raw;
    case sql::ColumnFamily::real32:
    case sql::ColumnFamily::real64:
      return zero_real(raw) ? std::string_view{} : raw;
    case sql::ColumnFamily::json:
    case sql::ColumnFamily::geometry:
      return {};
    default:
      return raw;
  }
}

}  // namespace

void append_conflict_bytes(std::string& out, const Field& field, const sql::Column& column) {
  append_framed(out, field.state, conflict_view(field.raw, column));
}

}  // namespace reseal::binlog
