// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <unordered_set>

#include "sql/json.hpp"

namespace reseal::sql {

/// Where printed JSON goes, piece by piece: a string, or a string under SQL escaping, so that a large text is written
/// once.
class JsonSink {
 public:
  virtual ~JsonSink() = default;
  virtual void append(std::string_view piece) = 0;
};

/// Nodes that are printed as null, to be filled in later.
using JsonPlaceholders = std::unordered_set<const JsonValue*>;

/// Prints as json_text does. `placeholders` may be null.
void print_json(JsonSink& out, const JsonValue& value, const JsonPlaceholders* placeholders);
/// `text` quoted with JSON's escapes, as MySQL chooses them.
void print_json_string(JsonSink& out, std::string_view text);

}  // namespace reseal::sql
