// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace reseal::proxy {

/// The two servers that a session may be on.
enum class Where { source, target };

/// What all sessions of a proxy look at before they begin a command. Written by the control thread, read by workers.
///
///     open --hold--> holding --release--> open, on the same side or the other
///
/// While it holds, a session that is within a transaction goes on to its end; one that is not begins nothing.
class Gate {
 public:
  bool holding() const noexcept { return holding_; }
  void hold() noexcept { holding_ = true; }
  void release() noexcept {
    holding_ = false;
    ++releases_;
  }
  /// Tells one time of holding from the next.
  std::uint64_t releases() const noexcept { return releases_; }
  Where serving() const noexcept { return serving_; }
  void serve(Where side) noexcept { serving_ = side; }

 private:
  std::atomic<bool> holding_{false};
  std::atomic<std::uint64_t> releases_{0};
  std::atomic<Where> serving_{Where::source};
};

/// How far sessions have come to a stand.
struct HoldCounts {
  std::size_t held = 0;        ///< between two transactions, or before their login; begin nothing more
  std::size_t busy = 0;        ///< within a transaction, or a reply is under way
  std::size_t logging_in = 0;  ///< have begun a login; will stand before their first command
  std::size_t moving = 0;      ///< on their way to the other server

  HoldCounts& operator+=(const HoldCounts& other) noexcept {
    held += other.held;
    busy += other.busy;
    logging_in += other.logging_in;
    moving += other.moving;
    return *this;
  }
};

}  // namespace reseal::proxy
