// SPDX-License-Identifier: Apache-2.0
#include "provision/create_table.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "provision/sql_tokens.hpp"
#include "sql/quote.hpp"

namespace reseal::provision {
namespace {

using Tokens = std::vector<Token>;

bool one_of(const Token& token, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return token.is_word(word); });
}

// Options that name a file, a tablespace or another server: the target has none of these.
bool ties_down(const Tokens& tokens, std::size_t i) {
  if (one_of(tokens[i], {"TABLESPACE", "CONNECTION", "UNION"})) return true;
  return one_of(tokens[i], {"DATA", "INDEX"}) && i + 1 < tokens.size() && tokens[i + 1].is_word("DIRECTORY");
}

class Parser {
 public:
  Parser(std::string_view statement, Tokens tokens) : statement_(statement), tokens_(std::move(tokens)) {}

  base::Result<CreateTable> run() {
    std::size_t at = 0;
    for (const auto word : {"CREATE", "TABLE"})
      if (at >= tokens_.size() || !tokens_[at++].is_word(word)) return base::BadInput{"not a CREATE TABLE statement"};
    if (at >= tokens_.size() || tokens_[at].kind != TokenKind::quoted_name) return base::BadInput{"no table name"};
    table_.name = tokens_[at++].name();
    if (at >= tokens_.size() || tokens_[at].kind != TokenKind::open) return base::BadInput{"no list of columns"};
    at = elements(at + 1);
    if (bad_.empty()) options(at);
    if (!bad_.empty()) return base::BadInput{"table " + table_.name + ": " + bad_};
    return std::move(table_);
  }

 private:
  std::string text(std::size_t first, std::size_t last) const {
    return std::string(statement_.substr(tokens_[first].begin, tokens_[last].end() - tokens_[first].begin));
  }

  // Returns the first token after the closing parenthesis. The tokenizer has seen that it is there.
  std::size_t elements(std::size_t at) {
    std::size_t first = at;
    for (; at < tokens_.size(); ++at) {
      const auto& token = tokens_[at];
      const bool end = token.kind == TokenKind::close && token.depth == 0;
      if (!end && !(token.kind == TokenKind::comma && token.depth == 1)) continue;
      if (first == at) {
        bad_ = "an empty element";
        return at;
      }
      element(first, at);
      first = at + 1;
      if (end || !bad_.empty()) return at + 1;
    }
    return at;
  }

  void element(std::size_t first, std::size_t end) {
    Element element;
    element.text = text(first, end - 1);
    if (tokens_[first].kind == TokenKind::quoted_name) {
      element.name = tokens_[first].name();
      for (auto i = first; i < end; ++i) element.auto_increment |= tokens_[i].is_word("AUTO_INCREMENT");
      element.create_text = without_inherited_collation(first, end);
    } else if (!key_or_constraint(first, end, element)) {
      bad_ = "an element that starts with " + std::string(tokens_[first].text.substr(0, 20));
      return;
    }
    if (element.create_text.empty()) element.create_text = element.text;
    table_.elements.push_back(std::move(element));
  }

  std::string without_inherited_collation(std::size_t first, std::size_t end) const {
    std::size_t collate = end;
    for (auto i = first; i + 1 < end; ++i) {
      if (tokens_[i].depth != 1) continue;
      if (tokens_[i].is_word("CHARACTER") && tokens_[i + 1].is_word("SET")) return text(first, end - 1);
      if (tokens_[i].is_word("COLLATE")) collate = i;
    }
    if (collate == end) return text(first, end - 1);
    const auto head = text(first, collate - 1);
    return collate + 2 < end ? head + " " + text(collate + 2, end - 1) : head;
  }

  bool key_or_constraint(std::size_t at, std::size_t end, Element& element) {
    if (tokens_[at].is_word("CONSTRAINT")) {
      if (at + 2 >= end) return false;
      element.name = tokens_[at + 1].name();
      at += 2;
      if (tokens_[at].is_word("CHECK"))
        element.kind = ElementKind::check;
      else if (tokens_[at].is_word("FOREIGN"))
        element.kind = ElementKind::foreign_key;
      else
        return false;
      return true;
    }
    if (tokens_[at].is_word("PRIMARY"))
      element.kind = ElementKind::primary_key;
    else if (tokens_[at].is_word("UNIQUE"))
      element.kind = ElementKind::unique_key;
    else if (tokens_[at].is_word("FULLTEXT"))
      element.kind = ElementKind::fulltext_key;
    else if (tokens_[at].is_word("SPATIAL"))
      element.kind = ElementKind::spatial_key;
    else if (tokens_[at].is_word("KEY"))
      element.kind = ElementKind::plain_key;
    else
      return false;
    return key_parts(at, end, element);
  }

