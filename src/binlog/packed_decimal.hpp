// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace reseal::binlog {

/// Bytes of a packed DECIMAL(precision, scale): nine digits in four bytes, fewer in fewer (mysql-server
/// strings/decimal.cc, decimal_bin_size).
std::size_t packed_decimal_size(unsigned precision, unsigned scale);

/// "-123.4500", with exactly `scale` digits after the point. `raw` must have exactly the size above.
base::Result<std::string> packed_decimal_text(std::string_view raw, unsigned precision, unsigned scale);

}  // namespace reseal::binlog
