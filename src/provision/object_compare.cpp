// SPDX-License-Identifier: Apache-2.0
#include "provision/object_compare.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "provision/create_table.hpp"
#include "provision/stored_object.hpp"
#include "sql/quote.hpp"
#include "sql/table.hpp"

namespace reseal::provision {
namespace {

using mysql::Session;
using Differences = std::vector<ObjectDifference>;

const char* const missing_there = "missing on the target";
const char* const extra_there = "on the target only";

std::string shortened(const std::string& text) { return text.size() <= 160 ? text : text.substr(0, 157) + "..."; }

std::string both(const std::string& left, const std::string& right) {
  return "source: " + shortened(left) + "; target: " + shortened(right);
}

std::map<std::string, std::string> databases(Session& session, const std::string& list) {
  std::map<std::string, std::string> found;
  for (const auto& row :
       session.query("SELECT SCHEMA_NAME, CONCAT(DEFAULT_CHARACTER_SET_NAME, ' ',"
                     " DEFAULT_COLLATION_NAME) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN " +
                     list))
    found[row[0].value_or("")] = row[1].value_or("");
  return found;
}

void compare_databases(Session& source, Session& target, const std::string& list, Differences& out) {
  const auto wanted = databases(source, list);
  const auto found = databases(target, list);
  for (const auto& [name, defaults] : wanted) {
    const auto it = found.find(name);
    if (it == found.end())
      out.push_back({"database", name, missing_there});
    else if (it->second != defaults)
      out.push_back({"database", name, "character set or collation differs: " + both(defaults, it->second)});
  }
  for (const auto& [name, defaults] : found)
    if (wanted.count(name) == 0) out.push_back({"database", name, extra_there});
}

std::set<sql::TableName> table_names(Session& session, const std::string& list) {
  std::set<sql::TableName> names;
  for (const auto& row : session.query("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE"
                                       " TABLE_TYPE='BASE TABLE' AND TABLE_SCHEMA IN " +
                                       list))
    names.insert({row[0].value_or(""), row[1].value_or("")});
  return names;
}

CreateTable read_table(Session& session, const sql::TableName& name) {
  return base::value_or_fail(
      parse_create_table(session.query("SHOW CREATE TABLE " + name.quoted()).at(0).at(1).value_or("")), name.text());
}

std::string element_name(const Element& element) {
  static const std::map<ElementKind, std::string> kinds = {{ElementKind::column, "column"},
                                                           {ElementKind::primary_key, "primary key"},
                                                           {ElementKind::plain_key, "key"},
                                                           {ElementKind::unique_key, "unique key"},
                                                           {ElementKind::fulltext_key, "fulltext key"},
                                                           {ElementKind::spatial_key, "spatial key"},
                                                           {ElementKind::foreign_key, "foreign key"},
                                                           {ElementKind::check, "check"}};
  return kinds.at(element.kind) + (element.name.empty() ? "" : " " + sql::quote_name(element.name));
}

std::vector<std::string> column_order(const CreateTable& table) {
  std::vector<std::string> names;
  for (const auto& element : table.elements)
    if (element.kind == ElementKind::column) names.push_back(element.name);
  return names;
}

// Keys are compared by name: their order depends on when they were made and changes no result.
void compare_elements(const CreateTable& wanted, const CreateTable& found, const std::string& name, Differences& out) {
  std::map<std::string, const Element*> there;
  for (const auto& element : found.elements) there[element_name(element)] = &element;
  for (const auto& element : wanted.elements) {
    const auto it = there.find(element_name(element));
    if (it == there.end()) {
      out.push_back({"table", name, element_name(element) + " is " + missing_there});
      continue;
    }
    if (it->second->text != element.text)
      out.push_back({"table", name, element_name(element) + " differs: " + both(element.text, it->second->text)});
    there.erase(it);
  }
  for (const auto& extra : there) out.push_back({"table", name, extra.first + " is " + extra_there});
}

void compare_table(Session& source, Session& target, const sql::TableName& name, Differences& out) {
  const auto wanted = read_table(source, name);
  const auto found = read_table(target, name);
  const auto before = out.size();
  compare_elements(wanted, found, name.text(), out);
  if (out.size() == before && column_order(wanted) != column_order(found))
    out.push_back({"table", name.text(), "the order of columns differs"});
  if (wanted.options != found.options)
    out.push_back({"table", name.text(), "options differ: " + both(wanted.options, found.options)});
  if (wanted.partitions != found.partitions)
    out.push_back({"table", name.text(), "partitions differ: " + both(wanted.partitions, found.partitions)});
}

void compare_tables(Session& source, Session& target, const std::string& list, Differences& out) {
  const auto wanted = table_names(source, list);
  const auto found = table_names(target, list);
  for (const auto& name : wanted) {
    if (found.count(name) == 0)
      out.push_back({"table", name.text(), missing_there});
    else
      compare_table(source, target, name, out);
  }
  for (const auto& name : found)
    if (wanted.count(name) == 0) out.push_back({"table", name.text(), extra_there});
}

// 8.0 says SLAVESIDE_DISABLED where later servers say REPLICA_SIDE_DISABLED.
std::string plain_status(const std::string& status) {
  return status.find("SIDE_DISABLED") == std::string::npos ? status : "REPLICA_SIDE_DISABLED";
}

std::string object_difference(const StoredObject& wanted, const StoredObject& found) {
  if (!same_definition(wanted, found)) {
    const std::pair<const char*, std::string StoredObject::*> settings[] = {
        {"sql_mode", &StoredObject::sql_mode},
        {"character_set_client", &StoredObject::character_set_client},
        {"collation_connection", &StoredObject::collation_connection},
        {"database collation", &StoredObject::database_collation},
        {"time zone", &StoredObject::time_zone},
        {"place in the firing order", &StoredObject::order}};
    for (const auto& [name, member] : settings)
      if (wanted.*member != found.*member)
        return std::string(name) + " differs: " + both(wanted.*member, found.*member);
    return "its text differs (definer, options or body)";
  }
  if (wanted.kind == ObjectKind::event && plain_status(wanted.status) != plain_status(found.status))
    return "its status differs: " + both(wanted.status, found.status);
  return {};
}

std::map<std::string, StoredObject> by_name(std::vector<StoredObject> objects) {
  std::map<std::string, StoredObject> named;
  for (auto& object : objects) {
    auto key = sql::quote_name(object.schema, object.name);
    named.emplace(std::move(key), std::move(object));
  }
  return named;
}

void compare_kind(Session& source, Session& target, ObjectKind kind, const std::vector<std::string>& schemas,
                  Differences& out) {
  const auto wanted = by_name(read_objects(source, kind, schemas));
  const auto found = by_name(read_objects(target, kind, schemas));
  const std::string name(kind_name(kind));
  for (const auto& [key, object] : wanted) {
    const auto it = found.find(key);
    if (it == found.end()) {
      out.push_back({name, object.text(), missing_there});
      continue;
    }
    auto what = object_difference(object, it->second);
    if (!what.empty()) out.push_back({name, object.text(), std::move(what)});
  }
  for (const auto& [key, object] : found)
    if (wanted.count(key) == 0) out.push_back({name, object.text(), extra_there});
}

void expect_none(Session& target, ObjectKind kind, const std::vector<std::string>& schemas, Differences& out) {
  for (const auto& object : read_objects(target, kind, schemas))
    out.push_back({std::string(kind_name(kind)), object.text(), "on the target before the switch"});
}

void compare_grants(Session& source, Session& target, const AccountName& account, Differences& out) {
  const auto wanted = account_grants(source, account);
  const auto found = account_grants(target, account);
  for (const auto& grant : wanted)
    if (!std::binary_search(found.begin(), found.end(), grant))
      out.push_back({"grant", account.text(), std::string(missing_there) + ": " + grant});
  for (const auto& grant : found)
    if (!std::binary_search(wanted.begin(), wanted.end(), grant))
      out.push_back({"grant", account.text(), std::string(extra_there) + ": " + grant});
  if (default_roles(source, account) != default_roles(target, account))
    out.push_back({"account", account.text(), "default roles differ"});
}

void compare_accounts(Session& source, Session& target, const AccountOptions& options, Differences& out) {
  std::set<AccountName> present;
  for (const auto& row : target.query("SELECT User, Host FROM mysql.user"))
    present.insert({row[0].value_or(""), row[1].value_or("")});
  for (const auto& account : moving_accounts(source, target, options)) {
    if (present.count(account) == 0) {
      out.push_back({"account", account.text(), missing_there});
      continue;
    }
    if (account_definition(source, account) != account_definition(target, account))
      out.push_back({"account", account.text(), "its password, plugin or options differ"});
    compare_grants(source, target, account, out);
  }
}

}  // namespace

std::vector<ObjectDifference> compare_objects(Session& source, Session& target, const std::vector<std::string>& schemas,
                                              CompareTime time, const AccountOptions& accounts) {
  Differences out;
  const auto list = mysql::in_list(schemas);
  compare_databases(source, target, list, out);
  compare_tables(source, target, list, out);
  for (const auto kind : {ObjectKind::view, ObjectKind::procedure, ObjectKind::function})
    compare_kind(source, target, kind, schemas, out);
  for (const auto kind : {ObjectKind::trigger, ObjectKind::event}) {
    if (time == CompareTime::after_switch)
      compare_kind(source, target, kind, schemas, out);
    else
      expect_none(target, kind, schemas, out);
  }
  compare_accounts(source, target, accounts, out);
  return out;
}

}  // namespace reseal::provision
