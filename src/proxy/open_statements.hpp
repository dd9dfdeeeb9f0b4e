// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "wire/statement_command.hpp"

namespace reseal::proxy {

/// A prepared statement that a session has open.
struct OpenStatement {
  std::uint32_t server_id = 0;      ///< its id on the server that the session is on
  std::optional<std::string> text;  ///< nothing when it was too long to be kept
  std::uint16_t parameters = 0;
  std::uint16_t columns = 0;
  std::optional<std::string> schema;  ///< under which it was prepared; nothing: the one that the session began with
  bool cursor_open = false;
  bool long_data_pending = false;  ///< COM_STMT_SEND_LONG_DATA came, and no execution yet
  bool types_readable = true;      ///< false: an execution came whose types could not be read
  std::string types;               ///< of the parameters, and how many they are, as the last execution gave them
  std::uint64_t typed_parameters = 0;
  bool types_due = false;  ///< the server has not been told them, since the session came to it
};

/// The prepared statements of one session, by the ids that the client knows. As long as the session stays where it
/// logged in, those are the server's own. After a move the client keeps the old ids, and new statements get ids that it
/// has not seen yet, so that a late command for one that is closed cannot hit another.
class OpenStatements {
 public:
  /// Texts of one session are kept up to so many bytes in all.
  static constexpr std::size_t most_text = 1024 * 1024;

  bool empty() const noexcept { return open_.empty(); }
  OpenStatement* find(std::uint32_t id);
  const std::map<std::uint32_t, OpenStatement>& all() const noexcept { return open_; }
  bool long_data_pending() const noexcept;
  bool cursor_open() const noexcept;

  /// Adds one; `id` is the client's.
  void add(std::uint32_t id, OpenStatement statement);
  void close(std::uint32_t id);
  void clear();

  /// True when the client's ids are not the server's.
  bool renumbered() const noexcept { return renumbered_; }
  /// The client's id for the next statement, once renumbered.
  std::uint32_t next_id() const noexcept { return last_id_ + 1; }
  /// The session is on another server now, where its statements have these ids, and were prepared under these schemas,
  /// by the client's ids.
  void moved(const std::map<std::uint32_t, std::uint32_t>& server_ids,
             const std::map<std::uint32_t, std::string>& schema_of);

 private:
  std::map<std::uint32_t, OpenStatement> open_;
  std::size_t text_size_ = 0;
  std::uint32_t last_id_ = 0;
  bool renumbered_ = false;
};

}  // namespace reseal::proxy
