// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "mysql/endpoint.hpp"

namespace reseal::load {

/// Tells clients which server serves now. With a where-file (a text file whose content is the path of an option file,
/// replaced atomically by the operator's switch hook) that file decides whenever it exists; without one the servers
/// named at the start take turns. Immutable: any thread may ask.
class Serving final {
 public:
  Serving(std::vector<mysql::Endpoint> known, std::filesystem::path where_file)
      : known_(std::move(known)), where_file_(std::move(where_file)) {}

  /// The server for a client's connection number `attempt`, counted up at each time it was turned away.
  /// Throws Failure(usage) when the where-file or the option file it names cannot be used.
  mysql::Endpoint endpoint(std::uint64_t attempt) const;

 private:
  std::vector<mysql::Endpoint> known_;  ///< at least one
  std::filesystem::path where_file_;
};

}  // namespace reseal::load
