// SPDX-License-Identifier: Apache-2.0
#include "binlog/payload.hpp"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "base/byte_cursor.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

/// Types of the header's type-length-value fields (mysql-server libs/mysql/binlog/event/control_events.h,
/// Transaction_payload_event). Unknown ones are skipped there too.
constexpr std::uint64_t end_mark = 0;
constexpr std::uint64_t payload_size_field = 1;
constexpr std::uint64_t compression_field = 2;
constexpr std::uint64_t uncompressed_size_field = 3;

BadInput bad(std::string_view why) { return BadInput{"TRANSACTION_PAYLOAD event: " + std::string(why)}; }

struct PayloadHeader {
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> compression;
  std::optional<std::uint64_t> uncompressed_size;
};

void read_header(ByteCursor& cursor, PayloadHeader& header) {
  while (cursor.ok()) {
    const auto type = cursor.lenenc();
    if (!cursor.ok() || type == end_mark) return;
    ByteCursor field(cursor.lenenc_bytes());
    if (!cursor.ok()) return;
    if (type == payload_size_field) header.size = field.lenenc();
    if (type == compression_field) header.compression = field.lenenc();
    if (type == uncompressed_size_field) header.uncompressed_size = field.lenenc();
    if (!field.ok()) cursor.fail(field.error());
  }
}

}  // namespace

void PayloadReader::FreeContext::operator()(ZSTD_DCtx_s* context) const { ZSTD_freeDCtx(context); }

Result<PayloadReader> PayloadReader::make(std::string_view body, const PayloadLimits& limits) {
  ByteCursor cursor(body);
  PayloadHeader header;
  read_header(cursor, header);
  if (!cursor.ok()) return bad(cursor.error());
  if (!header.size || !header.compression || *header.size != cursor.remaining()) return bad("bad header");
  PayloadReader reader;
  reader.limits_ = limits;
  reader.input_ = cursor.rest();
  reader.input_size_ = reader.input_.size();
  reader.declared_size_ = header.uncompressed_size;
  switch (*header.compression) {
    case static_cast<std::uint64_t>(Compression::none):
      reader.compression_ = Compression::none;
      break;
    case static_cast<std::uint64_t>(Compression::zstd):
      reader.compression_ = Compression::zstd;
      reader.context_.reset(ZSTD_createDCtx());
      if (!reader.context_) return bad("no memory for decompression");
      break;
    default:
      return bad("unknown compression type " + std::to_string(*header.compression));
  }
  return reader;
}

bool PayloadReader::fail(std::string_view why) {
  if (error_.empty()) error_ = std::string(why);
  return false;
}

bool PayloadReader::decompress(char* to, std::size_t size, std::size_t& written) {
  if (compression_ == Compression::none) {
    written = std::min(size, input_.size());
    std::memcpy(to, input_.data(), written);
    input_.remove_prefix(written);
    return true;
  }
  ZSTD_outBuffer output{to, size, 0};
  while (output.pos < size) {
    ZSTD_inBuffer input{input_.data(), input_.size(), 0};
    const auto before = output.pos;
    const auto left = ZSTD_decompressStream(context_.get(), &output, &input);
    if (ZSTD_isError(left) != 0) return fail(std::string("zstd: ") + ZSTD_getErrorName(left));
    if (input.pos == 0 && output.pos == before) break;
    input_.remove_prefix(input.pos);
    frame_open_ = left != 0;
  }
  written = output.pos;
  return true;
}

bool PayloadReader::read(std::string& out, std::size_t count) {
  // The size comes from the sender: memory is taken as content arrives, not on its word.
  constexpr std::size_t step = std::size_t{1} << 20;
  while (count > 0) {
    const auto old_size = out.size();
    const auto want = std::min(count, std::max(step, old_size));
    out.resize(old_size + want);
    std::size_t written = 0;
    if (!decompress(out.data() + old_size, want, written)) return false;
    out.resize(old_size + written);
    produced_ += written;
    if (produced_ / limits_.max_ratio > input_size_) return fail("grows more than its compression can explain");
    if (declared_size_ && produced_ > *declared_size_) return fail("longer than its header says");
    if (written < want) return true;
    count -= want;
  }
  return true;
}

Result<std::optional<EventBytes>> PayloadReader::next() {
  auto event = std::make_shared<std::string>();
  if (!read(*event, event_header_size)) return bad(error_);
  if (event->empty()) {
    if (!input_.empty() || frame_open_) return bad("ends inside its compressed content");
    if (declared_size_ && produced_ != *declared_size_) return bad("shorter than its header says");
    return std::optional<EventBytes>();
  }
  const auto header = parse_event_header(*event);
  if (!header.ok()) return bad(header.error());
  const std::uint64_t size = header.value().event_size;
  if (size > limits_.max_event_bytes) return bad("an event of " + std::to_string(size) + " bytes is over the limit");
  if (!read(*event, size - event_header_size)) return bad(error_);
  if (event->size() != size) return bad("ends inside an event");
  return std::optional<EventBytes>(std::move(event));
}

}  // namespace reseal::binlog
