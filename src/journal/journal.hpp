// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct sqlite3;

namespace reseal::journal {

/// The local record of one run: who it is (facts, written once or replaced) and what happened (events, append-only).
/// It holds no row values and no secrets. What has been applied is not here: that stands in the target, in the rows'
/// own transaction.
///
/// Durability: every write is a SQLite transaction with synchronous=FULL; when a call returns, it is on disk. A disk
/// that is full or cannot be written is Failure(local), and the earlier content stands.
/// One process at a time: opening takes an exclusive lock on `lock` in the folder, Failure(running) when another holds
/// it. The lock goes with the process, however it ends. Not thread-safe.
class Journal {
 public:
  /// Opens or creates the journal in `folder` (created 0700). Refuses a folder that others may write to, or a link.
  explicit Journal(const std::filesystem::path& folder);
  /// Reads a journal without the lock, for `status`. Nothing when there is no run in `folder`.
  static std::optional<Journal> look(const std::filesystem::path& folder);
  ~Journal();
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;

  std::optional<std::string> fact(std::string_view name) const;
  void set_fact(std::string_view name, std::string_view value);
  /// Appends an event with the current UTC time.
  void record(std::string_view event, std::string_view detail);

  struct Event {
    std::string utc;
    std::string event;
    std::string detail;
  };
  /// The newest `count` events, oldest first.
  std::vector<Event> events(std::size_t count) const;

 private:
  Journal() = default;
  void open(const std::filesystem::path& file, int flags);
  void execute(const char* statement, const std::vector<std::string_view>& values = {}) const;

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_{nullptr, nullptr};
  int lock_ = -1;
};

}  // namespace reseal::journal
