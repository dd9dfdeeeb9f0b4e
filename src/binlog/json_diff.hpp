// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sql/json.hpp"

namespace reseal::binlog {

/// One change of a document in a PARTIAL_UPDATE_ROWS event (mysql-server sql/json_diff.h).
struct JsonDiff {
  enum class Operation : std::uint8_t { replace = 0, insert = 1, remove = 2 };
  Operation operation = Operation::replace;
  std::string path;      ///< MySQL's path text: $."a"[3]
  sql::JsonValue value;  ///< null for remove
};

/// `raw` is a Field of state json_diff.
base::Result<std::vector<JsonDiff>> parse_json_diffs(std::string_view raw);

/// `before` with the changes applied in order, as a replica does. A path that leads nowhere means that `before` is not
/// the document the source changed: an error.
base::Result<sql::JsonValue> apply_json_diffs(sql::JsonValue before, const std::vector<JsonDiff>& diffs);

}  // namespace reseal::binlog
