// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace reseal::proxy {

/// Buffers of one size for one thread. What is given back is kept for the next, up to a bound.
class BufferPool {
 public:
  static constexpr std::size_t buffer_size = 32 * 1024;
  using Buffer = std::unique_ptr<char[]>;

  Buffer take();
  void give(Buffer buffer);

 private:
  static constexpr std::size_t most_kept = 64;
  std::vector<Buffer> kept_;
};

/// The bytes that are on their way in one direction: read, then judged (may go on), then written. Bounded by one buffer
/// of the pool, which it holds only while there are bytes.
///
///     | written | judged | unjudged | room |
class Pipe {
 public:
  /// Where to read the next bytes; empty when there is no room. Takes a buffer if it has none.
  std::span<char> room(BufferPool& pool);
  void filled(std::size_t count) noexcept { end_ += count; }

  std::string_view unjudged() const noexcept { return {buffer_.get() + judged_, end_ - judged_}; }
  /// The next `count` unjudged bytes may go on.
  void judge(std::size_t count) noexcept { judged_ += count; }
  /// The next `count` unjudged bytes go nowhere. Only while nothing judged waits.
  void drop(std::size_t count) noexcept;
  /// Puts other bytes in the place of unjudged ones, `offset` behind their beginning; all of them are there.
  void replace(std::size_t offset, std::string_view bytes) noexcept;
  void judge_all() noexcept { judged_ = end_; }

  std::string_view judged() const noexcept { return {buffer_.get() + begin_, judged_ - begin_}; }
  void written(std::size_t count) noexcept { begin_ += count; }
  bool nothing_judged() const noexcept { return begin_ == judged_; }
  bool empty() const noexcept { return begin_ == end_; }
  void clear(BufferPool& pool);
  /// Gives the buffer back when it is empty.
  void rest(BufferPool& pool);

 private:
  BufferPool::Buffer buffer_;
  std::size_t begin_ = 0;
  std::size_t judged_ = 0;
  std::size_t end_ = 0;
};

}  // namespace reseal::proxy
