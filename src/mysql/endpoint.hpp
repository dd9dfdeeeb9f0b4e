// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/secret.hpp"

namespace reseal::mysql {

/// MySQL's own names and meanings of --ssl-mode (MySQL manual, "Command Options for Encrypted Connections").
enum class TlsMode { disabled, required, verify_ca, verify_identity };

/// Where a server is and how to log in. `socket` wins over host and port when it is set.
struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;
  std::string user;
  base::Secret password;
  TlsMode tls = TlsMode::required;
  std::string tls_ca;    ///< PEM file
  std::string tls_cert;  ///< PEM file
  std::string tls_key;   ///< PEM file

  /// Sent as the connection attributes reseal_run and reseal_process, so that sessions a killed process left behind can
  /// be told from ours; empty: not sent.
  std::string run;
  std::string process;

  /// "user@host:port" or "user@socket", for messages; never the password.
  std::string text() const;
};

}  // namespace reseal::mysql
