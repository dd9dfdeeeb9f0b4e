// SPDX-License-Identifier: Apache-2.0
// JSON documents as the binary log has them, changes of documents, and JSON's text.
#include "sql/json.hpp"

#include "base/failure.hpp"
#include "binlog/json_binary.hpp"
#include "binlog/json_diff.hpp"
#include "fuzz/input.hpp"
#include "fuzz/memory_meter.hpp"
#include "fuzz/target.hpp"
#include "wire/bytes.hpp"

namespace reseal::fuzz {
namespace {

using sql::JsonValue;

// A number of text takes two bytes, a value here about seventy, in a vector that grows.
constexpr std::size_t memory_per_byte = 400;
constexpr std::size_t memory_at_least = 16 * 1024;

unsigned depth(const JsonValue& value) {
  unsigned deepest = 0;
  if (value.kind() == sql::JsonKind::array)
    for (const auto& item : value.items()) deepest = std::max(deepest, depth(item) + 1);
  if (value.kind() == sql::JsonKind::object)
    for (const auto& member : value.members()) deepest = std::max(deepest, depth(member.value) + 1);
  return deepest;
}

// The text of a document is one. It may lose types, as those of decimals, but after that nothing changes any more.
void check_value(const JsonValue& value) {
  const auto again = sql::parse_json_text(sql::json_text(value));
  RESEAL_CHECK(again.ok());
  const auto text = sql::json_text(again.value());
  const auto third = sql::parse_json_text(text);
  RESEAL_CHECK(third.ok() && sql::json_text(third.value()) == text);
  std::size_t count = 0;
  sql::leaves(value, [&](const std::string& path, const JsonValue& leaf) {
    RESEAL_CHECK(path.starts_with('$') && leaf.scalar());
    ++count;
  });
  RESEAL_CHECK(!value.scalar() || count == 1);
  std::string expression;
  try {
    sql::append_json_expression(expression, value);
  } catch (const base::Failure& failure) {
    RESEAL_CHECK(failure.kind() == base::FailureKind::unsupported);
  }
}

void read_binary(std::string_view bytes) {
  const MemoryMeter memory;
  const auto value = binlog::parse_json_binary(bytes);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * bytes.size());
  if (!value.ok()) return;
  RESEAL_CHECK(depth(value.value()) <= sql::json_max_depth);
  check_value(value.value());
}

void read_text(std::string_view text) {
  const MemoryMeter memory;
  const auto value = sql::parse_json_text(text);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * text.size());
  if (!value.ok()) return;
  RESEAL_CHECK(depth(value.value()) <= sql::json_max_depth);
  check_value(value.value());
}

void change(std::string_view before, std::string_view changes) {
  auto document = sql::parse_json_text(before);
  const auto diffs = binlog::parse_json_diffs(changes);
  if (!document.ok() || !diffs.ok()) return;
  const auto after = binlog::apply_json_diffs(std::move(document).value(), diffs.value());
  if (!after.ok()) return;
  // A change reaches into a document of the depth that is allowed, and may bring one.
  RESEAL_CHECK(depth(after.value()) <= 2 * sql::json_max_depth);
  sql::leaves(after.value(), [](const std::string&, const JsonValue&) {});
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  switch (input.below(3)) {
    case 0:
      return read_binary(input.rest());
    case 1:
      return read_text(input.rest());
    default: {
      const auto before = input.text();
      return change(before, input.rest());
    }
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  // {"a": [1, "x", 1.5, {"b": null}], "d": true}, as MySQL 9.7 stores it; then a value of each scalar type.
  const auto binary = [&](std::string_view bytes) { made.push_back(std::string(1, '\0').append(bytes)); };
  using namespace std::string_view_literals;
  binary(
      "\0\2\0\x3A\0\x12\0\1\0\x13\0\1\0\2\x14\0\4\1\0ad\4\0\x26\0\5\1\0\x0C\x10\0\x0B\x12\0\0\x1A\0\1x\0\0\0\0\0\0\xF8?"
      "\1\0\x0C\0\x0B\0\1\0\4\0\0b"sv);
  binary("\2\2\0\x0D\0\5\1\0\x0C\x0A\0\2hi"sv);
  binary("\3\1\0\0\0\x0D\0\0\0\7\xFF\xFF\xFF\xFF"sv);
  binary("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv);
  binary("\x0B\0\0\0\0\0\0\xF0?"sv);
  binary("\x0F\xF6\4\3\2\x81\x0A"sv);
  binary("\x0F\xFC\2\xCA\xFE"sv);
  binary("\x0F\x0C\x08\0\0\0\0\0\0\0\0"sv);
  for (const std::string_view text : {R"({"a": [1, "x", 1.5, {"b": null}], "d": true})"sv,
                                      R"(["\u00e9\ud83d\ude00\n", -1e-7, 18446744073709551615])"sv,
                                      R"([[[[[]]]], {"": {}}, 1.0, 1e25, 12345678901234567890123.5])"sv})
    made.push_back("\1" + std::string(text));
  const auto diff = [](char operation, std::string_view path, std::string_view value) {
    std::string out(1, operation);
    wire::append_lenenc_bytes(out, path);
    if (operation != 2) wire::append_lenenc_bytes(out, value);
    return out;
  };
  const std::string_view five("\x05\x05\0", 3);
  const std::string before = "\2" + text_choice(R"({"a": [1, 2], "b": {"c": 1}, "dd": null})");
  made.push_back(before + diff(0, "$.a[1]", five) + diff(1, "$.\"e f\"", five) + diff(2, "$.b.c", ""));
  made.push_back(before + diff(1, "$.a[0]", five) + diff(1, "$.a[99]", five) + diff(2, "$.dd", ""));
  // Each change goes into the one before, deeper and deeper.
  auto deeper = "\2" + text_choice("[0]");
  std::string nested("\2\0\0\4\0", 5);
  for (unsigned i = 1; i < 90; ++i) {
    std::string outer("\2\1\0", 3);
    wire::append_uint_le(outer, nested.size() + 6, 2);
    outer += '\2';
    wire::append_uint_le(outer, 7, 2);
    nested = outer + nested.substr(1);
  }
  std::string path = "$[0]";
  for (unsigned i = 0; i < 40; ++i) {
    deeper += diff(i == 0 ? '\0' : '\1', path, nested);
    for (unsigned k = 0; k < (i == 0 ? 89U : 90U); ++k) path += "[0]";
  }
  made.push_back(deeper);
  return made;
}

}  // namespace reseal::fuzz
