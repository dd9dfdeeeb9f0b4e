// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/secret.hpp"
#include "follow/channel_account.hpp"
#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"
#include "sql/position.hpp"

namespace reseal::follow {

/// Where the target replicates from, as the target sees it.
struct ChannelSource {
  std::string host;
  std::uint16_t port = 3306;
  std::string user = follow_account;
  base::Secret password;
  /// Always encrypted. Whether the target checks the source's certificate: `required` does not, since no certificate
  /// authority can be taken to be on the target's disk; RDS never does, and is refused the others.
  mysql::TlsMode tls = mysql::TlsMode::required;
  std::string tls_ca;  ///< PEM file on the target's own disk, for the modes that check
  bool by_gtid = false;
};

/// How one server is told to replicate: by MySQL's statements, or by the procedures mysql.rds_* where they exist.
/// What the server has decides, never its version.
class ChannelDialect {
 public:
  static ChannelDialect of(mysql::Session& target);

  /// "reseal"; with the procedures the default channel, whose name is empty.
  const std::string& channel() const { return channel_; }
  /// For messages: "the replication channel 'reseal'".
  std::string text() const;

  /// Holds the password. `from` is where to begin; by GTID the server knows for itself.
  base::Secret configure(const ChannelSource& source, const sql::BinlogPosition& from) const;
  std::string start() const;
  std::string stop() const;
  std::string remove() const;

 private:
  base::Secret change_statement(const ChannelSource& source, const sql::BinlogPosition& from) const;
  base::Secret procedure_call(const ChannelSource& source, const sql::BinlogPosition& from) const;
  bool procedures() const { return !word_.empty(); }

  std::string channel_;
  std::string word_;            ///< of the procedures' names: "source", "master"; empty: MySQL's statements
  bool auto_position_ = false;  ///< there is a procedure for it
};

}  // namespace reseal::follow
