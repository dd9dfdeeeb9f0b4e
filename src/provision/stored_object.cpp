// SPDX-License-Identifier: Apache-2.0
#include "provision/stored_object.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "provision/sql_tokens.hpp"
#include "sql/quote.hpp"

namespace reseal::provision {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;
using sql::quote_name;
using sql::quote_text;

// Servers before 8.0.28 call utf8mb3 by its alias.
std::string full_character_set(std::string name) {
  if (name == "utf8") return "utf8mb3";
  if (name.rfind("utf8_", 0) == 0) return "utf8mb3_" + name.substr(5);
  return name;
}

// Modes that 5.7 stores with a program and no later server accepts (MySQL 8.0 manual, "Changes in MySQL 8.0").
std::string living_modes(const std::string& sql_mode) {
  static const std::vector<std::string> gone = {"NO_AUTO_CREATE_USER",
                                                "DB2",
                                                "MAXDB",
                                                "MSSQL",
                                                "MYSQL323",
                                                "MYSQL40",
                                                "ORACLE",
                                                "POSTGRESQL",
                                                "NO_FIELD_OPTIONS",
                                                "NO_KEY_OPTIONS",
                                                "NO_TABLE_OPTIONS"};
  std::string out;
  for (std::size_t at = 0; at <= sql_mode.size();) {
    const auto end = std::min(sql_mode.find(',', at), sql_mode.size());
    const auto mode = sql_mode.substr(at, end - at);
    if (!mode.empty() && std::find(gone.begin(), gone.end(), mode) == gone.end())
      out += (out.empty() ? "" : ",") + mode;
    at = end + 1;
  }
  return out;
}

struct Listing {
  const char* names;  ///< schema, name and what else of information_schema the kind has; %s is the schema list
  const char* show;   ///< SHOW CREATE …
  std::size_t statement, sql_mode, settings;  ///< columns of SHOW CREATE; settings are charset, collation, database's
};

constexpr std::size_t no_column = ~std::size_t{0};

const Listing& listing(ObjectKind kind) {
  static const Listing procedures = {
      "SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE='PROCEDURE' AND"
      " ROUTINE_SCHEMA IN %s ORDER BY 1, 2",
      "SHOW CREATE PROCEDURE ", 2, 1, 3};
  static const Listing functions = {
      "SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE='FUNCTION' AND"
      " ROUTINE_SCHEMA IN %s ORDER BY 1, 2",
      "SHOW CREATE FUNCTION ", 2, 1, 3};
  static const Listing views = {
      "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE LIKE '%VIEW' AND"
      " TABLE_SCHEMA IN %s ORDER BY 1, 2",
      "SHOW CREATE VIEW ", 1, no_column, 2};
  static const Listing triggers = {
      "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, CONCAT_WS(' ', EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION,"
      " ACTION_ORDER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN %s"
      " ORDER BY 1, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER",
      "SHOW CREATE TRIGGER ", 2, 1, 3};
  static const Listing events = {
      "SELECT EVENT_SCHEMA, EVENT_NAME, STATUS, DEFINER, IF(EXECUTE_AT IS NULL, '', FLOOR(UNIX_TIMESTAMP(CREATED)))"
      " FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN %s ORDER BY 1, 2",
      "SHOW CREATE EVENT ", 3, 1, 4};
  switch (kind) {
    case ObjectKind::procedure:
      return procedures;
    case ObjectKind::function:
      return functions;
    case ObjectKind::view:
      return views;
    case ObjectKind::trigger:
      return triggers;
    case ObjectKind::event:
      return events;
  }
  return procedures;
}

std::vector<mysql::Row> names_of(Session& session, const Listing& listing, const std::vector<std::string>& schemas) {
  std::string query = listing.names;
  query.replace(query.find("%s"), 2, mysql::in_list(schemas));
  return session.query(query);
}

void read_definition(Session& session, const Listing& listing, StoredObject& object) {
  const auto rows = session.query(listing.show + quote_name(object.schema, object.name));
  if (rows.size() != 1 || !rows[0].at(listing.statement))
    throw Failure(FailureKind::refused, "the definition of " + std::string(kind_name(object.kind)) + " " +
                                            object.text() + " is not shown to " + session.endpoint().text() +
                                            "; grant SHOW_ROUTINE, SHOW VIEW, TRIGGER and EVENT to it");
  const auto& row = rows[0];
  object.statement = *row[listing.statement];
  if (listing.sql_mode != no_column) object.sql_mode = living_modes(row[listing.sql_mode].value_or(""));
  if (object.kind == ObjectKind::event) object.time_zone = row[2].value_or("");
  object.character_set_client = full_character_set(row[listing.settings].value_or(""));
  object.collation_connection = full_character_set(row[listing.settings + 1].value_or(""));
  if (object.kind != ObjectKind::view)
    object.database_collation = full_character_set(row[listing.settings + 2].value_or(""));
}

// The place of ENABLE or DISABLE: the word that follows ON COMPLETION [NOT] PRESERVE.
Token status_word(const StoredObject& event) {
  bool completion = false;
  for (const auto& token : leading_tokens(event.statement)) {
    completion |= token.is_word("COMPLETION");
    if (completion && (token.is_word("ENABLE") || token.is_word("DISABLE"))) return token;
  }
  throw Failure(FailureKind::unsupported, "event " + event.text() + " has no ENABLE or DISABLE in its definition");
}

// A target whose scheduler runs must not run the event before the switch.
std::string disabled(const StoredObject& event) {
  const auto word = status_word(event);
  if (!word.is_word("ENABLE")) return event.statement;
  auto statement = event.statement;
  return statement.replace(word.begin, word.text.size(), "DISABLE");
}

std::string without_status(const StoredObject& event) {
  const auto word = status_word(event);
  auto statement = event.statement;
  auto end = word.end();
  for (const std::string_view more : {" ON SLAVE", " ON REPLICA"})
    if (std::string_view(statement).substr(end, more.size()) == more) end += more.size();
  return statement.replace(word.begin, end - word.begin, "STATUS");
}

std::string stored_settings(const StoredObject& object) {
  std::string set = "SET SESSION character_set_client=" + quote_text(object.character_set_client) +
                    ", collation_connection=" + quote_text(object.collation_connection);
  if (object.kind != ObjectKind::view) set += ", sql_mode=" + quote_text(object.sql_mode);
  if (!object.time_zone.empty()) set += ", time_zone=" + quote_text(object.time_zone);
  // A one-time event that is due by now would be dropped at once: it is created in its own time.
  if (!object.created_epoch.empty()) set += ", timestamp=" + object.created_epoch;
  return set;
}

void set_database_collation(Session& target, const std::string& schema, const std::string& collation) {
  target.execute("ALTER DATABASE " + quote_name(schema) + " COLLATE " + quote_text(collation));
}

using Names = std::tuple<ObjectKind, std::string, std::string>;
Names names(const StoredObject& object) { return {object.kind, object.schema, object.name}; }

std::map<Names, StoredObject> present_objects(Session& target, const std::vector<StoredObject>& wanted) {
  std::map<ObjectKind, std::vector<std::string>> schemas;
  for (const auto& object : wanted) {
    auto& list = schemas[object.kind];
    if (std::find(list.begin(), list.end(), object.schema) == list.end()) list.push_back(object.schema);
  }
  std::map<Names, StoredObject> present;
  for (const auto& [kind, list] : schemas)
    for (auto& object : read_objects(target, kind, list)) {
      auto key = names(object);
      present.emplace(std::move(key), std::move(object));
    }
  return present;
}

std::string why(const Failure& failure) {
  std::string text = failure.what();
  // ER_BINLOG_UNSAFE_ROUTINE, ER_BINLOG_CREATE_ROUTINE_NEED_SUPER (MySQL manual, "Stored Program Binary Logging").
  if (failure.server_errno() == 1418 || failure.server_errno() == 1419)
    text += "; SET GLOBAL log_bin_trust_function_creators=1 on that server lets it pass";
  return text;
}

}  // namespace

