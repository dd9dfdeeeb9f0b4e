// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace reseal::attest {

/// A place where a planted text lies in the clear. Says which and where, never what stands around it.
struct CanaryHit {
  std::string file;          ///< path relative to the scanned folder
  std::uint64_t offset = 0;  ///< byte offset of the first hit of this canary in this file
  std::size_t canary = 0;    ///< index into the canaries asked for
};

struct FileScan {
  std::filesystem::path folder;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<CanaryHit> hits;          ///< one per file and canary, ordered by file
  std::vector<std::string> unreadable;  ///< files that could not be read: these make the scan no proof

  bool clean() const { return hits.empty() && unreadable.empty(); }
};

/// Reads every regular file below `folder` once, in windows of 1 MiB that overlap by the longest canary, and looks
/// for each canary byte by byte. Memory does not grow with the files. Symbolic links to files and folders are
/// followed, since a server's tablespaces may lie elsewhere; a folder is entered once. A file that vanishes meanwhile
/// is skipped. Throws Failure(usage) for an empty or too short canary (< 8 bytes), Failure(local) when `folder`
/// itself cannot be read.
FileScan scan_files(const std::filesystem::path& folder, const std::vector<std::string>& canaries);

}  // namespace reseal::attest
