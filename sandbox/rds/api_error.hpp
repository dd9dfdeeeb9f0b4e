// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace reseal::sandbox::rds {

/// A request that the API refuses: the code and HTTP status that Amazon RDS answers, and a message for a person.
/// Thrown by the actions, caught where the answer is written.
class ApiError : public std::exception {
 public:
  ApiError(unsigned status, std::string code, std::string message)
      : status_(status), code_(std::move(code)), message_(std::move(message)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& code() const noexcept { return code_; }
  unsigned status() const noexcept { return status_; }

 private:
  unsigned status_;
  std::string code_;
  std::string message_;
};

inline ApiError invalid_value(std::string message) { return {400, "InvalidParameterValue", std::move(message)}; }
inline ApiError invalid_combination(std::string message) {
  return {400, "InvalidParameterCombination", std::move(message)};
}
inline ApiError invalid_state(std::string message) { return {400, "InvalidDBInstanceState", std::move(message)}; }
inline ApiError no_instance(const std::string& id) {
  return {404, "DBInstanceNotFound", "DBInstance " + id + " not found."};
}
inline ApiError no_snapshot(const std::string& id) {
  return {404, "DBSnapshotNotFound", "DBSnapshot " + id + " not found."};
}
inline ApiError no_group(const std::string& name) {
  return {404, "DBParameterGroupNotFound", "DBParameterGroup not found: " + name};
}

}  // namespace reseal::sandbox::rds
