// SPDX-License-Identifier: Apache-2.0
#include "sql/quote.hpp"

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

void append_escaped(std::string& out, std::string_view bytes) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char escape = 0;
    switch (bytes[i]) {
      case '\0':
        escape = '0';
        break;
      case '\n':
        escape = 'n';
        break;
      case '\r':
        escape = 'r';
        break;
      case '\\':
        escape = '\\';
        break;
      case '\'':
        escape = '\'';
        break;
      case '"':
        escape = '"';
        break;
      case '\x1A':
        escape = 'Z';
        break;
      default:
        continue;
    }
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
