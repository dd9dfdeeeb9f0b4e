// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "attest/file_scan.hpp"

namespace reseal::mysql {
class Session;
}

namespace reseal::attest {

/// What was seen of one item.
enum class Protection {
  encrypted,
  plain,       ///< in the clear, and MySQL could encrypt it: counts against the verdict
  unknown,     ///< could not be seen: counts against the verdict, since what is not seen is not proven
  not_needed,  ///< nothing is written there
  remains      ///< MySQL has no encryption for it; what it may hold is said, and the volume has to protect it
};

struct AttestedItem {
  std::string kind;  ///< "keyring", "setting", "tablespace", "schema", "table", "binlog", "log", "volume"
  std::string name;  ///< table, file or variable
  Protection protection = Protection::unknown;
  std::string seen;  ///< how it was seen: the view or variable and its answer
  std::string mend;  ///< the statement that mends it; empty when nothing is to be done
};

/// The proof, or what is missing for it.
struct AttestReport {
  std::string server;  ///< user@host:port that was asked
  std::string server_uuid;
  std::string server_version;
  std::string time_utc;  ///< the server's UTC_TIMESTAMP at the start
  std::vector<AttestedItem> items;
  std::optional<FileScan> scan;  ///< nothing when the data files are out of reach
  std::string scan_note;         ///< why there is no scan, or which folder was scanned and why it is this server's

  /// No item is plain or unknown, and no scanned file holds a canary or could not be read.
  bool encrypted() const;
};

/// Looks at every place where the server `target` keeps rows, by SQL, and scans its data files for `canaries` (texts
/// that were planted in rows before) when they are reachable: `data_folder` is given, or the server's own datadir is
/// on this machine and its auto.cnf names this server. Server-wide items are always looked at; with `schemas` not empty
/// the per-table list is bounded to them. Writes nothing. Throws the session's Failure when a statement fails.
AttestReport attest(mysql::Session& target, const std::vector<std::string>& schemas,
                    const std::optional<std::filesystem::path>& data_folder, const std::vector<std::string>& canaries);

/// For people: the items by kind, plain and unknown ones in full, ending with "encrypted=yes" or "encrypted=no".
std::string render_text(const AttestReport& report);
/// One JSON object with the same content; file names and offsets of hits, never file content.
std::string render_json(const AttestReport& report);

}  // namespace reseal::attest
