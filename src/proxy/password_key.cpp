// SPDX-License-Identifier: Apache-2.0
#include "proxy/password_key.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/failure.hpp"
#include "proxy/vault.hpp"

namespace reseal::proxy {
namespace {

constexpr unsigned key_bits = 2048;
constexpr std::size_t longest_key_text = 16 * 1024;

using Context = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;
using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Bytes = const unsigned char*;

std::string public_text(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_mem()), BIO_free);
  RESEAL_CHECK(memory != nullptr && PEM_write_bio_PUBKEY(memory.get(), key) == 1);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void exclusive_or(std::string& text, std::string_view nonce) {
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ nonce[i % nonce.size()]);
}

// Without it, OpenSSL would ask for the pass phrase of an encrypted key on this process's terminal, and wait.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Context oaep(EVP_PKEY* key, int (*init)(EVP_PKEY_CTX*)) {
  Context context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
  const bool fine =
      context && init(context.get()) == 1 && EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1;
  return fine ? std::move(context) : Context(nullptr, EVP_PKEY_CTX_free);
}

}  // namespace

PasswordKey PasswordKey::make() {
  const std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(key_bits), EVP_PKEY_free);
  if (!key) throw base::Failure(base::FailureKind::local, "this machine's OpenSSL cannot make an RSA key");
  auto text = public_text(key.get());
  return {key, std::move(text)};
}

std::optional<PasswordKey> PasswordKey::read(std::string_view pem) {
  if (pem.empty() || pem.size() > longest_key_text) return std::nullopt;
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  RESEAL_CHECK(memory != nullptr);
  const std::shared_ptr<EVP_PKEY> key(PEM_read_bio_PUBKEY(memory.get(), nullptr, no_pass_phrase, nullptr),
                                      EVP_PKEY_free);
  ERR_clear_error();
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return std::nullopt;
  return PasswordKey(key, std::string(pem));
}

std::string PasswordKey::encrypt(const base::Secret& password, std::string_view nonce) const {
  const auto context = oaep(key_.get(), EVP_PKEY_encrypt_init);
  if (!context || nonce.empty()) return {};
  std::string clear(password.reveal());
  clear += '\0';
  exclusive_or(clear, nonce);
  auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  std::string out(size, '\0');
  const int done = EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                                    reinterpret_cast<Bytes>(clear.data()), clear.size());
  wipe(clear);
  ERR_clear_error();
  out.resize(done == 1 ? size : 0);
  return out;
}

std::optional<base::Secret> PasswordKey::decrypt(std::string_view encrypted, std::string_view nonce) const {
  const auto context = oaep(key_.get(), EVP_PKEY_decrypt_init);
  auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key_.get()));
  if (!context || nonce.empty() || encrypted.size() != size) return std::nullopt;
  std::string clear(size, '\0');
  const int done = EVP_PKEY_decrypt(context.get(), reinterpret_cast<unsigned char*>(clear.data()), &size,
                                    reinterpret_cast<Bytes>(encrypted.data()), encrypted.size());
  ERR_clear_error();
  std::optional<base::Secret> password;
  if (done == 1) {
    clear.resize(size);
    exclusive_or(clear, nonce);
    if (!clear.empty() && clear.back() == '\0' && clear.find('\0') == clear.size() - 1)
      password = base::Secret(std::string(std::string_view(clear).substr(0, clear.size() - 1)));
  }
  wipe(clear);
  return password;
}

}  // namespace reseal::proxy
