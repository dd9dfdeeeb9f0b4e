// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reseal::binlog {

/// What a QUERY event's text means for transaction boundaries, judged as the server's own boundary parser does
/// (mysql-server libs/mysql/binlog/event/trx_boundary_parser.cpp): by the words the server itself writes.
struct Control {
  enum class Kind : std::uint8_t {
    none,  ///< a statement
    begin,
    commit,
    rollback,
    savepoint,
    rollback_to,
    xa_start,
    xa_end,
    xa_outcome  ///< XA COMMIT, XA ROLLBACK or XA PREPARE: a second phase, or the first
  };
  Kind kind = Kind::none;
  std::string name;  ///< of a savepoint, unquoted
};
Control control_of(std::string_view text);

/// Whether the text is the CREATE TABLE of an atomic CREATE … SELECT, to which the server adds START TRANSACTION.
bool starts_transaction(std::string_view text);

}  // namespace reseal::binlog
