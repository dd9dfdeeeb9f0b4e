// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reseal::follow {

/// What a statement in the binary log means for a row follower.
enum class StatementVerdict {
  harmless,         ///< changes no row and no table: ANALYZE, FLUSH, temporary tables
  compared_later,   ///< views, routines, triggers, events, accounts: the comparison before the switch sees them
  changes_a_table,  ///< DDL on tables, indexes or databases, TRUNCATE: the run must stop
  changes_rows      ///< DML written as a statement: the run must stop
};

/// Judges by the leading keywords only, comments skipped; anything not known is `changes_rows`, so that nothing unknown
/// is ever let through. Only statements that change nothing we copy are let through by name.
StatementVerdict judge_statement(std::string_view text);

/// The leading keywords, for messages: never values.
std::string leading_words(std::string_view text);

}  // namespace reseal::follow
