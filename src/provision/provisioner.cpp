// SPDX-License-Identifier: Apache-2.0
#include "provision/provisioner.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "provision/create_table.hpp"
#include "provision/table_settings.hpp"
#include "sql/quote.hpp"

namespace reseal::provision {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;
using sql::quote_name;
using sql::quote_text;

CreateTable parsed(const sql::TableName& name, std::string_view statement) {
  return base::value_or_fail(parse_create_table(statement), "the definition of " + name.text());
}

std::string row_key_name(const sql::Table& table) {
  const auto* key = table.row_key();
  return key == nullptr ? std::string() : key->name;
}

std::optional<CreateTable> read_target_table(Session& target, const sql::TableName& name) {
  try {
    return parsed(name, target.query("SHOW CREATE TABLE " + name.quoted()).at(0).at(1).value_or(""));
  } catch (const Failure& failure) {
    if (failure.server_errno() == 1146) return std::nullopt;  // ER_NO_SUCH_TABLE
    throw;
  }
}

CreateTable must_read_target_table(Session& target, const sql::TableName& name) {
  auto table = read_target_table(target, name);
  if (!table) throw Failure(FailureKind::target, "table " + name.text() + " is missing on the target");
  return std::move(*table);
}

bool holds_text(const CreateTable& table, const std::string& text) {
  return std::any_of(table.elements.begin(), table.elements.end(), [&](const Element& e) { return e.text == text; });
}

const Element* key_named(const CreateTable& table, const std::string& name) {
  for (const auto& e : table.elements)
    if (e.secondary_key() && e.name == name) return &e;
  return nullptr;
}

bool has_foreign_key(const CreateTable& table, const std::string& name) {
  return std::any_of(table.elements.begin(), table.elements.end(),
                     [&](const Element& e) { return e.kind == ElementKind::foreign_key && e.name == name; });
}

// What stands on the target may lack what is added later, and must not hold anything else.
bool expected_shape(const CreateTable& wanted, const CreatePlan& plan, const CreateTable& found) {
  if (wanted.options != found.options || wanted.partitions != found.partitions) return false;
  for (const auto& element : found.elements) {
    const bool stands_in = plan.stand_in != nullptr && element.text == plain_key_text(*plan.stand_in);
    if (!stands_in && !holds_text(wanted, element.text)) return false;
  }
  return std::all_of(plan.now.begin(), plan.now.end(), [&](const Element* element) {
    return holds_text(found, element->text) ||
           (element == plan.stand_in && holds_text(found, plain_key_text(*element)));
  });
}

std::vector<const Element*> missing_keys(const std::vector<const Element*>& wanted, const CreateTable& found) {
  std::vector<const Element*> missing;
  for (const auto* element : wanted)
    if (key_named(found, element->name) == nullptr) missing.push_back(element);
  return missing;
}

// InnoDB builds one FULLTEXT index at a time in place; two in one statement would copy the table.
std::vector<std::string> plain_statements(const CreateTable& table, const std::string& schema,
                                          const std::vector<const Element*>& keys) {
  std::vector<const Element*> together;
  std::vector<std::string> statements;
  for (const auto* key : keys) {
    if (key->kind == ElementKind::fulltext_key)
      statements.push_back(alter_statement(table, schema, {key}));
    else
      together.push_back(key);
  }
  if (!together.empty()) statements.insert(statements.begin(), alter_statement(table, schema, together));
  return statements;
}

std::string drop_stand_in(const CreatePlan& plan) {
  return plan.stand_in == nullptr ? std::string() : "DROP KEY " + quote_name(plan.stand_in->name);
}

struct DatabaseDefaults {
  std::string character_set;
  std::string collation;
};

std::optional<DatabaseDefaults> database_defaults(Session& session, const std::string& schema) {
  const auto rows = session.query(
      "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM"
      " information_schema.SCHEMATA WHERE SCHEMA_NAME=" +
      quote_text(schema));
  if (rows.empty()) return std::nullopt;
  return DatabaseDefaults{rows[0][0].value_or(""), rows[0][1].value_or("")};
}

}  // namespace

void Provisioner::create_database(Session& source, Session& target, const std::string& schema) {
  const auto wanted = database_defaults(source, schema);
  if (!wanted) throw Failure(FailureKind::refused, "the source has no database " + schema);
  const auto verb = database_defaults(target, schema) ? "ALTER" : "CREATE";
  // ALTER on a re-run also mends a collation that a stored program's creation had set for a moment.
  target.execute(std::string(verb) + " DATABASE " + quote_name(schema) + " CHARACTER SET " +
                 quote_text(wanted->character_set) + " COLLATE " + quote_text(wanted->collation) + " ENCRYPTION='Y'");
}

void Provisioner::create_table(Session& target, const sql::Table& table) {
  const auto wanted = parsed(table.name, table.create_statement);
  const auto plan = plan_create(wanted, row_key_name(table));
  if (const auto found = read_target_table(target, table.name)) {
    if (!expected_shape(wanted, plan, *found))
      throw Failure(FailureKind::refused, "the target already has a table " + table.name.text() +
                                              " of another shape; it was left as it is: drop it, or choose an empty"
                                              " target");
    log_.debug("table " + table.name.text() + " is on the target already");
    return;
  }
  target.execute(create_statement(wanted, table.name.schema, plan));
}

