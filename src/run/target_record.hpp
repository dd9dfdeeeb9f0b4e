// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mysql/session.hpp"

namespace reseal::run {

/// reseal.run on the target: what the run is and how far it got, beside the data it speaks of, so that a lost or
/// restored state folder cannot lie about it. Names: run_id, source_uuid, target_uuid, schemas, fingerprint, phase,
/// poison, seed_end_token, switched_epoch, backed_out_epoch.
class TargetRecord {
 public:
  explicit TargetRecord(mysql::Session& target) : target_(target) {}
  /// Creates the database and the table.
  void create();
  bool exists();
  std::optional<std::string> get(const std::string& name);
  void set(const std::string& name, const std::string& value);
  /// All of them or none, whenever the process or the server dies.
  void set(const std::vector<std::pair<std::string, std::string>>& values);
  void erase(const std::string& name);
  /// The latest attempt to switch that is known to be over without a decision: its epoch is closed, the fence of the
  /// side that goes on is lowered, for the next start too, and no session is left that could raise it. 0: none is
  /// known.
  std::uint64_t backed_out_epoch();
  /// To be told only when all of that holds: nobody looks after that attempt any more.
  void backed_out(std::uint64_t epoch);

 private:
  mysql::Session& target_;
};

}  // namespace reseal::run
