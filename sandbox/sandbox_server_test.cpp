// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"
#include "sandbox/test_server.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using mysql::Session;
using mysql::Side;
using testing::HasSubstr;

std::string text(Session& session, const std::string& expression) {
  return session.scalar("SELECT CAST(" + expression + " AS CHAR)").value_or("NULL");
}

// Every InnoDB tablespace with data of its own that is encrypted as `encryption` says; temporary tables are left out.
std::string tablespaces(Session& session, const std::string& encryption) {
  return session
      .scalar(
          "SELECT COALESCE(GROUP_CONCAT(NAME ORDER BY NAME), '') FROM information_schema.INNODB_TABLESPACES "
          "WHERE NAME <> 'innodb_temporary' AND ENCRYPTION = '" +
          encryption + "'")
      .value();
}

std::string keyring_status(Session& session) {
  const auto rows = session.query(
      "SELECT STATUS_VALUE FROM performance_schema.keyring_component_status "
      "WHERE STATUS_KEY = 'Component_status'");
  return rows.empty() ? "no component" : rows[0][0].value_or("NULL");
}

bool file_holds(const fs::path& path, const std::string& needle) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return bytes.find(needle) != std::string::npos;
}

bool any_file_holds(const fs::path& folder, const std::string& needle) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && file_holds(entry.path(), needle)) return true;
  return false;
}

void write_marked_row(Session& session) {
  session.execute("CREATE DATABASE shop");
  session.execute("CREATE TABLE shop.note (id INT PRIMARY KEY, body VARCHAR(100))");
  session.execute("INSERT INTO shop.note VALUES (1, 'a-sentence-to-look-for')");
  session.execute("FLUSH BINARY LOGS");
}

TEST(TestServer, plain_source_encrypts_nothing) {
  TestServer server(ServerOptions::plain_source());
  auto session = server.connect(Side::source);
  write_marked_row(session);
  EXPECT_EQ(tablespaces(session, "Y"), "");
  EXPECT_EQ(keyring_status(session), "no component");
  EXPECT_EQ(text(session, "@@log_bin"), "1");
  EXPECT_EQ(text(session, "@@binlog_format"), "ROW");
  EXPECT_EQ(text(session, "@@local_infile"), "0");
  server.stop();
  EXPECT_TRUE(any_file_holds(server.data_folder(), "a-sentence-to-look-for"));
}

TEST(TestServer, encrypted_target_encrypts_every_part) {
  TestServer server(ServerOptions::encrypted_target());
  auto session = server.connect(Side::target);
  write_marked_row(session);
  EXPECT_EQ(tablespaces(session, "N"), "");
  EXPECT_THAT(tablespaces(session, "Y"), HasSubstr("shop/note"));
  EXPECT_THAT(tablespaces(session, "Y"), HasSubstr("sys/sys_config"));
  for (const auto* part : {"default_table_encryption", "innodb_redo_log_encrypt", "innodb_undo_log_encrypt",
                           "binlog_encryption", "local_infile"})
    EXPECT_EQ(text(session, std::string("@@") + part), "1") << part;
  EXPECT_EQ(session.query("SHOW BINARY LOGS").at(0).at(2), "Yes");
  EXPECT_EQ(keyring_status(session), "Active");
  server.stop();
  EXPECT_FALSE(any_file_holds(server.data_folder(), "a-sentence-to-look-for"));
}

TEST(TestServer, keeps_data_and_keyring_over_a_restart_and_a_crash) {
  TestServer server(ServerOptions::encrypted_target());
  {
    auto session = server.connect(Side::target);
    write_marked_row(session);
  }
  const auto port = server.port();
  server.stop();
  EXPECT_FALSE(server.running());
  server.options().extra = {"--max-connections=77"};
  server.start_again();
  {
    auto session = server.connect(Side::target);
    EXPECT_EQ(text(session, "(SELECT COUNT(*) FROM shop.note)"), "1");
    EXPECT_EQ(text(session, "@@max_connections"), "77");
    session.execute("INSERT INTO shop.note VALUES (2, 'just before the crash')");
  }
  const auto crashed = server.pid();
  server.kill_hard();
  EXPECT_EQ(::kill(crashed, 0), -1);
  EXPECT_THROW(server.connect(Side::target), base::Failure);
  server.start_again();
  auto session = server.connect(Side::target);
  EXPECT_EQ(text(session, "(SELECT COUNT(*) FROM shop.note)"), "2");
  EXPECT_EQ(keyring_status(session), "Active");
  EXPECT_EQ(server.port(), port);
}

