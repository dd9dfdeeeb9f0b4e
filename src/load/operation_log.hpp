// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "load/operation.hpp"

namespace reseal::load {

// The memory of one client: an append-only file `run-RUN-client-CLIENT.log`, all numbers little-endian.
//
//   file    = record*                        the first record is a head, no other is
//   record  = length:u32 crc:u32 payload     length and CRC-32 are those of the payload
//   payload = type:u8 and then, by type,
//     head     (1)  "reseal-load" version:u8 client_key:u64 accounts:u64 orders:u64 document_range:u64 mover_range:u64
//     intent   (2)  op:u64 kind:u8 first:u64 second:u64 amount:i64 retry_of:u64 time:u64
//     outcome  (3)  op:u64 verdict:u8 code:u16 time:u64 seen:u64
//     resolved (4)  op:u64 present:u8
//     end      (5)
//
// Times are nanoseconds of the monotonic clock. Each record is written by one write(2) to a file opened O_APPEND and
// is on disk (fdatasync) before the writer returns, so:
//   - an intent is durable before anything of its operation is sent: an operation without an intent never happened;
//   - an intent without an outcome is one whose answer nobody knows;
//   - a record that the end of the file cuts short (or that zeroes fill from there on) is torn. It is the last thing
//     the client was doing: an intent never sent, or an answer not kept, which leaves its operation unknown. It is
//     passed over. Damage anywhere before the last record is refused.
constexpr std::string_view log_magic = "reseal-load";
constexpr std::uint8_t log_version = 1;
constexpr std::uint32_t max_log_record = 256;
enum class LogRecord : std::uint8_t { head = 1, intent = 2, outcome = 3, resolved = 4, end = 5 };

/// What the client knows of an operation: it was applied once; it was not applied; or COMMIT was sent and no definite
/// answer came.
enum class Verdict : std::uint8_t { ok = 1, error = 2, unknown = 3 };

struct Outcome {
  Verdict verdict = Verdict::unknown;
  std::uint16_t code = 0;      ///< MySQL's error number; 0 when a statement met other rows than the client left behind
  std::uint64_t time_ns = 0;   ///< monotonic
  std::uint64_t seen_seq = 0;  ///< the client's counter as this transaction read it; 0 when it did not
};

/// An operation as its client remembers it.
struct Remembered {
  Operation operation;
  std::uint64_t time_ns = 0;
  std::optional<Outcome> outcome;
  /// For an unknown one: whether a later, acknowledged transaction of the client found it in the ledger.
  std::optional<bool> found;

  Verdict verdict() const { return outcome ? outcome->verdict : Verdict::unknown; }
};

/// Writes one client's log. One thread. Throws Failure(local) when the disk refuses; nothing may be sent after that.
class OperationLogWriter final {
 public:
  /// Creates the file; refuses one that exists. The file's name is durable when this returns.
  OperationLogWriter(const std::filesystem::path& folder, ClientKey client, const Dimensions& dimensions);
  ~OperationLogWriter();
  OperationLogWriter(const OperationLogWriter&) = delete;
  OperationLogWriter& operator=(const OperationLogWriter&) = delete;

  void intent(const Operation& operation, std::uint64_t time_ns);
  void outcome(OpId id, const Outcome& outcome);
  void resolved(OpId id, bool present);
  void end();

 private:
  void append(std::string_view payload);
  std::filesystem::path path_;
  int file_ = -1;
};

struct OperationLog {
  ClientKey client;
  Dimensions dimensions;
  std::vector<Remembered> operations;  ///< in the order they were sent
  bool torn = false;                   ///< the file ends in a torn record
  bool ended = false;                  ///< the client ended in good order
};

/// Reads a log's bytes; never throws on bad bytes.
base::Result<OperationLog> read_operation_log(std::string_view bytes);
/// All logs of a folder, by client. Throws Failure(local) for one that is damaged or cannot be read, and
/// Failure(usage) when there is none.
std::vector<OperationLog> read_operation_logs(const std::filesystem::path& folder);

}  // namespace reseal::load
