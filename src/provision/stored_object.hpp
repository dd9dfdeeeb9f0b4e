// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/session.hpp"

namespace reseal::provision {

enum class ObjectKind { procedure, function, view, trigger, event };

std::string_view kind_name(ObjectKind kind);

/// A view or stored program with what its statement was written under. All that SHOW CREATE tells, byte for byte.
struct StoredObject {
  ObjectKind kind = ObjectKind::procedure;
  std::string schema;
  std::string name;
  std::string statement;  ///< CREATE …, in the character set `character_set_client`
  std::string sql_mode;   ///< empty for a view, which is printed in a form free of it
  std::string character_set_client;
  std::string collation_connection;
  std::string database_collation;
  std::string time_zone;      ///< of an event
  std::string definer;        ///< of an event: user@host
  std::string status;         ///< of an event: ENABLED, DISABLED, SLAVESIDE_DISABLED …
  std::string created_epoch;  ///< of a one-time event: seconds since 1970
  std::string order;          ///< of a trigger: table, timing, event and its place among those

  std::string text() const { return schema + "." + name; }
};

/// An object that could not be made on the target, and what the server said.
struct NotCreated {
  std::string kind;
  std::string name;
  std::string why;
};

/// What a creating step did.
struct ObjectReport {
  std::size_t created = 0;
  std::size_t present = 0;  ///< were there already, the same
  std::vector<NotCreated> not_created;
};

/// Reads every object of `kind` in `schemas`: triggers in the order they fire, the rest by name. Throws when the
/// account may not see a definition: an object that cannot be read must not be lost quietly. The session's default
/// database is information_schema afterwards.
std::vector<StoredObject> read_objects(mysql::Session& session, ObjectKind kind,
                                       const std::vector<std::string>& schemas);

/// One object's creation under its own settings; the session's pinned settings are back afterwards, also on failure.
/// An enabled event is created disabled. Throws the server's Failure.
void create_object(mysql::Session& target, const StoredObject& object);

/// Runs `statement` under the object's sql_mode, character set, collation and time zone, in its database, whose
/// default collation is the stored one for that moment.
void run_as_stored(mysql::Session& target, const StoredObject& object, std::string_view statement);

/// ALTER EVENT … ENABLE that leaves the definer and the stored settings as they are.
void enable_event(mysql::Session& target, const StoredObject& event);

/// Creates those of `objects` that are missing on the target. One that exists with another definition, or that the
/// server refuses, is reported; `retry` goes on over the refused ones as long as some succeed (views on views).
/// Transient failures are thrown.
enum class Retry { once, while_progress };
ObjectReport create_objects(mysql::Session& target, const std::vector<StoredObject>& objects, Retry retry);

/// Whether two reads are of the same object: text, settings and order. The status of an event is not part of it.
bool same_definition(const StoredObject& left, const StoredObject& right);

}  // namespace reseal::provision
