// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace reseal::binlog {

// MySQL's packed temporals (mysql-server mysys/my_time.cc, TIME_to_longlong_packed): microseconds in the low 24 bits,
// above them 6 bits each of seconds and minutes, hours, and for dates day and 13 * year + month. `scale` is the number
// of fractional digits to print, 0 to 6. Fields out of range are errors; zero and partial dates are not.

/// "-838:59:59.000000"
base::Result<std::string> time_text(std::int64_t packed, unsigned scale);
/// "2015-00-28 23:24:25.120000"
base::Result<std::string> datetime_text(std::int64_t packed, unsigned scale);
/// "2015-01-00"; the time part must be zero.
base::Result<std::string> date_text(std::int64_t packed);
base::Result<std::string> date_text(unsigned year, unsigned month, unsigned day);
/// UTC; seconds since 1970. 0 with no fraction is the zero timestamp.
base::Result<std::string> timestamp_text(std::uint64_t seconds, std::uint32_t microseconds, unsigned scale);

}  // namespace reseal::binlog
