// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "binlog/event.hpp"
#include "binlog/format_description.hpp"
#include "binlog/payload.hpp"
#include "binlog/transaction_sink.hpp"
#include "sql/position.hpp"

namespace reseal::binlog {

/// Turns a stream of binlog events into transactions. Pure: no socket, no clock, no thread; holds table maps and one
/// event, never a transaction. Grammar of the stream, with MySQL's names:
///
///   stream      = { ROTATE | FORMAT_DESCRIPTION | PREVIOUS_GTIDS | HEARTBEAT | STOP | transaction }
///   transaction = [ GTID ] ( ddl | group | TRANSACTION_PAYLOAD holding a group )
///   ddl         = QUERY
///   group       = ( QUERY "BEGIN" | QUERY "XA START" | QUERY "CREATE TABLE … START TRANSACTION" )
///                 { [ ROWS_QUERY ] TABLE_MAP+ rows+ | QUERY | savepoints | statement context }
///                 ( XID | QUERY "COMMIT" | QUERY "ROLLBACK" | [ QUERY "XA END" ] XA_PREPARE one_phase )
///
/// Anything else is an error, and after an error the assembler stays failed.
class TransactionAssembler {
 public:
  struct Options {
    sql::BinlogPosition start;  ///< where the stream begins; a ROTATE at its head replaces it
    ChecksumAlgorithm checksum = ChecksumAlgorithm::crc32;  ///< of events before the first FORMAT_DESCRIPTION
    PayloadLimits limits;
  };
  explicit TransactionAssembler(Options options);

  /// Takes one whole event, as a dump stream's packet without its leading 0 byte.
  base::Result<Done> feed(const EventBytes& event, TransactionSink& sink);

  /// After the last event that was fed.
  const sql::BinlogPosition& position() const { return position_; }
  bool in_transaction() const { return state_ != State::between; }
  const std::optional<FormatDescription>& format() const { return format_; }

 private:
  enum class State : std::uint8_t {
    between,  ///< no transaction
    started,  ///< GTID seen, nothing of its group yet
    open,     ///< BEGIN seen
    ended_xa  ///< XA END seen: only XA_PREPARE may follow
  };
  using Step = base::Result<Done>;

  /// One event on its way through: its parts, who owns its bytes, and who is told.
  struct Incoming {
    EventHeader header;
    std::string_view body;
    const EventBytes& owner;
    TransactionSink& sink;
  };

  Step feed_checked(const EventBytes& event, TransactionSink& sink);
  Step dispatch(const Incoming& event);
  Step dispatch_stream(const Incoming& event);
  void advance(const EventHeader& header);
  void move_forward_to(std::uint32_t low_bits, std::uint64_t at_least);
  Step on_format(const EventBytes& event, const EventHeader& header);
  Step on_rotate(const Incoming& event);
  Step on_heartbeat(const Incoming& event);
  Step on_gtid(const Incoming& event);
  Step on_query(const Incoming& event);
  Step on_statement(const Incoming& event, const Query& query);
  Step on_context(const Incoming& event);
  Step on_table_map(const Incoming& event);
  Step on_rows(const Incoming& event);
  Step on_xa_prepare(const Incoming& event);
  Step on_payload(const Incoming& event);
  Step open_group(const Incoming& event);
  Step finish(const Incoming& event, bool committed);
  Step require(State state, const EventHeader& header) const;
  void begin_without_gtid(TransactionSink& sink);
  void end_statement();
  End end_of(const EventHeader& header) const;

  struct KnownTable {
    std::string bytes;
    std::shared_ptr<const TableMap> map;
  };

  Options options_;
  State state_ = State::between;
  std::optional<FormatDescription> format_;
  ChecksumAlgorithm checksum_;
  sql::BinlogPosition position_;
  sql::BinlogPosition event_start_;
  Begin begin_;
  std::uint32_t thread_id_ = 0;  ///< of the latest QUERY, which every transaction begins with
  std::map<std::uint64_t, KnownTable> tables_;
  std::set<std::uint64_t> statement_tables_;
  std::string failed_;
};

}  // namespace reseal::binlog
