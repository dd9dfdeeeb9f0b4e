// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/log.hpp"
#include "follow/batch_sink.hpp"
#include "follow/native_channel.hpp"

namespace reseal::follow {

/// Throws unless the channel does its work or will again by itself: Failure(divergence) when the applier stopped at a
/// change that does not fit the target's rows, `target` when it stopped for another reason, `source` when the receiver
/// will never get in or never get on, `transient` when it goes on by itself or after a new start.
/// Texts name error numbers and places, never the server's own words.
void require_going(const NativeChannel& channel, const ChannelStatus& status);

/// The sinks of a follow whose rows are written by the target's own channel: `write` waits until the channel has
/// executed the batch and applies nothing, so that the follower knows what changed, and how far the target is.
///
/// The first sink reads on from what the channel has executed by then. Later ones read on from the last batch that was
/// written, since the channel goes on between two connections and no changed key may be left out. So one maker belongs
/// to one ChangedKeys and lives as long, over any number of followers, one at a time. A sink starts a channel that
/// stands still without an error of its own.
SinkMaker waiting_for_channel(mysql::Endpoint target, bool by_gtid, base::Log& log);

}  // namespace reseal::follow
