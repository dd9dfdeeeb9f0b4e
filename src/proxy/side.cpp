// SPDX-License-Identifier: Apache-2.0
#include "proxy/side.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/failure.hpp"
#include "proxy/vault.hpp"

namespace reseal::proxy {

void Side::open(mysql::FileDescriptor socket, EventLoop& loop) {
  close();  // an address that did not answer
  loop_ = &loop;
  stream_.emplace(std::move(socket));
  readable_ = true;
  writable_ = true;
  read_over = write_over = ending_ = false;
  compressed_.reset();
  loop.watch(stream_->number(), *this);
}

void Side::close() {
  if (!opened()) return;
  if (loop_ != nullptr) loop_->forget(stream_->number());
  stream_->close();
}

void Side::be_forgotten() {
  if (opened()) std::exchange(loop_, nullptr)->forget(stream_->number());
}

void Side::ready(Change change) {
  // A TLS layer may have to write before it can read on, and the other way round.
  const bool either = stream_->encrypted();
  readable_ = readable_ || change.readable || either;
  writable_ = writable_ || change.writable || either;
  ending_ = ending_ || change.ended;
  owner_->advance();
}

void Side::begin_messages(std::size_t limit, std::uint8_t sequence) {
  assembler_ = std::make_unique<wire::PacketAssembler>(wire::MessageShape::plain, limit);
  assembler_->expect_sequence(sequence);
  if (!compressed_) return;
  assembler_->ignore_sequence();
  compressed_->next = sequence;
}

void Side::end_messages() {
  assembler_.reset();
  wipe(message_);
  message_ = std::string();
}

Side::Got Side::receive(BufferPool& pool) {
  RESEAL_CHECK(assembler_ != nullptr);
  while (!assembler_->whole()) {
    const auto place = assembler_->wanted();
    if (assembler_->bad()) return Got::bad;
    if (!in.unjudged().empty()) {
      const auto count = std::min(place.size(), in.unjudged().size());
      std::memcpy(place.data(), in.unjudged().data(), count);
      in.drop(count);
      in.rest(pool);
      assembler_->arrived(count);
      continue;
    }
    if (compressed_) {
      if (!read(pool)) return Got::nothing;
      if (read_over) return Got::ended;
      continue;
    }
    if (!readable_) return Got::nothing;
    const auto outcome = stream_->read(place);
    if (outcome.kind == Stream::Kind::blocked) readable_ = false;
    if (outcome.kind == Stream::Kind::blocked) return Got::nothing;
    if (outcome.kind != Stream::Kind::moved) {
      read_over = true;
      return Got::ended;
    }
    assembler_->arrived(outcome.count);
  }
  wipe(message_);
  message_ = assembler_->take().payload;
  begin_answer();
  return Got::message;
}

void Side::send(std::string_view payload) {
  auto sequence = assembler_->sequence();
  std::string packets;
  wire::append_packets(packets, payload, sequence);
  assembler_->expect_sequence(sequence);
  queue(packets);
  wipe(packets);
}

void Side::compress(wire::Compression compression) {
  RESEAL_CHECK(!compressed_);
  if (compression.method == wire::Compression::Method::none) return;
  compressed_.reset(new Compressed{compression, wire::CompressedReader(compression.method), 0, {}});
}

void Side::begin_command() noexcept {
  if (compressed_) compressed_->next = 0;
}

void Side::begin_answer() noexcept {
  if (compressed_) compressed_->next = static_cast<std::uint8_t>(compressed_->reader.last_sequence() + 1);
}

void Side::queue(std::string_view bytes) {
  if (compressed_)
    wire::append_compressed(out_, bytes, compressed_->how, compressed_->next);
  else
    out_ += bytes;
}

bool Side::flush() {
  std::size_t done = 0;
  while (done < out_.size() && writable_ && !write_over) {
    const auto outcome = stream_->write(std::string_view(out_).substr(done));
    if (outcome.kind == Stream::Kind::moved)
      done += outcome.count;
    else if (outcome.kind == Stream::Kind::blocked)
      writable_ = false;
    else
      write_over = true;
  }
  if (write_over) done = out_.size();
  if (done == 0) return false;
  if (done == out_.size()) {
    wipe(out_);
    out_ = std::string();  // an idle session holds no buffer
  } else {
    out_.erase(0, done);
  }
  return true;
}

bool Side::read(BufferPool& pool) { return compressed_ ? read_compressed(pool) : read_bytes(in, pool); }

bool Side::read_compressed(BufferPool& pool) {
  auto& [how, reader, next, raw] = *compressed_;
  const auto room = in.room(pool);
  if (room.empty()) return false;
  while (true) {
    const auto taken = reader.feed(raw.unjudged(), room);
    raw.drop(taken.used);
    raw.rest(pool);
    in.filled(taken.made);
    if (reader.bad()) read_over = true;
    if (taken.made > 0 || reader.bad()) return true;
    if (!read_bytes(raw, pool)) {
      in.rest(pool);
      return false;
    }
    if (read_over) return true;
  }
}

bool Side::read_bytes(Pipe& into, BufferPool& pool) {
  if (!readable_ || read_over) return false;
  const auto room = into.room(pool);
  if (room.empty()) return false;
  const auto outcome = stream_->read(room);
  switch (outcome.kind) {
    case Stream::Kind::moved:
      into.filled(outcome.count);
      // Less than there was room for: the socket is empty, and what comes next is told (epoll(7), question 9).
      if (outcome.count < room.size() && !stream_->encrypted() && !ending_) readable_ = false;
      return true;
    case Stream::Kind::blocked:
      readable_ = false;
      return false;
    case Stream::Kind::ended:
    case Stream::Kind::failed:
      read_over = true;
      return true;
  }
  return false;
}

bool Side::write(Pipe& from) {
  if (from.nothing_judged()) return false;
  if (write_over) {
    from.written(from.judged().size());
    return true;
  }
  if (!writable_ || !out_.empty()) return false;
  if (compressed_) {
    queue(from.judged());
    from.written(from.judged().size());
    flush();
    return true;
  }
  const auto outcome = stream_->write(from.judged());
  switch (outcome.kind) {
    case Stream::Kind::moved:
      from.written(outcome.count);
      return true;
    case Stream::Kind::blocked:
      writable_ = false;
      return false;
    case Stream::Kind::ended:
    case Stream::Kind::failed:
      write_over = true;
      return true;
  }
  return false;
}

}  // namespace reseal::proxy
