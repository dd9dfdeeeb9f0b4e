// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace reseal::sandbox {

/// Where the sandbox keeps what it can make again: $RESEAL_CACHE, else $XDG_CACHE_HOME/reseal, else ~/.cache/reseal.
std::filesystem::path cache_folder();

/// MySQL's own programs on this machine.
class MysqlPrograms {
 public:
  /// Takes $RESEAL_MYSQL (a folder with bin/mysqld), else what tools/mysql-server brought, else a MySQL on PATH.
  /// Throws Failure(refused) when there is none.
  static MysqlPrograms find();

  /// The path of mysqld, mysql, mysqladmin, mysqlbinlog or mysqldump. Throws Failure(refused) when it is missing.
  std::filesystem::path path(const std::string& program) const;
  /// "9.7.4-2", as `mysqld --version` says it.
  const std::string& version() const { return version_; }

 private:
  MysqlPrograms(std::filesystem::path folder, std::string version)
      : folder_(std::move(folder)), version_(std::move(version)) {}
  std::filesystem::path folder_;  ///< has bin/; empty when the programs are looked up on PATH
  std::string version_;
};

}  // namespace reseal::sandbox
