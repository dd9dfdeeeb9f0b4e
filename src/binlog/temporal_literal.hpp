// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "binlog/event.hpp"
#include "binlog/table_map.hpp"

namespace reseal::binlog {

/// Appends the quoted text of a DATE, TIME, DATETIME or TIMESTAMP in its old or new storage form. TIMESTAMPs are UTC.
base::Result<Done> append_temporal_literal(std::string& out, const ColumnType& type, std::string_view raw);

}  // namespace reseal::binlog
