// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace reseal::wire {

inline constexpr std::string_view native_password = "mysql_native_password";
inline constexpr std::string_view caching_sha2_password = "caching_sha2_password";

/// Answer to a nonce of 20 bytes (MySQL Source Code Documentation, "Native Authentication"):
/// SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))). Empty for an empty password.
std::string native_scramble(std::string_view password, std::string_view nonce);

/// Answer to a nonce of 20 bytes (MySQL Source Code Documentation, "Caching_sha2_password information"):
/// SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce). Empty for an empty password.
std::string caching_sha2_scramble(std::string_view password, std::string_view nonce);

}  // namespace reseal::wire
