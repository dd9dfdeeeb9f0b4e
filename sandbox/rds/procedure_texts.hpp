// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// The SQL of the mysql.rds_* tables and procedures. {word} is "source" or "master".
namespace reseal::sandbox::rds::texts {

extern const std::vector<std::string> tables;
extern const std::vector<std::string> common;  ///< procedures whose name is the same in every series
extern const std::vector<std::string> named;   ///< procedures whose name has {word}
extern const std::string set_external;         ///< the three forms of rds_set_external_{word}

}  // namespace reseal::sandbox::rds::texts
