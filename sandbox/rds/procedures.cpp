// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/procedures.hpp"

#include <string_view>

#include "sandbox/rds/procedure_texts.hpp"

namespace reseal::sandbox::rds {
namespace {

// What the texts leave open.
struct Blank {
  std::string_view name;
  std::string_view text;
};

std::string filled(std::string text, const std::vector<Blank>& blanks) {
  for (const auto& blank : blanks)
    for (auto at = text.find(blank.name); at != std::string::npos; at = text.find(blank.name, at + blank.text.size()))
      text.replace(at, blank.name.size(), blank.text);
  return text;
}

struct ExternalSource {
  std::string_view suffix;
  bool position;
  bool delay;
};

std::string set_external(std::string_view word, const ExternalSource& variant) {
  return filled(
      texts::set_external,
      {{"{name}", variant.suffix},
       {"{position parameters}", variant.position ? "IN log_file TEXT, IN log_position BIGINT UNSIGNED, " : ""},
       {"{delay parameter}", variant.delay ? ", IN delay INT" : ""},
       {"{place}", variant.position ? "', SOURCE_AUTO_POSITION = 0, SOURCE_LOG_FILE = ', QUOTE(log_file), "
                                      "', SOURCE_LOG_POS = ', log_position"
                                    : "', SOURCE_AUTO_POSITION = 1'"},
       {"{delay}", variant.delay ? "delay" : "0"},
       {"{file}", variant.position ? "log_file" : "NULL"},
       {"{position}", variant.position ? "log_position" : "NULL"},
       {"{word}", word}});
}

void add_named(std::vector<std::string>& statements, std::string_view word) {
  for (const auto& variant : {ExternalSource{"", true, false}, ExternalSource{"_with_delay", true, true},
                              ExternalSource{"_with_auto_position", false, true}})
    statements.push_back(set_external(word, variant));
  for (const auto& text : texts::named) statements.push_back(filled(text, {{"{word}", word}}));
}

}  // namespace

std::vector<std::string> procedure_statements(ProcedureNames names) {
  std::vector<std::string> statements(texts::tables.begin(), texts::tables.end());
  statements.insert(statements.end(), texts::common.begin(), texts::common.end());
  if (names != ProcedureNames::master) add_named(statements, "source");
  if (names != ProcedureNames::source) add_named(statements, "master");
  return statements;
}

}  // namespace reseal::sandbox::rds
