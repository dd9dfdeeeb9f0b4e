// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace reseal::base {

/// Why an operation cannot go on. Decides the exit code and whether a retry makes sense.
enum class FailureKind {
  transient,      ///< the same step may succeed when tried again: lost connection, deadlock, lock wait
  source,         ///< the source server answered with an error
  target,         ///< the target server answered with an error
  usage,          ///< the command line or the configuration is wrong
  refused,        ///< a precondition does not hold; nothing was changed
  divergence,     ///< the target no longer follows from the source: the run is poisoned
  unsupported,    ///< something we do not understand came by; going on would skip it
  local,          ///< this machine: disk full, state folder not writable
  running,        ///< another copy of the tool holds this run
  given_up,       ///< the cutover was given up in time; the source still serves
  interrupted,    ///< the operator stopped us; the run can be resumed
  needs_operator  ///< the target serves, but something is left for a person
};

/// The one exception type of operations. Its text says what happened, where, and what to do next.
/// `within` adds the surrounding work on the way up: "chunk 7 of shop.orders: duplicate entry".
class Failure : public std::exception {
 public:
  Failure(FailureKind kind, std::string text, unsigned server_errno = 0)
      : kind_(kind), text_(std::move(text)), server_errno_(server_errno) {}

  const char* what() const noexcept override { return text_.c_str(); }
  FailureKind kind() const noexcept { return kind_; }
  /// MySQL's error number, 0 when the error is not a server's.
  unsigned server_errno() const noexcept { return server_errno_; }

  Failure within(std::string_view context) const {
    return Failure(kind_, std::string(context) + ": " + text_, server_errno_);
  }

 private:
  FailureKind kind_;
  std::string text_;
  unsigned server_errno_;
};

/// Process exit code of a failure, as documented in docs/exit-codes of the manual page.
int exit_code(FailureKind kind) noexcept;

/// Aborts the process with a message: for our own bugs only, never for input.
[[noreturn]] void bug(const char* what, const char* file, int line) noexcept;

}  // namespace reseal::base

#define RESEAL_CHECK(condition) \
  (static_cast<bool>(condition) ? void(0) : ::reseal::base::bug(#condition, __FILE__, __LINE__))