  bool key_parts(std::size_t at, std::size_t end, Element& element) {
    while (at < end && tokens_[at].kind == TokenKind::word) ++at;
    if (element.kind != ElementKind::primary_key) {
      if (at >= end || tokens_[at].kind != TokenKind::quoted_name) return false;
      element.name = tokens_[at++].name();
    }
    while (at < end && tokens_[at].kind != TokenKind::open) ++at;
    if (at + 1 >= end) return false;
    if (tokens_[at + 1].kind == TokenKind::quoted_name) element.first_column = tokens_[at + 1].name();
    return true;
  }

  void options(std::size_t at) {
    const auto partition = std::find_if(tokens_.begin() + static_cast<std::ptrdiff_t>(at), tokens_.end(),
                                        [](const Token& t) { return t.depth == 0 && t.is_word("PARTITION"); });
    auto end = static_cast<std::size_t>(partition - tokens_.begin());
    if (end < tokens_.size() && end > at && tokens_[end - 1].kind == TokenKind::comment_open) --end;
    table_.options = without_encryption(at, end, true);
    table_.partitions = without_encryption(end, tokens_.size(), false);
    for (std::size_t i = at; i < tokens_.size(); ++i) refuse(i, end);
    if (table_.engine.empty()) bad_ = "no ENGINE";
  }

  // A word after `(` or `,` inside the partition clause could only be a name, which the server quotes when it must.
  void refuse(std::size_t i, std::size_t partitions) {
    const bool in_partition_options = i >= partitions && tokens_[i].depth <= 2;
    if ((i >= partitions && !in_partition_options) || !ties_down(tokens_, i)) return;
    if (i > 0 && one_of(tokens_[i - 1], {"PARTITION", "SUBPARTITION"})) return;
    auto option = std::string(tokens_[i].text);
    if (one_of(tokens_[i], {"DATA", "INDEX"})) option += " DIRECTORY";
    table_.refused_options.push_back(std::move(option));
  }

  // ENCRYPTION [=] 'x'. The next token after it, or `i` when there is none here.
  std::size_t after_encryption(std::size_t i, std::size_t end) const {
    if (!tokens_[i].is_word("ENCRYPTION")) return i;
    const auto value = i + 1 < end && tokens_[i + 1].is_symbol('=') ? i + 2 : i + 1;
    return value < end && tokens_[value].kind == TokenKind::text ? value + 1 : i;
  }

  // The text of [first, end) with what the rebuilt statement says itself cut out. A versioned comment that held
  // nothing else goes with it.
  std::string without_encryption(std::size_t first, std::size_t end, bool table_options) {
    std::string out;
    std::size_t kept = first;
    const auto keep_to = [&](std::size_t i) {
      if (i > kept) append(out, text(kept, i - 1));
    };
    for (std::size_t i = first; i < end;) {
      const bool wrapped = tokens_[i].kind == TokenKind::comment_open && i + 1 < end;
      auto next = after_encryption(wrapped ? i + 1 : i, end);
      if (wrapped) next = next > i + 1 && next < end && tokens_[next].kind == TokenKind::comment_close ? next + 1 : i;
      if (next == i && table_options) next = after_own_option(i, end);
      if (next == i) {
        ++i;
        continue;
      }
      keep_to(i);
      kept = i = next;
    }
    keep_to(end);
    return out;
  }

  static void append(std::string& out, const std::string& more) {
    if (!out.empty()) out += ' ';
    out += more;
  }

  // ENGINE=x is noted and kept; AUTO_INCREMENT=n is noted and cut out.
  std::size_t after_own_option(std::size_t i, std::size_t end) {
    if (i + 2 >= end || !tokens_[i + 1].is_symbol('=')) return i;
    if (tokens_[i].is_word("ENGINE")) table_.engine = tokens_[i + 2].name();
    if (!tokens_[i].is_word("AUTO_INCREMENT")) return i;
    table_.auto_increment = tokens_[i + 2].text;
    return i + 3;
  }

  std::string_view statement_;
  Tokens tokens_;
  CreateTable table_;
  std::string bad_;
};

// InnoDB makes this index itself when a FULLTEXT index finds it missing, and then refuses ours (MySQL manual, "InnoDB
// Full-Text Indexes").
constexpr std::string_view fulltext_document_key = "FTS_DOC_ID_INDEX";

