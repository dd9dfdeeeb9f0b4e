// SPDX-License-Identifier: Apache-2.0
#include "simulate/coverage.hpp"

namespace reseal::simulate {

void Coverage::add(const Coverage& more) {
  runs += more.runs;
  events += more.events;
  attempts += more.attempts;
  decided += more.decided;
  closed += more.closed;
  tool_kills += more.tool_kills;
  proxy_kills += more.proxy_kills;
  server_crashes += more.server_crashes;
  commits += more.commits;
  settled += more.settled;
  source_ends += more.source_ends;
  target_ends += more.target_ends;
  for (unsigned step = 0; step < steps; ++step) {
    taken[step] += more.taken[step];
    killed_at[step] += more.killed_at[step];
    crashed_at[step] += more.crashed_at[step];
    unknown_at[step] += more.unknown_at[step];
  }
}

}  // namespace reseal::simulate
