// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "load/operation.hpp"

namespace reseal::load {

/// The tables whose rows belong to one client each, so that its log alone tells what they must hold.
enum class OwnTable { counters, documents, handles, movers, blobs, reborn, orders, order_events };
inline constexpr std::array all_own_tables = {OwnTable::counters, OwnTable::documents,   OwnTable::handles,
                                              OwnTable::movers,   OwnTable::blobs,       OwnTable::reborn,
                                              OwnTable::orders,   OwnTable::order_events};
std::string_view table_name(OwnTable table);

/// A row as the audit compares it: the operation that wrote it last and its text form ("print").
struct ExpectedRow {
  OpId writer;
  std::string print;
};
using ExpectedRows = std::map<std::uint64_t, ExpectedRow>;

/// What one client's rows must look like after a list of its operations: the same code chooses the next operation
/// in the run and replays the log in the audit. Pure: no server, no clock. A value; copy it to try an operation.
class ClientModel final {
 public:
  static constexpr std::uint64_t handle_slots = 8;
  static constexpr std::uint64_t blob_slots = 6;
  static constexpr std::uint64_t reborn_slots = 3;
  static constexpr std::uint64_t mover_tags = 6;

  struct Document {
    OpId writer;
    std::uint64_t n = 0;
    std::uint64_t listed = 1;  ///< $.nested.list[0]
    std::deque<std::uint32_t> trail;
    std::string price;
  };
  struct Handle {
    OpId writer;
    std::optional<std::string> value;
  };
  struct Mover {
    OpId writer;
    std::uint64_t tag = 0;
  };
  struct Blob {
    OpId writer;
    std::uint64_t size = 0;
  };
  struct Reborn {
    OpId writer;
    std::uint64_t generation = 0;
  };

  /// The audit keeps what only it needs and what grows with the log: the orders, and who removed what.
  enum class History { forgotten, kept };

  ClientModel(ClientKey client, const Dimensions& dimensions, History history = History::forgotten)
      : client_(client), dimensions_(dimensions), history_(history) {}

  /// Chooses the operation with sequence number `seq`; the first one is always `setup`.
  Operation next(std::mt19937_64& random, std::uint32_t seq) const;
  /// Takes an operation as applied. One that does not fit (its row is not there) changes what it can.
  void apply(const Operation& operation);
  /// All rows of a table by primary key (orders and order_events: by operation).
  ExpectedRows rows(OwnTable table) const;
  /// The operation that took the row away, if one did.
  std::optional<OpId> remover(OwnTable table, std::uint64_t key) const;

  ClientKey client() const { return client_; }
  bool ready() const { return last_.value() != 0; }
  OpId last() const { return last_; }
  const std::map<std::uint64_t, Document>& documents() const { return documents_; }
  const std::map<std::uint64_t, Handle>& handles() const { return handles_; }
  const std::map<std::uint64_t, Mover>& movers() const { return movers_; }
  const std::map<std::uint64_t, Reborn>& reborn() const { return reborn_; }

  /// Keys of one client are far apart, so that they fall into different chunks of a copy.
  std::uint64_t slot_key(std::uint64_t slot) const { return (slot + 1) * 10'000'000'000'000ULL + client_.value(); }
  /// Where a row waits while two rows swap keys: no other row can be there.
  std::uint64_t waiting_key() const { return (std::uint64_t{1} << 62) + client_.value(); }
  std::uint64_t mover_key(OpId setup, std::uint64_t tag) const {
    return mix(setup.value() * 16 + tag) % dimensions_.mover_range + 1;
  }
  std::uint64_t tag_value(std::uint64_t tag) const { return client_.value() * 16 + tag; }
  std::optional<std::string> first_handle(std::uint64_t slot) const;

 private:
  Kind choose(std::mt19937_64& random) const;
  void fill(Operation& operation, std::mt19937_64& random) const;
  void set_up(OpId id);
  void apply_document(const Operation& operation);
  void apply_keys(const Operation& operation);
  void removed(OwnTable table, std::uint64_t key, OpId by) {
    if (history_ == History::kept) removers_[{table, key}] = by;
  }

  ClientKey client_;
  Dimensions dimensions_;
  History history_;
  OpId last_;
  std::map<std::uint64_t, Document> documents_;
  std::map<std::uint64_t, Handle> handles_;
  std::map<std::uint64_t, Mover> movers_;
  std::map<std::uint64_t, Blob> blobs_;
  std::map<std::uint64_t, Reborn> reborn_;
  std::map<std::uint64_t, std::uint64_t> orders_;  ///< operation to number of rows
  std::map<std::pair<OwnTable, std::uint64_t>, OpId> removers_;
};

/// The price leaf of a document after `insert` (no seq) or after doc_set with this seq, as DECIMAL(12,2) prints.
std::string document_price(std::optional<std::uint32_t> seq);

}  // namespace reseal::load
