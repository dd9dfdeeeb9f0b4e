// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/failure.hpp"
#include "sql/json.hpp"
#include "sql/json_path.hpp"
#include "sql/json_print.hpp"
#include "sql/quote.hpp"

namespace reseal::sql {
namespace {

/// Writes JSON text as the body of an SQL string literal.
class LiteralSink final : public JsonSink {
 public:
  explicit LiteralSink(std::string& out) : out_(out) {}
  void append(std::string_view piece) override { append_escaped(out_, piece); }

 private:
  std::string& out_;
};

/// Whether MySQL's JSON text parser certainly reads the double back exactly. Built on rapidjson without its
/// full-precision flag, it multiplies the digits by a power of ten in double arithmetic, which is exact as long as both
/// factors are: at most 15 digits, power at most 10^22. MySQL 9.7.4 was measured to be exact beyond that too (200,000
/// random doubles of all magnitudes, 1 to 17 digits, through CAST('[…]' AS JSON): every bit came back), but other
/// versions were not, and a double that is written as a typed literal needlessly is still right.
bool real_survives(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const auto e = text.find('e');
  if (e == std::string_view::npos) return false;
  const auto digits = std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(e),
                                    [](char c) { return c >= '0' && c <= '9'; });
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.data() + text.size(), exponent);
  const auto power = exponent - static_cast<int>(digits) + 1;
  return digits <= 15 && std::abs(exponent) <= 22 && std::abs(power) <= 22;
}

bool leaf_survives(const JsonValue& leaf) {
  switch (leaf.kind()) {
    case JsonKind::null:
    case JsonKind::boolean:
    case JsonKind::string:
      return true;
    // The parser takes a number above 2^32-1 for UNSIGNED INTEGER, and one up to it for INTEGER (seen on 9.7).
    case JsonKind::signed_integer:
      return leaf.as_signed() <= std::int64_t{std::numeric_limits<std::uint32_t>::max()};
    case JsonKind::unsigned_integer:
      return leaf.as_unsigned() > std::numeric_limits<std::uint32_t>::max();
    case JsonKind::real:
      return real_survives(leaf.as_real());
    default:
      return false;
  }
}

/// Marks every node that text cannot carry, and its ancestors. Returns whether `value` is marked.
bool mark_lost(const JsonValue& value, JsonPlaceholders& lost) {
  bool any = false;
  if (value.kind() == JsonKind::array) {
    for (const auto& item : value.items()) any |= mark_lost(item, lost);
  } else if (value.kind() == JsonKind::object) {
    for (const auto& member : value.members()) any |= mark_lost(member.value, lost);
  } else {
    any = !leaf_survives(value);
  }
  if (any) lost.insert(&value);
  return any;
}

void append_real(std::string& out, double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  out.append(buffer.data(), end.ptr);
}

void append_cast(std::string& out, std::string_view text, std::string_view type) {
  out += "CAST('";
  append_escaped(out, text);
  out += "' AS ";
  out += type;
  out += ')';
}

void append_opaque(std::string& out, const JsonValue& leaf);
void append_column(std::string& out, std::string_view text, std::string_view type);

/// An SQL value whose JSON form is exactly `leaf`.
void append_typed(std::string& out, const JsonValue& leaf) {
  switch (leaf.kind()) {
    case JsonKind::signed_integer:
      out += std::to_string(leaf.as_signed());
      return;
    case JsonKind::unsigned_integer:
      out += "CAST(" + std::to_string(leaf.as_unsigned()) + " AS UNSIGNED)";
      return;
    case JsonKind::real:
      append_real(out, leaf.as_real());
      return;
    case JsonKind::decimal: {
      const auto point = leaf.text().find('.');
      const auto scale = point == std::string::npos ? 0 : leaf.text().size() - point - 1;
      append_cast(out, leaf.text(), "DECIMAL(65," + std::to_string(scale) + ")");
      return;
    }
    case JsonKind::date:
      append_cast(out, leaf.text(), "DATE");
      return;
    case JsonKind::time:
      append_cast(out, leaf.text(), "TIME(6)");
      return;
    case JsonKind::datetime:
      append_cast(out, leaf.text(), "DATETIME(6)");
      return;
    case JsonKind::opaque:
      append_opaque(out, leaf);
      return;
    case JsonKind::timestamp:
      append_column(out, "'[\"" + leaf.text() + "\"]'", "TIMESTAMP(6)");
      return;
    default:
      RESEAL_CHECK(false && "only leaves that text cannot carry get here");
  }
}

/// A select of one row and column x: `text`, a JSON array of one scalar, read as a column of the SQL type `type`.
void append_json_table(std::string& out, std::string_view text, std::string_view type) {
  out += "JSON_TABLE(";
  out += text;
  out += ",'$[*]' COLUMNS(x ";
  out += type;
  out += " PATH '$')) j";
}

