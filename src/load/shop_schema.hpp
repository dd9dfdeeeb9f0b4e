// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace reseal::load {

/// CREATE TABLE statements, unqualified, parents first.
std::vector<std::string> shop_tables();
/// The view, the procedure, the disabled event and the trigger: made after the rows, so that filling fires nothing.
std::vector<std::string> shop_programs();

}  // namespace reseal::load
