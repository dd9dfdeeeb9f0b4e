// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reseal::sql {

/// `name` as a quoted identifier, backticks doubled. Throws Failure(unsupported) for a name with a NUL byte or an
/// empty one: no server accepts it. Safe under every sql_mode.
std::string quote_name(std::string_view name);
/// `schema`.`name`
std::string quote_name(std::string_view schema, std::string_view name);

/// `text` as a string literal for a session whose sql_mode lacks NO_BACKSLASH_ESCAPES (all of ours pin it) and whose
/// character_set_client is utf8mb4 or binary.
std::string quote_text(std::string_view text);

/// Appends `bytes` as an escaped literal body (no quotes) to `out`: the escapes of mysql_real_escape_string.
void append_escaped(std::string& out, std::string_view bytes);
/// Appends `_binary'…'`: the bytes exactly, whatever the connection's character set.
void append_binary_literal(std::string& out, std::string_view bytes);

}  // namespace reseal::sql
