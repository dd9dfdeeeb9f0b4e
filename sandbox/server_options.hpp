// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reseal::sandbox {

/// How a sandbox server is set up. Values MySQL checks are passed on as they are.
struct ServerOptions {
  /// Keyring component, and every part of the server encrypted: tables by default, mysql and sys, redo, undo, binlog.
  bool encrypted = false;
  bool gtid = true;
  std::string row_image = "FULL";        ///< binlog_row_image: FULL, MINIMAL, NOBLOB
  std::string row_metadata = "MINIMAL";  ///< binlog_row_metadata: MINIMAL (MySQL's default), FULL
  bool compress_transactions = false;    ///< binlog_transaction_compression
  bool partial_json = false;             ///< binlog_row_value_options=PARTIAL_JSON
  bool semi_sync = false;                ///< semi-synchronous source; a commit waits 2 s at most for a replica
  bool local_infile = false;             ///< accept LOAD DATA LOCAL, as a target must
  bool own_certificates = false;         ///< a certificate authority of its own instead of one shared by all servers
  std::uint32_t server_id = 0;           ///< 0 takes the port number
  unsigned buffer_pool_mib = 128;
  std::vector<std::string> extra;  ///< more mysqld options, "--name=value"; the last one wins

  static ServerOptions plain_source() { return {}; }
  static ServerOptions encrypted_target() {
    ServerOptions options;
    options.encrypted = true;
    options.local_infile = true;
    return options;
  }
};

/// The mysqld options of `options` that do not depend on where the server lives.
std::vector<std::string> server_arguments(const ServerOptions& options);

}  // namespace reseal::sandbox
