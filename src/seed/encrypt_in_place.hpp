// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "mysql/session.hpp"

namespace reseal::seed {

/// How far the encryption is, for progress lines; read from any thread.
struct EncryptProgress {
  std::atomic<std::uint64_t> done{0};  ///< tables and tablespaces
  std::atomic<std::uint64_t> all{0};
};

/// Encrypts everything on a server that came as a plain physical copy and whose own settings encrypt what it writes
/// anew: tables, general tablespaces, the mysql tablespace, sys, schema defaults. Then it makes the files anew in which
/// plain pages of the copy still lie although the server shows them as encrypted: undo tablespaces and redo log.
/// Nothing is written to the binary log. What is encrypted already is left alone; after a kill, call it again. Nobody
/// else may write to the server.
///
/// Refuses, before anything is changed, when the server would go on to write something in the clear. `undo_bound` is
/// how long one undo tablespace may take to become empty.
///
/// What it cannot promise: the plain copy was written to this machine's disk. The blocks of deleted and rewritten files
/// (tables, undo, redo) hold it until the file system uses them again, snapshots of the volume and the flash of an SSD
/// longer. The doublewrite files #ib_*.dblwr hold the plain pages that were flushed before their table was encrypted
/// until enough encrypted ones were flushed after them, which no statement can force; removed while the server is down
/// after a clean stop, they are made anew. ibtmp1 may hold what a recovery had in memory, until the server is stopped
/// cleanly and started. ibdata1 cannot be encrypted: it holds what the donor's change buffer, when that was on, kept of
/// secondary indexes. Where that counts, put the recipient on a volume that is encrypted itself, or take the way
/// `stream`, which never writes a plain row.
void encrypt_in_place(mysql::Session& session, EncryptProgress& progress, const std::stop_token& stop,
                      std::chrono::seconds undo_bound = std::chrono::hours(1));

/// What is in the clear by what the server says: names of tablespaces, and of tables in the system tablespace. The
/// tablespace of temporary tables' undo, which no server can encrypt and every start makes anew, is not named.
std::vector<std::string> not_encrypted_tablespaces(mysql::Session& session);

}  // namespace reseal::seed
