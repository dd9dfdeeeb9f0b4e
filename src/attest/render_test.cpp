// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attest/attest.hpp"
#include "attest/items.hpp"

namespace reseal::attest {
namespace {

using testing::HasSubstr;
using testing::Not;

AttestReport encrypted_report() {
  AttestReport report;
  report.server = "reseal@db:3306";
  report.server_uuid = "11111111-2222-3333-4444-555555555555";
  report.server_version = "9.7.4";
  report.time_utc = "2026-01-02T03:04:05Z";
  report.items = {{"setting", "innodb_redo_log_encrypt", Protection::encrypted, "ON", ""},
                  {"table", "shop/orders", Protection::encrypted, "ENCRYPTION=Y", ""},
                  {"log", "general_log", Protection::not_needed, "OFF", ""},
                  {"volume", "ibdata1", Protection::remains, "cannot be encrypted", ""}};
  report.scan_note = "not on this machine";
  return report;
}

TEST(AttestReport, is_encrypted_when_nothing_is_plain_or_unknown) { EXPECT_TRUE(encrypted_report().encrypted()); }

TEST(AttestReport, is_not_encrypted_with_one_plain_or_unknown_item) {
  for (const auto protection : {Protection::plain, Protection::unknown}) {
    auto report = encrypted_report();
    report.items.push_back({"table", "shop/plain", protection, "seen", "mend it"});
    EXPECT_FALSE(report.encrypted());
  }
}

TEST(AttestReport, is_not_encrypted_when_nothing_was_looked_at) { EXPECT_FALSE(AttestReport().encrypted()); }

TEST(AttestReport, is_not_encrypted_with_a_canary_or_an_unreadable_file) {
  auto report = encrypted_report();
  report.scan.emplace();
  EXPECT_TRUE(report.encrypted());
  report.scan->unreadable = {"shop/orders.ibd"};
  EXPECT_FALSE(report.encrypted());
  report.scan->unreadable.clear();
  report.scan->hits = {{"shop/orders.ibd", 4711, 0}};
  EXPECT_FALSE(report.encrypted());
}

TEST(AttestText, ends_with_the_verdict_and_tells_plain_items_in_full) {
  auto report = encrypted_report();
  EXPECT_TRUE(render_text(report).ends_with("encrypted=yes\n"));
  report.items.push_back({"table", "shop/pl\nain", Protection::plain, "ENCRYPTION=N", "ALTER TABLE"});
  const auto text = render_text(report);
  EXPECT_TRUE(text.ends_with("encrypted=no\n"));
  EXPECT_THAT(text, HasSubstr("1 encrypted, 1 plain"));
  EXPECT_THAT(text, HasSubstr("mend: ALTER TABLE"));
  EXPECT_THAT(text, Not(HasSubstr("pl\nain")));
}

TEST(AttestJson, has_the_hits_with_file_and_offset) {
  auto report = encrypted_report();
  report.scan.emplace();
  report.scan->hits = {{"shop/orders.ibd", 4711, 0}};
  const auto json = render_json(report);
  EXPECT_THAT(json, HasSubstr("\"encrypted\": false"));
  EXPECT_THAT(json, HasSubstr("\"offset\": 4711"));
}

TEST(FileNameOf, writes_names_as_the_file_system_has_them) {
  EXPECT_EQ(file_name_of("shop_1"), "shop_1");
  EXPECT_EQ(file_name_of("my-shop"), "my@002dshop");
  EXPECT_EQ(file_name_of("caf\xc3\xa9"), std::nullopt);
}

}  // namespace
}  // namespace reseal::attest
