// SPDX-License-Identifier: Apache-2.0
#include "load/operation.hpp"

#include <array>

namespace reseal::load {
namespace {

constexpr std::array<std::string_view, 17> names = {
    "",           "setup",      "transfer",    "doc_insert",  "doc_set",  "doc_append",
    "doc_remove", "doc_delete", "handle_pass", "key_move",    "key_swap", "blob_put",
    "blob_drop",  "rebirth",    "hot",         "order_batch", "touch"};

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
    table[i] = value;
  }
  return table;
}

}  // namespace

std::string_view kind_name(Kind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<Kind> kind_of(std::uint8_t number) {
  if (number == 0 || number >= names.size()) return std::nullopt;
  return static_cast<Kind>(number);
}

std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

std::string blob_bytes(OpId id, std::size_t size) {
  std::string bytes;
  bytes.reserve(size + 8);
  for (std::uint64_t word = mix(id.value()); bytes.size() < size; word = mix(word))
    for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(word >> shift & 0xFF);
  bytes.resize(size);
  return bytes;
}

std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = crc_table();
  std::uint32_t value = 0xFFFFFFFFU;
  for (const char byte : bytes) value = table[(value ^ static_cast<std::uint8_t>(byte)) & 0xFF] ^ (value >> 8);
  return ~value;
}

}  // namespace reseal::load
