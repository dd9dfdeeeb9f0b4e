// SPDX-License-Identifier: Apache-2.0
#include "journal/journal.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/failure.hpp"

namespace reseal::journal {
namespace {

using base::Failure;
using base::FailureKind;

constexpr const char* layout =
    "CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS event(id INTEGER PRIMARY KEY, utc TEXT NOT NULL DEFAULT "
    "(strftime('%Y-%m-%dT%H:%M:%fZ')),"
    " event TEXT NOT NULL, detail TEXT NOT NULL) STRICT;";

[[noreturn]] void fail(const std::string& what) {
  throw Failure(FailureKind::local, what + "; the run is as it was, mend this and start again");
}

/// What SQLite says, and what the operating system said to it: "disk I/O error" alone does not tell a full disk.
std::string reason(sqlite3* database) {
  const int system = sqlite3_system_errno(database);
  return std::string(sqlite3_errmsg(database)) + (system == 0 ? "" : std::string(": ") + std::strerror(system));
}

struct Statement {
  sqlite3_stmt* handle = nullptr;
  ~Statement() { sqlite3_finalize(handle); }
};

void bind(sqlite3_stmt* statement, const std::vector<std::string_view>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    sqlite3_bind_text(statement, static_cast<int>(i + 1), values[i].data(), static_cast<int>(values[i].size()),
                      SQLITE_TRANSIENT);
}

std::string text(sqlite3_stmt* statement, int column) {
  const auto* bytes = sqlite3_column_blob(statement, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement, column))};
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    fail("cannot create the state folder " + folder.string() + ": " + std::strerror(errno));
  struct stat seen {};
  if (::lstat(folder.c_str(), &seen) != 0 || !S_ISDIR(seen.st_mode))
    fail("the state folder " + folder.string() + " is not a folder");
  if ((seen.st_mode & (S_IWGRP | S_IWOTH)) != 0 || seen.st_uid != ::geteuid())
    fail("the state folder " + folder.string() + " belongs to or may be written by others");
}

}  // namespace

Journal::Journal(const std::filesystem::path& folder) {
  make_folder(folder);
  const auto lock_file = folder / "lock";
  lock_ = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_ < 0) fail("the state folder is not writable: " + lock_file.string() + ": " + std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    throw Failure(FailureKind::running, "another reseal works on this run (" + lock_file.string() +
                                            " is locked); nothing was changed. Wait for it, or stop it first");
  }
  open(folder / "journal.sqlite", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  char* error = nullptr;
  if (sqlite3_exec(database_.get(), layout, nullptr, nullptr, &error) != SQLITE_OK) {
    sqlite3_free(error);
    fail("cannot write the journal in " + folder.string() + ": " + reason(database_.get()));
  }
}

std::optional<Journal> Journal::look(const std::filesystem::path& folder) {
  const auto file = folder / "journal.sqlite";
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return std::nullopt;
  Journal journal;
  journal.open(file, SQLITE_OPEN_READWRITE);
  return journal;
}

Journal::~Journal() {
  database_.reset();
  if (lock_ >= 0) ::close(lock_);
}

Journal::Journal(Journal&& other) noexcept
    : database_(std::move(other.database_)), lock_(std::exchange(other.lock_, -1)) {}

Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(lock_, other.lock_);
  return *this;
}

void Journal::open(const std::filesystem::path& file, int flags) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(file.c_str(), &handle, flags, nullptr);
  database_ = {handle, sqlite3_close};
  if (result != SQLITE_OK) fail("cannot open the journal " + file.string() + ": " + sqlite3_errstr(result));
  sqlite3_busy_timeout(handle, 5000);
}

void Journal::execute(const char* statement, const std::vector<std::string_view>& values) const {
  Statement prepared;
  int result = sqlite3_prepare_v2(database_.get(), statement, -1, &prepared.handle, nullptr);
  if (result == SQLITE_OK) {
    bind(prepared.handle, values);
    do result = sqlite3_step(prepared.handle);
    while (result == SQLITE_ROW);
  }
  if (result != SQLITE_DONE) fail("cannot write the journal: " + reason(database_.get()));
}

std::optional<std::string> Journal::fact(std::string_view name) const {
  Statement prepared;
  if (sqlite3_prepare_v2(database_.get(), "SELECT value FROM fact WHERE name=?", -1, &prepared.handle, nullptr) !=
      SQLITE_OK)
    fail("cannot read the journal: " + reason(database_.get()));
  bind(prepared.handle, {name});
  if (sqlite3_step(prepared.handle) != SQLITE_ROW) return std::nullopt;
  return text(prepared.handle, 0);
}

void Journal::set_fact(std::string_view name, std::string_view value) {
  execute("INSERT INTO fact(name,value) VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=excluded.value",
          {name, value});
}

void Journal::record(std::string_view event, std::string_view detail) {
  execute("INSERT INTO event(event,detail) VALUES(?,?)", {event, detail});
}

std::vector<Journal::Event> Journal::events(std::size_t count) const {
  Statement prepared;
  const auto limit = std::to_string(count);
  if (sqlite3_prepare_v2(
          database_.get(),
          "SELECT utc, event, detail FROM (SELECT * FROM event ORDER BY id DESC LIMIT CAST(? AS INTEGER))"
          " ORDER BY id",
          -1, &prepared.handle, nullptr) != SQLITE_OK)
    fail("cannot read the journal: " + reason(database_.get()));
  bind(prepared.handle, {limit});
  std::vector<Event> events;
  while (sqlite3_step(prepared.handle) == SQLITE_ROW)
    events.push_back({text(prepared.handle, 0), text(prepared.handle, 1), text(prepared.handle, 2)});
  return events;
}

}  // namespace reseal::journal
