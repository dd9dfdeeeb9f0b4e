// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "mysql/schema_reader.hpp"
#include "mysql/session.hpp"

namespace reseal::run {

/// reseal.marker on the source: a row of ours whose commit tells us where the log stands. It costs the source one tiny
/// transaction each time.
void create_marker_table(mysql::Session& source);

/// Commits `token` and returns a position at or after everything that was visible when this was called: with ordered
/// commits (binlog_order_commits=ON) every transaction before the marker's has committed in the engine too.
sql::SourcePosition write_marker(mysql::Session& source, const mysql::ServerFacts& facts, const std::string& token);

/// A place from which the log holds every change that a read begun later might miss: everything before it is committed
/// and visible now. With GTID it is @@gtid_executed; without, the log's end as it was before a marker committed.
sql::SourcePosition read_bookmark(mysql::Session& source, const mysql::ServerFacts& facts);

}  // namespace reseal::run
