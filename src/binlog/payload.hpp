// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "binlog/event.hpp"

struct ZSTD_DCtx_s;

namespace reseal::binlog {

/// Bounds on what one event may make us hold in memory.
struct PayloadLimits {
  std::uint64_t max_event_bytes = std::uint64_t{2} << 30;  ///< one event inside a compressed transaction
  std::uint64_t max_ratio = 40000;  ///< zstd's own best is about 32768:1 (a 128 KiB block in 4 bytes)
};

/// Reads the events inside a TRANSACTION_PAYLOAD one by one, decompressing as it goes: memory is one event and zstd's
/// window, whatever the transaction's size. Inner events carry no checksum.
class PayloadReader {
 public:
  /// `body` must outlive the reader.
  static base::Result<PayloadReader> make(std::string_view body, const PayloadLimits& limits);

  /// The next event, or nothing at the end of the payload.
  base::Result<std::optional<EventBytes>> next();

 private:
  enum class Compression : std::uint8_t { zstd = 0, none = 255 };
  struct FreeContext {
    void operator()(ZSTD_DCtx_s* context) const;
  };

  PayloadReader() = default;
  /// Appends up to `count` bytes of plain content to `out`; fewer only at the end. False on bad content.
  bool read(std::string& out, std::size_t count);
  bool decompress(char* to, std::size_t size, std::size_t& written);
  bool fail(std::string_view why);

  PayloadLimits limits_;
  Compression compression_ = Compression::none;
  std::string_view input_;
  std::uint64_t input_size_ = 0;
  std::optional<std::uint64_t> declared_size_;
  std::uint64_t produced_ = 0;
  bool frame_open_ = false;
  std::unique_ptr<ZSTD_DCtx_s, FreeContext> context_;
  std::string error_;
};

}  // namespace reseal::binlog
