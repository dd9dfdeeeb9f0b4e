// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.hpp"
#include "mysql/endpoint.hpp"

struct st_mysql;
struct st_mysql_res;

namespace reseal::mysql {

/// Which side of the move a session talks to: decides the kind of its failures.
enum class Side { source, target };

/// One row of a streamed result. Views live until the next row is read.
class RowView {
 public:
  RowView(char** values, const unsigned long* lengths, std::size_t size)
      : values_(values), lengths_(lengths), size_(size) {}
  std::size_t size() const { return size_; }
  bool null(std::size_t i) const { return values_[i] == nullptr; }
  /// The bytes the server sent; empty for NULL.
  std::string_view operator[](std::size_t i) const {
    return null(i) ? std::string_view{} : std::string_view(values_[i], lengths_[i]);
  }

 private:
  char** values_;
  const unsigned long* lengths_;
  std::size_t size_;
};

/// Rows of one running statement, pulled one by one as the server sends them and never buffered. The session can do
/// nothing else until the reader is at its end or destroyed (which drains what is left).
class RowReader {
 public:
  /// The next row, whose views live until the next call; nothing at the end.
  std::optional<RowView> next();

 private:
  friend class Session;
  RowReader(class Session& session, std::string_view statement);
  Session* session_;
  std::string statement_;
  std::unique_ptr<st_mysql_res, void (*)(st_mysql_res*)> result_;
};

using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;
using NamedRow = std::map<std::string, Cell>;

/// What a statement that returns no rows did.
struct Effect {
  std::uint64_t affected_rows = 0;  ///< found rows, not changed rows (CLIENT_FOUND_ROWS)
  std::uint64_t warnings = 0;
  std::string info;  ///< the server's text: "Records: 3  Duplicates: 0  Warnings: 0"
};

/// A live connection to one server. Every session starts with the pinned settings of `pinned_settings`: UTC, utf8mb4
/// statements, results as stored bytes, a permissive sql_mode without NO_BACKSLASH_ESCAPES, READ COMMITTED,
/// foreign_key_checks off on the target. Not thread-safe: one thread at a time; `kill_switch` is the exception.
/// Errors are thrown as Failure: `transient` for a lost connection, deadlock and lock wait, else by side.
class Session {
 public:
  /// Connects, enforces TLS as the endpoint says, and pins the settings. `timeout` bounds the connect and, as
  /// read/write time-out, every wait for the server; zero waits for ever.
  Session(const Endpoint& endpoint, Side side, std::chrono::seconds timeout = std::chrono::seconds(0));
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  Effect execute(std::string_view statement);
  /// All rows at once: for small results.
  std::vector<Row> query(std::string_view statement);
  /// The only column of the only row. Throws when there is not exactly one; NULL is nothing.
  Cell scalar(std::string_view statement);
  RowReader read(std::string_view statement) { return RowReader(*this, statement); }
  /// Rows one by one as the server sends them, never buffered; `row` returning false drains the rest.
  void stream(std::string_view statement, const std::function<bool(const RowView&)>& row);
  /// All rows with their columns' names, for statements whose columns differ between versions.
  std::vector<NamedRow> named_rows(std::string_view statement);
  /// CALLs a procedure and reads to the end what it answers. The rows of its first result; none when it has no result.
  std::vector<Row> call(std::string_view statement);

  /// Runs LOAD DATA LOCAL INFILE with `fill` as the file: it writes up to `size` bytes to `buffer` and returns how
  /// many, 0 at the end. No file is ever opened. Warnings are errors. Failures thrown by `fill` come out of here.
  Effect load(std::string_view statement, const std::function<std::size_t(char* buffer, std::size_t size)>& fill);

  Side side() const { return side_; }
  const Endpoint& endpoint() const { return endpoint_; }
  /// CONNECTION_ID() of this session.
  std::uint64_t id() const;
  /// Closes the connection under a statement that runs in another thread, which then fails as transient.
  void kill_switch() noexcept;

 private:
  friend class RowReader;
  struct LoadFeed;
  [[noreturn]] void fail(std::string_view statement);
  void send(std::string_view statement);
  Effect effect() const;

  Endpoint endpoint_;
  Side side_;
  std::unique_ptr<st_mysql, void (*)(st_mysql*)> handle_;
  std::unique_ptr<LoadFeed> feed_;
};

/// The statement that pins a session's settings, run after every connect.
std::string pinned_settings(Side side);

/// Keeps this session's writes out of the server's own binary log: the target's first copy and what follows it need no
/// second log of theirs. Needs SESSION_VARIABLES_ADMIN or SYSTEM_VARIABLES_ADMIN.
void without_binlog(Session& session);

}  // namespace reseal::mysql
