// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reseal::provision {

enum class TokenKind {
  word,           ///< an unquoted identifier, keyword or number
  quoted_name,    ///< `name`
  text,           ///< '…' or "…", quotes included
  open,           ///< (
  close,          ///< )
  comma,          ///< ,
  symbol,         ///< any other single byte: = @ . + …
  comment_open,   ///< /*!80016 : what follows is statement text to the server
  comment_close,  ///< the closing mark of the above
};

/// One token. `text` is a view of the statement; `depth` counts the parentheses open around it.
struct Token {
  TokenKind kind;
  std::string_view text;
  std::size_t begin = 0;  ///< byte offset in the statement
  int depth = 0;

  std::size_t end() const { return begin + text.size(); }
  /// Whether this is the unquoted word `upper`, in any case. `upper` is given in upper case.
  bool is_word(std::string_view upper) const;
  bool is_symbol(char symbol) const { return kind == TokenKind::symbol && text[0] == symbol; }
  /// The name without its backticks, or the word as it stands.
  std::string name() const;
};

/// Splits statement text that a server printed (SHOW CREATE, SHOW GRANTS) under an sql_mode without
/// NO_BACKSLASH_ESCAPES. Views point into `statement`. Plain comments are dropped; an open quote, comment or
/// parenthesis at the end is bad input.
base::Result<std::vector<Token>> tokenize(std::string_view statement);

/// The tokens up to the first thing that cannot be split: for the head of a statement whose body was written under
/// settings we do not know.
std::vector<Token> leading_tokens(std::string_view statement);

}  // namespace reseal::provision
