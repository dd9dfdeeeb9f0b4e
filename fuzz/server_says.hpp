// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/input.hpp"
#include "wire/bytes.hpp"
#include "wire/protocol.hpp"
#include "wire/server_handshake.hpp"

// What a server says, for seeds.
namespace reseal::fuzz {

/// Capabilities that decide how replies look: the bits of `choice` are deprecate_eof, session_track and local_files.
inline std::uint32_t capabilities_of(unsigned choice) {
  return ((choice & 1) != 0 ? wire::capability::deprecate_eof : 0) |
         ((choice & 2) != 0 ? wire::capability::session_track : 0) |
         ((choice & 4) != 0 ? wire::capability::local_files : 0) | wire::capability::protocol_41;
}
inline std::uint32_t capability_choice(Input& input) { return capabilities_of(input.below(8)); }

class ServerSays {
 public:
  using Messages = std::vector<std::string>;
  explicit ServerSays(std::uint32_t capabilities) : capabilities_(capabilities) {}

  static std::string ok(std::uint16_t status = wire::status::autocommit, char first = '\0') {
    std::string out{first, '\1', '\0'};
    wire::append_uint_le(out, status, 2);
    wire::append_uint_le(out, 0, 2);
    return out;
  }
  /// The schema was changed to "shop" ("Session State Information").
  static std::string ok_with_state() {
    auto out = ok(wire::status::autocommit | wire::status::session_state_changed);
    wire::append_lenenc_bytes(out, "text");
    wire::append_lenenc_bytes(out, std::string_view("\x01\x05\x04shop", 7));
    return out;
  }
  static std::string error(std::uint16_t code) { return wire::error_payload(code, "42000", "no"); }
  /// What ends rows.
  std::string end(std::uint16_t status = wire::status::autocommit) const {
    if (has(wire::capability::deprecate_eof)) return ok(status, '\xFE');
    std::string out("\xFE\0\0", 3);
    wire::append_uint_le(out, status, 2);
    return out;
  }
  static std::string column(std::string_view name = "n") {
    std::string out;
    for (const std::string_view text : {std::string_view("def"), std::string_view("shop"), std::string_view("numbers"),
                                        std::string_view("numbers"), name, name})
      wire::append_lenenc_bytes(out, text);
    return out + std::string("\x0C\x3F\x00\x0B\x00\x00\x00\x03\x00\x00\x00\x00\x00", 13);
  }
  /// One row of texts.
  Messages row_of(const std::vector<std::string>& cells) const {
    std::string count;
    wire::append_lenenc(count, cells.size());
    Messages messages{count};
    std::string row;
    for (const auto& cell : cells) {
      auto definition = column(cell);
      // The type stands behind the size of what follows, the character set and the length.
      definition[definition.size() - 6] = '\xFD';
      messages.push_back(std::move(definition));
      wire::append_lenenc_bytes(row, cell);
    }
    if (!has(wire::capability::deprecate_eof)) messages.push_back(end());
    messages.push_back(row);
    messages.push_back(end());
    return messages;
  }
  Messages result(unsigned rows, std::uint16_t status = wire::status::autocommit) const {
    Messages messages{"\x02", column("n"), column("t")};
    if (!has(wire::capability::deprecate_eof)) messages.push_back(end());
    for (unsigned row = 0; row < rows; ++row)
      messages.emplace_back(row % 2 == 0 ? "\x01"
                                           "1\x03one"
                                         : "\x01"
                                           "2\xFB");
    messages.push_back(end(status));
    return messages;
  }
  Messages two_results() const {
    auto messages = result(1, wire::status::autocommit | wire::status::more_results);
    for (auto& message : result(2)) messages.push_back(std::move(message));
    return messages;
  }
  Messages prepared(std::uint16_t columns, std::uint16_t parameters) const {
    std::string first("\0\x05\0\0\0", 5);
    wire::append_uint_le(first, columns, 2);
    wire::append_uint_le(first, parameters, 2);
    Messages messages{first.append(3, '\0')};
    for (const unsigned count : {unsigned{parameters}, unsigned{columns}}) {
      for (unsigned i = 0; i < count; ++i) messages.push_back(column());
      if (count > 0 && !has(wire::capability::deprecate_eof)) messages.push_back(end());
    }
    return messages;
  }
  Messages cursor_opened() const {
    return {"\x01", column(), end(wire::status::autocommit | wire::status::cursor_exists)};
  }
  Messages fetched() const {
    return {std::string("\0\0\x07\0\0\0", 6), std::string("\0\0\x08\0\0\0", 6), end(wire::status::last_row_sent)};
  }

 private:
  bool has(std::uint32_t flag) const { return (capabilities_ & flag) != 0; }
  std::uint32_t capabilities_;
};

}  // namespace reseal::fuzz
