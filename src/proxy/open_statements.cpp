// SPDX-License-Identifier: Apache-2.0
#include "proxy/open_statements.hpp"

#include <algorithm>
#include <utility>

namespace reseal::proxy {

OpenStatement* OpenStatements::find(std::uint32_t id) {
  const auto found = open_.find(id);
  return found == open_.end() ? nullptr : &found->second;
}

bool OpenStatements::long_data_pending() const noexcept {
  return std::any_of(open_.begin(), open_.end(), [](const auto& one) { return one.second.long_data_pending; });
}

bool OpenStatements::cursor_open() const noexcept {
  return std::any_of(open_.begin(), open_.end(), [](const auto& one) { return one.second.cursor_open; });
}

void OpenStatements::add(std::uint32_t id, OpenStatement statement) {
  close(id);
  if (statement.text && text_size_ + statement.text->size() > most_text) statement.text.reset();
  if (statement.text) text_size_ += statement.text->size();
  last_id_ = std::max(last_id_, id);
  open_.emplace(id, std::move(statement));
}

void OpenStatements::close(std::uint32_t id) {
  const auto found = open_.find(id);
  if (found == open_.end()) return;
  if (found->second.text) text_size_ -= found->second.text->size();
  open_.erase(found);
}

void OpenStatements::clear() {
  open_.clear();
  text_size_ = 0;
}

void OpenStatements::moved(const std::map<std::uint32_t, std::uint32_t>& server_ids,
                           const std::map<std::uint32_t, std::string>& schema_of) {
  renumbered_ = true;
  for (auto& [id, statement] : open_) {
    statement.server_id = server_ids.at(id);
    statement.schema = schema_of.at(id);
    statement.types_due = !statement.types.empty();
  }
}

}  // namespace reseal::proxy
