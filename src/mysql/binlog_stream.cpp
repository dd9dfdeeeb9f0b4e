// SPDX-License-Identifier: Apache-2.0
#include "mysql/binlog_stream.hpp"

#include <algorithm>
#include <array>
#include <random>

#include "base/failure.hpp"
#include "mysql/dump_fast_forward.hpp"
#include "mysql/server_error.hpp"
#include "mysql/wire_connection.hpp"
#include "sql/gtid_set.hpp"
#include "wire/command.hpp"
#include "wire/protocol.hpp"
#include "wire/reply.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;

// Before its first event the server may search many files for the place, and sends no heartbeat meanwhile.
constexpr std::chrono::seconds first_event_timeout{60};

// Where the first event of a file begins (BIN_LOG_HEADER_SIZE, sql/log_event.h).
constexpr std::uint64_t first_offset = 4;

std::string random_uuid() {
  std::random_device random;
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);  // version 4 (RFC 9562, section 5.4)
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  return sql::uuid_text(bytes);
}

// What a replica tells its source before it asks for the log (get_master_version_and_clock and its neighbours in
// sql/rpl_replica.cc). Servers up to 8.0.25 read the names with "master" and "slave", later ones prefer the others.
// Returns whether events carry checksums.
bool introduce(WireConnection& connection, const BinlogStreamOptions& options) {
  const auto checksum = connection.query("SELECT @@global.binlog_checksum");
  connection.query(
      "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum");
  const auto period = std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(options.heartbeat).count());
  connection.query("SET @master_heartbeat_period = " + period + ", @source_heartbeat_period = " + period);
  // Without a name of its own a dump thread is ended by the next one that has none either.
  const auto uuid = random_uuid();
  connection.query("SET @slave_uuid = '" + uuid + "', @replica_uuid = '" + uuid + "'");
  // A slow target holds us up, and then we hold the source up: that must not end the connection.
  connection.query("SET SESSION net_write_timeout = 3600");
  connection.command(wire::register_replica_command(options.server_id), "registering as a replica");
  return checksum.size() != 1 || checksum[0].size() != 1 || checksum[0][0] != "NONE";
}

std::string dump_command(const sql::SourcePosition& start, bool by_gtid, bool from_head,
                         const BinlogStreamOptions& options) {
  if (by_gtid) return wire::binlog_dump_gtid_command(options.server_id, start.gtids);
  const auto offset = from_head ? first_offset : std::max(start.binlog.offset, first_offset);
  return wire::binlog_dump_command(options.server_id, start.binlog.file, static_cast<std::uint32_t>(offset));
}

}  // namespace

BinlogStream::BinlogStream(const Endpoint& endpoint, const sql::SourcePosition& start, bool by_gtid,
                           BinlogStreamOptions options)
    : where_("binary log of " + endpoint.text()), options_(options) {
  RESEAL_CHECK(options.server_id != 0);  // 0 makes the server stop at the end of the log
  RESEAL_CHECK(options.read_timeout > options.heartbeat);
  const bool from_head = !by_gtid && start.binlog.offset > options.largest_offset;
  connection_ = std::make_unique<WireConnection>(endpoint, options.read_timeout);
  const bool checksums = introduce(*connection_, options);
  if (from_head) fast_forward_ = std::make_unique<DumpFastForward>(start.binlog.offset, checksums);
  connection_->start(dump_command(start, by_gtid, from_head, options), wire::MessageShape::binlog_event);
}

BinlogStream::~BinlogStream() = default;
BinlogStream::BinlogStream(BinlogStream&&) noexcept = default;
BinlogStream& BinlogStream::operator=(BinlogStream&&) noexcept = default;

std::optional<std::shared_ptr<const std::string>> BinlogStream::next(std::stop_token stop) {
  while (!stop.stop_requested()) {
    auto event = next_event(stop);
    if (!event) break;
    if (fast_forward_) {
      if (fast_forward_->pass(*event) == DumpFastForward::Verdict::drop) continue;
      if (!fast_forward_->under_way()) fast_forward_.reset();
    }
    return std::make_shared<const std::string>(std::move(*event));
  }
  return std::nullopt;
}

std::optional<std::string> BinlogStream::next_event(const std::stop_token& stop) {
  const std::chrono::milliseconds timeout =
      started_ ? options_.read_timeout : std::max(options_.read_timeout, first_event_timeout);
  auto message = connection_->next(timeout, stop);
  if (!message) return std::nullopt;
  if (message->status == wire::reply_byte::ok) {
    started_ = true;
    return std::move(message->payload);
  }
  if (message->status == wire::reply_byte::error) {
    const auto error = base::value_or_fail(wire::parse_error("\xFF" + message->payload), where_);
    throw source_failure(where_, error.code, error.text);
  }
  if (message->status == wire::reply_byte::eof)
    throw Failure(FailureKind::transient, where_ + ": the server ended the stream");
  throw Failure(FailureKind::transient, where_ + ": a message that is no event");
}

}  // namespace reseal::mysql
