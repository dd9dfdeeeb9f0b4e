// SPDX-License-Identifier: Apache-2.0
#include "wire/statement_command.hpp"

#include "base/byte_cursor.hpp"

namespace reseal::wire {
namespace {

constexpr std::uint8_t parameter_count_available = 8;  // PARAMETER_COUNT_AVAILABLE, include/mysql.h
constexpr std::uint8_t session_track_schema = 1;       // SESSION_TRACK_SCHEMA, include/mysql_com.h
constexpr std::uint64_t most_parameters = 2 * 65535;   // of a statement; and as many attributes

}  // namespace

bool names_a_statement(Command command) noexcept {
  switch (command) {
    case Command::stmt_execute:
    case Command::stmt_send_long_data:
    case Command::stmt_close:
    case Command::stmt_reset:
    case Command::stmt_fetch:
      return true;
    default:
      return false;
  }
}

std::string prepare_command(std::string_view text) {
  return std::string(1, static_cast<char>(Command::stmt_prepare)).append(text);
}

HeadRead read_execute_head(std::string_view head, std::uint16_t parameters, std::uint32_t capabilities,
                           ExecuteHead& found) {
  base::ByteCursor cursor(head);
  cursor.skip(1 + 4);
  const auto flags = cursor.u8();
  cursor.skip(4);  // the number of times, which is one
  if (!cursor.ok()) return HeadRead::cut_off;
  const bool names = (capabilities & capability::query_attributes) != 0;
  const bool counted = names && (flags & parameter_count_available) != 0;
  found = {};
  found.parameters = counted ? cursor.lenenc() : parameters;
  if (!cursor.ok()) return HeadRead::cut_off;
  if (found.parameters == 0) return HeadRead::whole;
  // Clients that agreed on attributes and do not count: servers of different versions take their types differently.
  if (names && !counted) return HeadRead::no_meaning;
  if (found.parameters < parameters || found.parameters > most_parameters) return HeadRead::no_meaning;
  cursor.skip((found.parameters + 7) / 8);  // one bit for each NULL
  found.types_flag_at = cursor.position();
  found.types_sent = cursor.u8() == 1;
  const auto types_at = cursor.position();
  for (std::uint64_t i = 0; found.types_sent && i < found.parameters && cursor.ok(); ++i) {
    cursor.skip(2);
    if (names) cursor.lenenc_bytes();
  }
  if (!cursor.ok()) return HeadRead::cut_off;
  found.types = head.substr(types_at, cursor.position() - types_at);
  return HeadRead::whole;
}

std::optional<SchemaChanges> schema_changes(std::string_view session_state) {
  SchemaChanges changes;
  base::ByteCursor cursor(session_state);
  while (cursor.ok() && !cursor.at_end()) {
    const auto type = cursor.u8();
    base::ByteCursor data(cursor.lenenc_bytes());
    if (type != session_track_schema) continue;
    ++changes.count;
    changes.last = data.lenenc_bytes();
    if (!data.ok()) return std::nullopt;
  }
  if (!cursor.ok()) return std::nullopt;
  return changes;
}

}  // namespace reseal::wire
