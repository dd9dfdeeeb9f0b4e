// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "sandbox/rds/form.hpp"
#include "sandbox/rds/records.hpp"

namespace reseal::sandbox::rds {

/// What Amazon RDS refuses, as pure functions over the records: each throws the ApiError that RDS answers, or returns.

/// 1 to `longest` letters, digits and hyphens, a letter first, no hyphen last or two in a row. Returns it in lower
/// case, as RDS keeps it.
std::string checked_identifier(const std::string& parameter, const std::string& value, std::size_t longest);

void require_available(const Instance& instance);
void require_status(const Instance& instance, const std::string& status);
void check_new_instance(const Records& records, const std::string& id);
void check_new_snapshot(const Records& records, const std::string& id);
void check_create(const Form& form);
/// `form` as of CreateDBInstanceReadReplica.
void check_replica(const Records& records, const Instance& source, const Form& form);
void check_copy(const Snapshot& source);
void check_restore(const Snapshot& snapshot, const Form& form);
/// `form` as of DeleteDBInstance.
void check_delete(const Records& records, const Instance& instance, const Form& form);
void check_delete_snapshot(const Snapshot& snapshot);
void check_modify(const Records& records, const Instance& instance, const Form& form);
void check_reboot(const Instance& instance, bool force_failover);
void check_stop(const Records& records, const Instance& instance);
void check_delete_group(const Records& records, const ParameterGroup& group);

}  // namespace reseal::sandbox::rds
