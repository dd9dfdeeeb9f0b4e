// SPDX-License-Identifier: Apache-2.0
#include "platform/replica_place.hpp"

#include <gtest/gtest.h>

#include "base/failure.hpp"
#include "platform/retention.hpp"

namespace reseal::platform {
namespace {

TEST(ReplicaStatus, is_read_by_the_names_of_either_statement) {
  const mysql::NamedRow now = {{"Replica_IO_Running", "Connecting"},
                               {"Replica_SQL_Running", "No"},
                               {"Last_IO_Errno", "2003"},
                               {"Last_SQL_Errno", "1062"},
                               {"Relay_Source_Log_File", "log.000007"},
                               {"Exec_Source_Log_Pos", "5000000000"},
                               {"Source_Log_File", "log.000009"},
                               {"Read_Source_Log_Pos", "1"}};
  const mysql::NamedRow before = {{"Slave_IO_Running", "No"},    {"Slave_SQL_Running", "No"},
                                  {"Last_IO_Errno", "0"},        {"Last_SQL_Errno", "0"},
                                  {"Master_Log_File", "log.9"},  {"Relay_Master_Log_File", "log.000007"},
                                  {"Exec_Master_Log_Pos", "157"}};
  const auto status = replica_status_of(now);
  EXPECT_EQ(status.applied.text(), "log.000007:5000000000");
  EXPECT_TRUE(status.receiver_running);
  EXPECT_FALSE(status.applier_running);
  EXPECT_FALSE(status.stopped());
  EXPECT_EQ(status.applier_errno, 1062U);
  EXPECT_EQ(status.receiver_errno, 2003U);
  EXPECT_EQ(replica_status_of(before).applied.text(), "log.000007:157");
  EXPECT_TRUE(replica_status_of(before).stopped());
}

TEST(ReplicaStatus, without_a_column_is_not_guessed) {
  EXPECT_THROW((void)replica_status_of({{"Replica_IO_Running", "No"}}), base::Failure);
}

TEST(Place, is_read_back_as_it_was_written) {
  for (const auto* text : {"log.000007:157", "log.000007:157 0f8c2d4e-1111-4222-8333-444455556666:1-5:7"}) {
    const auto place = parse_place(text);
    ASSERT_TRUE(place.ok()) << text;
    EXPECT_EQ(place.value().text(), text);
    EXPECT_TRUE(same_place(place.value(), parse_place(text).value()));
  }
  for (const auto* bad : {"", "log", "log.1:x", "log.1:4 nonsense"}) EXPECT_FALSE(parse_place(bad).ok()) << bad;
  const auto a = parse_place("log.1:4 0f8c2d4e-1111-4222-8333-444455556666:1-5").value();
  EXPECT_FALSE(same_place(a, parse_place("log.1:4").value()));
  EXPECT_FALSE(same_place(a, parse_place("log.1:5 0f8c2d4e-1111-4222-8333-444455556666:1-5").value()));
}

TEST(Retention, is_read_back_as_it_was_written) {
  for (const RetentionHours hours : {RetentionHours(), RetentionHours(1), RetentionHours(168)})
    EXPECT_EQ(retention_of_text(retention_text(hours)), hours);
}

}  // namespace
}  // namespace reseal::platform
