// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "mysql/endpoint.hpp"
#include "sql/position.hpp"

namespace reseal::mysql {

class DumpFastForward;
class WireConnection;

struct BinlogStreamOptions {
  /// Our id as a replica: not 0, and unique among the source and its replicas. With GTID a second connection of the
  /// same id is let in all the same; native replicas take it as a misconfiguration. The caller picks it.
  std::uint32_t server_id = 0;
  /// The source sends a heartbeat event when nothing else has come for this long.
  std::chrono::milliseconds heartbeat{1000};
  /// A connection on which not one byte has come for this long is lost. More than `heartbeat`.
  std::chrono::seconds read_timeout{10};
  /// Offsets above this are reached from the head of the file. Only tests set it.
  std::uint64_t largest_offset = 0xFFFFFFFF;
};

/// The binary log of one server over one dump connection, event by event, waiting at its end for more. It speaks as a
/// replica does (checksums and heartbeats agreed, registered under the server id). Not thread-safe, except that a stop
/// may be requested from anywhere. Costs one connection and one dump thread on the source, and memory for the event
/// that is being read.
///
/// Failures: `transient` for a lost or silent connection (a new BinlogStream may go on), `refused` for a login that
/// would not be safe, `source` for the server's own answers, such as 1236 when the log at the start is purged (it
/// comes from the first `next`).
class BinlogStream {
 public:
  /// Logs in and asks for the log: by GTID everything that `start.gtids` does not hold, else from `start.binlog`.
  /// COM_BINLOG_DUMP has 32 bits for the offset: for one of 4 GiB and more the source sends the whole file, and what
  /// lies before the offset is dropped here (DumpFastForward). The caller sees no difference but the time.
  BinlogStream(const Endpoint& endpoint, const sql::SourcePosition& start, bool by_gtid, BinlogStreamOptions options);
  ~BinlogStream();
  BinlogStream(BinlogStream&&) noexcept;
  BinlogStream& operator=(BinlogStream&&) noexcept;

  /// The next event as the server sent it, header first and its checksum (if any) last. Artificial rotate events and
  /// heartbeats come too. Nothing when `stop` was requested; a later call goes on without loss.
  std::optional<std::shared_ptr<const std::string>> next(std::stop_token stop);

 private:
  std::optional<std::string> next_event(const std::stop_token& stop);

  std::string where_;
  BinlogStreamOptions options_;
  bool started_ = false;  ///< the first event has come
  std::unique_ptr<WireConnection> connection_;
  std::unique_ptr<DumpFastForward> fast_forward_;  ///< only for an offset that the protocol cannot say
};

}  // namespace reseal::mysql
