// SPDX-License-Identifier: Apache-2.0
#include "verify/verifier.hpp"

#include <chrono>
#include <utility>

#include "base/failure.hpp"
#include "verify/verify_pass.hpp"

namespace reseal::verify {

using base::Failure;
using base::FailureKind;

Verifier::Verifier(OpenSession open_source, OpenSession open_target, Options options)
    : open_source_(std::move(open_source)), open_target_(std::move(open_target)), options_(options) {}

VerifyReport Verifier::compare(const std::vector<sql::Table>& tables, const WaitUntilFollowed& wait_until_followed,
                               std::stop_token stop, const Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  VerifyPass pass(open_source_, open_target_, options_, tables, wait_until_followed, progress);
  const auto interrupted = [] {
    return Failure(FailureKind::interrupted, "the comparison was stopped; nothing was changed");
  };
  try {
    auto report = pass.run(stop);
    if (stop.stop_requested()) throw interrupted();
    report.duration = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    return report;
  } catch (const Failure&) {
    // A stop cuts the connections: what comes of that is the stop's doing.
    if (stop.stop_requested()) throw interrupted();
    throw;
  }
}

}  // namespace reseal::verify
