// SPDX-License-Identifier: Apache-2.0
#include "wire/auth.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <initializer_list>
#include <memory>

#include "base/failure.hpp"

namespace reseal::wire {
namespace {

std::string digest(const EVP_MD* algorithm, std::initializer_list<std::string_view> parts) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  bool fine = state && EVP_DigestInit_ex(state.get(), algorithm, nullptr) == 1;
  for (const auto part : parts) fine = fine && EVP_DigestUpdate(state.get(), part.data(), part.size()) == 1;
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  fine = fine && EVP_DigestFinal_ex(state.get(), bytes, &size) == 1;
  if (!fine)
    throw base::Failure(base::FailureKind::local,
                        "this machine's OpenSSL refuses the digest that the password plugin of the server needs");
  return {bytes, bytes + size};
}

// `left` becomes left XOR right; `right` is wiped.
std::string combine(std::string left, std::string right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] = static_cast<char>(left[i] ^ right[i]);
  OPENSSL_cleanse(right.data(), right.size());
  return left;
}

}  // namespace

std::string native_scramble(std::string_view password, std::string_view nonce) {
  if (password.empty()) return {};
  auto once = digest(EVP_sha1(), {password});
  const auto twice = digest(EVP_sha1(), {once});
  return combine(digest(EVP_sha1(), {nonce, twice}), std::move(once));
}

std::string caching_sha2_scramble(std::string_view password, std::string_view nonce) {
  if (password.empty()) return {};
  auto once = digest(EVP_sha256(), {password});
  const auto twice = digest(EVP_sha256(), {once});
  return combine(digest(EVP_sha256(), {twice, nonce}), std::move(once));
}

}  // namespace reseal::wire
