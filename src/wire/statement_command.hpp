// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/protocol.hpp"

// The commands of prepared statements, as far as somebody between client and server has to read them.
namespace reseal::wire {

/// True for the commands whose first four bytes are the id of a statement.
bool names_a_statement(Command command) noexcept;
/// Where the id stands in the payload of such a command, and in a COM_STMT_PREPARE's OK.
inline constexpr std::size_t statement_id_at = 1;

std::string prepare_command(std::string_view text);

/// What COM_STMT_EXECUTE says ahead of the values ("COM_STMT_EXECUTE", MySQL Source Code Documentation).
struct ExecuteHead {
  std::size_t types_flag_at = 0;  ///< offset of new_params_bind_flag in the payload; 0 when there are no parameters
  bool types_sent = false;        ///< its value: without it the server uses the types of the execution before
  std::uint64_t parameters = 0;   ///< of the statement, and with query attributes also those
  std::string types;              ///< the types, and names where they are sent, as they came
};

enum class HeadRead {
  whole,
  cut_off,    ///< `head` ends before the values begin
  no_meaning  ///< it cannot be known how it is to be read
};

/// Reads the first bytes of a COM_STMT_EXECUTE for a statement with `parameters` question marks.
HeadRead read_execute_head(std::string_view head, std::uint16_t parameters, std::uint32_t capabilities,
                           ExecuteHead& found);

/// Session state of OK packets ("Session State Information"): how often the default schema was changed, and to what at
/// last.
struct SchemaChanges {
  unsigned count = 0;
  std::string last;
};
/// Nothing when the bytes make no sense.
std::optional<SchemaChanges> schema_changes(std::string_view session_state);

}  // namespace reseal::wire