TEST(TestServer, servers_side_by_side_have_their_own_uuid_and_id) {
  TestServer one;
  TestServer other;
  auto first = one.connect(Side::source);
  auto second = other.connect(Side::source);
  EXPECT_NE(text(first, "@@server_uuid"), text(second, "@@server_uuid"));
  EXPECT_NE(text(first, "@@server_id"), text(second, "@@server_id"));
}

TEST(TestServer, passes_its_options_on) {
  ServerOptions options;
  options.gtid = false;
  options.row_image = "MINIMAL";
  options.row_metadata = "FULL";
  options.compress_transactions = true;
  options.partial_json = true;
  options.semi_sync = true;
  options.server_id = 4711;
  options.buffer_pool_mib = 64;
  TestServer server(options);
  auto session = server.connect(Side::source);
  EXPECT_EQ(text(session, "@@gtid_mode"), "OFF");
  EXPECT_EQ(text(session, "@@binlog_row_image"), "MINIMAL");
  EXPECT_EQ(text(session, "@@binlog_row_metadata"), "FULL");
  EXPECT_EQ(text(session, "@@binlog_transaction_compression"), "1");
  EXPECT_EQ(text(session, "@@binlog_row_value_options"), "PARTIAL_JSON");
  EXPECT_EQ(text(session, "@@rpl_semi_sync_source_enabled"), "1");
  EXPECT_EQ(text(session, "@@server_id"), "4711");
  EXPECT_EQ(text(session, "@@innodb_buffer_pool_size"), std::to_string(64 << 20));
}

TEST(TestServer, account_is_all_powerful_and_not_in_the_binlog) {
  TestServer server;
  auto session = server.connect(Side::source);
  EXPECT_EQ(text(session, "@@GLOBAL.gtid_executed"), "");
  session.execute("CREATE USER writer IDENTIFIED BY 'Some-Word-1'");
  session.execute("GRANT ALL ON *.* TO writer WITH GRANT OPTION");
  session.execute("SET GLOBAL super_read_only=ON");
  session.execute("SET GLOBAL super_read_only=OFF, read_only=OFF");
}

TEST(TestServer, own_certificates_are_told_apart_by_their_authority) {
  ServerOptions options;
  options.own_certificates = true;
  TestServer server(options);
  TestServer stranger;
  auto endpoint = server.endpoint();
  endpoint.tls = mysql::TlsMode::verify_ca;
  Session session(endpoint, Side::source);
  EXPECT_NE(text(session, "@@port"), "NULL");
  endpoint.tls_ca = stranger.endpoint().tls_ca;
  EXPECT_THROW(Session(endpoint, Side::source), base::Failure);
}

TEST(TestServer, says_why_a_server_does_not_start) {
  ServerOptions options;
  options.extra = {"--no-such-option=1"};
  try {
    TestServer server(options);
    FAIL() << "started with an option that does not exist";
  } catch (const base::Failure& failure) {
    EXPECT_EQ(failure.kind(), base::FailureKind::refused);
    EXPECT_THAT(failure.what(), HasSubstr("no-such-option"));
  }
}

TEST(TestServer, leaves_no_process_and_no_folder) {
  auto server = std::make_unique<TestServer>();
  const auto pid = server->pid();
  const auto folder = server->data_folder();
  ASSERT_EQ(::kill(pid, 0), 0);
  server.reset();
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_FALSE(fs::exists(folder));
}

TEST(TestServer, keeps_a_named_folder_and_takes_it_only_once) {
  const auto name = base::make_temporary_folder("reseal-named-");
  { TestServer server({}, name); }
  EXPECT_TRUE(fs::exists(name / "data" / "ibdata1"));
  EXPECT_THROW(TestServer({}, name), base::Failure);
  fs::remove_all(name);
}

}  // namespace
}  // namespace reseal::sandbox