void Provisioner::create_databases_and_tables(Session& source, Session& target, const std::vector<std::string>& schemas,
                                              const std::vector<sql::Table>& tables) {
  for (const auto& table : tables) refuse_unmovable(parsed(table.name, table.create_statement), table.name.schema);
  for (const auto& schema : schemas) create_database(source, target, schema);
  // SHOW CREATE TABLE of 5.7 leaves out utf8mb4's default collation, which is another one from 8.0 on.
  const bool old_source = !mysql::server_facts(source).at_least(8, 0);
  with_table_settings(
      target,
      [&] {
        for (const auto& table : tables) create_table(target, table);
      },
      old_source ? "utf8mb4_general_ci" : "");
  log_.info("the target has " + std::to_string(schemas.size()) + " databases and " + std::to_string(tables.size()) +
            " tables");
}

std::vector<std::string> Provisioner::plain_index_statements(const sql::Table& table) const {
  const auto wanted = parsed(table.name, table.create_statement);
  return plain_statements(wanted, table.name.schema, plan_create(wanted, row_key_name(table)).plain);
}

std::vector<std::string> Provisioner::unique_and_foreign_key_statements(const sql::Table& table) const {
  const auto wanted = parsed(table.name, table.create_statement);
  const auto plan = plan_create(wanted, row_key_name(table));
  std::vector<std::string> statements;
  if (!plan.unique.empty())
    statements.push_back(alter_statement(wanted, table.name.schema, plan.unique, drop_stand_in(plan)));
  if (!plan.foreign.empty()) statements.push_back(alter_statement(wanted, table.name.schema, plan.foreign));
  return statements;
}

void Provisioner::add_plain_indexes(Session& target, const sql::Table& table) {
  const auto wanted = parsed(table.name, table.create_statement);
  const auto plan = plan_create(wanted, row_key_name(table));
  if (plan.plain.empty()) return;
  const auto missing = missing_keys(plan.plain, must_read_target_table(target, table.name));
  with_table_settings(target, [&] {
    for (const auto& statement : plain_statements(wanted, table.name.schema, missing)) target.execute(statement);
  });
}

void Provisioner::add_unique_indexes(Session& target, const sql::Table& table) {
  const auto wanted = parsed(table.name, table.create_statement);
  const auto plan = plan_create(wanted, row_key_name(table));
  if (plan.unique.empty()) return;
  const auto found = must_read_target_table(target, table.name);
  auto missing = missing_keys(plan.unique, found);
  const auto* stand_in = plan.stand_in == nullptr ? nullptr : key_named(found, plan.stand_in->name);
  const bool replace = stand_in != nullptr && stand_in->kind == ElementKind::plain_key;
  if (replace) {
    // In the source's order, because indexes keep the order they are made in.
    missing.clear();
    for (const auto* key : plan.unique)
      if (key == plan.stand_in || key_named(found, key->name) == nullptr) missing.push_back(key);
  }
  if (missing.empty()) return;
  const auto first = replace ? drop_stand_in(plan) : std::string();
  with_table_settings(target, [&] { target.execute(alter_statement(wanted, table.name.schema, missing, first)); });
}

void Provisioner::add_foreign_keys(Session& target, const sql::Table& table) {
  const auto wanted = parsed(table.name, table.create_statement);
  const auto plan = plan_create(wanted, row_key_name(table));
  if (plan.foreign.empty()) return;
  const auto found = must_read_target_table(target, table.name);
  std::vector<const Element*> missing;
  for (const auto* key : plan.foreign)
    if (!has_foreign_key(found, key->name)) missing.push_back(key);
  if (missing.empty()) return;
  target.execute("USE " + quote_name(table.name.schema));
  const auto statement = alter_statement(wanted, table.name.schema, missing);
  with_table_settings(target, [&] { with_free_foreign_keys(target, [&] { target.execute(statement); }); });
}

void Provisioner::add_unique_indexes_and_foreign_keys(Session& target, const std::vector<sql::Table>& tables) {
  for (const auto& table : tables) add_unique_indexes(target, table);
  for (const auto& table : tables) add_foreign_keys(target, table);
}

ObjectReport Provisioner::create_views_and_routines(Session& source, Session& target,
                                                    const std::vector<std::string>& schemas) {
  std::vector<StoredObject> objects;
  for (const auto kind : {ObjectKind::function, ObjectKind::procedure, ObjectKind::view})
    for (auto& object : read_objects(source, kind, schemas)) objects.push_back(std::move(object));
  return create_objects(target, objects, Retry::while_progress);
}

ObjectReport Provisioner::create_triggers(Session& source, Session& target, const std::vector<std::string>& schemas) {
  return create_objects(target, read_objects(source, ObjectKind::trigger, schemas), Retry::once);
}

ObjectReport Provisioner::create_events(Session& source, Session& target, const std::vector<std::string>& schemas) {
  return create_objects(target, read_objects(source, ObjectKind::event, schemas), Retry::once);
}

void Provisioner::enable_events(Session& target, const std::vector<StoredObject>& events) {
  for (const auto& event : events)
    if (event.status == "ENABLED") enable_event(target, event);
}

void Provisioner::enable_events(Session& source, Session& target, const std::vector<std::string>& schemas) {
  enable_events(target, read_objects(source, ObjectKind::event, schemas));
}

void Provisioner::drop_triggers(Session& target, const std::vector<std::string>& schemas) {
  for (const auto& trigger : read_objects(target, ObjectKind::trigger, schemas))
    target.execute("DROP TRIGGER IF EXISTS " + quote_name(trigger.schema, trigger.name));
}

void Provisioner::drop_events(Session& target, const std::vector<std::string>& schemas) {
  for (const auto& event : read_objects(target, ObjectKind::event, schemas))
    target.execute("DROP EVENT IF EXISTS " + quote_name(event.schema, event.name));
}

}  // namespace reseal::provision