// The key that an AUTO_INCREMENT column needs when neither the primary key nor the row key starts with it.
const Element* auto_increment_key(const CreateTable& table, std::string_view row_key) {
  const auto column =
      std::find_if(table.elements.begin(), table.elements.end(), [](const Element& e) { return e.auto_increment; });
  if (column == table.elements.end()) return nullptr;
  const Element* found = nullptr;
  for (const auto& e : table.elements) {
    const bool ordered =
        e.kind == ElementKind::primary_key || e.kind == ElementKind::unique_key || e.kind == ElementKind::plain_key;
    if (!ordered || e.first_column != column->name) continue;
    if (e.kind == ElementKind::primary_key || e.name == row_key) return nullptr;
    if (found == nullptr || e.kind == ElementKind::plain_key) found = &e;
  }
  return found;
}

}  // namespace

bool Element::secondary_key() const {
  return kind == ElementKind::plain_key || kind == ElementKind::unique_key || kind == ElementKind::fulltext_key ||
         kind == ElementKind::spatial_key;
}

base::Result<CreateTable> parse_create_table(std::string_view statement) {
  auto tokens = tokenize(statement);
  if (!tokens) return tokens.bad();
  return Parser(statement, std::move(tokens).value()).run();
}

CreatePlan plan_create(const CreateTable& table, std::string_view row_key) {
  CreatePlan plan;
  const Element* counter_key = auto_increment_key(table, row_key);
  // Indexes keep the order they are made in, so the plain keys ahead of the counter's come with it.
  bool ahead = counter_key != nullptr && counter_key->kind == ElementKind::plain_key;
  for (const auto& e : table.elements) {
    const bool is_row_key = e.kind == ElementKind::unique_key && (e.name == row_key || e.name == fulltext_document_key);
    if (e.kind == ElementKind::foreign_key) {
      plan.foreign.push_back(&e);
    } else if (e.kind == ElementKind::unique_key && !is_row_key) {
      plan.unique.push_back(&e);
      if (&e == counter_key) {
        plan.stand_in = &e;
        plan.now.push_back(&e);
      }
    } else if (e.secondary_key() && !is_row_key && !ahead) {
      plan.plain.push_back(&e);
    } else {
      plan.now.push_back(&e);
      if (&e == counter_key) ahead = false;
    }
  }
  return plan;
}

std::string plain_key_text(const Element& unique_key) {
  RESEAL_CHECK(unique_key.kind == ElementKind::unique_key && unique_key.text.size() > 6);
  return unique_key.text.substr(unique_key.text.find_first_not_of(' ', 6));
}

std::string create_statement(const CreateTable& table, std::string_view schema, const CreatePlan& plan) {
  refuse_unmovable(table, schema);
  std::string statement = "CREATE TABLE " + sql::quote_name(schema, table.name) + " (\n";
  for (std::size_t i = 0; i < plan.now.size(); ++i)
    statement += (i == 0 ? "  " : ",\n  ") +
                 (plan.now[i] == plan.stand_in ? plain_key_text(*plan.now[i]) : plan.now[i]->create_text);
  statement += "\n) " + table.options;
  if (!table.auto_increment.empty()) statement += " AUTO_INCREMENT=" + table.auto_increment;
  statement += " ENCRYPTION='Y'";
  if (!table.partitions.empty()) statement += "\n" + table.partitions;
  return statement;
}

void refuse_unmovable(const CreateTable& table, std::string_view schema) {
  const auto refuse = [&](const std::string& why) {
    throw base::Failure(base::FailureKind::refused, "table " + std::string(schema) + "." + table.name + " " + why +
                                                        "; change the table on the source first");
  };
  if (table.engine != "InnoDB") refuse("uses the engine " + table.engine + ", and only InnoDB can be encrypted");
  if (!table.refused_options.empty())
    refuse("has the option " + table.refused_options[0] + ", which names a place the target does not have");
}

std::string alter_statement(const CreateTable& table, std::string_view schema,
                            const std::vector<const Element*>& elements, const std::string& first) {
  std::string statement = "ALTER TABLE " + sql::quote_name(schema, table.name) + " " + first;
  for (std::size_t i = 0; i < elements.size(); ++i)
    statement += (i == 0 && first.empty() ? "ADD " : ", ADD ") + elements[i]->text;
  return statement;
}

}  // namespace reseal::provision
