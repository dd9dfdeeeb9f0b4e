// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/command_kind.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {

/// Knows where the reply to a command ends, from the header and the first bytes of each packet; holds no rows.
///
///     results:  OK | ERR | file wish -> (file) -> OK | ERR
///               count -> column... -> [EOF] -> row... -> EOF or ERR     and again while status says more_results
///     prepared: OK -> parameter... -> [EOF] -> column... -> [EOF]
///
/// [EOF] comes only without capability::deprecate_eof; with it, what ends the rows is an OK that starts with 0xFE. A
/// cursor's reply has no rows: without deprecate_eof it ends with the EOF after the columns. A packet of 0xFFFFFF bytes
/// is continued by the next one, which is not looked at. An ERR in place of any packet ends the reply, as clients take
/// it.
class ReplyTracker {
 public:
  enum class Progress {
    under_way,
    ended,
    file_wanted,  ///< the client now sends a file, and then the reply goes on
    bad_input     ///< the server's bytes make no sense here
  };

  explicit ReplyTracker(std::uint32_t capabilities) noexcept : capabilities_(capabilities) {}

  /// A command was sent; not for those with ReplyShape::login. Only while no reply is under way.
  void begin(Command command);
  bool under_way() const noexcept { return state_ != State::idle; }

  /// How many first bytes `packet` needs of a packet of `size` bytes, knowing `head`, the first of them that are there:
  /// ask again with more until `head` has as many. Never more than `most_wanted`.
  std::size_t wanted(std::size_t size, std::string_view head) const;
  static constexpr std::size_t most_wanted = 16 * 1024;
  /// The next packet of the server; outside of a reply only an ERR is understood (the server says goodbye).
  Progress packet(std::size_t size, std::string_view head);

  /// Of the last OK or EOF.
  std::uint16_t status() const noexcept { return status_; }
  void status(std::uint16_t status) noexcept {
    status_ = status;
    transaction_unknown_ = false;
  }
  bool in_transaction() const noexcept {
    return (status_ & (status::in_transaction | status::in_read_only_transaction)) != 0;
  }
  /// True after an ERR, until the next OK or EOF: an ERR has no status, and what failed may have begun a transaction
  /// or ended one. COM_PING tells.
  bool transaction_unknown() const noexcept { return transaction_unknown_; }
  /// True when the last reply ended with ERR.
  bool failed() const noexcept { return failed_; }
  /// The id of the statement that the last reply prepared; 0 when it prepared none.
  std::uint32_t prepared_id() const noexcept { return prepared_id_; }
  /// Of that statement: question marks, and columns of its result.
  std::uint16_t prepared_parameters() const noexcept { return prepared_parameters_; }
  std::uint16_t prepared_columns() const noexcept { return prepared_columns_; }
  /// Undecoded session state changes of the last reply's OK packets, one after the other ("Session State Information").
  const std::string& session_state() const noexcept { return session_state_; }
  /// True when the last reply's session state was longer than `most_wanted`, and so was not read.
  bool session_state_lost() const noexcept { return session_state_lost_; }

 private:
  enum class State { idle, first, columns, columns_end, rows, single, text, prepared, definitions, tail };
  bool has(std::uint32_t flag) const noexcept { return (capabilities_ & flag) != 0; }
  bool ends_rows(std::size_t size, std::uint8_t first) const noexcept;
  std::size_t ok_wanted(std::size_t size, std::string_view head) const;
  Progress on_first(std::size_t size, std::string_view head);
  Progress on_column(std::string_view head);
  Progress on_columns_end(std::string_view head);
  Progress on_row(std::size_t size, std::string_view head);
  Progress on_single(std::size_t size, std::string_view head);
  Progress on_prepared(std::string_view head);
  Progress on_definition(std::string_view head);
  Progress on_goodbye(std::string_view head);
  Progress ok_or_eof(std::size_t size, std::string_view head);
  Progress read_ok(std::size_t size, std::string_view head);
  Progress read_eof(std::string_view head);
  Progress result_ended();
  Progress end();
  Progress error_ended();

  std::uint32_t capabilities_;
  State state_ = State::idle;
  bool continued_ = false;  ///< the packet before had the full size
  std::uint64_t left_ = 0;  ///< packets of column or parameter definitions still to come
  bool multiple_ = false;   ///< more results may follow
  std::uint16_t status_ = status::autocommit;
  bool failed_ = false;
  bool transaction_unknown_ = false;
  std::uint32_t prepared_id_ = 0;
  std::uint16_t prepared_parameters_ = 0;
  std::uint16_t prepared_columns_ = 0;
  std::string session_state_;
  bool session_state_lost_ = false;
};

}  // namespace reseal::wire
