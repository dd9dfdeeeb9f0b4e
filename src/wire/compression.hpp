// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct z_stream_s;
struct ZSTD_DCtx_s;

namespace reseal::wire {

/// How the bytes of a session are packed once its login is over (MySQL Source Code Documentation, "Compression").
struct Compression {
  enum class Method { none, zlib, zstd };
  Method method = Method::none;
  int level = 6;  ///< zlib's default, which is what servers use; for zstd what the client asked for
};

/// What a login with these capabilities has agreed on: zlib where both were asked for. `zstd_level` is that of the
/// client's response; servers allow 1 to 22, and others count as their default, 3.
Compression compression_of(std::uint32_t capabilities, int zstd_level) noexcept;

/// Appends `bytes` as one compressed packet or more, numbered from `sequence`, which is left one past the last. What is
/// too short to gain by it, or does not, goes as it is, as servers do it.
void append_compressed(std::string& out, std::string_view bytes, Compression compression, std::uint8_t& sequence);

/// Unpacks compressed packets as they come, without I/O. Input is hostile: it holds no more than the window of one
/// packet (32 KiB with zlib, up to 16 MiB with zstd) and only while one is under way; the first bad byte sticks.
class CompressedReader {
 public:
  explicit CompressedReader(Compression::Method method) noexcept;
  ~CompressedReader();
  CompressedReader(CompressedReader&&) noexcept;
  CompressedReader& operator=(CompressedReader&&) noexcept;

  struct Taken {
    std::size_t used = 0;  ///< of the packed bytes
    std::size_t made = 0;  ///< bytes written to `room`
  };
  /// Goes on until `packed` is used up or `room` is full. Call it with nothing packed as well: what has been used may
  /// still have something to give.
  Taken feed(std::string_view packed, std::span<char> room);

  bool bad() const noexcept { return !error_.empty(); }
  const std::string& error() const noexcept { return error_; }
  /// The number of the packet that came last.
  std::uint8_t last_sequence() const noexcept { return last_sequence_; }

 private:
  struct FreeInflate {
    void operator()(z_stream_s* stream) const;
  };
  struct FreeZstd {
    void operator()(ZSTD_DCtx_s* context) const;
  };
  static constexpr std::size_t header_size = 7;

  void begin_packet();
  Taken unpack(std::string_view packed, std::span<char> room);
  bool unpack_zlib(std::string_view packed, std::span<char> room, Taken& taken);
  bool unpack_zstd(std::string_view packed, std::span<char> room, Taken& taken);
  void end_packet();

  Compression::Method method_;
  std::array<char, header_size> header_{};
  std::size_t header_filled_ = 0;
  bool packed_ = false;          ///< the packet at hand is compressed
  std::size_t packed_left_ = 0;  ///< bytes of it that are still to come
  std::size_t plain_left_ = 0;   ///< bytes that it still has to give
  std::uint8_t last_sequence_ = 0;
  std::unique_ptr<z_stream_s, FreeInflate> zlib_;
  std::unique_ptr<ZSTD_DCtx_s, FreeZstd> zstd_;
  std::string error_;
};

}  // namespace reseal::wire
