// SPDX-License-Identifier: Apache-2.0
#include "wire/auth.hpp"

#include <gtest/gtest.h>

namespace reseal::wire {
namespace {

constexpr std::string_view nonce = "0123456789abcdefghij";

std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += digits[static_cast<std::uint8_t>(byte) >> 4];
    out += digits[static_cast<std::uint8_t>(byte) & 15];
  }
  return out;
}

// Both values were computed by another program (Python's hashlib) whose results agree with those other drivers test.
TEST(Auth, native_scramble_agrees_with_other_clients) {
  EXPECT_EQ(hex(native_scramble("secret", nonce)), "f5cac3f3b3df2133feb57db682c71e6ed433a988");
}

TEST(Auth, caching_sha2_scramble_agrees_with_other_clients) {
  EXPECT_EQ(hex(caching_sha2_scramble("secret", nonce)),
            "7e4adda2f2d5ef09b4147518becb0cee2939376203650a8c2bb2815959364bd0");
}

TEST(Auth, an_empty_password_has_an_empty_scramble) {
  EXPECT_EQ(native_scramble("", nonce), "");
  EXPECT_EQ(caching_sha2_scramble("", nonce), "");
}

}  // namespace
}  // namespace reseal::wire
