// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/admin_session.hpp"

#include <openssl/rand.h>

#include "base/failure.hpp"
#include "sandbox/server_launch.hpp"

namespace reseal::sandbox::rds {
namespace {

mysql::Session local_session(const std::string& user, const base::Secret& password, const ServerFolder& folder,
                             std::chrono::seconds timeout) {
  mysql::Endpoint endpoint;
  endpoint.user = user;
  endpoint.password = password;
  endpoint.socket = socket_path(folder.root).string();
  endpoint.tls = mysql::TlsMode::disabled;
  mysql::Session session(endpoint, mysql::Side::source, timeout);
  mysql::without_binlog(session);
  return session;
}

}  // namespace

mysql::Session admin_session(const AdminAccounts& accounts, const ServerFolder& folder, std::chrono::seconds timeout) {
  return local_session("rdsadmin", accounts.rdsadmin, folder, timeout);
}

mysql::Session first_session(const ServerFolder& folder) {
  return local_session("root", base::Secret(), folder, std::chrono::seconds(0));
}

std::string random_password() {
  unsigned char bytes[14];
  RESEAL_CHECK(RAND_bytes(bytes, sizeof bytes) == 1);
  std::string text = "Aa1-";
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

}  // namespace reseal::sandbox::rds
