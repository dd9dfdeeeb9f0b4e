// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "binlog/control_events.hpp"
#include "binlog/rows_event.hpp"
#include "binlog/table_map.hpp"
#include "sql/position.hpp"

namespace reseal::binlog {

/// A transaction starts.
struct Begin {
  std::optional<sql::Gtid> gtid;
  std::uint64_t original_commit_us = 0;   ///< microseconds since 1970, UTC; 0 when the source does not say
  std::uint64_t immediate_commit_us = 0;  ///< the same, on the server we read from
  std::uint64_t transaction_length = 0;   ///< bytes, 0 when the source does not say
  sql::BinlogPosition start;              ///< of its first event
};

/// The rows of one event. Read them inside the call or move `rows` away: the reader keeps its bytes alive.
struct Rows {
  std::shared_ptr<const TableMap> table;  ///< the same pointer as long as the source's table map does not change
  RowReader rows;
  bool last_of_statement = false;
  std::size_t bytes = 0;  ///< of the row images
};

/// A transaction ends: everything since Begin is to be kept (commit) or dropped (rollback).
struct End {
  std::optional<sql::Gtid> gtid;
  sql::BinlogPosition position;  ///< after its last event
  std::uint64_t original_commit_us = 0;
  std::uint64_t immediate_commit_us = 0;
  std::uint32_t timestamp = 0;  ///< seconds since 1970, of the last event's header
  std::uint32_t thread_id = 0;  ///< connection that wrote it, as its server numbers them
};

/// A statement that is no transaction control: DDL, or DML written as a statement. The consumer decides what it means.
struct Statement {
  Query query;             ///< views into `owner`
  bool standalone = true;  ///< no BEGIN before it: DDL. False inside a transaction: a DML statement, or the CREATE
                           ///< TABLE of an atomic CREATE … SELECT, whose rows follow.
  std::string kind;        ///< empty for QUERY; "INTVAR", "RAND", "USER_VAR" when statement context came by instead
  sql::BinlogPosition position;  ///< after it
  EventBytes owner;
};

/// What a TransactionAssembler tells, in stream order: begin, then rows, statements and savepoints, then commit or
/// rollback. DDL comes as begin, statement, commit. Heartbeats and rotates come only between transactions.
/// A method may throw; the assembler must then be started anew.
class TransactionSink {
 public:
  virtual ~TransactionSink() = default;
  virtual void begin(const Begin& begin) = 0;
  virtual void rows(Rows rows) = 0;
  virtual void statement(const Statement& statement) = 0;
  /// A savepoint that rollback_to may name later. Names are unquoted.
  virtual void savepoint(const std::string& name) = 0;
  virtual void rollback_to(const std::string& name) = 0;
  virtual void commit(const End& end) = 0;
  /// A rolled back transaction in the log: non-transactional tables were involved.
  virtual void rollback(const End& end) = 0;
  virtual void heartbeat(const sql::BinlogPosition& position) = 0;
  /// The stream goes on in another file.
  virtual void rotate(const sql::BinlogPosition& position) = 0;
};

}  // namespace reseal::binlog
