// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "proxy/proxy_fixture_for_tests.hpp"

namespace reseal::proxy {
namespace {

using ProxyLogin = ProxyServer;

TEST_F(ProxyLogin, passes_sessions_through_with_tls_and_without) {
  start();
  for (const bool tls : {true, false, true, false}) {
    Client client(anna(tls));
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(client.value("SELECT 40 + 2"), "42");
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "anna@%");
    EXPECT_EQ(client.value("SELECT CONNECTION_ID()"), std::to_string(mysql_thread_id(client.get())));
    // The server sees TLS exactly when the client uses it.
    const auto cipher = client.value(
        "SELECT VARIABLE_VALUE FROM performance_schema.session_status WHERE "
        "VARIABLE_NAME='Ssl_cipher'");
    EXPECT_EQ(cipher.empty(), !tls) << cipher;
  }
}

TEST_F(ProxyLogin, the_server_judges_every_login) {
  start();
  for (const bool tls : {true, false}) {
    Client wrong(as("anna", "wrong", tls));
    EXPECT_FALSE(wrong.connected());
    EXPECT_EQ(wrong.error(), 1045U) << wrong.error_text();
    Client nobody(as("nobody", "secret", tls));
    EXPECT_EQ(nobody.error(), 1045U);
    auto elsewhere = anna(tls);
    elsewhere.schema = "nowhere";
    EXPECT_FALSE(Client(elsewhere).connected());
  }
  EXPECT_TRUE(Client(as("only_tls", "secret", true)).connected());
  EXPECT_EQ(Client(as("only_tls", "secret", false)).error(), 1045U);
  Client nothing(as("nopass", "", true));
  EXPECT_TRUE(nothing.connected()) << nothing.error_text();
}

TEST_F(ProxyLogin, says_why_an_account_that_demands_a_certificate_is_refused) {
  start();
  auto options = as("with_certificate", "secret");
  options.certificate = certificate->certificate();
  options.key = certificate->key();
  Client client(options);
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(client.error(), 1045U);
  EXPECT_THAT(client.error_text(), HasSubstr("REQUIREs X509"));
}

TEST_F(ProxyLogin, learns_passwords_by_every_way_that_a_client_shows_them) {
  for (const bool tls : {true, false}) {
    for (const bool full : {true, false}) {
      if (!full) Client(anna(true));  // the server knows the hash now
      start();
      if (full) forget_passwords();
      Client client(anna(tls));
      ASSERT_TRUE(client.connected()) << client.error_text() << tls << full;
      EXPECT_EQ(client.value("SELECT 1"), "1");
      const auto sessions = proxy->sessions();
      ASSERT_EQ(sessions.size(), 1U);
      // A plain client that the server knows already is not asked.
      EXPECT_EQ(sessions[0].movable, tls || full);
      EXPECT_EQ(sessions[0].user, "anna");
      EXPECT_EQ(sessions[0].encrypted, tls);
      EXPECT_EQ(proxy->status().passwords, tls || full ? 1U : 0U);
    }
  }
  ProxyOptions asking;
  asking.ask_plain_clients = true;
  start(asking);
  Client client(anna(false));
  ASSERT_TRUE(client.connected()) << client.error_text();
  EXPECT_TRUE(proxy->sessions().at(0).movable);
}

TEST_F(ProxyLogin, once_a_password_is_known_plain_clients_can_be_moved_too) {
  start();
  Client first(anna(true));
  Client second(anna(false));
  ASSERT_TRUE(second.connected());
  EXPECT_TRUE(proxy->sessions().at(1).movable);
}

TEST_F(ProxyLogin, a_file_of_the_client_is_taken_only_when_that_is_allowed) {
  const auto path = std::filesystem::temp_directory_path() / ("reseal-proxy-test-" + std::to_string(::getpid()));
  if (auto* const file = std::fopen(path.c_str(), "w")) {
    for (int i = 100; i < 60'000; ++i) std::fprintf(file, "%d\tline %d\n", i, i);
    std::fclose(file);
  }
  const auto load = "LOAD DATA LOCAL INFILE '" + path.string() + "' INTO TABLE shop.numbers";
  auto options = ClientOptions();
  {
    start();
    options = anna();
    options.local_infile = true;
    Client client(options);
    EXPECT_FALSE(client.run(load));
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.numbers"), "5");
  }
  ProxyOptions allowing;
  allowing.allow_local_infile = true;
  start(allowing);
  options.port = proxy->port();
  for (const bool tls : {true, false}) {
    options.tls = tls;
    Client client(options);
    EXPECT_TRUE(client.run(load)) << client.error_text();
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.numbers"), std::to_string(5 + 60'000 - 100));
    EXPECT_TRUE(client.run("DELETE FROM shop.numbers WHERE n >= 100"));
    EXPECT_FALSE(client.run("LOAD DATA LOCAL INFILE '/no/such/file' INTO TABLE shop.numbers"));
    EXPECT_EQ(client.value("SELECT 'after'"), "after");
  }
  std::filesystem::remove(path);
}

TEST_F(ProxyLogin, serves_a_unix_socket) {
  ProxyOptions options;
  options.listen_socket = "/tmp/reseal-proxy-" + std::to_string(::getpid()) + ".sock";
  start(options);
  forget_passwords();
  auto client_options = anna(false);
  client_options.socket = options.listen_socket;
  for (int again = 0; again < 2; ++again) {
    Client client(client_options);
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(client.value("SELECT 1"), "1");
    EXPECT_TRUE(proxy->sessions().at(0).movable);
    mysql_close(mysql_init(nullptr));
    EXPECT_TRUE(soon([&] { return proxy->open() == 1; }));
  }
  proxy.reset();
  EXPECT_FALSE(std::filesystem::exists(options.listen_socket));
}

TEST_F(ProxyLogin, reaches_the_server_over_its_unix_socket) {
  ProxyOptions options;
  start();
  proxy.reset();
  options.source = server->endpoint();
  options.source.socket = server->socket();
  options.listen = {"127.0.0.1:0"};
  options.tls_certificate = certificate->certificate();
  options.tls_key = certificate->key();
  proxy = std::make_unique<Proxy>(options, log);
  forget_passwords();
  for (const bool tls : {false, true}) {
    Client client(anna(tls));
    ASSERT_TRUE(client.connected()) << client.error_text();
    EXPECT_EQ(client.value("SELECT 1"), "1");
    EXPECT_TRUE(proxy->sessions().at(0).movable);
  }
}

// What a command line client prints for `statement`.
std::string printed_by(const std::string& flags, const ClientOptions& options, const std::string& statement) {
  const auto program = sandbox::MysqlPrograms::find().path("mysql").string();
  const auto stem = std::filesystem::temp_directory_path() / ("reseal-proxy-client-" + std::to_string(::getpid()));
  const auto option_file = stem.string() + ".cnf";
  const auto output = stem.string() + ".out";
  if (auto* const file = std::fopen(option_file.c_str(), "w")) {
    std::fprintf(file, "[client]\nhost=127.0.0.1\nport=%u\nuser=%s\npassword=%s\n", unsigned{options.port},
                 options.user.c_str(), options.password.c_str());
    std::fclose(file);
  }
  const auto command =
      program + " --defaults-file=" + option_file + flags + " -N -B -e \"" + statement + "\" >" + output + " 2>&1";
  EXPECT_GE(std::system(command.c_str()), 0);
  std::string text;
  if (auto* const file = std::fopen(output.c_str(), "r")) {
    char buffer[4096];
    while (const auto count = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, count);
    std::fclose(file);
  }
  std::filesystem::remove(option_file);
  std::filesystem::remove(output);
  return text;
}

TEST_F(ProxyLogin, mysqls_own_command_line_works_with_tls_and_without) {
  const std::string statement =
      "SELECT CURRENT_USER(); SELECT n FROM shop.numbers ORDER BY n LIMIT 2; CALL shop.two_results()";
  for (const bool full : {false, true}) {
    start();
    const auto ask = [&](const std::string& how) {
      if (full) forget_passwords();
      return printed_by(how, anna(), statement);
    };
    Client(anna(true));
    EXPECT_EQ(ask(" --ssl-mode=REQUIRED"), "anna@%\n1\n2\n1\n2\n");
    EXPECT_EQ(ask(" --ssl-mode=DISABLED --get-server-public-key"), "anna@%\n1\n2\n1\n2\n");
    if (!full) {
      EXPECT_EQ(ask(" --ssl-mode=DISABLED"), "anna@%\n1\n2\n1\n2\n");
    }
    EXPECT_TRUE(soon([&] { return proxy->open() == 0; }));
    EXPECT_EQ(proxy->status().broken, 0U);
  }
  start();
  EXPECT_THAT(printed_by(" --ssl-mode=REQUIRED", as("anna", "wrong"), "SELECT 1"), HasSubstr("ERROR 1045"));
}

TEST_F(ProxyLogin, a_server_that_is_away_has_a_clear_error_and_comes_back) {
  start();
  Client before(anna());
  server->kill_hard();
  EXPECT_FALSE(before.run("SELECT 1"));
  EXPECT_FALSE(Client(anna()).connected());
  Client client(anna(false));
  EXPECT_FALSE(client.connected());
  EXPECT_EQ(client.error(), 1429U) << client.error_text();
  EXPECT_THAT(client.error_text(), HasSubstr("the proxy itself runs"));
  server->start_again();
  Client after(anna());
  EXPECT_TRUE(after.connected()) << after.error_text();
  EXPECT_EQ(after.value("SELECT 1"), "1");
}

}  // namespace
}  // namespace reseal::proxy
