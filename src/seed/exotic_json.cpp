// SPDX-License-Identifier: Apache-2.0
#include "seed/exotic_json.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/failure.hpp"
#include "sql/json.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using sql::JsonKind;
using sql::JsonValue;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  }
  return parts;
}

/// Types whose text, parsed again, is the same type and value.
bool plain(std::string_view type) {
  constexpr std::array<std::string_view, 6> types = {"OBJECT", "ARRAY", "STRING", "INTEGER", "BOOLEAN", "NULL"};
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// The order of MySQL's `$**.*` and `$**[*]` (mysql-server sql-common/json_dom.cc, seek with an ellipsis): at each
/// container first its own children, then what is below each of them.
void collect(JsonValue& node, std::vector<JsonValue*>& members, std::vector<JsonValue*>& cells) {
  if (node.kind() == JsonKind::object) {
    for (auto& member : node.members()) members.push_back(&member.value);
    for (auto& member : node.members()) collect(member.value, members, cells);
  } else if (node.kind() == JsonKind::array) {
    for (auto& cell : node.items()) cells.push_back(&cell);
    for (auto& cell : node.items()) collect(cell, members, cells);
  }
}

void retype(const std::vector<JsonValue*>& nodes, const std::vector<std::string_view>& types) {
  if (nodes.size() != types.size())
    throw Failure(FailureKind::unsupported, "a JSON document has other parts than its text shows");
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool container = types[i] == "OBJECT" || types[i] == "ARRAY";
    if (container == nodes[i]->scalar())
      throw Failure(FailureKind::unsupported, "a JSON document's parts are not in the order its text shows");
    if (!container && !plain(types[i]))
      *nodes[i] = base::value_or_fail(sql::retype(*nodes[i], types[i]), "a JSON document");
  }
}

}  // namespace

namespace {

/// A number of ten digits or more may be above 2^32-1, which MySQL's parser takes for unsigned.
bool has_long_number(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits == 10) return true;
  }
  return false;
}

}  // namespace

bool may_lose_by_text(std::string_view text, std::string_view parts) {
  if (has_long_number(text)) return true;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= parts.size(); ++i) {
    if (i < parts.size() && parts[i] != ',' && parts[i] != '|') continue;
    if (i > start && !plain(parts.substr(start, i - start))) return true;
    start = i + 1;
  }
  return false;
}

std::string rebuild_expression(std::string_view text, std::string_view parts) {
  const auto first = parts.find('|');
  const auto second = parts.find('|', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos)
    throw Failure(FailureKind::unsupported, "a JSON document came without the types of its parts");
  auto document = base::value_or_fail(sql::parse_json_text(text), "a JSON document");
  std::vector<JsonValue*> members;
  std::vector<JsonValue*> cells;
  collect(document, members, cells);
  retype({&document}, {parts.substr(0, first)});
  retype(members, split(parts.substr(first + 1, second - first - 1), ','));
  retype(cells, split(parts.substr(second + 1), ','));
  if (sql::survives_text(document)) return {};
  std::string expression;
  sql::append_json_expression(expression, document);
  return expression;
}

}  // namespace reseal::seed
