// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "cutover/decision_record.hpp"

namespace reseal::run {

/// The proxies that hold the application's sessions, each by its control socket; all are asked at the same time. One
/// thread at a time.
class Proxies {
 public:
  Proxies(std::vector<std::string> control_sockets, base::Log& log) : sockets_(std::move(control_sockets)), log_(log) {}
  bool none() const { return sockets_.empty(); }

  /// Throws Failure(refused) when a proxy does not answer, or does not serve that side.
  void require(cutover::Serves serves);
  /// Opens connections on the side `to` for every session, while they work on. Throws Failure(refused) when a proxy
  /// does not answer, or does not serve `from`.
  void prepare(cutover::Serves from, cutover::Serves to);
  /// Lets the proxies read the state of sessions that do nothing at the moment, so that less of it is left for the
  /// hold: as short before it as can be, for the next command of a session throws that away.
  void look_ahead(cutover::Serves to);
  /// Returns when no session is within a transaction and none begins one. Sessions that are still within one after
  /// `patience` are left to the fence. Throws Failure(given_up) when a proxy did not confirm.
  void hold(std::uint64_t epoch, std::chrono::milliseconds lease, std::chrono::milliseconds patience);
  /// Begins to bring the held sessions' connections on the side `to` into their state, and does not wait for that:
  /// until they are released, the proxies go on with it by themselves.
  void restore(std::uint64_t epoch, cutover::Serves to);
  /// Lets sessions go on, on the side that `serves`. A proxy that cannot be told finds out by itself when its lease
  /// ends; it is named in the log. Can be done again.
  void release(std::uint64_t epoch, cutover::Serves serves);

 private:
  std::vector<std::string> sockets_;
  base::Log& log_;
  std::vector<std::future<void>> restoring_;
};

}  // namespace reseal::run
