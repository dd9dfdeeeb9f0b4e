// SPDX-License-Identifier: Apache-2.0
#include "base/random_password.hpp"

#include <sys/random.h>

#include <array>
#include <string>
#include <string_view>

#include "base/failure.hpp"

namespace reseal::base {

Secret random_password() {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  static_assert(alphabet.size() == 64);
  std::array<unsigned char, 28> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Failure(FailureKind::local, "this machine has no random numbers for a password; nothing was changed");
  std::string text;
  text.reserve(bytes.size() + 4);  // no copy of it is left behind
  for (const auto byte : bytes) text += alphabet[byte % alphabet.size()];
  return Secret(std::move(text.append("aA1-")));
}

}  // namespace reseal::base