std::string_view kind_name(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::procedure:
      return "procedure";
    case ObjectKind::function:
      return "function";
    case ObjectKind::view:
      return "view";
    case ObjectKind::trigger:
      return "trigger";
    case ObjectKind::event:
      return "event";
  }
  return "object";
}

std::vector<StoredObject> read_objects(Session& session, ObjectKind kind, const std::vector<std::string>& schemas) {
  std::vector<StoredObject> objects;
  const auto& from = listing(kind);
  // Names inside a view are printed with or without their database, depending on the session's own.
  session.execute("USE information_schema");
  for (const auto& row : names_of(session, from, schemas)) {
    auto& object = objects.emplace_back();
    object.kind = kind;
    object.schema = row[0].value_or("");
    object.name = row[1].value_or("");
    if (kind == ObjectKind::trigger) object.order = row[2].value_or("");
    if (kind == ObjectKind::event) {
      object.status = row[2].value_or("");
      object.definer = row[3].value_or("");
      object.created_epoch = row[4].value_or("");
    }
    read_definition(session, from, object);
  }
  return objects;
}

void run_as_stored(Session& target, const StoredObject& object, std::string_view statement) {
  target.execute("USE " + quote_name(object.schema));
  const auto collation = target.scalar("SELECT @@collation_database").value_or("");
  const bool other_collation = !object.database_collation.empty() && object.database_collation != collation;
  if (other_collation) set_database_collation(target, object.schema, object.database_collation);
  const auto restore = [&] {
    target.execute(mysql::pinned_settings(target.side()));
    if (!object.created_epoch.empty()) target.execute("SET SESSION timestamp=DEFAULT");
    if (other_collation) set_database_collation(target, object.schema, collation);
  };
  try {
    target.execute(stored_settings(object));
    target.execute(statement);
  } catch (const Failure& failure) {
    if (failure.kind() != FailureKind::transient) restore();
    throw;
  }
  restore();
}

