// SPDX-License-Identifier: Apache-2.0
#include "wire/compression.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <random>
#include <string>

#include "wire/bytes.hpp"
#include "wire/protocol.hpp"

namespace reseal::wire {
namespace {

using Method = Compression::Method;

std::string text_of(std::size_t size) {
  std::string text;
  while (text.size() < size) text += "sign-up " + std::to_string(text.size() * 7 % 1000) + ";";
  text.resize(size);
  return text;
}

std::string noise_of(std::size_t size) {
  std::mt19937 random(7);
  std::string noise(size, '\0');
  for (auto& c : noise) c = static_cast<char>(random());
  return noise;
}

/// What the reader makes of `packed`, given in pieces and taken in rooms of these sizes.
std::string unpacked(CompressedReader& reader, std::string_view packed, std::size_t piece, std::size_t room) {
  std::string out;
  std::string place(room, '\0');
  while (!reader.bad()) {
    const auto taken = reader.feed(packed.substr(0, piece), place);
    packed.remove_prefix(taken.used);
    out.append(place, 0, taken.made);
    if (taken.used == 0 && taken.made == 0) break;
  }
  EXPECT_TRUE(reader.bad() || packed.empty());
  return out;
}

std::string packet(std::string_view payload, std::size_t plain_size, std::uint8_t sequence = 0) {
  std::string out;
  append_uint_le(out, payload.size(), 3);
  append_uint_le(out, sequence, 1);
  append_uint_le(out, plain_size, 3);
  return out.append(payload);
}

std::string zlib_of(std::string_view text) {
  auto size = compressBound(static_cast<uLong>(text.size()));
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
           static_cast<uLong>(text.size()));
  packed.resize(size);
  return packed;
}

std::string zstd_of(std::string_view text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

std::string packed_by(Method method, std::string_view text) {
  return method == Method::zlib ? zlib_of(text) : zstd_of(text);
}

class CompressionOf : public testing::TestWithParam<Method> {};
INSTANTIATE_TEST_SUITE_P(Methods, CompressionOf, testing::Values(Method::zlib, Method::zstd));

TEST_P(CompressionOf, bytes_come_back_whatever_the_pieces) {
  for (const auto& text : {std::string("x"), text_of(49), text_of(50), text_of(4000), noise_of(4000)}) {
    std::string packed;
    std::uint8_t sequence = 3;
    append_compressed(packed, text, {GetParam(), 3}, sequence);
    append_compressed(packed, text, {GetParam(), 3}, sequence);
    EXPECT_EQ(sequence, 5);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100}, packed.size()})
      for (const std::size_t room : {std::size_t{1}, std::size_t{13}, std::size_t{10'000}}) {
        CompressedReader reader(GetParam());
        EXPECT_EQ(unpacked(reader, packed, piece, room), text + text) << reader.error();
        EXPECT_FALSE(reader.bad());
        EXPECT_EQ(reader.last_sequence(), 4);
      }
  }
}

TEST_P(CompressionOf, more_than_one_packet_holds) {
  const auto text = text_of((1U << 24) + 1000);
  std::string packed;
  std::uint8_t sequence = 255;
  append_compressed(packed, text, {GetParam(), 1}, sequence);
  EXPECT_EQ(sequence, 1);
  EXPECT_LT(packed.size(), text.size() / 2);
  CompressedReader reader(GetParam());
  EXPECT_EQ(unpacked(reader, packed, 5000, 32'768), text);
}

TEST_P(CompressionOf, what_does_not_gain_goes_as_it_is) {
  for (const auto& text : {text_of(49), noise_of(1000)}) {
    std::string packed;
    std::uint8_t sequence = 0;
    append_compressed(packed, text, {GetParam(), 3}, sequence);
    EXPECT_EQ(packed, packet(text, 0));
  }
}

TEST_P(CompressionOf, lengths_that_are_not_true_are_bad_input) {
  const auto text = text_of(1000);
  const auto packed = packed_by(GetParam(), text);
  const std::string bad[] = {packet(packed, text.size() - 1),
                             packet(packed, text.size() + 1),
                             packet(packed + "x", text.size()),
                             packet(packed.substr(0, packed.size() - 1), text.size()),
                             packet(packed + packed, 2 * text.size()),
                             packet("", text.size()),
                             packet(noise_of(500), 1000)};
  for (const auto& bytes : bad)
    for (const std::size_t room : {std::size_t{1}, std::size_t{999}, std::size_t{5000}}) {
      CompressedReader reader(GetParam());
      unpacked(reader, bytes, bytes.size(), room);
      // What is missing at the end may still be on its way; then the next packet is taken for it, and is not.
      if (!reader.bad()) unpacked(reader, packet("a", 0) + packet("b", 0), 1000, room);
      EXPECT_TRUE(reader.bad()) << &bytes - bad << " room " << room;
    }
}

TEST(Compression, zstd_takes_frames_of_its_own_format_only) {
  // libzstd reads these too: the format of 0.7, with another limit of memory, and a frame that is to be skipped.
  for (const auto* const magic : {"\x27\xB5\x2F\xFD", "\x50\x2A\x4D\x18"})
    for (const std::size_t piece : {1, 3, 1000}) {
      CompressedReader reader(Method::zstd);
      unpacked(reader, packet(std::string(magic, 4) + noise_of(200), 400), piece, 1000);
      EXPECT_EQ(reader.error(), "bytes that are no zstd frame") << piece;
    }
}

TEST(Compression, a_length_that_is_announced_costs_nothing) {
  CompressedReader reader(Method::zlib);
  char room[10];
  const auto taken = reader.feed(packet(std::string(10, '\0'), 0xFFFFFF).substr(0, 9), room);
  EXPECT_LE(taken.made, sizeof room);
}

TEST(Compression, zlib_goes_before_zstd_and_levels_are_those_of_servers) {
  EXPECT_EQ(compression_of(0, 3).method, Method::none);
  EXPECT_EQ(compression_of(capability::compress | capability::zstd_compression, 3).method, Method::zlib);
  EXPECT_EQ(compression_of(capability::zstd_compression, 7).method, Method::zstd);
  EXPECT_EQ(compression_of(capability::zstd_compression, 7).level, 7);
  EXPECT_EQ(compression_of(capability::zstd_compression, 0).level, 3);
  EXPECT_EQ(compression_of(capability::zstd_compression, 23).level, 3);
}

}  // namespace
}  // namespace reseal::wire
