// SPDX-License-Identifier: Apache-2.0
#include "verify/report.hpp"

namespace reseal::verify {

std::string text(const Difference& difference) {
  auto out = difference.table.text() + ": row " + difference.key_text;
  switch (difference.kind) {
    case Difference::Kind::only_on_source:
      return out + " is missing on the target";
    case Difference::Kind::only_on_target:
      return out + " is only on the target";
    case Difference::Kind::differs:
      break;
  }
  return out + " differs";
}

std::string text(const Unjudged& unjudged) {
  auto out = unjudged.table.text() + ": ";
  switch (unjudged.why) {
    case Unjudged::Why::needs_quiet:
      out += "can only be judged when nothing moves: ";
      break;
    case Unjudged::Why::unsettled:
      out += "did not settle: ";
      break;
    case Unjudged::Why::not_comparable:
      out += "cannot be compared: ";
      break;
  }
  return out + unjudged.reason;
}

}  // namespace reseal::verify
