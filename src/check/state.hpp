// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check/finding.hpp"
#include "check/privileges.hpp"
#include "mysql/schema_reader.hpp"
#include "sql/table.hpp"

namespace reseal::check {

/// What was seen of the servers, as plain values: the rules read only these, so that they can be tested without a
/// server. Names follow MySQL's own.
using Variables = std::map<std::string, std::string, std::less<>>;

struct ReplicaChannel {
  std::string name;
  std::string source_host;
  bool running = false;
};

struct ServerState {
  Where where = Where::source;
  std::string address;
  std::string version;
  mysql::ServerFacts facts;
  bool mariadb = false;
  bool local_socket = false;
  std::string tls_cipher;  ///< of our own connection; empty when it is in the clear
  std::string account;     ///< CURRENT_USER()
  Variables variables;     ///< SHOW GLOBAL VARIABLES
  Privileges privileges;
  std::uint64_t threads_connected = 0;
  std::vector<ReplicaChannel> channels;

  std::optional<std::string> variable(std::string_view name) const;
  /// The variable's number; nothing when it is absent or no number.
  std::optional<std::uint64_t> number(std::string_view name) const;
  bool is(std::string_view name, std::string_view value) const { return variable(name) == value; }
};

/// A living session whose own setting differs from what the move needs.
struct SessionSetting {
  std::uint64_t session = 0;  ///< what KILL takes
  std::string account;
  std::string variable;
  std::string value;
};

struct UnknownColumn {
  sql::TableName table;
  std::string column;
  std::string data_type;
};

struct ForeignKey {
  sql::TableName table;
  std::string name;
  std::string referenced_schema;
  std::string referenced_table;
  std::string update_rule;
  std::string delete_rule;
};

/// A trigger or an event.
struct NamedObject {
  std::string schema;
  std::string name;
  std::string detail;
};

struct OpenTransaction {
  std::uint64_t session = 0;  ///< 0 for one without a client: recovered or prepared
  std::uint64_t seconds = 0;
};

struct SourceState {
  ServerState server;
  std::vector<std::string> schemas;  ///< the ones to move
  std::vector<std::string> missing_schemas;
  std::vector<sql::Table> tables;
  std::vector<UnknownColumn> unknown_columns;
  std::set<std::string> collations;  ///< that schemas, tables and columns use
  std::vector<ForeignKey> foreign_keys;
  std::vector<NamedObject> triggers;
  std::vector<NamedObject> events;
  std::vector<SessionSetting> sessions;
  std::string binlog_do_db;
  std::string binlog_ignore_db;
  std::size_t prepared_xa = 0;
  std::vector<OpenTransaction> transactions;
  std::vector<std::string> bypass_accounts;                       ///< that read_only does not stop
  std::map<std::string, std::vector<std::string>> login_plugins;  ///< authentication plugin -> accounts
  std::map<std::string, std::vector<std::string>> uses;  ///< function that the target lacks -> objects that call it

  std::uint64_t bytes() const;
};

struct TargetState {
  ServerState server;
  std::set<std::string> collations;
  std::map<std::string, std::uint64_t> objects;  ///< user schema -> tables, views and routines in it
  bool run_table = false;                        ///< `reseal`.`run` exists
  bool ours = false;                             ///< and names our run
  std::set<std::string> login_plugins;           ///< that are active
  std::set<std::string> lacking_functions;
  std::string keyring;           ///< name of the active component or plugin; empty when there is none
  std::string mysql_tablespace;  ///< its ENCRYPTION: "Y", "N", or empty when not seen
};

}  // namespace reseal::check
