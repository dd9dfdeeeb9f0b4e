// SPDX-License-Identifier: Apache-2.0
#include "mysql/option_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/failure.hpp"

namespace reseal::mysql {
namespace {

using testing::HasSubstr;
using testing::Not;

Endpoint parse(std::string_view text, const std::vector<std::string>& groups = {"client"}) {
  return parse_option_text(text, "my.cnf", groups);
}

std::string complaint(std::string_view text) {
  try {
    parse(text);
  } catch (const base::Failure& failure) {
    EXPECT_EQ(failure.kind(), base::FailureKind::usage);
    return failure.what();
  }
  return "none";
}

TEST(option_file, reads_every_option_of_a_login) {
  const auto endpoint = parse(
      "# ours\n[client]\nhost = db.example\nport=3307\nuser=mover\npassword=s3cret\nsocket=/run/my.sock\n"
      "ssl-mode=VERIFY_IDENTITY\nssl_ca=/pki/ca.pem\nssl-cert=/pki/c.pem\nloose-ssl-key=/pki/k.pem\n");
  EXPECT_EQ(endpoint.host, "db.example");
  EXPECT_EQ(endpoint.port, 3307);
  EXPECT_EQ(endpoint.user, "mover");
  EXPECT_EQ(endpoint.password.reveal(), "s3cret");
  EXPECT_EQ(endpoint.socket, "/run/my.sock");
  EXPECT_EQ(endpoint.tls, TlsMode::verify_identity);
  EXPECT_EQ(endpoint.tls_ca, "/pki/ca.pem");
  EXPECT_EQ(endpoint.tls_cert, "/pki/c.pem");
  EXPECT_EQ(endpoint.tls_key, "/pki/k.pem");
}

TEST(option_file, passes_over_other_groups_and_other_clients_options) {
  const auto endpoint =
      parse("[mysqld]\nuser=mysql\nssl-fips-mode=ON\n[client]\nuser=a\nprompt=x\ncompress\n[other]\nuser=b");
  EXPECT_EQ(endpoint.user, "a");
}

TEST(option_file, a_later_line_wins_across_the_chosen_groups) {
  EXPECT_EQ(parse("[client]\nuser=a\n[reseal_source]\nuser=b\n", {"client", "reseal_source"}).user, "b");
}

TEST(option_file, quotes_escapes_and_comments_are_those_of_mysql) {
  const auto password = [](const std::string& text) {
    return std::string(parse("[client]\npassword=" + text + "\n").password.reveal());
  };
  EXPECT_EQ(password("\"a#b\" # comment"), "a#b");
  EXPECT_EQ(password("a#b"), "a");
  EXPECT_EQ(password("'  x '"), "  x ");
  EXPECT_EQ(password(R"(a\sb\\c\td\qe\"f)"), "a b\\c\td\\qe\"f");
  EXPECT_EQ(password(R"("a\"#b")"), "a\"#b");
  EXPECT_EQ(password(""), "");
}

TEST(option_file, tolerates_crlf_and_a_byte_order_mark) {
  EXPECT_EQ(parse("\xEF\xBB\xBF[client]\r\nuser=a\r\n; b\r\n").user, "a");
}

TEST(option_file, a_ca_without_a_mode_means_verify) {
  EXPECT_EQ(parse("[client]\nssl-ca=ca.pem\n").tls, TlsMode::verify_ca);
  EXPECT_EQ(parse("[client]\nssl-ca=ca.pem\nssl-mode=required\n").tls, TlsMode::required);
  EXPECT_EQ(parse("[client]\n").tls, TlsMode::required);
}

TEST(option_file, keeps_what_it_starts_from) {
  Endpoint start;
  start.user = "given";
  start.port = 4000;
  const auto endpoint = parse_option_text("[client]\nport=4001\n", "my.cnf", {"client"}, start);
  EXPECT_EQ(endpoint.user, "given");
  EXPECT_EQ(endpoint.port, 4001);
}

TEST(option_file, complaints_name_the_line_and_no_value) {
  EXPECT_THAT(complaint("[client]\n\nport=hunter2\n"), HasSubstr("my.cnf:3: port is not"));
  EXPECT_THAT(complaint("[client]\nport=hunter2\n"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(complaint("user=a\n"), HasSubstr("my.cnf:1: an option stands before"));
  EXPECT_THAT(complaint("[client\n"), HasSubstr("my.cnf:1: a [group] without"));
  EXPECT_THAT(complaint("[client]\npassword\n"), HasSubstr("never asked"));
  EXPECT_THAT(complaint("[mysqld]\nuser=a\n"), HasSubstr("no group [client]"));
}

TEST(option_file, refuses_what_would_weaken_a_login_unseen) {
  EXPECT_THAT(complaint("[client]\nssl-mode=PREFERRED\n"), HasSubstr("my.cnf:2: ssl-mode=PREFERRED"));
  EXPECT_THAT(complaint("[client]\nssl-mode=yes\n"), HasSubstr("none of"));
  EXPECT_THAT(complaint("[client]\nsslca=x\n"), HasSubstr("sslca is not known"));
  EXPECT_THAT(complaint("[client]\nssl-mode=VERIFY_CA\n"), HasSubstr("ssl-ca is missing"));
  EXPECT_THAT(complaint("!include other.cnf\n"), HasSubstr("my.cnf:1: !include"));
}

class OptionFileOnDisk : public testing::Test {
 protected:
  OptionFileOnDisk() : path_(std::filesystem::temp_directory_path() / ("reseal-options-" + std::to_string(getpid()))) {
    std::ofstream(path_) << "[client]\nuser=a\npassword=hunter2\n";
  }
  ~OptionFileOnDisk() override { std::filesystem::remove(path_); }
  void allow(unsigned mode) { std::filesystem::permissions(path_, std::filesystem::perms(mode)); }
  std::string complaint() const {
    try {
      read_option_file(path_, {"client"});
    } catch (const base::Failure& failure) {
      return failure.what();
    }
    return "none";
  }
  std::filesystem::path path_;
};

TEST_F(OptionFileOnDisk, is_read_when_only_the_owner_may) {
  allow(0600);
  EXPECT_EQ(read_option_file(path_, {"client"}).password.reveal(), "hunter2");
}

TEST_F(OptionFileOnDisk, is_refused_when_everyone_may_read_the_password) {
  allow(0644);
  EXPECT_THAT(complaint(), HasSubstr("everyone may read it"));
  EXPECT_THAT(complaint(), Not(HasSubstr("hunter2")));
  std::ofstream(path_) << "[client]\nuser=a\n";
  EXPECT_EQ(read_option_file(path_, {"client"}).user, "a");
}

TEST_F(OptionFileOnDisk, is_refused_when_everyone_may_write_it) {
  allow(0602);
  EXPECT_THAT(complaint(), HasSubstr("everyone may write"));
}

TEST_F(OptionFileOnDisk, a_missing_file_is_a_usage_error) {
  std::filesystem::remove(path_);
  EXPECT_THAT(complaint(), HasSubstr("cannot be opened"));
}

}  // namespace
}  // namespace reseal::mysql
