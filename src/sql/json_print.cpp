// SPDX-License-Identifier: Apache-2.0
#include "sql/json_print.hpp"

#include <array>
#include <charconv>

#include "base/failure.hpp"
#include "sql/json.hpp"

namespace reseal::sql {
namespace {

class StringSink final : public JsonSink {
 public:
  explicit StringSink(std::string& out) : out_(out) {}
  void append(std::string_view piece) override { out_ += piece; }

 private:
  std::string& out_;
};

/// The digits and decimal exponent of the shortest text that reads back as `value`, which is positive and finite:
/// value = 0.d1d2d3… * 10^point.
struct ShortestDecimal {
  std::string digits;
  int point = 0;
};

ShortestDecimal shortest(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data()));
  const auto e = text.find('e');
  ShortestDecimal decimal;
  for (const char c : text.substr(0, e))
    if (c != '.') decimal.digits += c;
  const auto exponent = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), decimal.point);
  ++decimal.point;
  return decimal;
}

/// my_gcvt of mysql-server strings/dtoa.cc: plain notation up to 10^15 either way, or when digits follow the point.
constexpr int max_plain_point = 15;

std::string real_text(double value) {
  const auto [digits, point] = shortest(value);
  const int size = static_cast<int>(digits.size());
  if (point < 1 - max_plain_point || (point > max_plain_point && size <= point)) {
    auto text = digits.substr(0, 1);
    if (size > 1) text += "." + digits.substr(1);
    return text + "e" + std::to_string(point - 1);
  }
  if (point <= 0) return "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (size <= point) return digits + std::string(static_cast<std::size_t>(point - size), '0') + ".0";
  return digits.substr(0, static_cast<std::size_t>(point)) + "." + digits.substr(static_cast<std::size_t>(point));
}

void print_array(JsonSink& out, const JsonValue& value, const JsonPlaceholders* placeholders) {
  out.append("[");
  bool first = true;
  for (const auto& item : value.items()) {
    if (!first) out.append(", ");
    first = false;
    print_json(out, item, placeholders);
  }
  out.append("]");
}

void print_object(JsonSink& out, const JsonValue& value, const JsonPlaceholders* placeholders) {
  out.append("{");
  bool first = true;
  for (const auto& [key, member] : value.members()) {
    if (!first) out.append(", ");
    first = false;
    print_json_string(out, key);
    out.append(": ");
    print_json(out, member, placeholders);
  }
  out.append("}");
}

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void print_opaque(JsonSink& out, const JsonValue& value) {
  out.append("\"base64:type" + std::to_string(value.field_type()) + ":");
  const std::string_view bytes = value.text();
  std::string line;
  // The server breaks base64 after 76 characters (mysql-server include/base64.h), and JSON escapes the break.
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    if (i > 0 && i % 57 == 0) line += "\\n";
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) line += i + k <= bytes.size() ? base64_digits[group >> (18 - 6 * k) & 63] : '=';
    if (line.size() > 4096) {
      out.append(line);
      line.clear();
    }
  }
  out.append(line);
  out.append("\"");
}

}  // namespace

void print_json_string(JsonSink& out, std::string_view text) {
  out.append("\"");
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(done, i - done));
    done = i + 1;
    switch (c) {
      case '"':
        out.append("\\\"");
        break;
      case '\\':
        out.append("\\\\");
        break;
      case '\b':
        out.append("\\b");
        break;
      case '\f':
        out.append("\\f");
        break;
      case '\n':
        out.append("\\n");
        break;
      case '\r':
        out.append("\\r");
        break;
      case '\t':
        out.append("\\t");
        break;
      default: {
        constexpr std::string_view hex = "0123456789abcdef";
        const std::array<char, 6> escape{'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        out.append({escape.data(), escape.size()});
      }
    }
  }
  out.append(text.substr(done));
  out.append("\"");
}

void print_json(JsonSink& out, const JsonValue& value, const JsonPlaceholders* placeholders) {
  if (placeholders != nullptr && placeholders->contains(&value)) {
    out.append("null");
    return;
  }
  switch (value.kind()) {
    case JsonKind::null:
      out.append("null");
      return;
    case JsonKind::boolean:
      out.append(value.as_boolean() ? "true" : "false");
      return;
    case JsonKind::signed_integer:
      out.append(std::to_string(value.as_signed()));
      return;
    case JsonKind::unsigned_integer:
      out.append(std::to_string(value.as_unsigned()));
      return;
    case JsonKind::real: {
      std::string text;
      append_json_real(text, value.as_real());
      out.append(text);
      return;
    }
    case JsonKind::decimal:
      out.append(value.text());
      return;
    case JsonKind::string:
      print_json_string(out, value.text());
      return;
    case JsonKind::date:
    case JsonKind::time:
    case JsonKind::datetime:
    case JsonKind::timestamp:
      out.append("\"");
      out.append(value.text());
      out.append("\"");
      return;
    case JsonKind::opaque:
      print_opaque(out, value);
      return;
    case JsonKind::array:
      print_array(out, value, placeholders);
      return;
    case JsonKind::object:
      print_object(out, value, placeholders);
      return;
  }
}

void append_json_real(std::string& out, double value) {
  if (value < 0 || (value == 0 && 1 / value < 0)) {
    out += '-';
    value = -value;
  }
  out += value == 0 ? "0.0" : real_text(value);
}

void append_json_text(std::string& out, const JsonValue& value) {
  StringSink sink(out);
  print_json(sink, value, nullptr);
}

std::string json_text(const JsonValue& value) {
  std::string text;
  append_json_text(text, value);
  return text;
}

}  // namespace reseal::sql
