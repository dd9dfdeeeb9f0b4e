// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reseal::wire {

/// OK_Packet (MySQL Source Code Documentation, "OK_Packet").
struct OkReply {
  std::uint64_t affected_rows = 0;
  std::uint64_t last_insert_id = 0;
  std::uint16_t status = 0;
  std::uint16_t warnings = 0;
  std::string text;           ///< for people
  std::string session_state;  ///< undecoded state changes, only with capability::session_track
};

/// ERR_Packet. Before the login has agreed on the protocol, the SQL state is missing.
struct ErrorReply {
  std::uint16_t code = 0;
  std::string sql_state;
  std::string text;
};

/// EOF_Packet, of sessions without capability::deprecate_eof.
struct EofReply {
  std::uint16_t warnings = 0;
  std::uint16_t status = 0;
};

bool is_ok(std::string_view payload) noexcept;
bool is_error(std::string_view payload) noexcept;
/// An EOF_Packet is shorter than 9 bytes; a longer one that starts alike is a row or a status with 0xFE in front.
bool is_eof(std::string_view payload) noexcept;

/// `payload` starts with 0x00, or with 0xFE where an OK_Packet ends a result set (capability::deprecate_eof).
base::Result<OkReply> parse_ok(std::string_view payload, std::uint32_t capabilities);
base::Result<ErrorReply> parse_error(std::string_view payload);
base::Result<EofReply> parse_eof(std::string_view payload);

}  // namespace reseal::wire
