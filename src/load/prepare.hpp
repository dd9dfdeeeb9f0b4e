// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/log.hpp"
#include "load/operation.hpp"
#include "mysql/session.hpp"

namespace reseal::load {

struct PrepareOptions {
  mysql::Endpoint endpoint;
  std::string schema = "shop";
  double scale = 1;      ///< 1 is about 100,000 rows, 10 about a million
  std::string canary;    ///< planted in some rows as clear text, so that data files can be searched for it
  bool replace = false;  ///< drop the schema first when it is there
};

struct PrepareReport {
  Dimensions dimensions;
  std::uint64_t rows = 0;
  double seconds = 0;
};

/// Makes the schema, its tables, rows and programs. Refuses (Failure refused) when the schema has tables already and
/// `replace` is not set. Rows go in by statements of at most 20,000, each a transaction of its own. Interrupted, it
/// leaves a part behind that `replace` clears.
PrepareReport prepare(const PrepareOptions& options, base::Log& log);

/// A session that behaves like an application: the server's own sql_mode, the schema chosen. `timeout` as in Session.
mysql::Session open_shop(const mysql::Endpoint& endpoint, const std::string& schema,
                         std::chrono::seconds timeout = std::chrono::seconds(0));
/// What `prepare` left in the table load_settings. Throws Failure(refused) when the schema was not prepared.
Dimensions read_dimensions(mysql::Session& session);

}  // namespace reseal::load
