// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reseal::load {

/// What one transaction of the workload does. The numbers are stored in logs: append only, never renumber.
/// `first`, `second` and `amount` of an Operation mean:
enum class Kind : std::uint8_t {
  setup = 1,         ///< the client's own rows appear; nothing else
  transfer = 2,      ///< account `first` pays `amount` to account `second`
  doc_insert = 3,    ///< document `first` appears
  doc_set = 4,       ///< leaves of document `first` are set
  doc_append = 5,    ///< the array of document `first` grows
  doc_remove = 6,    ///< the array of document `first` loses its first element
  doc_delete = 7,    ///< document `first` goes
  handle_pass = 8,   ///< slots `first` and `second` swap their unique values, of which one may be NULL
  key_move = 9,      ///< the row with primary key `first` moves to key `second`
  key_swap = 10,     ///< the rows with primary keys `first` and `second` swap keys
  blob_put = 11,     ///< large row `first` gets `amount` new bytes
  blob_drop = 12,    ///< large row `first` goes
  rebirth = 13,      ///< row `first` is deleted and inserted again
  hot = 14,          ///< the one hot row grows by `amount`
  order_batch = 15,  ///< `amount` orders appear, and by a trigger as many events
  touch = 16         ///< order `first`, of those that prepare made, counts one more touch
};

std::string_view kind_name(Kind kind);
std::optional<Kind> kind_of(std::uint8_t number);

/// One client of one run: 23 bits of run, 12 bits of client.
class ClientKey {
 public:
  static constexpr std::uint32_t max_run = (1U << 23) - 1;
  static constexpr std::uint32_t max_client = (1U << 12) - 1;

  ClientKey() = default;
  ClientKey(std::uint32_t run, std::uint32_t client) : value_(std::uint64_t{run} << 12 | client) {}
  explicit ClientKey(std::uint64_t value) : value_(value) {}
  std::uint64_t value() const { return value_; }
  std::uint32_t run() const { return static_cast<std::uint32_t>(value_ >> 12); }
  std::uint32_t client() const { return static_cast<std::uint32_t>(value_ & max_client); }
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the zero of a generated comparison for a pointer
  auto operator<=>(const ClientKey&) const = default;

 private:
  std::uint64_t value_ = 0;
};

/// Names one operation of all runs: the client key and 28 bits of sequence number. Never 0; fits a signed BIGINT.
class OpId {
 public:
  static constexpr std::uint32_t max_seq = (1U << 28) - 1;

  OpId() = default;
  OpId(ClientKey client, std::uint32_t seq) : value_(client.value() << 28 | seq) {}
  explicit OpId(std::uint64_t value) : value_(value) {}
  std::uint64_t value() const { return value_; }
  ClientKey client() const { return ClientKey(value_ >> 28); }
  std::uint32_t seq() const { return static_cast<std::uint32_t>(value_ & max_seq); }
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the zero of a generated comparison for a pointer
  auto operator<=>(const OpId&) const = default;

 private:
  std::uint64_t value_ = 0;
};

struct Operation {
  OpId id;
  Kind kind = Kind::setup;
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::int64_t amount = 0;
  OpId retry_of;  ///< the failed operation this one stands in for; value 0 when none

  bool operator==(const Operation&) const = default;
};

/// How many rows `prepare` made of what the clients share, and how wide the keys are spread. Read from the schema's
/// table `load_settings`, kept at the head of each log.
struct Dimensions {
  std::uint64_t accounts = 0;
  std::uint64_t orders = 0;
  std::uint64_t document_range = 0;  ///< documents have keys from 1 to this
  std::uint64_t mover_range = 0;     ///< movers have keys from 1 to this, except while they swap

  bool operator==(const Dimensions&) const = default;
};

/// Every account is opened with this.
constexpr std::int64_t opening_balance = 1'000'000'000;

/// A number spread over 64 bits from another (SplitMix64, Steele, Lea and Flood 2014): the same on every machine.
std::uint64_t mix(std::uint64_t value);
/// The bytes that blob_put stores, from the operation's id alone.
std::string blob_bytes(OpId id, std::size_t size);
/// The checksum of MySQL's CRC32() and of the log's records (ISO 3309, as in zlib).
std::uint32_t crc32(std::string_view bytes);

}  // namespace reseal::load