void create_object(Session& target, const StoredObject& object) {
  run_as_stored(target, object, object.kind == ObjectKind::event ? disabled(object) : object.statement);
}

void enable_event(Session& target, const StoredObject& event) {
  // ALTER EVENT makes its caller the definer unless told otherwise (MySQL manual, "ALTER EVENT Statement").
  const auto at = event.definer.rfind('@');
  if (at == std::string::npos)
    throw Failure(FailureKind::unsupported, "event " + event.text() + " has the definer " + event.definer);
  run_as_stored(target, event,
                "ALTER DEFINER=" + quote_text(event.definer.substr(0, at)) + "@" +
                    quote_text(event.definer.substr(at + 1)) + " EVENT " + quote_name(event.schema, event.name) +
                    " ENABLE");
}

bool same_definition(const StoredObject& left, const StoredObject& right) {
  const auto rest = [](const StoredObject& o) {
    return std::tie(o.kind, o.schema, o.name, o.sql_mode, o.character_set_client, o.collation_connection,
                    o.database_collation, o.time_zone, o.order);
  };
  if (rest(left) != rest(right)) return false;
  if (left.kind == ObjectKind::event) return without_status(left) == without_status(right);
  return left.statement == right.statement;
}

ObjectReport create_objects(Session& target, const std::vector<StoredObject>& objects, Retry retry) {
  ObjectReport report;
  std::vector<const StoredObject*> pending;
  const auto present = present_objects(target, objects);
  for (const auto& object : objects) {
    const auto found = present.find(names(object));
    if (found == present.end())
      pending.push_back(&object);
    else if (same_definition(object, found->second))
      ++report.present;
    else
      report.not_created.push_back({std::string(kind_name(object.kind)), object.text(),
                                    "the target has one of this name with another definition, which was left"});
  }
  for (bool progress = true; progress && !pending.empty();) {
    std::vector<const StoredObject*> refused;
    std::vector<NotCreated> reasons;
    for (const auto* object : pending) {
      try {
        create_object(target, *object);
        ++report.created;
      } catch (const Failure& failure) {
        if (failure.kind() == FailureKind::transient) throw failure.within("creating " + object->text());
        refused.push_back(object);
        reasons.push_back({std::string(kind_name(object->kind)), object->text(), why(failure)});
      }
    }
    progress = retry == Retry::while_progress && refused.size() < pending.size();
    pending = std::move(refused);
    if (!progress || pending.empty())
      report.not_created.insert(report.not_created.end(), reasons.begin(), reasons.end());
  }
  return report;
}

}  // namespace reseal::provision
