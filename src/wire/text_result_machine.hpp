// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/reply.hpp"

namespace reseal::wire {

/// What a result says of one of its columns ("Column Definition").
struct ResultColumn {
  std::string name;
  std::uint8_t type = 0;  ///< enum_field_types
  bool is_unsigned = false;

  bool operator==(const ResultColumn&) const = default;
};

/// Reads the answer to one COM_QUERY with a small text result, without I/O ("Protocol::TextResultset"). A request
/// for a local file is refused, several results are refused (we never ask for them), and so is a result that holds
/// more than `limit` bytes.
class TextResultMachine {
 public:
  enum class Progress {
    more,          ///< feed the next message
    done,          ///< `rows` and `columns` hold the result; both are empty for a statement without one
    server_error,  ///< `server_error` holds the server's answer; the session goes on
    bad_input      ///< `error` says why; the session is lost
  };

  explicit TextResultMachine(std::uint32_t capabilities, std::size_t limit = 16U << 20)
      : capabilities_(capabilities), limit_(limit) {}

  Progress feed(std::string_view payload);

  const std::vector<ResultColumn>& columns() const noexcept { return columns_; }
  const std::vector<std::vector<std::optional<std::string>>>& rows() const noexcept { return rows_; }
  const ErrorReply& server_error() const noexcept { return server_error_; }
  const std::string& error() const noexcept { return error_; }

 private:
  enum class State { first, columns, columns_end, rows, over };
  Progress on_first(std::string_view payload);
  Progress on_column(std::string_view payload);
  Progress on_columns_end(std::string_view payload);
  Progress on_row(std::string_view payload);
  Progress on_end(std::string_view payload);
  Progress on_error(std::string_view payload);
  Progress end(std::uint16_t server_status);
  Progress fail(std::string why);
  bool no_eof() const;

  std::uint32_t capabilities_;
  std::size_t limit_;
  State state_ = State::first;
  std::uint64_t column_count_ = 0;
  std::size_t size_ = 0;
  std::vector<ResultColumn> columns_;
  std::vector<std::vector<std::optional<std::string>>> rows_;
  ErrorReply server_error_;
  std::string error_;
};

}  // namespace reseal::wire
