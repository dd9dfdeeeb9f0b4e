// SPDX-License-Identifier: Apache-2.0
// A stream of binlog events up to the SQL literals of its rows. The run begins after some of the events of a real
// server, so that a table map and a transaction stand.
#include "base/failure.hpp"
#include "binlog/events_for_tests.hpp"
#include "binlog/json_diff.hpp"
#include "binlog/literal.hpp"
#include "binlog/transaction_assembler.hpp"
#include "fuzz/input.hpp"
#include "fuzz/memory_meter.hpp"
#include "fuzz/target.hpp"

namespace reseal::fuzz {
namespace {

using binlog::EventBytes;
using binlog::Field;

// A column of a table map takes a byte and becomes a ColumnType; a name of one byte becomes a string.
constexpr std::size_t memory_per_byte = 4000;
constexpr std::size_t memory_at_least = 2 * 1024 * 1024;

bool inside(std::string_view part, const std::string& whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// Checks the order of what it is told, and reads everything.
class CheckingSink final : public binlog::TransactionSink {
 public:
  bool open = false;

  void begin(const binlog::Begin&) override {
    RESEAL_CHECK(!open);
    open = true;
  }
  void rows(binlog::Rows rows) override {
    RESEAL_CHECK(open && rows.table != nullptr);
    binlog::RowChange row;
    auto left = rows.rows.remaining();
    while (true) {
      const auto more = rows.rows.next(row);
      if (!more.ok() || !more.value()) break;
      RESEAL_CHECK(rows.rows.remaining() < left);
      left = rows.rows.remaining();
      for (const auto* image : {&row.before, &row.after}) read(*image, *rows.table, *row.owner);
    }
  }
  void statement(const binlog::Statement& statement) override {
    RESEAL_CHECK(open && inside(statement.query.text, *statement.owner));
  }
  void savepoint(const std::string&) override { RESEAL_CHECK(open); }
  void rollback_to(const std::string&) override { RESEAL_CHECK(open); }
  void commit(const binlog::End&) override { end(); }
  void rollback(const binlog::End&) override { end(); }
  void heartbeat(const sql::BinlogPosition&) override { RESEAL_CHECK(!open); }
  void rotate(const sql::BinlogPosition&) override { RESEAL_CHECK(!open); }

 private:
  void end() {
    RESEAL_CHECK(open);
    open = false;
  }

  static void read(const binlog::RowImage& image, const binlog::TableMap& table, const std::string& owner) {
    RESEAL_CHECK(image.fields.empty() || image.fields.size() == table.columns.size());
    for (std::size_t i = 0; i < image.fields.size(); ++i) {
      const auto& field = image.fields[i];
      RESEAL_CHECK(inside(field.raw, owner));
      if (field.state == Field::State::absent) continue;
      if (field.state == Field::State::json_diff) {
        static_cast<void>(binlog::parse_json_diffs(field.raw));
        continue;
      }
      read(field, table.columns[i]);
    }
  }

  static void read(const Field& field, const binlog::ColumnType& type) {
    sql::Column column;
    column.is_unsigned = type.is_unsigned.value_or(false);
    if (type.type == binlog::FieldType::string) column.family = sql::ColumnFamily::bytes;
    std::string literal = "before";
    try {
      const auto appended = binlog::append_literal(literal, type, field, column);
      RESEAL_CHECK(appended.ok() ? literal.size() > 6 : literal == "before");
    } catch (const base::Failure& failure) {
      RESEAL_CHECK(failure.kind() == base::FailureKind::unsupported);
    }
    if (field.state != Field::State::present) return;
    std::string bytes;
    binlog::append_conflict_bytes(bytes, field, column);
    RESEAL_CHECK(bytes.size() <= 2 * field.raw.size() + 64);
  }
};

struct Begun {
  binlog::TransactionAssembler assembler;
  bool open;
};

// What an assembler is after each of the captured events.
const std::vector<Begun>& beginnings() {
  static const auto made = [] {
    std::vector<Begun> begun;
    binlog::TransactionAssembler assembler({{"binlog.000003", 4}, binlog::ChecksumAlgorithm::none, {}});
    CheckingSink sink;
    begun.push_back({assembler, sink.open});
    for (const auto& event : binlog::captured_without_checksums()) {
      RESEAL_CHECK(assembler.feed(event, sink).ok());
      begun.push_back({assembler, sink.open});
    }
    return begun;
  }();
  return made;
}

// Header and length are right, unless the flag says that what comes is all of an event.
EventBytes event_of(Input& input) {
  const bool raw = input.below(16) == 15;
  const auto type = static_cast<binlog::EventType>(input.number(1));
  const auto flags = static_cast<std::uint16_t>(input.number(1));
  const bool in_log = input.flag();
  const auto body = input.take(input.number(2));
  if (raw) return std::make_shared<const std::string>(body);
  return binlog::make_event(type, body, in_log ? 0x10000 : 0, flags);
}

std::string choice_of(const std::string& event) {
  const auto body = event.substr(binlog::event_header_size);
  return std::string{'\0',
                     event[4],
                     event[17],
                     '\1',
                     static_cast<char>(body.size() & 0xFF),
                     static_cast<char>(body.size() >> 8)} +
         body;
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto& begun = beginnings()[input.below(static_cast<unsigned>(beginnings().size()))];
  auto assembler = begun.assembler;
  CheckingSink sink;
  sink.open = begun.open;
  const MemoryMeter memory;
  bool failed = false;
  while (!input.empty()) {
    const auto fed = assembler.feed(event_of(input), sink);
    RESEAL_CHECK(!failed || !fed.ok());
    failed = !fed.ok();
    if (!failed) RESEAL_CHECK(assembler.in_transaction() == sink.open);
    if (failed) RESEAL_CHECK(!fed.error().empty());
  }
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * bytes.size());
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  const auto events = binlog::captured_without_checksums();
  // Each event in its place, with the three that follow it.
  for (std::size_t i = 0; i < events.size(); ++i) {
    made.emplace_back(1, static_cast<char>(i));
    for (std::size_t k = i; k < std::min(i + 4, events.size()); ++k) made.back() += choice_of(*events[k]);
  }
  return made;
}

}  // namespace reseal::fuzz
