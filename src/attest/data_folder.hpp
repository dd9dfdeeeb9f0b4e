// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "mysql/session.hpp"

namespace reseal::attest {

/// Where a server keeps its files, as seen from this machine.
struct DataFolders {
  std::vector<std::filesystem::path> folders;  ///< the data folder first, then folders outside of it; empty: no scan
  std::string note;                            ///< how it was found, or why there is none
};

/// The data folder `given`, or the server's own when it is on this machine. A folder is taken only when its auto.cnf
/// names this server. Throws Failure(usage) when `given` is another server's.
DataFolders find_data_folders(mysql::Session& server, const std::optional<std::filesystem::path>& given);

/// The server_uuid in an auto.cnf; nothing when the file cannot be read or has none.
std::optional<std::string> uuid_of_folder(const std::filesystem::path& folder);

}  // namespace reseal::attest
