// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reseal::seed {

/// Whether a document's text loses something, judged by it and the list of `json_parts_expression`: cheap, and true too
/// often rather than too seldom (a double may or may not survive).
bool may_lose_by_text(std::string_view text, std::string_view parts);

/// The SQL expression that rebuilds the document exactly, from its text and its parts' types. Empty when the text says
/// everything after all. Throws Failure(unsupported) when text and types do not fit each other or a part has no
/// expression.
std::string rebuild_expression(std::string_view text, std::string_view parts);

}  // namespace reseal::seed
