// SPDX-License-Identifier: Apache-2.0
#include "sql/json_path.hpp"

#include <charconv>

#include "sql/json.hpp"

namespace reseal::sql {
namespace {

using base::BadInput;
using base::Result;

/// Where the quoted key that starts at `from` ends: after its closing quote, or npos.
std::size_t end_of_quoted(std::string_view path, std::size_t from) {
  for (auto i = from + 1; i < path.size(); ++i) {
    if (path[i] == '\\')
      ++i;
    else if (path[i] == '"')
      return i + 1;
  }
  return std::string_view::npos;
}

}  // namespace

void append_json_path_key(std::string& path, std::string_view key) {
  path += '.';
  append_json_text(path, JsonValue::string(std::string(key)));
}

Result<std::vector<JsonPathLeg>> parse_json_path(std::string_view path) {
  const auto bad = [](std::string_view why) { return BadInput{"JSON path: " + std::string(why)}; };
  std::vector<JsonPathLeg> legs;
  if (path.empty() || path[0] != '$') return bad("does not start with $");
  std::size_t at = 1;
  while (at < path.size()) {
    if (path[at] == ' ') {
      ++at;
    } else if (path[at] == '[') {
      std::uint64_t index = 0;
      const auto* end = path.data() + path.size();
      const auto number = std::from_chars(path.data() + at + 1, end, index);
      if (number.ec != std::errc() || number.ptr == end || *number.ptr != ']') return bad("bad array index");
      at = static_cast<std::size_t>(number.ptr - path.data()) + 1;
      legs.emplace_back(index);
    } else if (path[at] == '.' && at + 1 < path.size() && path[at + 1] == '"') {
      const auto end = end_of_quoted(path, at + 1);
      if (end == std::string_view::npos) return bad("key without its closing quote");
      auto key = parse_json_text(path.substr(at + 1, end - at - 1));
      if (!key.ok()) return key.bad();
      legs.emplace_back(key.value().text());
      at = end;
    } else if (path[at] == '.') {
      const auto end = std::min(path.find_first_of(".[ *", at + 1), path.size());
      if (end == at + 1) return bad("empty key or wildcard");
      legs.emplace_back(std::string(path.substr(at + 1, end - at - 1)));
      at = end;
    } else {
      return bad("neither key nor index");
    }
  }
  return legs;
}

}  // namespace reseal::sql
