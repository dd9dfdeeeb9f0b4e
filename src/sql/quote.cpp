// SPDX-License-Identifier: Apache-2.0
#include "sql/quote.hpp"

#include <algorithm>

#include "base/failure.hpp"

namespace reseal::sql {

std::string quote_name(std::string_view name) {
  if (name.empty() || name.find('\0') != std::string_view::npos)
    throw base::Failure(base::FailureKind::unsupported, "an identifier is empty or holds a NUL byte");
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out += '`';
}

std::string quote_name(std::string_view schema, std::string_view name) {
  return quote_name(schema) + "." + quote_name(name);
}

namespace {

/// The character behind the backslash, 0 for a byte that needs none.
char escape_of(char byte) {
  switch (byte) {
    case '\0':
      return '0';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\x1A':
      return 'Z';
    case '\\':
    case '\'':
    case '"':
      return byte;
    default:
      return 0;
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view bytes) {
  // A huge value is counted first, so that the string grows once and to the right size.
  constexpr std::size_t huge = 1 << 20;
  if (bytes.size() > huge)
    out.reserve(out.size() + bytes.size() + huge +
                static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), escape_of)));
  std::size_t done = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char escape = escape_of(bytes[i]);
    if (escape == 0) continue;
    out.append(bytes, done, i - done);
    out += '\\';
    out += escape;
    done = i + 1;
  }
  out.append(bytes, done);
}

std::string quote_text(std::string_view text) {
  std::string out = "'";
  append_escaped(out, text);
  return out += '\'';
}

void append_binary_literal(std::string& out, std::string_view bytes) {
  out += "_binary'";
  append_escaped(out, bytes);
  out += '\'';
}

}  // namespace reseal::sql
