// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temporary_folder.hpp"
#include "seed/clone_pair_for_tests.hpp"
#include "seed/clone_rules.hpp"

namespace reseal::seed {
namespace {

using base::FailureKind;
using testing::HasSubstr;

struct Refusal {
  std::vector<std::string> on_donor;
  std::vector<std::string> on_recipient;
  std::string says;
  std::vector<std::string> mend_donor;
  std::vector<std::string> mend_recipient;
};

const std::vector<Refusal>& refusals() {
  static const std::vector<Refusal> all = {
      {{"CREATE TABLE shop.old (id INT) ENGINE=MyISAM"},
       {},
       "shop.old has the engine MyISAM",
       {"DROP TABLE shop.old"},
       {}},
      {{"CREATE TABLE shop.inside (id INT) TABLESPACE innodb_system"},
       {},
       "shop/inside lies in the system tablespace",
       {"DROP TABLE shop.inside"},
       {}},
      {{"SET GLOBAL max_allowed_packet=1048576"},
       {},
       "max_allowed_packet is below 2 MiB",
       {"SET GLOBAL max_allowed_packet=DEFAULT"},
       {}},
      {{"SET GLOBAL super_read_only=ON"}, {}, "super_read_only is on", {"SET GLOBAL read_only=OFF"}, {}},
      {{}, {"CREATE DATABASE mine"}, "holds the schema mine", {}, {"DROP DATABASE mine"}},
      {{},
       {"SET GLOBAL collation_server=utf8mb4_bin"},
       "collation_server is utf8mb4_0900_ai_ci on the donor and "
       "utf8mb4_bin",
       {},
       {"SET GLOBAL collation_server=DEFAULT"}},
      {{}, {"REVOKE CLONE_ADMIN ON *.* FROM reseal"}, "lacks CLONE_ADMIN on the recipient", {}, {}},
      {{"REVOKE BACKUP_ADMIN ON *.* FROM reseal"},
       {"GRANT CLONE_ADMIN ON *.* TO reseal"},
       "lacks BACKUP_ADMIN",
       {},
       {}},
  };
  return all;
}

TEST(CloneRulesServer, refuses_before_anything_is_changed) {
  ClonePair pair;
  pair.fill("canary");
  for (const auto& refusal : refusals()) {
    run_all(pair.donor, refusal.on_donor);
    run_all(pair.recipient, refusal.on_recipient);
    const auto failure = failure_of([&] { pair.seed().clone({}); });
    EXPECT_EQ(failure.kind(), FailureKind::refused) << failure.what();
    EXPECT_THAT(failure.what(), HasSubstr(refusal.says));
    EXPECT_THAT(failure.what(), HasSubstr("nothing was changed"));
    run_all(pair.donor, refusal.mend_donor);
    run_all(pair.recipient, refusal.mend_recipient);
  }
  for (auto* server : {&pair.donor, &pair.recipient}) {
    auto session = server->connect(Side::target);
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM information_schema.PLUGINS WHERE PLUGIN_NAME='clone'"), "0");
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM performance_schema.persisted_variables"), "0");
    EXPECT_EQ(session.scalar("SELECT COUNT(*) FROM mysql.user WHERE user='reseal_clone'"), "0");
  }
}

TEST(CloneRulesServer, refuses_a_tablespace_outside_of_the_data_directory) {
  const auto outside = base::make_temporary_folder("reseal-outside-");
  {
    auto options = sandbox::ServerOptions::plain_source();
    options.extra = {"--innodb-directories=" + outside.string()};
    ClonePair pair(options);
    run_all(pair.donor,
            {"CREATE DATABASE shop", "CREATE TABLE shop.far (id INT) DATA DIRECTORY='" + outside.string() + "'"});
    const auto failure = failure_of([&] { pair.seed().clone({}); });
    EXPECT_EQ(failure.kind(), FailureKind::refused);
    EXPECT_THAT(failure.what(), HasSubstr("shop/far lies outside its data directory, in " + outside.string()));
  }
  std::filesystem::remove_all(outside);
}

TEST(KeptAccountText, is_refused_when_something_is_missing) {
  const KeptAccount account{"a\n'b", "%", "SUBJECT '/C=x \" y'", {"GRANT SELECT ON *.* TO `a\n'b`@`%`"}};
  EXPECT_EQ(KeptAccount::parse(account.text()).value(), account);
  for (const char* text : {"", "[]", "{}", R"({"user":"a","host":"%","tls_demand":"NONE"})",
                           R"({"user":"a","host":"%","tls_demand":"NONE","grants":[1]})"})
    EXPECT_FALSE(KeptAccount::parse(text).ok()) << text;
}

}  // namespace
}  // namespace reseal::seed
