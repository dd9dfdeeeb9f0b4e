// SPDX-License-Identifier: Apache-2.0
#include "rds/form.hpp"

namespace reseal::rds {
namespace {

// Not isalnum: that one asks the locale.
bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

enum class Space { as_hex, as_plus };

void append_encoded(std::string& out, std::string_view text, Space space) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    if (unreserved(c)) {
      out += c;
      continue;
    }
    if (c == ' ' && space == Space::as_plus) {
      out += '+';
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  append_encoded(out, text, Space::as_hex);
  return out;
}

Form::Form(std::string_view action, std::string_view version) : action_(action) {
  add("Action", action_);
  add("Version", std::string(version));
}

void Form::add(std::string name, const std::optional<std::string>& value) {
  if (value) add(std::move(name), *value);
}

void Form::add(std::string name, const std::optional<int>& value) {
  if (value) add(std::move(name), std::to_string(*value));
}

void Form::add(std::string name, const std::optional<bool>& value) {
  if (value) add(std::move(name), std::string(*value ? "true" : "false"));
}

void Form::add_list(const std::string& name, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) add(name + "." + std::to_string(i + 1), values[i]);
}

void Form::add_tags(const Tags& tags) {
  int number = 0;
  for (const auto& [key, value] : tags) {
    const auto prefix = "Tags.Tag." + std::to_string(++number);
    add(prefix + ".Key", key);
    add(prefix + ".Value", value);
  }
}

base::Secret Form::encode() const {
  std::size_t most = 0;
  for (const auto& [name, value] : fields_) most += 2 + 3 * (name.size() + value.reveal().size());
  // Never grows, which would leave a copy of a secret behind.
  std::string out;
  out.reserve(most);
  for (const auto& [name, value] : fields_) {
    if (!out.empty()) out += '&';
    append_encoded(out, name, Space::as_plus);
    out += '=';
    append_encoded(out, value.reveal(), Space::as_plus);
  }
  return base::Secret(std::move(out));
}

}  // namespace reseal::rds
