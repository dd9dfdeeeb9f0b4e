// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <mysql.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "mysql/certificates_for_tests.hpp"
#include "proxy/proxy.hpp"
#include "sandbox/test_server.hpp"

// A client as applications are: libmariadb, with TLS or without.
namespace reseal::proxy {

/// A certificate and its key as files that live as long as this.
class ServerCertificate {
 public:
  ServerCertificate() : made_(mysql::make_certificate("proxy", "DNS:localhost,IP:127.0.0.1")), file_(made_) {
    key_ = file_.path() + ".key";
    auto* const file = std::fopen(key_.c_str(), "w");
    PEM_write_PrivateKey(file, made_.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  ~ServerCertificate() { std::filesystem::remove(key_); }
  ServerCertificate(const ServerCertificate&) = delete;
  ServerCertificate& operator=(const ServerCertificate&) = delete;
  const std::string& certificate() const { return file_.path(); }
  const std::string& key() const { return key_; }

 private:
  mysql::KeyAndCertificate made_;
  mysql::CertificateFile file_;
  std::string key_;
};

struct ClientOptions {
  std::string user;
  std::string password;
  std::uint16_t port = 0;
  std::string socket;
  bool tls = true;
  std::string schema;
  unsigned long flags = 0;
  std::string certificate;  ///< and key, in one or two PEM files
  std::string key;
  std::string authority;  ///< PEM file of what must have signed the server's certificate; empty: any
  bool local_infile = false;
};

class Client {
 public:
  explicit Client(const ClientOptions& options) : handle_(mysql_init(nullptr), mysql_close) {
    const my_bool yes = 1;
    const my_bool no = 0;
    const unsigned seconds = 20;
    mysql_options(get(), MYSQL_OPT_SSL_ENFORCE, options.tls ? &yes : &no);
    mysql_options(get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, options.authority.empty() ? &no : &yes);
    if (!options.authority.empty()) mysql_options(get(), MYSQL_OPT_SSL_CA, options.authority.c_str());
    mysql_options(get(), MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(get(), MYSQL_OPT_READ_TIMEOUT, &seconds);
    const unsigned infile = options.local_infile ? 1 : 0;
    mysql_options(get(), MYSQL_OPT_LOCAL_INFILE, &infile);
    const unsigned long most = 1UL << 30;
    mysql_options(get(), MYSQL_OPT_MAX_ALLOWED_PACKET, &most);
    if (options.tls && !options.certificate.empty())
      mysql_ssl_set(get(), options.key.c_str(), options.certificate.c_str(), nullptr, nullptr, nullptr);
    connected_ = mysql_real_connect(get(), options.socket.empty() ? "127.0.0.1" : nullptr, options.user.c_str(),
                                    options.password.c_str(), options.schema.empty() ? nullptr : options.schema.c_str(),
                                    options.port, options.socket.empty() ? nullptr : options.socket.c_str(),
                                    options.flags) != nullptr;
  }

  bool connected() const { return connected_; }
  unsigned error() const { return mysql_errno(get()); }
  std::string error_text() const { return mysql_error(get()); }
  MYSQL* get() const { return handle_.get(); }

  bool run(const std::string& statement) {
    if (mysql_real_query(get(), statement.data(), statement.size()) != 0) return false;
    do {
      if (auto* const result = mysql_store_result(get())) mysql_free_result(result);
    } while (mysql_next_result(get()) == 0);
    return mysql_errno(get()) == 0;
  }

  /// The first column of every row of every result.
  std::vector<std::string> column(const std::string& statement) {
    std::vector<std::string> values;
    if (mysql_real_query(get(), statement.data(), statement.size()) != 0) return {"ERROR " + error_text()};
    do {
      auto* const result = mysql_store_result(get());
      if (result == nullptr) continue;
      while (auto* const row = mysql_fetch_row(result)) {
        const auto* const lengths = mysql_fetch_lengths(result);
        values.emplace_back(row[0] == nullptr ? "NULL" : std::string(row[0], lengths[0]));
      }
      mysql_free_result(result);
    } while (mysql_next_result(get()) == 0);
    return values;
  }
  std::string value(const std::string& statement) {
    const auto values = column(statement);
    return values.empty() ? "none" : values.front();
  }

 private:
  std::unique_ptr<MYSQL, void (*)(MYSQL*)> handle_;
  bool connected_ = false;
};

}  // namespace reseal::proxy
