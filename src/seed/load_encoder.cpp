// SPDX-License-Identifier: Apache-2.0
#include "seed/load_encoder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace reseal::seed {
namespace {

constexpr std::array<char, 256> make_escapes() {
  std::array<char, 256> escapes{};
  escapes[0] = '0';
  escapes[static_cast<unsigned char>('\t')] = 't';
  escapes[static_cast<unsigned char>('\n')] = 'n';
  escapes[static_cast<unsigned char>('\\')] = '\\';
  return escapes;
}
constexpr auto escapes = make_escapes();

char escape_of(char c) { return escapes[static_cast<unsigned char>(c)]; }

}  // namespace

void LoadEncoder::begin(const mysql::RowView& row, std::size_t columns) {
  row_.emplace(row);
  columns_ = columns;
  column_ = offset_ = 0;
}

std::size_t LoadEncoder::write(char* buffer, std::size_t size) {
  std::size_t written = 0;
  const auto put = [&](char c) { buffer[written++] = c; };
  while (written < size && column_ < columns_) {
    if (has_pending_) {
      put(pending_);
      has_pending_ = false;
      continue;
    }
    const bool null = row_->null(column_);
    const auto value = (*row_)[column_];
    if (null && offset_ == 0) {
      put('\\');
      pending_ = 'N';
      has_pending_ = true;
      offset_ = 1;
      continue;
    }
    if (!null && offset_ < value.size()) {
      const auto left = value.substr(offset_, size - written);
      const auto plain = std::find_if(left.begin(), left.end(), escape_of) - left.begin();
      std::memcpy(buffer + written, left.data(), static_cast<std::size_t>(plain));
      written += static_cast<std::size_t>(plain);
      offset_ += static_cast<std::size_t>(plain);
      if (written < size && offset_ < value.size() && escape_of(value[offset_]) != 0) {
        put('\\');
        pending_ = escape_of(value[offset_++]);
        has_pending_ = true;
      }
      continue;
    }
    put(column_ + 1 == columns_ ? '\n' : '\t');
    ++column_;
    offset_ = 0;
  }
  return written;
}

}  // namespace reseal::seed
