// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/form.hpp"

#include <algorithm>
#include <charconv>

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr std::size_t max_fields = 2000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      result += ' ';
    } else if (text[i] != '%') {
      result += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        throw ApiError(400, "MalformedQueryString", "The query string has a percent sign that begins no byte.");
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

bool parse_flag(const std::string& name, const std::string& value) {
  const auto word = lower(value);
  if (word == "true") return true;
  if (word == "false") return false;
  throw invalid_value("Invalid value for " + name + ": it must be true or false.");
}

int parse_number(const std::string& name, const std::string& value) {
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size())
    throw invalid_value("Invalid value for " + name + ": it must be an integer.");
  return number;
}

Form Form::parse(std::string_view body) {
  Form form;
  while (!body.empty()) {
    const auto end = std::min(body.find('&'), body.size());
    const auto field = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (field.empty()) continue;
    const auto equals = std::min(field.find('='), field.size());
    const auto value = field.substr(std::min(equals + 1, field.size()));
    form.fields_[decoded(field.substr(0, equals))] = decoded(value);
    if (form.fields_.size() > max_fields)
      throw ApiError(400, "MalformedQueryString", "The request has too many parameters.");
  }
  return form;
}

std::optional<std::string> Form::find(const std::string& name) const {
  const auto found = fields_.find(name);
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

std::string Form::text(const std::string& name, const std::string& otherwise) const {
  return find(name).value_or(otherwise);
}

std::string Form::required(const std::string& name) const {
  auto value = text(name);
  if (value.empty()) throw ApiError(400, "MissingParameter", "The request must contain the parameter " + name + ".");
  return value;
}

bool Form::flag(const std::string& name, bool otherwise) const {
  const auto value = find(name);
  return value ? parse_flag(name, *value) : otherwise;
}

int Form::number(const std::string& name, int otherwise) const {
  const auto value = find(name);
  return value ? parse_number(name, *value) : otherwise;
}

Form Form::below(const std::string& prefix) const {
  Form result;
  for (auto field = fields_.lower_bound(prefix); field != fields_.end() && field->first.starts_with(prefix); ++field)
    result.fields_[field->first.substr(prefix.size())] = field->second;
  return result;
}

namespace {

/// "Tags.Tag.3"
std::string numbered(const std::string& name, const std::string& word, std::size_t number) {
  std::string text = name;
  return text.append(".").append(word).append(".").append(std::to_string(number));
}

}  // namespace

std::vector<std::string> Form::list(const std::string& name, const std::string& member) const {
  for (const auto& word : {member, std::string("member")}) {
    std::vector<std::string> result;
    while (const auto value = find(numbered(name, word, result.size() + 1))) result.push_back(*value);
    if (!result.empty()) return result;
  }
  return {};
}

std::vector<Form> Form::structures(const std::string& name, const std::string& member) const {
  for (const auto& word : {member, std::string("member")}) {
    std::vector<Form> result;
    for (;;) {
      auto element = below(numbered(name, word, result.size() + 1) + ".");
      if (element.fields_.empty()) break;
      result.push_back(std::move(element));
    }
    if (!result.empty()) return result;
  }
  return {};
}

}  // namespace reseal::sandbox::rds
