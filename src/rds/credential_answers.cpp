// SPDX-License-Identifier: Apache-2.0
#include "rds/credential_answers.hpp"

#include <nlohmann/json.hpp>

namespace reseal::rds {
namespace {

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t length) {
  int value = 0;
  for (std::size_t i = at; i < at + length; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

base::Result<Credentials> complete(Credentials found, const std::string& expiration) {
  if (found.access_key_id.empty() || found.secret_access_key.empty() || found.session_token.empty())
    return base::BadInput{"the answer of " + found.origin + " lacks a key or the token"};
  const auto expires = parse_time(expiration);
  if (!expires.ok()) return base::BadInput{"the answer of " + found.origin + " has no valid Expiration"};
  found.expires = expires.value();
  return found;
}

}  // namespace

base::Result<Time> parse_time(std::string_view text) {
  const base::BadInput bad{"this is no time of the form 2026-11-25T08:00:00Z"};
  constexpr std::string_view shape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= shape.size() || text.back() != 'Z') return bad;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 'd' && text[i] != shape[i]) return bad;
  const auto fraction = text.substr(shape.size(), text.size() - shape.size() - 1);
  if (!fraction.empty() && (fraction.front() != '.' || fraction.find_first_not_of("0123456789", 1) != fraction.npos))
    return bad;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return bad;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return bad;
  return Time(std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
              std::chrono::seconds(*second));
}

base::Result<Credentials> credentials_of_json(std::string_view body, std::string_view origin) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return base::BadInput{"the answer of " + std::string(origin) + " is no JSON object"};
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  return complete({text("AccessKeyId"),
                   base::Secret(text("SecretAccessKey")),
                   base::Secret(text("Token")),
                   {},
                   std::string(origin)},
                  text("Expiration"));
}

base::Result<Credentials> credentials_of_xml(const XmlAnswer& answer, std::string_view origin) {
  const auto found = answer.result().child("Credentials");
  return complete({found.text("AccessKeyId"),
                   base::Secret(found.text("SecretAccessKey")),
                   base::Secret(found.text("SessionToken")),
                   {},
                   std::string(origin)},
                  found.text("Expiration"));
}

}  // namespace reseal::rds
