// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "sql/json.hpp"

namespace reseal::binlog {

/// Decodes a stored JSON document (mysql-server sql-common/json_binary.h). No bytes at all is a document too: what a
/// NOT NULL column without a value holds, and the server reads it as JSON null. Offsets, sizes and nesting are
/// checked; a document whose shared offsets make it grow far beyond its bytes is refused.
base::Result<sql::JsonValue> parse_json_binary(std::string_view bytes);

}  // namespace reseal::binlog
