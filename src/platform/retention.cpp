// SPDX-License-Identifier: Apache-2.0
#include "platform/retention.hpp"

#include <charconv>

#include "base/failure.hpp"

namespace reseal::platform {
namespace {

constexpr std::string_view setting = "binlog retention hours";

}  // namespace

std::string retention_text(RetentionHours hours) { return hours ? std::to_string(*hours) : "none"; }

RetentionHours retention_of_text(std::string_view text) {
  int hours = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return hours;
}

RetentionHours read_retention(mysql::Session& session) {
  for (const auto& row : session.call("CALL mysql.rds_show_configuration"))
    if (row.size() >= 2 && row[0] == setting) return row[1] ? retention_of_text(*row[1]) : std::nullopt;
  throw base::Failure(base::FailureKind::source, "mysql.rds_show_configuration at " + session.endpoint().text() +
                                                     " does not tell the binlog retention; nothing was changed. Is it "
                                                     "an instance of RDS for MySQL?");
}

void set_retention(mysql::Session& session, RetentionHours hours) {
  session.call("CALL mysql.rds_set_configuration('" + std::string(setting) + "', " +
               (hours ? std::to_string(*hours) : "NULL") + ")");
}

}  // namespace reseal::platform
