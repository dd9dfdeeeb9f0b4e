// SPDX-License-Identifier: Apache-2.0
#include "binlog/control_text.hpp"

#include <algorithm>

namespace reseal::binlog {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool same(std::string_view text, std::string_view words) {
  return text.size() == words.size() &&
         std::equal(text.begin(), text.end(), words.begin(), [](char a, char b) { return upper(a) == b; });
}

bool starts(std::string_view text, std::string_view words) { return same(text.substr(0, words.size()), words); }

std::string unquoted(std::string_view name) {
  if (name.size() < 2 || name.front() != '`' || name.back() != '`') return std::string(name);
  std::string out;
  name = name.substr(1, name.size() - 2);
  for (std::size_t i = 0; i < name.size(); ++i) {
    out += name[i];
    if (name[i] == '`' && i + 1 < name.size() && name[i + 1] == '`') ++i;
  }
  return out;
}

}  // namespace

Control control_of(std::string_view text) {
  using Kind = Control::Kind;
  if (same(text, "BEGIN")) return {Kind::begin, ""};
  if (same(text, "COMMIT")) return {Kind::commit, ""};
  if (starts(text, "ROLLBACK TO ")) return {Kind::rollback_to, unquoted(text.substr(12))};
  if (same(text, "ROLLBACK")) return {Kind::rollback, ""};
  if (starts(text, "SAVEPOINT ")) return {Kind::savepoint, unquoted(text.substr(10))};
  if (starts(text, "XA START ")) return {Kind::xa_start, ""};
  if (starts(text, "XA END ")) return {Kind::xa_end, ""};
  if (starts(text, "XA COMMIT ") || starts(text, "XA ROLLBACK ") || starts(text, "XA PREPARE "))
    return {Kind::xa_outcome, ""};
  return {};
}

bool starts_transaction(std::string_view text) {
  constexpr std::string_view tail = " START TRANSACTION";
  return starts(text, "CREATE TABLE ") && text.size() > tail.size() &&
         same(text.substr(text.size() - tail.size()), tail);
}

}  // namespace reseal::binlog
