// SPDX-License-Identifier: Apache-2.0
#include "proxy/pipe.hpp"

#include <cstring>
#include <utility>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

// What is unjudged is the beginning of one packet, half a buffer at most, so that this much is free in the end.
constexpr std::size_t worth_moving = BufferPool::buffer_size / 4;

}  // namespace

BufferPool::Buffer BufferPool::take() {
  if (kept_.empty()) return Buffer(new char[buffer_size]);
  auto buffer = std::move(kept_.back());
  kept_.pop_back();
  return buffer;
}

void BufferPool::give(Buffer buffer) {
  if (kept_.size() < most_kept) kept_.push_back(std::move(buffer));
}

std::span<char> Pipe::room(BufferPool& pool) {
  if (!buffer_) buffer_ = pool.take();
  if (end_ == BufferPool::buffer_size && begin_ >= worth_moving) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    judged_ -= begin_;
    end_ -= std::exchange(begin_, 0);
  }
  return {buffer_.get() + end_, BufferPool::buffer_size - end_};
}

void Pipe::drop(std::size_t count) noexcept {
  RESEAL_CHECK(nothing_judged());
  begin_ += count;
  judged_ += count;
}

void Pipe::replace(std::size_t offset, std::string_view bytes) noexcept {
  RESEAL_CHECK(offset + bytes.size() <= end_ - judged_);
  std::memcpy(buffer_.get() + judged_ + offset, bytes.data(), bytes.size());
}

void Pipe::clear(BufferPool& pool) {
  begin_ = judged_ = end_ = 0;
  rest(pool);
}

void Pipe::rest(BufferPool& pool) {
  if (begin_ != end_) return;
  begin_ = judged_ = end_ = 0;
  if (buffer_) pool.give(std::move(buffer_));
}

}  // namespace reseal::proxy
