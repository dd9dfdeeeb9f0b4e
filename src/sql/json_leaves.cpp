// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "sql/json.hpp"
#include "sql/json_path.hpp"

namespace reseal::sql {
namespace {

using base::BadInput;
using base::Result;

void visit(const JsonValue& value, std::string& path,
           const std::function<void(const std::string&, const JsonValue&)>& leaf) {
  const auto length = path.size();
  if (value.kind() == JsonKind::array) {
    std::size_t index = 0;
    for (const auto& item : value.items()) {
      path += "[" + std::to_string(index++) + "]";
      visit(item, path, leaf);
      path.resize(length);
    }
  } else if (value.kind() == JsonKind::object) {
    for (const auto& [key, member] : value.members()) {
      append_json_path_key(path, key);
      visit(member, path, leaf);
      path.resize(length);
    }
  } else {
    leaf(path, value);
  }
}

BadInput mismatch(std::string_view json_type) {
  return BadInput{"JSON leaf is not what the server calls " + std::string(json_type)};
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

bool decode_base64(std::string_view text, std::string& bytes) {
  std::uint32_t group = 0;
  unsigned bits = 0;
  unsigned padding = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == '\n') continue;
    ++digits;
    if (c == '=') {
      if (++padding > 2) return false;
      continue;
    }
    const int value = base64_value(c);
    if (value < 0 || padding > 0) return false;
    group = (group << 6 | static_cast<std::uint32_t>(value)) & 0xFFFFFF;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 0xFF);
    }
  }
  return digits % 4 == 0;
}

Result<JsonValue> retype_opaque(const JsonValue& leaf, std::string_view json_type) {
  constexpr std::string_view head = "base64:type";
  if (leaf.kind() == JsonKind::opaque) return leaf;
  if (leaf.kind() != JsonKind::string || !leaf.text().starts_with(head)) return mismatch(json_type);
  const auto rest = std::string_view(leaf.text()).substr(head.size());
  std::uint8_t field_type = 0;
  const auto number = std::from_chars(rest.data(), rest.data() + rest.size(), field_type);
  const auto length = static_cast<std::size_t>(number.ptr - rest.data());
  std::string bytes;
  if (number.ec != std::errc() || length >= rest.size() || rest[length] != ':' ||
      !decode_base64(rest.substr(length + 1), bytes))
    return mismatch(json_type);
  return JsonValue::opaque(field_type, std::move(bytes));
}

Result<JsonValue> retype_decimal(const JsonValue& leaf) {
  switch (leaf.kind()) {
    case JsonKind::decimal:
      return leaf;
    case JsonKind::signed_integer:
      return JsonValue::decimal(std::to_string(leaf.as_signed()));
    case JsonKind::unsigned_integer:
      return JsonValue::decimal(std::to_string(leaf.as_unsigned()));
    case JsonKind::real:
      if (!leaf.source_text().empty() && leaf.source_text().find_first_of("eE") == std::string_view::npos)
        return JsonValue::decimal(std::string(leaf.source_text()));
      break;
    default:
      break;
  }
  return mismatch("DECIMAL");
}

Result<JsonValue> retype_integer(const JsonValue& leaf, bool is_unsigned) {
  if (!is_unsigned) {
    if (leaf.kind() == JsonKind::signed_integer) return leaf;
    return mismatch("INTEGER");
  }
  if (leaf.kind() == JsonKind::unsigned_integer) return leaf;
  if (leaf.kind() == JsonKind::signed_integer && leaf.as_signed() >= 0)
    return JsonValue::unsigned_integer(static_cast<std::uint64_t>(leaf.as_signed()));
  return mismatch("UNSIGNED INTEGER");
}

/// The kind whose text form is a JSON string and that stays as it is.
Result<JsonValue> retype_temporal(const JsonValue& leaf, JsonKind kind, std::string_view json_type) {
  if (leaf.kind() == kind) return leaf;
  if (leaf.kind() != JsonKind::string) return mismatch(json_type);
  return JsonValue::temporal(kind, leaf.text());
}

Result<JsonValue> keep(const JsonValue& leaf, JsonKind kind, std::string_view json_type) {
  if (leaf.kind() == kind) return leaf;
  return mismatch(json_type);
}

std::string retype_in_order(JsonValue& value, const std::vector<std::string>& types, std::size_t& next) {
  if (value.kind() == JsonKind::array) {
    for (auto& item : value.items())
      if (auto error = retype_in_order(item, types, next); !error.empty()) return error;
  } else if (value.kind() == JsonKind::object) {
    for (auto& member : value.members())
      if (auto error = retype_in_order(member.value, types, next); !error.empty()) return error;
  } else {
    if (next >= types.size()) return "fewer types than JSON leaves";
    const auto& type = types[next++];
    // A plain string stays what it is; spare large ones the copy.
    if (type == "STRING" && value.kind() == JsonKind::string) return {};
    auto typed = retype(value, type);
    if (!typed.ok()) return typed.error();
    value = std::move(typed).value();
  }
  return {};
}

}  // namespace

void leaves(const JsonValue& value, const std::function<void(const std::string&, const JsonValue&)>& leaf) {
  std::string path = "$";
  visit(value, path, leaf);
}

Result<JsonValue> retype(const JsonValue& leaf, std::string_view json_type) {
  if (json_type == "STRING") return keep(leaf, JsonKind::string, json_type);
  if (json_type == "INTEGER") return retype_integer(leaf, false);
  if (json_type == "UNSIGNED INTEGER") return retype_integer(leaf, true);
  if (json_type == "DOUBLE") return keep(leaf, JsonKind::real, json_type);
  if (json_type == "DECIMAL") return retype_decimal(leaf);
  if (json_type == "BOOLEAN") return keep(leaf, JsonKind::boolean, json_type);
  if (json_type == "NULL") return keep(leaf, JsonKind::null, json_type);
  if (json_type == "DATE") return retype_temporal(leaf, JsonKind::date, json_type);
  if (json_type == "TIME") return retype_temporal(leaf, JsonKind::time, json_type);
  if (json_type == "DATETIME") return retype_temporal(leaf, JsonKind::datetime, json_type);
  if (json_type == "TIMESTAMP") return retype_temporal(leaf, JsonKind::timestamp, json_type);
  if (json_type == "BLOB" || json_type == "BIT" || json_type == "OPAQUE" || json_type == "GEOMETRY")
    return retype_opaque(leaf, json_type);
  return BadInput{"unknown JSON type " + std::string(json_type)};
}

Result<std::monostate> retype_leaves(JsonValue& value, const std::vector<std::string>& types) {
  std::size_t next = 0;
  auto error = retype_in_order(value, types, next);
  if (error.empty() && next != types.size()) error = "more types than JSON leaves";
  if (!error.empty()) return BadInput{std::move(error)};
  return std::monostate{};
}

}  // namespace reseal::sql
