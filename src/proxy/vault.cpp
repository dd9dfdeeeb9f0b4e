// SPDX-License-Identifier: Apache-2.0
#include "proxy/vault.hpp"

#include <string.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/failure.hpp"
#include "wire/auth.hpp"

namespace reseal::proxy {
namespace {

// A slot is two bytes of length and the password.
constexpr std::size_t length_bytes = 2;

}  // namespace

LockedPages::LockedPages(std::size_t slots) noexcept : bytes_(slots * slot_size) {
  void* const pages = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return;
  if (::mlock(pages, bytes_) != 0 || ::madvise(pages, bytes_, MADV_DONTDUMP) != 0) {
    ::munmap(pages, bytes_);
    return;
  }
  pages_ = static_cast<char*>(pages);
  slots_ = slots;
}

LockedPages::~LockedPages() {
  if (pages_ == nullptr) return;
  explicit_bzero(pages_, bytes_);
  ::munmap(pages_, bytes_);
}

std::string_view LockedPages::read(std::size_t slot) const noexcept {
  std::uint16_t size = 0;
  ::memcpy(&size, place(slot), length_bytes);
  return {place(slot) + length_bytes, size};
}

void LockedPages::write(std::size_t slot, std::string_view text) noexcept {
  RESEAL_CHECK(text.size() + length_bytes <= slot_size);
  explicit_bzero(place(slot), slot_size);
  const auto size = static_cast<std::uint16_t>(text.size());
  ::memcpy(place(slot), &size, length_bytes);
  ::memcpy(place(slot) + length_bytes, text.data(), text.size());
}

bool Vault::remember(const std::string& user, std::string_view password) {
  if (password.size() + length_bytes > LockedPages::slot_size) return false;
  const std::lock_guard lock(mutex_);
  auto& own = slots_[user];
  const auto known = std::find_if(own.begin(), own.end(), [&](auto slot) { return pages_.read(slot) == password; });
  if (known != own.end()) {
    std::rotate(known, known + 1, own.end());
    return true;
  }
  if (own.size() == most_per_user) {
    std::rotate(own.begin(), own.begin() + 1, own.end());
    pages_.write(own.back(), password);
    return true;
  }
  const auto slot = free_slot();
  if (!slot) {
    if (own.empty()) slots_.erase(user);
    return false;
  }
  owners_[*slot] = true;
  own.push_back(*slot);
  pages_.write(*slot, password);
  return true;
}

std::optional<std::size_t> Vault::free_slot() const {
  const auto found = std::find(owners_.begin(), owners_.end(), false);
  if (found == owners_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - owners_.begin());
}

std::optional<base::Secret> Vault::find(const std::string& user, std::string_view plugin, std::string_view nonce,
                                        std::string_view scramble) const {
  const std::lock_guard lock(mutex_);
  const auto own = slots_.find(user);
  if (own == slots_.end()) return std::nullopt;
  for (auto slot = own->second.rbegin(); slot != own->second.rend(); ++slot) {
    const auto password = pages_.read(*slot);
    const auto made = plugin == wire::native_password ? wire::native_scramble(password, nonce)
                                                      : wire::caching_sha2_scramble(password, nonce);
    if (made == scramble) return base::Secret(std::string(password));
  }
  return std::nullopt;
}

std::size_t Vault::size() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count(owners_.begin(), owners_.end(), true));
}

void wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // what an earlier, longer text left behind
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace reseal::proxy
