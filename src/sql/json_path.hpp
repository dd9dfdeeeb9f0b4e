// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace reseal::sql {

/// One leg of a MySQL JSON path: an object key, or an array index from the front.
using JsonPathLeg = std::variant<std::string, std::uint64_t>;

/// Appends `."key"`, quoted so that every key is legal: empty, with quotes, control characters or any Unicode.
void append_json_path_key(std::string& path, std::string_view key);

/// The legs of a path without wildcards and ranges, as the server writes them into binlog events:
/// `$.name."odd name"[3]`. `[last]` forms are errors.
base::Result<std::vector<JsonPathLeg>> parse_json_path(std::string_view path);

}  // namespace reseal::sql
