// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "mysql/session.hpp"
#include "sql/position.hpp"
#include "sql/table.hpp"

namespace reseal::mysql {

/// What a server says of itself. Read once per connection, cheap.
struct ServerFacts {
  std::string version;  ///< "9.7.1"
  unsigned major = 0;
  unsigned minor = 0;
  std::string uuid;
  std::uint32_t server_id = 0;
  bool gtid_on = false;  ///< gtid_mode=ON; every other mode is followed by file and position

  bool at_least(unsigned want_major, unsigned want_minor) const {
    return major > want_major || (major == want_major && minor >= want_minor);
  }
};

ServerFacts server_facts(Session& session);

/// Every schema an application can own, in name order: all but MySQL's own and `reseal`.
std::vector<std::string> user_schemas(Session& session);

/// Base tables of `schemas` with columns, keys, statistics and SHOW CREATE TABLE text, in name order.
/// Throws Failure(unsupported) when a column's type is not one we know.
std::vector<sql::Table> read_tables(Session& session, const std::vector<std::string>& schemas);

/// Where the server's binary log ends now: an upper bound of everything committed, NOT a bookmark (a transaction
/// before it may not be visible yet). Throws when the binary log is off.
sql::SourcePosition binlog_end(Session& session, const ServerFacts& facts);

/// @@global.gtid_executed.
sql::GtidSet gtid_executed(Session& session);

/// ('a','b'): schema names as a list for IN.
std::string in_list(const std::vector<std::string>& names);

}  // namespace reseal::mysql
