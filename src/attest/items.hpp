// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "attest/attest.hpp"
#include "mysql/session.hpp"

namespace reseal::attest {

using Items = std::vector<AttestedItem>;

// Each looks at one kind of place by SQL and appends what it saw.
void look_at_keyring(mysql::Session& target, Items& items);
void look_at_settings(mysql::Session& target, Items& items);
void look_at_tablespaces(mysql::Session& target, Items& items);
void look_at_schemas(mysql::Session& target, const std::vector<std::string>& schemas, Items& items);
void look_at_tables(mysql::Session& target, const std::vector<std::string>& schemas, Items& items);
void look_at_binlogs(mysql::Session& target, Items& items);
void look_at_logs(mysql::Session& target, Items& items);
void say_what_remains(mysql::Session& target, Items& items);

/// A global variable's value, or nothing when the server has no such variable.
mysql::Cell variable(mysql::Session& session, const std::string& name);

/// `name` as InnoDB and the file system write it, when it is plain ASCII; else nothing (MySQL manual, "Mapping of
/// Identifiers to File Names").
std::optional<std::string> file_name_of(const std::string& name);

}  // namespace reseal::attest
