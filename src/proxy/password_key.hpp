// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"

struct evp_pkey_st;

namespace reseal::proxy {

/// The RSA key that caching_sha2_password protects a password with when there is no TLS (MySQL manual, "Caching SHA-2
/// Pluggable Authentication"): the password and a NUL, XORed with the nonce, encrypted with OAEP.
class PasswordKey {
 public:
  /// A new key of 2048 bits, as a server makes it.
  static PasswordKey make();
  /// A server's public key; nothing when it is none.
  static std::optional<PasswordKey> read(std::string_view pem);

  /// The public half, as PEM.
  const std::string& pem() const noexcept { return pem_; }
  /// Empty when the key cannot take it.
  std::string encrypt(const base::Secret& password, std::string_view nonce) const;
  /// Nothing when it was not encrypted with this key.
  std::optional<base::Secret> decrypt(std::string_view encrypted, std::string_view nonce) const;

 private:
  PasswordKey(std::shared_ptr<evp_pkey_st> key, std::string pem) : key_(std::move(key)), pem_(std::move(pem)) {}
  std::shared_ptr<evp_pkey_st> key_;
  std::string pem_;
};

}  // namespace reseal::proxy
