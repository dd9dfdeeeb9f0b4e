// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <set>

#include "load/client.hpp"
#include "load/client_model.hpp"
#include "load/operation_log.hpp"
#include "load/operation_statements.hpp"

namespace reseal::load {
namespace {

using testing::HasSubstr;

const Dimensions shop{100, 1000, 1'000'000, 1'000'000};
const ClientKey key(7, 3);

Operation operation(std::uint32_t seq, Kind kind, std::uint64_t first = 0, std::uint64_t second = 0,
                    std::int64_t amount = 0) {
  return {OpId(key, seq), kind, first, second, amount, OpId()};
}

TEST(operation, ids_carry_run_client_and_sequence) {
  const OpId id(ClientKey(ClientKey::max_run, ClientKey::max_client), OpId::max_seq);
  EXPECT_EQ(id.value(), (std::uint64_t{1} << 63) - 1);
  EXPECT_EQ(id.client().run(), ClientKey::max_run);
  EXPECT_EQ(id.client().client(), ClientKey::max_client);
  EXPECT_EQ(id.seq(), OpId::max_seq);
}

TEST(operation, every_kind_has_a_name_and_a_number) {
  std::set<std::string_view> names;
  for (std::uint8_t number = 1; number <= 16; ++number) names.insert(kind_name(kind_of(number).value()));
  EXPECT_EQ(names.size(), 16U);
  EXPECT_FALSE(kind_of(0));
  EXPECT_FALSE(kind_of(17));
}

TEST(operation, checksum_is_the_one_of_iso_3309) { EXPECT_EQ(crc32("123456789"), 0xCBF43926U); }

class OperationLogFile : public testing::Test {
 protected:
  OperationLogFile()
      : folder_(std::filesystem::temp_directory_path() / ("reseal-load-log-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    OperationLogWriter writer(folder_, key, shop);
    writer.intent(operation(1, Kind::setup), 10);
    writer.outcome(OpId(key, 1), {Verdict::ok, 0, 20, 0});
    writer.intent(operation(2, Kind::transfer, 4, 5, -6), 30);
    writer.outcome(OpId(key, 2), {Verdict::unknown, 2013, 40, 1});
    writer.intent(operation(3, Kind::hot, 0, 0, 9), 50);
    writer.outcome(OpId(key, 3), {Verdict::ok, 0, 60, 1});
    writer.resolved(OpId(key, 2), true);
    writer.end();
    std::ifstream file(path(), std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }
  ~OperationLogFile() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path path() const { return folder_ / "run-7-client-3.log"; }

  std::filesystem::path folder_;
  std::string bytes_;
};

TEST_F(OperationLogFile, gives_back_what_was_written) {
  const auto logs = read_operation_logs(folder_);
  ASSERT_EQ(logs.size(), 1U);
  const auto& log = logs[0];
  EXPECT_EQ(log.client, key);
  EXPECT_EQ(log.dimensions, shop);
  EXPECT_TRUE(log.ended);
  EXPECT_FALSE(log.torn);
  ASSERT_EQ(log.operations.size(), 3U);
  EXPECT_EQ(log.operations[1].operation, operation(2, Kind::transfer, 4, 5, -6));
  EXPECT_EQ(log.operations[1].verdict(), Verdict::unknown);
  EXPECT_EQ(log.operations[1].outcome->code, 2013);
  EXPECT_EQ(log.operations[1].found, true);
  EXPECT_EQ(log.operations[2].outcome->seen_seq, 1U);
}

TEST_F(OperationLogFile, is_not_written_over) { EXPECT_THROW(OperationLogWriter(folder_, key, shop), base::Failure); }

TEST_F(OperationLogFile, cut_anywhere_loses_only_the_torn_record) {
  std::size_t fewest = 3;
  for (std::size_t size = bytes_.size(); size-- > 61;) {  // 61 bytes are the head
    const auto log = read_operation_log(std::string_view(bytes_).substr(0, size));
    ASSERT_TRUE(log.ok()) << size << ": " << log.error();
    EXPECT_LE(log.value().operations.size(), fewest);
    fewest = log.value().operations.size();
    EXPECT_FALSE(log.value().ended);
  }
  EXPECT_EQ(fewest, 0U);
}

TEST_F(OperationLogFile, an_intent_without_its_answer_is_unknown) {
  const auto log = read_operation_log(std::string_view(bytes_).substr(0, bytes_.find("\x1C", 61) + 3));
  ASSERT_TRUE(log.ok()) << log.error();
  EXPECT_TRUE(log.value().torn);
  ASSERT_EQ(log.value().operations.size(), 1U);
  EXPECT_EQ(log.value().operations[0].verdict(), Verdict::unknown);
}

TEST_F(OperationLogFile, zeroes_behind_the_end_are_a_torn_record) {
  const auto log = read_operation_log(bytes_ + std::string(4096, '\0'));
  ASSERT_TRUE(log.ok()) << log.error();
  EXPECT_TRUE(log.value().torn);
  EXPECT_EQ(log.value().operations.size(), 3U);
}

TEST_F(OperationLogFile, damage_to_any_bit_is_refused_or_costs_the_last_record) {
  const auto last_record = bytes_.size() - 9;
  for (std::size_t at = 0; at < bytes_.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto damaged = bytes_;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      const auto log = read_operation_log(damaged);
      if (at < last_record) {
        EXPECT_FALSE(log.ok()) << "byte " << at << " bit " << bit;
      } else if (log.ok()) {
        EXPECT_TRUE(log.value().torn) << "byte " << at << " bit " << bit;
      }
    }
}

TEST_F(OperationLogFile, records_that_make_no_sense_are_refused) {
  const auto head = bytes_.substr(0, 61);
  const auto first = bytes_.substr(61, 58);
  EXPECT_THAT(read_operation_log(head + head).error(), HasSubstr("second head"));
  EXPECT_THAT(read_operation_log(first).error(), HasSubstr("not a head"));
  EXPECT_THAT(read_operation_log(head + first + first).error(), HasSubstr("out of order"));
  EXPECT_THAT(read_operation_log(head + bytes_.substr(119, 36)).error(), HasSubstr("answers no open operation"));
  EXPECT_THAT(read_operation_log("").error(), HasSubstr("no head"));
}

TEST(client_model, a_handle_moves_into_a_free_slot_and_back) {
  ClientModel model(key, shop);
  model.apply(operation(1, Kind::setup));
  const auto full = model.slot_key(0);
  const auto free = model.slot_key(7);
  model.apply(operation(2, Kind::handle_pass, full, free));
  EXPECT_EQ(model.handles().at(free).value, model.first_handle(0));
  EXPECT_FALSE(model.handles().at(full).value);
  EXPECT_EQ(model.handles().at(full).writer, OpId(key, 2));
}

TEST(client_model, moved_and_swapped_keys_keep_the_set_of_tags) {
  ClientModel model(key, shop, ClientModel::History::kept);
  model.apply(operation(1, Kind::setup));
  const auto from = model.mover_key(OpId(key, 1), 0);
  const auto other = model.mover_key(OpId(key, 1), 1);
  model.apply(operation(2, Kind::key_move, from, 1));
  model.apply(operation(3, Kind::key_swap, 1, other));
  EXPECT_EQ(model.movers().at(other).tag, model.tag_value(0));
  EXPECT_EQ(model.movers().at(1).tag, model.tag_value(1));
  EXPECT_EQ(model.remover(OwnTable::movers, from), OpId(key, 2));
  EXPECT_EQ(model.movers().size(), ClientModel::mover_tags);
}

TEST(client_model, a_document_prints_its_history) {
  ClientModel model(key, shop);
  model.apply(operation(1, Kind::doc_insert, 42));
  model.apply(operation(2, Kind::doc_append, 42));
  model.apply(operation(3, Kind::doc_set, 42));
  model.apply(operation(4, Kind::doc_append, 42));
  model.apply(operation(5, Kind::doc_remove, 42));
  const auto row = model.rows(OwnTable::documents).at(42);
  EXPECT_EQ(row.print, std::to_string(OpId(key, 5).value()) + "|3|[2, 4]|3|3.25|DECIMAL|DATETIME|UNSIGNED INTEGER");
}

TEST(client_model, chooses_only_operations_that_fit_its_state) {
  ClientModel model(key, shop);
  std::mt19937_64 random(1);
  std::set<Kind> kinds;
  for (std::uint32_t seq = 1; seq < 5000; ++seq) {
    const auto next = model.next(random, seq);
    kinds.insert(next.kind);
    EXPECT_EQ(next.kind == Kind::setup, seq == 1);
    if (next.kind == Kind::transfer) {
      EXPECT_NE(next.first, next.second);
      EXPECT_TRUE(next.second >= 1 && next.second <= shop.accounts);
    }
    if (next.kind == Kind::doc_set) {
      EXPECT_EQ(model.documents().count(next.first), 1U);
    }
    for (const auto& step : operation_steps(next, model)) EXPECT_FALSE(step.statement.empty());
    model.apply(next);
  }
  EXPECT_EQ(kinds.size(), 16U);
  EXPECT_LE(model.documents().size(), 200U);
}

TEST(client, only_a_definite_refusal_of_commit_means_not_applied) {
  for (const unsigned code : {1290U, 1792U, 1836U, 1213U, 1205U}) EXPECT_TRUE(commit_refused(code)) << code;
  for (const unsigned code : {2013U, 2006U, 1053U, 1927U, 1317U, 1180U, 1105U})
    EXPECT_FALSE(commit_refused(code)) << code;
  EXPECT_TRUE(connection_lost(2013));
  EXPECT_TRUE(connection_lost(1053));
  EXPECT_FALSE(connection_lost(1213));
}

}  // namespace
}  // namespace reseal::load
