// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "binlog/table_map.hpp"

namespace reseal::binlog {

/// Reads the optional part of a TABLE_MAP event into the columns. Returns what is wrong, empty for nothing. Fields of
/// unknown type are skipped: they only describe, and the rows can be read without them.
std::string read_optional_metadata(std::string_view bytes, TableMap& table);

}  // namespace reseal::binlog
