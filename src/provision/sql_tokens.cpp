// SPDX-License-Identifier: Apache-2.0
#include "provision/sql_tokens.hpp"

#include <cctype>

namespace reseal::provision {
namespace {

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Bytes above 0x7F belong to names: a server quotes names that need it, but a word never ends inside a character.
bool word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || digit(c) || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view statement) : statement_(statement) {}

  std::vector<Token> leading() {
    while (bad_.empty() && at_ < statement_.size()) step();
    return std::move(tokens_);
  }

  base::Result<std::vector<Token>> run() {
    while (bad_.empty() && at_ < statement_.size()) step();
    if (bad_.empty() && depth_ != 0) bad_ = "a parenthesis is left open";
    if (bad_.empty() && in_comment_) bad_ = "a versioned comment is left open";
    if (!bad_.empty()) return base::BadInput{bad_};
    return std::move(tokens_);
  }

 private:
  bool next_is(std::string_view text) const { return statement_.substr(at_, text.size()) == text; }

  void add(TokenKind kind, std::size_t size) {
    tokens_.push_back({kind, statement_.substr(at_, size), at_, depth_});
    at_ += size;
  }

  void step() {
    const char c = statement_[at_];
    if (space(c)) {
      ++at_;
    } else if (c == '`') {
      quoted(TokenKind::quoted_name);
    } else if (c == '\'' || c == '"') {
      quoted(TokenKind::text);
    } else if (next_is("/*")) {
      comment();
    } else if (in_comment_ && next_is("*/")) {
      in_comment_ = false;
      add(TokenKind::comment_close, 2);
    } else if (word_byte(c)) {
      std::size_t size = 1;
      while (at_ + size < statement_.size() && word_byte(statement_[at_ + size])) ++size;
      add(TokenKind::word, size);
    } else {
      punctuation(c);
    }
  }

  void punctuation(char c) {
    if (c == '(') {
      add(TokenKind::open, 1);
      ++depth_;
    } else if (c == ')') {
      if (--depth_ < 0) bad_ = "a parenthesis closes that was never opened";
      add(TokenKind::close, 1);
    } else {
      add(c == ',' ? TokenKind::comma : TokenKind::symbol, 1);
    }
  }

  // A doubled quote stands for itself in both forms; a backslash escapes in texts only.
  void quoted(TokenKind kind) {
    const char quote = statement_[at_];
    for (std::size_t i = at_ + 1; i < statement_.size(); ++i) {
      if (statement_[i] == '\\' && kind == TokenKind::text) {
        ++i;
      } else if (statement_[i] == quote) {
        if (i + 1 < statement_.size() && statement_[i + 1] == quote)
          ++i;
        else
          return add(kind, i + 1 - at_);
      }
    }
    bad_ = "a quote is left open";
  }

  void comment() {
    const auto versioned = next_is("/*!");
    if (versioned && !in_comment_) {
      std::size_t size = 3;
      while (at_ + size < statement_.size() && digit(statement_[at_ + size])) ++size;
      in_comment_ = true;
      return add(TokenKind::comment_open, size);
    }
    const auto end = statement_.find("*/", at_ + 2);
    if (end == std::string_view::npos)
      bad_ = "a comment is left open";
    else
      at_ = end + 2;
  }

  std::string_view statement_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool in_comment_ = false;
  std::string bad_;
  std::vector<Token> tokens_;
};

}  // namespace

bool Token::is_word(std::string_view wanted) const {
  if (kind != TokenKind::word || text.size() != wanted.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (upper(text[i]) != wanted[i]) return false;
  return true;
}

std::string Token::name() const {
  if (kind != TokenKind::quoted_name) return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    out += text[i];
    if (text[i] == '`') ++i;
  }
  return out;
}

std::vector<Token> leading_tokens(std::string_view statement) { return Tokenizer(statement).leading(); }

base::Result<std::vector<Token>> tokenize(std::string_view statement) { return Tokenizer(statement).run(); }

}  // namespace reseal::provision
