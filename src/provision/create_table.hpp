// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace reseal::provision {

enum class ElementKind { column, primary_key, plain_key, unique_key, fulltext_key, spatial_key, foreign_key, check };

/// One element between the parentheses of CREATE TABLE, as the server printed it.
struct Element {
  ElementKind kind = ElementKind::column;
  std::string name;             ///< unquoted; empty for the primary key
  std::string text;             ///< verbatim, without the comma
  std::string create_text;      ///< what creates this element; see `parse_create_table`
  std::string first_column;     ///< of a key: its leading column; empty when that part is an expression
  bool auto_increment = false;  ///< of a column

  bool secondary_key() const;
};

/// SHOW CREATE TABLE taken apart. Element and option texts are verbatim, so that expressions, comments and versioned
/// comments pass as they are; only ENCRYPTION clauses are left out, because the rebuilt statement always says 'Y'.
struct CreateTable {
  std::string name;  ///< unquoted
  std::string engine;
  std::vector<Element> elements;
  std::string options;         ///< without ENCRYPTION and AUTO_INCREMENT
  std::string auto_increment;  ///< digits of AUTO_INCREMENT=, or empty
  std::string partitions;      ///< the PARTITION BY clause with its versioned comment, or empty
  /// Options that tie the table to a place or a server (DATA DIRECTORY, TABLESPACE, CONNECTION …), by name.
  std::vector<std::string> refused_options;
};

/// Takes the text of SHOW CREATE TABLE apart. Never throws on input.
/// A column that has the table's collation is shown with COLLATE but without CHARACTER SET when that collation is not
/// its character set's default (MySQL's sql_show.cc). Creating it from that text would make the collation the column's
/// own, so `create_text` leaves COLLATE out there; everywhere else it is `text`.
base::Result<CreateTable> parse_create_table(std::string_view statement);

/// Which elements a created table has from the start, and which come later.
struct CreatePlan {
  std::vector<const Element*> now;      ///< in the source's order
  std::vector<const Element*> plain;    ///< KEY, FULLTEXT, SPATIAL to add after the copy
  std::vector<const Element*> unique;   ///< UNIQUE to add once the follow has passed the seed
  std::vector<const Element*> foreign;  ///< FOREIGN KEY, added with the unique ones
  /// A unique key that an AUTO_INCREMENT column needs: in `now` as a plain key of the same name, replaced later.
  const Element* stand_in = nullptr;
};

/// Splits `table`: `row_key` is the name of the key that finds rows ("PRIMARY", a unique key's name, or empty).
/// The result points into `table`.
CreatePlan plan_create(const CreateTable& table, std::string_view row_key);

/// Throws Failure(refused), naming the table, for an engine other than InnoDB or an option that cannot move.
void refuse_unmovable(const CreateTable& table, std::string_view schema);

/// CREATE TABLE `schema`.`name` with what the plan has now, the options, ENCRYPTION='Y' and the partitions.
/// Throws as `refuse_unmovable` does.
std::string create_statement(const CreateTable& table, std::string_view schema, const CreatePlan& plan);

/// ALTER TABLE `schema`.`name` ADD <text>, ADD <text>…; `first` is put before the ADDs when given.
std::string alter_statement(const CreateTable& table, std::string_view schema,
                            const std::vector<const Element*>& elements, const std::string& first = {});

/// The UNIQUE key's text as that of a plain key.
std::string plain_key_text(const Element& unique_key);

}  // namespace reseal::provision