/// The field type of an opaque value is the type of the column it comes from, and a literal has only one. A union
/// with a column of the wanted type has that type too, and JSON_TABLE makes such a column out of nothing.
void append_blob(std::string& out, const JsonValue& leaf, std::string_view type) {
  out += "(SELECT CAST(u.x AS JSON) FROM (SELECT j.x FROM ";
  append_json_table(out, "'[]'", type);
  out += " UNION ALL SELECT ";
  append_binary_literal(out, leaf.text());
  out += ") u)";
}

void append_column(std::string& out, std::string_view text, std::string_view type) {
  out += "(SELECT CAST(j.x AS JSON) FROM ";
  append_json_table(out, text, type);
  out += ')';
}

void append_binary(std::string& out, const JsonValue& leaf) {
  std::string text = "JSON_ARRAY(";
  append_binary_literal(text, leaf.text());
  append_column(out, text + ")", "BINARY(" + std::to_string(leaf.text().size()) + ")");
}

void append_bits(std::string& out, const JsonValue& leaf) {
  std::uint64_t bits = 0;
  for (const char byte : leaf.text()) bits = bits << 8 | static_cast<unsigned char>(byte);
  append_column(out, "'[" + std::to_string(bits) + "]'", "BIT(" + std::to_string(8 * leaf.text().size()) + ")");
}

/// Field types are those of mysql-server include/field_types.h; sizes are what a column of the type can hold.
void append_opaque(std::string& out, const JsonValue& leaf) {
  const auto size = leaf.text().size();
  switch (leaf.field_type()) {
    case 15:
      if (size > 65535) break;
      return append_binary_literal(out, leaf.text());
    case 16:
      if (size < 1 || size > 8) break;
      return append_bits(out, leaf);
    case 249:
      if (size > 255) break;
      return append_blob(out, leaf, "TINYBLOB");
    case 250:
      if (size > 0xFFFFFF) break;
      return append_blob(out, leaf, "MEDIUMBLOB");
    case 251:
      return append_blob(out, leaf, "LONGBLOB");
    case 252:
      if (size > 65535) break;
      return append_blob(out, leaf, "BLOB");
    case 254:
      if (size < 1 || size > 255) break;
      return append_binary(out, leaf);
    default:
      break;
  }
  throw base::Failure(base::FailureKind::unsupported,
                      "a JSON document holds an opaque value of field type " + std::to_string(leaf.field_type()) +
                          " and " + std::to_string(size) + " bytes, which no SQL expression makes");
}

void append_text_literal(std::string& out, const JsonValue& value, const JsonPlaceholders* holes) {
  out += "CAST(_utf8mb4'";
  LiteralSink sink(out);
  print_json(sink, value, holes);
  out += "' AS JSON)";
}

void append_container(std::string& out, const JsonValue& value, const JsonPlaceholders& lost);

void append_part(std::string& out, const std::string& step, const JsonValue& part, const JsonPlaceholders& lost) {
  out += ", _utf8mb4'";
  append_escaped(out, "$" + step);
  out += "', ";
  if (part.scalar())
    append_typed(out, part);
  else
    append_container(out, part, lost);
}

/// The container as text with null in place of what text cannot carry, and each of these put in by a path of one
/// step: every key is written at most twice, so the statement grows with the document and not with its square.
void append_container(std::string& out, const JsonValue& value, const JsonPlaceholders& lost) {
  out += "JSON_REPLACE(";
  JsonPlaceholders holes;
  const auto hole = [&](const JsonValue& part) {
    if (lost.contains(&part)) holes.insert(&part);
  };
  if (value.kind() == JsonKind::array) {
    for (const auto& item : value.items()) hole(item);
    append_text_literal(out, value, &holes);
    for (std::size_t i = 0; i < value.items().size(); ++i)
      if (holes.contains(&value.items()[i])) append_part(out, "[" + std::to_string(i) + "]", value.items()[i], lost);
  } else {
    for (const auto& member : value.members()) hole(member.value);
    append_text_literal(out, value, &holes);
    for (const auto& [key, member] : value.members()) {
      if (!holes.contains(&member)) continue;
      std::string step;
      append_json_path_key(step, key);
      append_part(out, step, member, lost);
    }
  }
  out += ')';
}

}  // namespace

bool survives_text(const JsonValue& value) {
  switch (value.kind()) {
    case JsonKind::array:
      return std::all_of(value.items().begin(), value.items().end(), survives_text);
    case JsonKind::object:
      return std::all_of(value.members().begin(), value.members().end(),
                         [](const JsonMember& member) { return survives_text(member.value); });
    default:
      return leaf_survives(value);
  }
}

void append_json_expression(std::string& out, const JsonValue& value) {
  JsonPlaceholders lost;
  if (!mark_lost(value, lost)) return append_text_literal(out, value, nullptr);
  if (!value.scalar()) return append_container(out, value, lost);
  out += "CAST(";
  append_typed(out, value);
  out += " AS JSON)";
}

}  // namespace reseal::sql
