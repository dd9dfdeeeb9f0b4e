// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "sql/json.hpp"

namespace reseal::sql {
namespace {

using base::BadInput;
using base::Result;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Recursive descent, one method per rule of JSON's grammar (RFC 8259). The first error sticks.
class JsonParser {
 public:
  explicit JsonParser(std::string_view text) : text_(text) {}

  Result<JsonValue> document() {
    auto root = value(0);
    space();
    if (error_.empty() && at_ != text_.size()) fail("more text after the document");
    if (!error_.empty()) return BadInput{"JSON text: " + error_};
    return root;
  }

 private:
  bool fail(std::string_view why) {
    if (error_.empty()) error_ = std::string(why) + " at byte " + std::to_string(at_);
    return false;
  }
  bool ok() const { return error_.empty(); }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void space() {
    while (at_ < text_.size() && (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r')) ++at_;
  }

  bool accept(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  JsonValue value(unsigned depth) {
    space();
    switch (peek()) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"':
        return JsonValue::string(string());
      case 't':
        return word("true", JsonValue::boolean(true));
      case 'f':
        return word("false", JsonValue::boolean(false));
      case 'n':
        return word("null", JsonValue());
      default:
        return number();
    }
  }

  JsonValue word(std::string_view expected, JsonValue meaning) {
    if (text_.substr(at_, expected.size()) != expected) {
      fail("unknown word");
      return {};
    }
    at_ += expected.size();
    return meaning;
  }

  JsonValue array(unsigned depth) {
    JsonValue::Array items;
    if (depth > json_max_depth) fail("nested deeper than 100");
    ++at_;
    if (accept(']')) return JsonValue::array({});
    while (ok()) {
      items.push_back(value(depth));
      if (!ok() || accept(']')) break;
      if (!accept(',')) fail("expected , or ]");
    }
    return JsonValue::array(std::move(items));
  }

  JsonValue object(unsigned depth) {
    JsonValue::Object members;
    if (depth > json_max_depth) fail("nested deeper than 100");
    ++at_;
    if (accept('}')) return JsonValue::object({});
    while (ok()) {
      space();
      if (peek() != '"') fail("expected a key");
      if (!ok()) break;
      auto key = string();
      if (ok() && !accept(':')) fail("expected :");
      if (!ok()) break;
      members.push_back({std::move(key), value(depth)});
      if (!ok() || accept('}')) break;
      if (!accept(',')) fail("expected , or }");
    }
    return JsonValue::object(std::move(members));
  }

  std::string string() {
    std::string out;
    ++at_;
    while (ok()) {
      const auto from = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20)
        ++at_;
      out.append(text_, from, at_ - from);
      if (at_ >= text_.size()) {
        fail("string without its end");
      } else if (text_[at_] == '"') {
        ++at_;
        break;
      } else if (text_[at_] == '\\') {
        escape(out);
      } else {
        fail("control character in a string");
      }
    }
    return out;
  }

  void escape(std::string& out) {
    ++at_;
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out += c;
        return;
      case 'b':
        out += '\b';
        return;
      case 'f':
        out += '\f';
        return;
      case 'n':
        out += '\n';
        return;
      case 'r':
        out += '\r';
        return;
      case 't':
        out += '\t';
        return;
      case 'u':
        unicode(out);
        return;
      default:
        fail("unknown escape");
    }
  }

  std::uint32_t hex4() {
    std::uint32_t code = 0;
    const auto digits = text_.substr(std::min(at_, text_.size()), 4);
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || end.ptr != digits.data() + 4 || digits[0] == '-') fail("bad \\u escape");
    at_ += digits.size();
    return code;
  }

  void unicode(std::string& out) {
    auto code = hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      if (text_.substr(std::min(at_, text_.size()), 2) != "\\u") {
        fail("lone surrogate");
        return;
      }
      at_ += 2;
      const auto low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) {
        fail("lone surrogate");
        return;
      }
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      fail("lone surrogate");
      return;
    }
    append_utf8(out, code);
  }

  static void append_utf8(std::string& out, std::uint32_t code) {
    const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | code >> 12);
      tail(6);
      tail(0);
    } else {
      out += static_cast<char>(0xF0 | code >> 18);
      tail(12);
      tail(6);
      tail(0);
    }
  }

  bool digits() {
    if (!digit(peek())) return fail("expected a digit");
    while (digit(peek())) ++at_;
    return true;
  }

  JsonValue number() {
    const auto from = at_;
    bool integer = true;
    if (peek() == '-') ++at_;
    if (peek() == '0')
      ++at_;
    else
      digits();
    if (peek() == '.') {
      integer = false;
      ++at_;
      digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      integer = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      digits();
    }
    return ok() ? number_of(text_.substr(from, at_ - from), integer) : JsonValue();
  }

  JsonValue number_of(std::string_view text, bool integer) {
    const auto* end = text.data() + text.size();
    if (integer && text != "-0") {
      std::int64_t small = 0;
      if (std::from_chars(text.data(), end, small).ec == std::errc()) return JsonValue::signed_integer(small);
      std::uint64_t large = 0;
      if (text[0] != '-' && std::from_chars(text.data(), end, large).ec == std::errc())
        return JsonValue::unsigned_integer(large);
    }
    double value = 0;
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() && underflows(text)) return JsonValue::real(text[0] == '-' ? -0.0 : 0.0);
    if (parsed.ec != std::errc()) fail("number out of range");
    return JsonValue::real_text(std::string(text));
  }

  /// from_chars has one code for both ends of the range; below it the value is zero.
  static bool underflows(std::string_view text) { return text.find("e-") != text.npos || text.find("E-") != text.npos; }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

Result<JsonValue> parse_json_text(std::string_view text) { return JsonParser(text).document(); }

}  // namespace reseal::sql
