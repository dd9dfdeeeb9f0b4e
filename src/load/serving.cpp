// SPDX-License-Identifier: Apache-2.0
#include "load/serving.hpp"

#include <fstream>

#include "base/failure.hpp"
#include "mysql/option_file.hpp"

namespace reseal::load {

mysql::Endpoint Serving::endpoint(std::uint64_t attempt) const {
  if (where_file_.empty()) return known_[attempt % known_.size()];
  std::error_code error;
  if (!std::filesystem::exists(where_file_, error)) return known_.front();
  std::ifstream file(where_file_);
  std::string path;
  std::getline(file, path);
  while (!path.empty() && (path.back() == ' ' || path.back() == '\r' || path.back() == '\t')) path.pop_back();
  if (path.empty()) throw base::Failure(base::FailureKind::usage, where_file_.string() + ": names no option file");
  return mysql::read_option_file(path, {"client"});
}

}  // namespace reseal::load
