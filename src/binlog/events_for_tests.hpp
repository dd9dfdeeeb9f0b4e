// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "binlog/captured_events_for_tests.hpp"
#include "binlog/event.hpp"
#include "binlog/transaction_sink.hpp"

namespace reseal::binlog {

/// "0aff" as bytes; spaces do not count.
inline std::string unhex(std::string_view hex) {
  const auto nibble = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string digits;
  for (const char c : hex)
    if (c != ' ') digits += c;
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes += static_cast<char>(nibble(digits[i]) << 4 | nibble(digits[i + 1]));
  return bytes;
}

inline std::string little_endian(std::uint64_t value, unsigned width) {
  std::string bytes;
  for (unsigned i = 0; i < width; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i) & 0xFF) : '\0';
  return bytes;
}

/// An event without checksum. `log_position` 0 makes it an artificial one.
inline EventBytes make_event(EventType type, std::string_view body, std::uint32_t log_position = 0,
                             std::uint16_t flags = 0) {
  return std::make_shared<const std::string>(little_endian(1700000000, 4) + static_cast<char>(type) +
                                             little_endian(1, 4) + little_endian(event_header_size + body.size(), 4) +
                                             little_endian(log_position, 4) + little_endian(flags, 2) +
                                             std::string(body));
}

/// The captured events as the server wrote them.
inline std::vector<EventBytes> captured() {
  std::vector<EventBytes> events;
  for (const auto hex : captured_events()) events.push_back(std::make_shared<const std::string>(unhex(hex)));
  return events;
}

/// The captured events with the checksums taken off, as a server without binlog_checksum would send them: tests can
/// then change bytes that a checksum would protect.
inline std::vector<EventBytes> captured_without_checksums() {
  std::vector<EventBytes> events;
  std::uint32_t position = 4;
  for (const auto& event : captured()) {
    const auto type = static_cast<EventType>((*event)[4]);
    std::string bytes = *event;
    if (type == EventType::format_description)
      bytes[bytes.size() - checksum_size - 1] = 0;  // its algorithm byte; its checksum's place stays
    else
      bytes.resize(bytes.size() - checksum_size);
    position += static_cast<std::uint32_t>(bytes.size());
    bytes.replace(9, 8, little_endian(bytes.size(), 4) + little_endian(position, 4));
    events.push_back(std::make_shared<const std::string>(std::move(bytes)));
  }
  return events;
}

/// Reads everything there is in what it is told, as a consumer would, and notes one line each.
class ReadingSink final : public TransactionSink {
 public:
  void begin(const Begin&) override { lines.emplace_back("begin"); }
  void rows(Rows rows) override;
  void statement(const Statement& statement) override {
    lines.push_back(statement.kind.empty() ? "statement" : statement.kind);
  }
  void savepoint(const std::string& name) override { lines.push_back("savepoint " + name); }
  void rollback_to(const std::string& name) override { lines.push_back("rollback to " + name); }
  void commit(const End& end) override {
    lines.emplace_back("commit");
    last_end = end;
  }
  void rollback(const End&) override { lines.emplace_back("rollback"); }
  void heartbeat(const sql::BinlogPosition& position) override { lines.push_back("heartbeat " + position.text()); }
  void rotate(const sql::BinlogPosition& position) override { lines.push_back("rotate " + position.text()); }

  std::vector<std::string> lines;
  std::vector<std::string> values;  ///< literals of all fields that were decoded
  std::string error;                ///< the first error of a row
  End last_end;
};

/// The columns of a table as information_schema would name them, made up from the table map.
sql::Column column_like(const ColumnType& type);

}  // namespace reseal::binlog
