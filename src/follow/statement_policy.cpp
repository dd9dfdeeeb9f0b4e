// SPDX-License-Identifier: Apache-2.0
#include "follow/statement_policy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace reseal::follow {
namespace {

/// The first `count` words in upper case. Plain comments are skipped; what stands in a versioned comment (/*!40005 …
/// */) is read, since the server runs it.
std::vector<std::string> words(std::string_view text, std::size_t count) {
  std::vector<std::string> out;
  std::size_t i = 0;
  const auto at = [&](std::string_view what) { return text.substr(i, what.size()) == what; };
  while (i < text.size() && out.size() < count) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (at("/*!")) {
      i += 3;
      while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i]))) ++i;
    } else if (at("*/")) {
      i += 2;
    } else if (at("/*")) {
      i = std::min(text.find("*/", i + 2), text.size() - 2) + 2;
    } else if (at("-- ") || c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (std::isalpha(c) || c == '_') {
      std::string word;
      while (i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_'))
        word += static_cast<char>(std::toupper(static_cast<unsigned char>(text[i++])));
      out.push_back(word);
    } else if (std::isspace(c)) {
      ++i;
    } else {
      break;  // a name, a number, an operator: the leading keywords are over
    }
  }
  return out;
}

template <std::size_t N>
bool one_of(const std::string& word, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 5> harmless = {"ANALYZE", "OPTIMIZE", "FLUSH", "CHECK", "REPAIR"};
constexpr std::array<std::string_view, 7> stored_objects = {"VIEW",  "PROCEDURE", "FUNCTION", "TRIGGER",
                                                            "EVENT", "USER",      "ROLE"};
constexpr std::array<std::string_view, 3> definitions = {"CREATE", "ALTER", "DROP"};
constexpr std::array<std::string_view, 11> between = {
    "OR", "REPLACE", "IF", "NOT", "EXISTS", "ALGORITHM", "UNDEFINED", "MERGE", "TEMPTABLE", "SQL", "AGGREGATE"};

/// What CREATE, ALTER or DROP is about: the first keyword that is none of the words that may stand between. A clause
/// such as DEFINER=`a`@`b` ends the keywords, and such a statement is always about a stored object.
StatementVerdict judge_definition(std::string_view text, const std::vector<std::string>& keywords) {
  for (std::size_t i = 1; i < keywords.size(); ++i) {
    if (keywords[i] == "TEMPORARY") return StatementVerdict::harmless;
    if (keywords[i] == "DEFINER") return StatementVerdict::compared_later;
    if (one_of(keywords[i], stored_objects)) return StatementVerdict::compared_later;
    if (!one_of(keywords[i], between)) break;
  }
  // CREATE ALGORITHM=UNDEFINED DEFINER=… VIEW: the '=' ended the keywords.
  if (keywords.size() >= 2 && keywords.back() == "ALGORITHM" && text.find('=') != std::string_view::npos)
    return StatementVerdict::compared_later;
  return StatementVerdict::changes_a_table;
}

}  // namespace

StatementVerdict judge_statement(std::string_view text) {
  const auto keywords = words(text, 6);
  if (keywords.empty()) return StatementVerdict::changes_rows;
  const auto& first = keywords.front();
  if (one_of(first, harmless)) return StatementVerdict::harmless;
  if (first == "GRANT" || first == "REVOKE") return StatementVerdict::compared_later;
  if (first == "SET" && keywords.size() > 1 && (keywords[1] == "PASSWORD" || keywords[1] == "DEFAULT"))
    return StatementVerdict::compared_later;
  if (first == "RENAME" && keywords.size() > 1 && keywords[1] == "USER") return StatementVerdict::compared_later;
  if (one_of(first, definitions)) return judge_definition(text, keywords);
  if (first == "TRUNCATE" || first == "RENAME" || first == "IMPORT") return StatementVerdict::changes_a_table;
  return StatementVerdict::changes_rows;
}

std::string leading_words(std::string_view text) {
  std::string out;
  for (const auto& word : words(text, 3)) out += (out.empty() ? "" : " ") + word;
  return out.empty() ? "a statement" : out;
}

}  // namespace reseal::follow
