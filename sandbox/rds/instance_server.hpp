// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "sandbox/rds/admin_session.hpp"
#include "sandbox/rds/procedures.hpp"
#include "sandbox/rds/records.hpp"
#include "sandbox/rds/server_host.hpp"

namespace reseal::sandbox::rds {

/// Gets a percentage, 0 to 100, as work goes on.
using Progress = std::function<void(int percent)>;

/// How the instance's mysqld is started, with the values of `group`. Binary logging is off without automated backups,
/// as on RDS. Replication never starts by itself: see resume_replication.
ServerOptions server_options(const Instance& instance, const ParameterGroup& group);

/// What a new master user is to be.
struct MasterUser {
  std::string name;
  base::Secret password;
};

/// Makes the accounts, tables and procedures of RDS on a server that was just made, and takes root away.
void set_up_server(const ServerFolder& folder, const AdminAccounts& accounts, const MasterUser& master,
                   ProcedureNames names);
/// Gives the master user this password and the privileges of RDS's master user anew.
void reset_master_user(mysql::Session& session, const MasterUser& master);

/// Copies a running server's data into `to` by the clone plugin; the server goes on meanwhile. The keyring, if the
/// server has one, and the certificates go along.
void clone_server(const AdminAccounts& accounts, const ServerFolder& from, const ServerFolder& to,
                  const Progress& progress);
/// Copies the folder of a snapshot.
void copy_folder(const ServerFolder& from, const ServerFolder& to, const Progress& progress);
/// Encrypts every tablespace of a server that has a keyring, and the default of every schema.
void encrypt_tablespaces(mysql::Session& session, const Progress& progress);
/// Throws Failure(refused) when a tablespace that holds rows is plain.
void require_encrypted(mysql::Session& session);
/// Encrypts a snapshot's plain data in place, by a server that runs on it meanwhile; Failure(refused) when one
/// tablespace stays plain.
void encrypt_folder(ServerHost& host, const AdminAccounts& accounts, const ServerFolder& folder,
                    const Progress& progress);

/// Makes a cloned server a managed read replica of the server at `host`:`port`, from the place that the clone has.
void begin_replication(mysql::Session& replica, const AdminAccounts& accounts, const std::string& source_id,
                       const std::string& host, std::uint16_t port);
/// Takes away whatever a copy knows of replication: a restored or promoted server is no replica.
void forget_replication(mysql::Session& session);
/// Starts replication again after a start of the server, unless it was stopped on purpose.
void resume_replication(mysql::Session& session);
ReplicationState replication_state(mysql::Session& session);

}  // namespace reseal::sandbox::rds
