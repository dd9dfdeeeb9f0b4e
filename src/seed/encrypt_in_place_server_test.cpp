// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "seed/clone_pair_for_tests.hpp"
#include "seed/encrypt_in_place.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string canary = "canary-7f3b";

std::map<std::string, std::string> checksums(Session& session) {
  std::map<std::string, std::string> sums;
  for (const auto& table : odd_tables) sums[table] = checksum(session, table);
  return sums;
}

void encrypt(ClonePair& pair, EncryptProgress& progress, const std::stop_token& stop = {}) {
  auto session = pair.recipient.connect(Side::target);
  encrypt_in_place(session, progress, stop, std::chrono::minutes(5));
}

void expect_encrypted(ClonePair& pair, const std::map<std::string, std::string>& sums) {
  auto session = pair.recipient.connect(Side::target);
  EXPECT_THAT(not_encrypted_tablespaces(session), IsEmpty());
  EXPECT_EQ(checksums(session), sums);
  EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE DEFAULT_ENCRYPTION='NO' AND"
                           " SCHEMA_NAME NOT IN ('mysql','sys','information_schema','performance_schema')"),
            "0");
  EXPECT_EQ(session.query("SELECT NAME, STATE FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE='Undo'"
                          " ORDER BY NAME"),
            (std::vector<mysql::Row>{{"innodb_undo_001", "active"}, {"innodb_undo_002", "active"}}));
  // Old pages in the doublewrite files, and what a recovery had in memory in ibtmp1, go with a clean start only.
  auto files = files_with(pair.recipient.data_folder(), canary);
  std::erase_if(files, [](const std::string& name) { return name == "ibtmp1" || name.ends_with(".dblwr"); });
  EXPECT_THAT(files, IsEmpty());
  pair.recipient.stop();
  for (const auto& entry : std::filesystem::directory_iterator(pair.recipient.data_folder()))
    if (entry.path().extension() == ".dblwr") std::filesystem::remove(entry.path());
  pair.recipient.start_again();
  EXPECT_THAT(files_with(pair.recipient.data_folder(), canary), IsEmpty());
}

TEST(EncryptInPlaceServer, leaves_no_plain_text_in_any_file) {
  ClonePair pair;
  pair.fill(canary);
  pair.clone_and_put_back();
  auto session = pair.recipient.connect(Side::target);
  const auto sums = checksums(session);
  // The check proves something only where it finds what it looks for.
  for (const auto& folder : {pair.donor.data_folder(), pair.recipient.data_folder()}) {
    const auto files = files_with(folder, canary);
    for (const char* file : {"orders.ibd", "odd.ibd", "words.ibd", "parts#p#p1.ibd"})
      EXPECT_THAT(files, testing::Contains(file)) << folder;
    EXPECT_THAT(files, testing::Contains(HasSubstr("undo_0"))) << folder;
  }
  EXPECT_THAT(not_encrypted_tablespaces(session), testing::IsSupersetOf({"mysql", "shop/orders", "sys/sys_config"}));
  const auto logged = session.query("SHOW BINARY LOG STATUS");

  EncryptProgress progress;
  encrypt(pair, progress);
  EXPECT_GE(progress.all, 8U);
  EXPECT_EQ(progress.done, progress.all);
  encrypt(pair, progress);
  EXPECT_EQ(progress.all, 0U) << "the second time there is nothing to do";
  EXPECT_EQ(session.query("SHOW BINARY LOG STATUS"), logged);
  expect_encrypted(pair, sums);
}

TEST(EncryptInPlaceServer, goes_on_after_every_kill) {
  ClonePair pair;
  pair.fill(canary);
  pair.clone_and_put_back();
  std::map<std::string, std::string> sums;
  {
    auto session = pair.recipient.connect(Side::target);
    sums = checksums(session);
  }
  const auto kill_when = [&](const std::function<bool(Session&, const EncryptProgress&)>& now) {
    EncryptProgress progress;
    auto look = pair.recipient.connect(Side::target);
    std::thread encrypting([&] { failure_of([&] { encrypt(pair, progress); }); });
    wait_for([&] { return now(look, progress); });
    pair.recipient.kill_hard();
    encrypting.join();
    pair.recipient.start_again();
  };
  kill_when([](Session&, const EncryptProgress& progress) { return progress.done >= 2; });
  kill_when([](Session&, const EncryptProgress& progress) { return progress.done >= 2; });
  {
    // A snapshot keeps the undo tablespaces from becoming empty, so that the kill meets one out of use.
    auto reader = pair.recipient.connect(Side::target);
    reader.execute("SET SESSION transaction_isolation='REPEATABLE-READ'");
    reader.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    reader.query("SELECT COUNT(*) FROM shop.orders");
    auto writer = pair.recipient.connect(Side::target);
    mysql::without_binlog(writer);
    for (int i = 0; i < 40; ++i) writer.execute("UPDATE shop.orders SET note=note WHERE id=1");
    kill_when([](Session& look, const EncryptProgress&) {
      return look.scalar(
                 "SELECT COUNT(*) FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE='Undo' AND"
                 " (STATE<>'active' OR NAME='reseal_undo')") != "0";
    });
  }
  EncryptProgress progress;
  encrypt(pair, progress);
  expect_encrypted(pair, sums);
}

TEST(EncryptInPlaceServer, stops_between_two_tables_and_says_how_to_go_on) {
  ClonePair pair;
  pair.fill(canary);
  pair.clone_and_put_back();
  EncryptProgress progress;
  std::stop_source stop;
  stop.request_stop();
  const auto failure = failure_of([&] { encrypt(pair, progress, stop.get_token()); });
  EXPECT_EQ(failure.kind(), FailureKind::interrupted);
  EXPECT_THAT(failure.what(), HasSubstr("Run again"));
  EXPECT_EQ(progress.done, 1U);

  auto session = pair.recipient.connect(Side::target);
  session.execute("SET GLOBAL innodb_undo_log_encrypt=OFF");
  const auto refused = failure_of([&] { encrypt(pair, progress); });
  EXPECT_EQ(refused.kind(), FailureKind::refused);
  EXPECT_THAT(refused.what(), HasSubstr("SET PERSIST innodb_undo_log_encrypt=ON"));
}

}  // namespace
}  // namespace reseal::seed
