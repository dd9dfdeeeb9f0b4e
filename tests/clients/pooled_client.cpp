// SPDX-License-Identifier: Apache-2.0
// A client of tools/cutover that works as applications with a pool do.
//
//   pooled_client OPTION_FILE yes|no FOLDER CLIENT
//
// `yes` means TLS. Until FOLDER/stop exists it inserts, one row a statement, on two connections: on the first by a
// statement that stays prepared for the whole run (loops.held), on the second by one that is prepared each time after
// the connection was reset or its user was changed, in turns (loops.pooled). What was answered is a line `held CLIENT
// NUMBER 1` or `pooled CLIENT NUMBER 1` in FOLDER/pooled-CLIENT.acknowledged. Errors are lines in FOLDER/errors, lost
// connections in FOLDER/dropped; it goes on with new connections.
#include <mysql.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace {

// Lost while it was used, or at its login, or ended by the proxy.
constexpr std::array<unsigned, 5> lost_connection = {1053, 2006, 2013, 2055, 4031};
constexpr auto pause = std::chrono::milliseconds(20);
constexpr std::string_view mark = "left over";

struct Close {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
  void operator()(MYSQL_RES* result) const { mysql_free_result(result); }
};
using Connection = std::unique_ptr<MYSQL, Close>;
using Statement = std::unique_ptr<MYSQL_STMT, Close>;
using Rows = std::unique_ptr<MYSQL_RES, Close>;

struct Error {
  unsigned code;
  std::string text;
};

[[noreturn]] void fail(MYSQL* connection) { throw Error{mysql_errno(connection), mysql_error(connection)}; }
[[noreturn]] void fail(MYSQL_STMT* statement) { throw Error{mysql_stmt_errno(statement), mysql_stmt_error(statement)}; }

void expect(bool is_so, std::string_view what) {
  if (!is_so) throw Error{0, "wrong " + std::string(what)};
}

struct Options {
  std::string option_file;
  bool tls = false;
  std::filesystem::path folder;
  int client = 0;
};

void append_line(const std::filesystem::path& file, const std::string& line) {
  std::ofstream(file, std::ios::app) << line << std::endl;
}

void query(MYSQL* connection, std::string_view text) {
  if (mysql_real_query(connection, text.data(), text.size()) != 0) fail(connection);
}

// The first value of the only row; "NULL" for none.
std::string value(MYSQL* connection, std::string_view text) {
  query(connection, text);
  const Rows rows(mysql_store_result(connection));
  if (!rows) fail(connection);
  const auto* const row = mysql_fetch_row(rows.get());
  expect(row != nullptr, "number of rows");
  return row[0] == nullptr ? "NULL" : row[0];
}

Connection connect(const Options& options) {
  Connection connection(mysql_init(nullptr));
  mysql_options(connection.get(), MYSQL_READ_DEFAULT_FILE, options.option_file.c_str());
  mysql_options(connection.get(), MYSQL_READ_DEFAULT_GROUP, "client");
  if (mysql_real_connect(connection.get(), nullptr, nullptr, nullptr, "loops", 0, nullptr, 0) == nullptr)
    fail(connection.get());
  expect((mysql_get_ssl_cipher(connection.get()) != nullptr) == options.tls, "use of TLS");
  query(connection.get(), "SET @mark = 'left over'");
  return connection;
}

Statement prepare(MYSQL* connection, std::string_view text) {
  Statement statement(mysql_stmt_init(connection));
  if (mysql_stmt_prepare(statement.get(), text.data(), text.size()) != 0) fail(statement.get());
  return statement;
}

// Inserts rows by one prepared statement. Its parameters are bound once, so their types are sent once.
class Insert {
 public:
  Insert(MYSQL* connection, std::string_view text) : statement_(prepare(connection, text)) {
    for (auto& one : parameters_) one.buffer_type = MYSQL_TYPE_LONG;
    parameters_[0].buffer = &client_;
    parameters_[1].buffer = &number_;
    if (mysql_stmt_bind_param(statement_.get(), parameters_.data()) != 0) fail(statement_.get());
  }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  void row(int client, int number) {
    client_ = client;
    number_ = number;
    if (mysql_stmt_execute(statement_.get()) != 0) fail(statement_.get());
    expect(mysql_stmt_affected_rows(statement_.get()) == 1, "number of affected rows");
  }

 private:
  Statement statement_;
  std::int32_t client_ = 0;
  std::int32_t number_ = 0;
  std::array<MYSQL_BIND, 2> parameters_{};
};

class Work {
 public:
  explicit Work(const Options& options)
      : options_(options),
        held_(connect(options)),
        pooled_(connect(options)),
        insert_(held_.get(), "INSERT INTO held (client, number) VALUES (?, ?)") {}

  void round(int number) {
    insert_.row(options_.client, number);
    acknowledged("held", number);
    expect(value(held_.get(), "SELECT @mark") == mark, "user variable of the connection that is kept");

    take_anew(number % 2 == 0);
    Insert(pooled_.get(), "INSERT INTO pooled (client, number) VALUES (?, ?)").row(options_.client, number);
    acknowledged("pooled", number);
    query(pooled_.get(), "SET @mark = 'left over'");
  }

 private:
  // As a pool does before it gives a connection out.
  void take_anew(bool reset) {
    auto* const connection = pooled_.get();
    const auto refused = reset ? mysql_reset_connection(connection) != 0
                               : mysql_change_user(connection, connection->user, connection->passwd, "loops") != 0;
    if (refused) fail(connection);
    expect(value(connection, "SELECT @mark") == "NULL", "user variable of a connection that was reset");
    expect(value(connection, "SELECT DATABASE()") == "loops", "schema of a connection that was reset");
  }

  void acknowledged(std::string_view what, int number) const {
    append_line(options_.folder / ("pooled-" + std::to_string(options_.client) + ".acknowledged"),
                std::string(what) + " " + std::to_string(options_.client) + " " + std::to_string(number) + " 1");
  }

  const Options& options_;
  Connection held_;
  Connection pooled_;
  Insert insert_;
};

void tell(const Options& options, const Error& error) {
  const auto lost = std::find(lost_connection.begin(), lost_connection.end(), error.code) != lost_connection.end();
  append_line(options.folder / (lost ? "dropped" : "errors"),
              "pooled " + std::to_string(options.client) + ": ERROR " + std::to_string(error.code) + " " + error.text);
}

void work_until_stopped(const Options& options) {
  std::unique_ptr<Work> work;
  for (int number = 1; !std::filesystem::exists(options.folder / "stop"); ++number) {
    try {
      if (!work) work = std::make_unique<Work>(options);
      work->round(number);
    } catch (const Error& error) {
      tell(options, error);
      work.reset();
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    std::cerr << "usage: pooled_client OPTION_FILE yes|no FOLDER CLIENT\n";
    return 64;
  }
  Options options;
  options.option_file = words[1];
  options.tls = std::string_view(words[2]) == "yes";
  options.folder = words[3];
  options.client = std::atoi(words[4]);
  work_until_stopped(options);
  return 0;
}
