// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace reseal::proxy {

/// Pages that are never swapped out (mlock), never in a core dump (MADV_DONTDUMP), and wiped before they are given
/// back. Divided into slots of one password each. Not thread-safe.
class LockedPages {
 public:
  static constexpr std::size_t slot_size = 260;  ///< the longest password of caching_sha2_password is 256 bytes

  /// Throws nothing: without the right to lock memory there are no slots.
  explicit LockedPages(std::size_t slots) noexcept;
  ~LockedPages();
  LockedPages(const LockedPages&) = delete;
  LockedPages& operator=(const LockedPages&) = delete;

  std::size_t slots() const noexcept { return slots_; }
  std::string_view read(std::size_t slot) const noexcept;
  /// `text` fits into a slot.
  void write(std::size_t slot, std::string_view text) noexcept;

 private:
  char* place(std::size_t slot) const noexcept { return pages_ + slot * slot_size; }
  char* pages_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t slots_ = 0;
};

/// The passwords that clients have proven to know, by account name: the proxy needs them to log in on the other server.
/// They are never logged and never leave but as a login. Two accounts of one name and different hosts, and an account
/// whose password is being changed, may have several: the newest few are kept. Thread-safe.
class Vault {
 public:
  explicit Vault(std::size_t passwords = 1000) : pages_(passwords), owners_(pages_.slots()) {}

  /// False when there was no place: no locked memory, or it is full, or the password is too long.
  bool remember(const std::string& user, std::string_view password);
  /// The password of this user that makes `scramble` of `nonce` by this plugin; nothing when none does.
  std::optional<base::Secret> find(const std::string& user, std::string_view plugin, std::string_view nonce,
                                   std::string_view scramble) const;
  std::size_t size() const;
  /// False when this process may not lock memory; then nothing is kept.
  bool usable() const noexcept { return pages_.slots() > 0; }

 private:
  static constexpr std::size_t most_per_user = 4;
  std::optional<std::size_t> free_slot() const;

  mutable std::mutex mutex_;
  LockedPages pages_;
  std::vector<bool> owners_;                               ///< which slots are taken
  std::map<std::string, std::vector<std::size_t>> slots_;  ///< by user, oldest first
};

/// Wipes what held a password, and empties it.
void wipe(std::string& text) noexcept;

}  // namespace reseal::proxy
