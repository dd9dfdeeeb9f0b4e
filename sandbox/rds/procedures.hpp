// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace reseal::sandbox::rds {

/// Which names the replication procedures have: mysql.rds_set_external_source as in the series 8.4,
/// rds_set_external_master as in 8.0, or both.
enum class ProcedureNames { source, master, both };

/// The statements that make the mysql.rds_* tables and procedures. They run as the definer, rdsadmin@localhost, who
/// must exist. Statements that the caller may not run, CHANGE REPLICATION SOURCE and START REPLICA UNTIL with values
/// among them, are prepared from text within the procedure, which MySQL allows.
std::vector<std::string> procedure_statements(ProcedureNames names);

}  // namespace reseal::sandbox::rds
