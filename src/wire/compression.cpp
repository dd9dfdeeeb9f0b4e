// SPDX-License-Identifier: Apache-2.0
#include "wire/compression.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "base/failure.hpp"
#include "wire/bytes.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

// "Compressed Packet": three bytes of length, a number, three bytes of the length before compression, where 0 says that
// the payload is not compressed.
constexpr std::size_t length_bytes = 3;
constexpr std::size_t least_worth_packing = 50;  // MIN_COMPRESS_LENGTH (include/my_compress.h)
constexpr int zstd_default_level = 3;            // include/my_compress.h: default_zstd_compression_level
constexpr int zstd_highest_level = 22;
constexpr int largest_window_log = 24;  // a packet's payload is below 16 MiB
// "Zstandard frames" (RFC 8878, 3.1.1): the magic number, little-endian. What libzstd reads besides, skippable frames
// and the formats from before 0.8, no client writes; and for the old formats the limit of the window does not count.
constexpr std::string_view zstd_magic = "\x28\xB5\x2F\xFD";

std::size_t read_length(const char* at) {
  const auto byte = [at](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(at[i])); };
  return byte(0) | byte(1) << 8 | byte(2) << 16;
}

std::string pack(std::string_view bytes, Compression compression) {
  std::string packed;
  if (compression.method == Compression::Method::zlib) {
    auto size = compressBound(static_cast<uLong>(bytes.size()));
    packed.resize(size);
    const auto result =
        compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                  static_cast<uLong>(bytes.size()), compression.level);
    RESEAL_CHECK(result == Z_OK);
    packed.resize(size);
  } else {
    packed.resize(ZSTD_compressBound(bytes.size()));
    const auto size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), compression.level);
    RESEAL_CHECK(ZSTD_isError(size) == 0);
    packed.resize(size);
  }
  return packed;
}

}  // namespace

Compression compression_of(std::uint32_t capabilities, int zstd_level) noexcept {
  Compression compression;
  if ((capabilities & capability::compress) != 0) {
    compression.method = Compression::Method::zlib;
  } else if ((capabilities & capability::zstd_compression) != 0) {
    compression.method = Compression::Method::zstd;
    compression.level = zstd_level < 1 || zstd_level > zstd_highest_level ? zstd_default_level : zstd_level;
  }
  return compression;
}

void append_compressed(std::string& out, std::string_view bytes, Compression compression, std::uint8_t& sequence) {
  RESEAL_CHECK(compression.method != Compression::Method::none);
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, max_packet_payload);
    bytes.remove_prefix(part.size());
    const auto packed = part.size() < least_worth_packing ? std::string() : pack(part, compression);
    const bool gains = !packed.empty() && packed.size() < part.size();
    const auto payload = gains ? std::string_view(packed) : part;
    append_uint_le(out, payload.size(), length_bytes);
    append_uint_le(out, sequence++, 1);
    append_uint_le(out, gains ? part.size() : 0, length_bytes);
    out += payload;
  }
}

void CompressedReader::FreeInflate::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

void CompressedReader::FreeZstd::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

CompressedReader::CompressedReader(Compression::Method method) noexcept : method_(method) {}
CompressedReader::~CompressedReader() = default;
CompressedReader::CompressedReader(CompressedReader&&) noexcept = default;
CompressedReader& CompressedReader::operator=(CompressedReader&&) noexcept = default;

CompressedReader::Taken CompressedReader::feed(std::string_view packed, std::span<char> room) {
  Taken taken;
  while (!bad()) {
    if (packed_left_ == 0 && plain_left_ == 0) {
      const auto count = std::min(header_size - header_filled_, packed.size() - taken.used);
      std::memcpy(header_.data() + header_filled_, packed.data() + taken.used, count);
      header_filled_ += count;
      taken.used += count;
      if (header_filled_ < header_size) break;
      begin_packet();
      continue;
    }
    const auto step = unpack(packed.substr(taken.used, packed_left_), room.subspan(taken.made));
    taken.used += step.used;
    taken.made += step.made;
    if (step.used == 0 && step.made == 0) break;
  }
  return taken;
}

void CompressedReader::begin_packet() {
  header_filled_ = 0;
  packed_left_ = read_length(header_.data());
  last_sequence_ = static_cast<std::uint8_t>(header_[length_bytes]);
  plain_left_ = read_length(header_.data() + length_bytes + 1);
  packed_ = plain_left_ != 0;
  if (!packed_) {
    plain_left_ = packed_left_;
  } else if (packed_left_ == 0) {
    error_ = "a compressed packet without a payload";
  } else if (method_ == Compression::Method::zlib) {
    zlib_.reset(new z_stream_s{});
    RESEAL_CHECK(inflateInit(zlib_.get()) == Z_OK);
  } else {
    zstd_.reset(ZSTD_createDCtx());
    RESEAL_CHECK(zstd_ != nullptr);
    ZSTD_DCtx_setParameter(zstd_.get(), ZSTD_d_windowLogMax, largest_window_log);
  }
}

CompressedReader::Taken CompressedReader::unpack(std::string_view packed, std::span<char> room) {
  Taken taken;
  if (!packed_) {
    taken.used = taken.made = std::min(packed.size(), room.size());
    std::memcpy(room.data(), packed.data(), taken.made);
    packed_left_ -= taken.used;
    plain_left_ -= taken.made;
    return taken;
  }
  room = room.first(std::min(room.size(), plain_left_));
  const bool ended =
      method_ == Compression::Method::zlib ? unpack_zlib(packed, room, taken) : unpack_zstd(packed, room, taken);
  packed_left_ -= taken.used;
  plain_left_ -= taken.made;
  if (bad()) return taken;
  const bool whole = packed_left_ == 0 && plain_left_ == 0;
  const bool stuck = taken.used == 0 && taken.made == 0;
  if (ended != whole || (stuck && (packed_left_ == 0 ? !room.empty() : plain_left_ == 0 && !packed.empty())))
    error_ = "a compressed packet of another length than it says";
  if (ended) end_packet();
  return taken;
}

// Both say whether the compressed bytes have come to their end.

bool CompressedReader::unpack_zlib(std::string_view packed, std::span<char> room, Taken& taken) {
  auto& stream = *zlib_;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  stream.avail_out = static_cast<uInt>(room.size());
  const auto result = inflate(&stream, Z_NO_FLUSH);
  taken.used = packed.size() - stream.avail_in;
  taken.made = room.size() - stream.avail_out;
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) error_ = "bytes that zlib cannot unpack";
  return result == Z_STREAM_END;
}

bool CompressedReader::unpack_zstd(std::string_view packed, std::span<char> room, Taken& taken) {
  const auto at = read_length(header_.data()) - packed_left_;  // in the packet's payload
  if (at < zstd_magic.size()) {
    const auto wanted = zstd_magic.substr(at, packed.size());
    if (!packed.starts_with(wanted)) {
      error_ = "bytes that are no zstd frame";
      return false;
    }
  }
  ZSTD_outBuffer output{room.data(), room.size(), 0};
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  const auto left = ZSTD_decompressStream(zstd_.get(), &output, &input);
  taken.used = input.pos;
  taken.made = output.pos;
  if (ZSTD_isError(left) != 0) error_ = "bytes that zstd cannot unpack";
  return left == 0;
}

void CompressedReader::end_packet() {
  zlib_.reset();
  zstd_.reset();
}

}  // namespace reseal::wire
