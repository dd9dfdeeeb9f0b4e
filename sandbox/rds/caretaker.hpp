// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <thread>

#include "base/log.hpp"
#include "sandbox/rds/control_plane.hpp"

namespace reseal::sandbox::rds {

struct CaretakerOptions {
  std::chrono::milliseconds heartbeat = std::chrono::seconds(3);
  std::chrono::seconds log_rotation = std::chrono::minutes(5);
};

/// What RDS does on every server by itself, in a thread of its own: rdsadmin's heartbeat into the binlog of each that
/// is no read replica, a look at each read replica, and new binlog files, of which those go that neither the
/// configuration 'binlog retention hours' nor a read replica holds.
class Caretaker {
 public:
  Caretaker(ControlPlane& plane, CaretakerOptions options, base::Log& log);

 private:
  struct Kept {
    mysql::Session session;
    std::chrono::steady_clock::time_point rotated;
  };
  void look(const ControlPlane::Served& served);
  Kept& kept(const ControlPlane::Served& served);
  void seal(mysql::Session& session, const ControlPlane::Served& served);
  void rotate(mysql::Session& session, const ControlPlane::Served& served);

  ControlPlane* plane_;
  CaretakerOptions options_;
  base::Log* log_;
  std::map<std::string, Kept> sessions_;  ///< by resource id
  std::jthread thread_;
};

}  // namespace reseal::sandbox::rds
