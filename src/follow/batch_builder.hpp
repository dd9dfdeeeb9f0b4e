// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

#include "binlog/transaction_sink.hpp"
#include "follow/batch.hpp"

namespace reseal::follow {

/// What the follower is to follow.
struct FollowScope {
  const std::vector<sql::Table>* tables = nullptr;  ///< lives as long as the follower
  bool by_gtid = false;
  std::string strict_marker;  ///< the token in reseal.marker that ends the seed's overlap
  /// Tables without a row key were read whole at one exact place: what is before it is in them already.
  std::map<sql::TableName, sql::SourcePosition> exact_from;
  std::size_t batch_bytes = 8 << 20;
};

/// Gathers the assembler's transactions into a batch. When a transaction outgrows the batch before it ends, `spill` is
/// called with what there is so far, to be applied within one open target transaction; the batch goes on empty.
class BatchBuilder final : public binlog::TransactionSink {
 public:
  BatchBuilder(const FollowScope& scope, sql::SourcePosition start, std::function<void(Batch&)> spill);

  /// At a transaction boundary with something to take.
  bool ready() const { return !open_ && batch_.transactions > 0; }
  /// Big enough, or ended by the marker, which must be the last transaction of its batch.
  bool full() const { return ready() && (batch_.weight >= scope_.batch_bytes || batch_.turns_strict); }
  /// The batch so far; the next one starts where it ends.
  Batch take();
  /// Whether parts of the batch were spilled already.
  bool spilled() const { return spilled_; }
  const sql::SourcePosition& position() const { return position_; }

  void begin(const binlog::Begin& begin) override;
  void rows(binlog::Rows rows) override;
  void statement(const binlog::Statement& statement) override;
  void savepoint(const std::string&) override {}
  void rollback_to(const std::string& name) override;
  void commit(const binlog::End& end) override;
  void rollback(const binlog::End& end) override;
  void heartbeat(const sql::BinlogPosition&) override {}
  void rotate(const sql::BinlogPosition&) override {}

 private:
  void marker(binlog::Rows& rows);
  bool already_in_copy(const sql::TableName& table) const;

  const FollowScope& scope_;
  TableBindings bindings_;
  std::function<void(Batch&)> spill_;
  Batch batch_;
  sql::SourcePosition position_;  ///< after the last whole transaction
  std::optional<sql::Gtid> gtid_;
  sql::BinlogPosition transaction_start_;
  bool open_ = false;
  bool open_has_rows_ = false;
  bool spilled_ = false;
};

}  // namespace reseal::follow
