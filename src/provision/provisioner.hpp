// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/log.hpp"
#include "mysql/session.hpp"
#include "provision/stored_object.hpp"
#include "sql/table.hpp"

namespace reseal::provision {

/// Makes the target's schema objects, each in its time: tables with their row key before the copy, plain indexes
/// after it, unique indexes and foreign keys once the follow has passed the seed, triggers and events at the switch.
/// Every step can be run again: what is there already in the expected shape is left. Sessions belong to the caller
/// and have their pinned settings on return; their default database changes. One thread at a time.
class Provisioner {
 public:
  explicit Provisioner(base::Log& log) : log_(log) {}

  /// Creates the databases with the source's character set and collation, then the tables with row key, CHECKs and
  /// the key an AUTO_INCREMENT column needs; everything with ENCRYPTION='Y'. Throws Failure(refused) for a table that
  /// cannot move (engine, DATA DIRECTORY …) before anything is created, and for one that exists in another shape.
  void create_databases_and_tables(mysql::Session& source, mysql::Session& target,
                                   const std::vector<std::string>& schemas, const std::vector<sql::Table>& tables);

  /// The statements that add what was deferred, from the source's definition alone.
  std::vector<std::string> plain_index_statements(const sql::Table& table) const;
  std::vector<std::string> unique_and_foreign_key_statements(const sql::Table& table) const;

  /// Adds those indexes that the target's table lacks now. Blocks for the time of the index build.
  void add_plain_indexes(mysql::Session& target, const sql::Table& table);
  /// Unique indexes of all `tables`, then all foreign keys, which need their parents' unique keys. Adds only what is
  /// missing. A duplicate in a unique index is Failure(target) 1062. Rows are not checked against foreign keys.
  void add_unique_indexes_and_foreign_keys(mysql::Session& target, const std::vector<sql::Table>& tables);
  void add_unique_indexes(mysql::Session& target, const sql::Table& table);
  void add_foreign_keys(mysql::Session& target, const sql::Table& table);

  /// Functions and procedures, then views, again and again while some succeed. Grants that views on views need must
  /// be there (see accounts.hpp). What the server refuses is reported, not thrown.
  ObjectReport create_views_and_routines(mysql::Session& source, mysql::Session& target,
                                         const std::vector<std::string>& schemas);

  /// At the switch. To keep the switch short, read with read_objects before it and create with create_objects.
  ObjectReport create_triggers(mysql::Session& source, mysql::Session& target, const std::vector<std::string>& schemas);
  /// Creates the events, all disabled.
  ObjectReport create_events(mysql::Session& source, mysql::Session& target, const std::vector<std::string>& schemas);
  /// Enables those of `events` (read from the source) that are enabled there. Definers stay.
  void enable_events(mysql::Session& target, const std::vector<StoredObject>& events);
  void enable_events(mysql::Session& source, mysql::Session& target, const std::vector<std::string>& schemas);
  /// For a switch that is given up.
  void drop_triggers(mysql::Session& target, const std::vector<std::string>& schemas);
  void drop_events(mysql::Session& target, const std::vector<std::string>& schemas);

 private:
  void create_database(mysql::Session& source, mysql::Session& target, const std::string& schema);
  void create_table(mysql::Session& target, const sql::Table& table);

  base::Log& log_;
};

/// Sets each AUTO_INCREMENT counter of the target to at least the source's next value. One query per side, and an
/// ALTER only where the target is behind: meant for the inside of the cutover.
/// Returns how many counters were moved.
std::size_t align_auto_increment(mysql::Session& source, mysql::Session& target, const std::vector<sql::Table>& tables);

}  // namespace reseal::provision
