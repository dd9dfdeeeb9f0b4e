// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "proxy/proxy_move_fixture_for_tests.hpp"
#include "sandbox/mysql_programs.hpp"

namespace reseal::proxy {
namespace {

ClientOptions compressing(ClientOptions options) {
  options.flags |= CLIENT_COMPRESS;
  return options;
}

std::string status_of(Client& client, const std::string& name) {
  return client.value("SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE VARIABLE_NAME='" + name +
                      "'");
}

/// What MySQL's own command line says to `statements`; it is the only client here that speaks zstd.
std::string command_line(std::uint16_t port, const std::string& options, const std::string& statements) {
  const auto program = sandbox::MysqlPrograms::find().path("mysql").string();
  const auto command =
      "echo \"" + statements + "\" | MYSQL_PWD=secret '" + program +
      "' --no-defaults --host=127.0.0.1 --user=anna --batch --skip-column-names --port=" + std::to_string(port) + " " +
      options + " 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string said;
  std::array<char, 4096> part{};
  while (const auto count = std::fread(part.data(), 1, part.size(), pipe.get())) said.append(part.data(), count);
  return said;
}

class ProxyCompression : public ProxyMove {};

TEST_F(ProxyCompression, sessions_are_compressed_on_both_sides_and_move) {
  start();
  for (const bool tls : {true, false}) {
    Client client(compressing(as("anna", "secret", tls)));
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(status_of(client, "Compression"), "ON");
    EXPECT_TRUE(client.run("SET @a=REPEAT('b', 10000)"));
    auto* const statement = mysql_stmt_init(client.get());
    const std::string text = "SELECT COUNT(*) FROM shop.who";
    EXPECT_EQ(mysql_stmt_prepare(statement, text.data(), text.size()), 0);
    for (const auto* const name : {"target", "source"}) {
      EXPECT_EQ(move_all(std::string(name) == "target" ? Where::target : Where::source).moved, 1U);
      EXPECT_EQ(who(client), name) << client.error_text();
      EXPECT_EQ(status_of(client, "Compression"), "ON");
      EXPECT_EQ(client.value("SELECT LENGTH(@a)"), "10000");
      EXPECT_EQ(mysql_stmt_execute(statement), 0) << mysql_stmt_error(statement);
      EXPECT_EQ(mysql_stmt_store_result(statement), 0);
      EXPECT_EQ(mysql_stmt_num_rows(statement), 1U);
    }
    mysql_stmt_close(statement);
    EXPECT_EQ(mysql_change_user(client.get(), "bert", "other", "shop"), 0) << client.error_text();
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "bert@%");
  }
}

TEST_F(ProxyCompression, messages_of_every_size_pass) {
  start();
  Client client(compressing(as("anna", "secret")));
  Client plain(as("anna", "secret"));
  for (auto* one : {&client, &plain}) one->run("SET SESSION group_concat_max_len=100000000");
  for (const std::size_t size : {std::size_t{1}, std::size_t{40}, std::size_t{20'000}, std::size_t{40'000'000}}) {
    std::string text;
    while (text.size() < size) text += std::to_string(text.size() * 31 % 9973);
    text.resize(size);
    EXPECT_EQ(client.value("SELECT SHA2('" + text + "', 256)"), plain.value("SELECT SHA2('" + text + "', 256)"));
    EXPECT_EQ(client.value("SELECT '" + text + "'"), text);
  }
  EXPECT_EQ(client.column("SELECT 1 UNION SELECT 2").size(), 2U);
  EXPECT_FALSE(client.run("SELECT nothing FROM nowhere"));
  EXPECT_TRUE(client.run("DO 1"));
}

TEST_F(ProxyCompression, files_pass) {
  const auto path = std::filesystem::temp_directory_path() / ("reseal_compressed_" + std::to_string(::getpid()));
  {
    std::ofstream file(path);
    for (unsigned i = 1; i <= 200'000; ++i) file << i << "\tnumber " << i << "\n";
  }
  source->connect(mysql::Side::source).execute("SET GLOBAL local_infile=1");
  target->connect(mysql::Side::source).execute("SET GLOBAL local_infile=1");
  ProxyOptions proxy_options;
  proxy_options.allow_local_infile = true;
  start(proxy_options);
  auto options = compressing(as("anna", "secret"));
  options.local_infile = true;
  Client client(options);
  EXPECT_TRUE(client.run("CREATE TABLE shop.loaded (n INT PRIMARY KEY, t TEXT)")) << client.error_text();
  EXPECT_TRUE(client.run("LOAD DATA LOCAL INFILE '" + path.string() + "' INTO TABLE shop.loaded"))
      << client.error_text();
  EXPECT_EQ(client.value("SELECT SUM(n) FROM shop.loaded"), "20000100000");
  EXPECT_FALSE(client.run("LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE shop.loaded"));
  EXPECT_TRUE(client.run("DROP TABLE shop.loaded")) << client.error_text();
  std::filesystem::remove(path);
}

TEST_F(ProxyCompression, a_session_that_cannot_be_moved_is_told_so) {
  start();
  Client client(compressing(as("anna", "secret")));
  client.run("SELECT GET_LOCK('a', 1)");
  EXPECT_EQ(move_all().closed, 1U);
  EXPECT_FALSE(client.run("SELECT 1"));
  EXPECT_EQ(client.error(), 1053U) << client.error_text();
}

TEST_F(ProxyCompression, zstd_passes_and_zlib_goes_first) {
  start();
  const std::string question =
      "SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE VARIABLE_NAME LIKE 'Compression_algorithm';"
      " SELECT LENGTH(REPEAT('0123456789', 300000)); SELECT REPEAT('ab', 30000)";
  const auto rest = "\n3000000\n" + [] {
    std::string text;
    for (unsigned i = 0; i < 30'000; ++i) text += "ab";
    return text;
  }() + "\n";
  EXPECT_EQ(command_line(proxy->port(), "--compression-algorithms=zstd --zstd-compression-level=9", question),
            "zstd" + rest);
  EXPECT_EQ(command_line(proxy->port(), "--compression-algorithms=zlib,zstd", question), "zlib" + rest);
  EXPECT_EQ(command_line(proxy->port(), "--compression-algorithms=zstd,zlib", question), "zlib" + rest);
  EXPECT_EQ(command_line(proxy->port(), "--compression-algorithms=uncompressed", question), rest);
}

}  // namespace
}  // namespace reseal::proxy
