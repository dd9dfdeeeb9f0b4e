// SPDX-License-Identifier: Apache-2.0
#include "seed/encrypt_in_place.hpp"

#include "base/failure.hpp"
#include "seed/plain_leftovers.hpp"
#include "sql/quote.hpp"
#include "sql/table.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;

[[noreturn]] void refuse_off(const Session& session, const std::string& setting) {
  throw Failure(FailureKind::refused,
                setting + " is OFF on " + session.endpoint().text() +
                    ", which would go on to write in the clear; nothing was changed. SET PERSIST " + setting +
                    "=ON there");
}

void require_encrypting(Session& session) {
  const auto row = session
                       .query(
                           "SELECT @@global.innodb_redo_log_encrypt, @@global.innodb_undo_log_encrypt,"
                           " @@global.default_table_encryption, NOT @@global.log_bin OR @@global.binlog_encryption")
                       .at(0);
  const auto names = {"innodb_redo_log_encrypt", "innodb_undo_log_encrypt", "default_table_encryption",
                      "binlog_encryption"};
  std::size_t column = 0;
  for (const auto* name : names)
    if (row[column++] != "1") refuse_off(session, name);
}

std::vector<std::string> first_column(Session& session, const std::string& query) {
  std::vector<std::string> names;
  for (const auto& row : session.query(query)) names.push_back(row[0].value_or(""));
  return names;
}

std::vector<std::string> plain_schemas(Session& session) {
  return first_column(session,
                      "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE DEFAULT_ENCRYPTION<>'YES' AND"
                      " SCHEMA_NAME NOT IN ('mysql','sys','information_schema','performance_schema')");
}

/// The mysql tablespace too.
std::vector<std::string> plain_general_tablespaces(Session& session) {
  return first_column(session,
                      "SELECT NAME FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE='General' AND"
                      " ENCRYPTION<>'Y' ORDER BY NAME");
}

/// Those of sys too. A table in a general tablespace says ENCRYPTION='Y' as soon as that is encrypted.
std::vector<sql::TableName> plain_tables(Session& session) {
  std::vector<sql::TableName> tables;
  for (const auto& row :
       session.query("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_TYPE='BASE TABLE' AND"
                     " ENGINE='InnoDB' AND CREATE_OPTIONS NOT LIKE '%ENCRYPTION=''Y''%' AND TABLE_SCHEMA NOT IN"
                     " ('mysql','information_schema','performance_schema') ORDER BY 1, 2"))
    tables.push_back({row[0].value_or(""), row[1].value_or("")});
  return tables;
}

void go_on(EncryptProgress& progress, const std::stop_token& stop) {
  ++progress.done;
  if (stop.stop_requested())
    throw Failure(FailureKind::interrupted,
                  "stopped while encrypting the target: what is encrypted stays so. Run again to go on from here");
}

void alter(Session& session, const std::string& what) {
  try {
    session.execute("ALTER " + what + " ENCRYPTION='Y'");
  } catch (const Failure& failure) {
    throw failure.within("encrypting " + what + "; what was encrypted before stays so, run again to go on");
  }
}

}  // namespace

void encrypt_in_place(Session& session, EncryptProgress& progress, const std::stop_token& stop,
                      std::chrono::seconds undo_bound) {
  require_encrypting(session);
  mysql::without_binlog(session);
  // As permissive as any table's old definition needs; a rebuild checks neither keys nor dates of the donor's rows.
  session.execute("SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO', foreign_key_checks=0, unique_checks=0");
  const auto tablespaces = plain_general_tablespaces(session);
  progress.done = 0;
  progress.all = tablespaces.size() + plain_tables(session).size();  // some become encrypted with their tablespace
  for (const auto& name : plain_schemas(session)) alter(session, "DATABASE " + sql::quote_name(name));
  for (const auto& name : tablespaces) {
    alter(session, "TABLESPACE " + sql::quote_name(name));
    go_on(progress, stop);
  }
  const auto tables = plain_tables(session);
  progress.all = tablespaces.size() + tables.size();
  for (const auto& name : tables) {
    alter(session, "TABLE " + name.quoted());
    go_on(progress, stop);
  }
  renew_undo(session, undo_bound, stop);
  renew_redo(session, stop);
}

std::vector<std::string> not_encrypted_tablespaces(Session& session) {
  return first_column(session,
                      "SELECT NAME FROM information_schema.INNODB_TABLESPACES WHERE COALESCE(ENCRYPTION,'N')<>'Y' AND"
                      " NAME<>'innodb_temporary' UNION ALL SELECT NAME FROM information_schema.INNODB_TABLES WHERE"
                      " SPACE=0 AND NAME NOT LIKE 'SYS\\_%' ORDER BY 1");
}

}  // namespace reseal::seed
