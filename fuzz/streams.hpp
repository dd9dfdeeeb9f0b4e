// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/input.hpp"
#include "wire/packet.hpp"
#include "wire/protocol.hpp"

// What must hold for any stream of bytes between a client and a server. Used by targets with short packets and by the
// one with packets of 16 MiB.
namespace reseal::fuzz {

/// PacketAssembler: in any pieces it gives the same messages; append_packets makes the same bytes of them again; and
/// they cost no more memory than `limit` and 40 times what has come.
void check_packets(std::string_view stream, wire::MessageShape shape, std::size_t limit, std::uint8_t sequence,
                   Pieces pieces);

/// CommandScanner: in any pieces, and however often a command has to wait, it tells the same commands and the same
/// ends, which are those of a PacketAssembler. A file follows each command whose bit (of its number modulo 8) is in
/// `files`.
void check_commands(std::string_view stream, std::uint8_t files, Pieces pieces);

/// ReplyScanner and ReplyTracker: in any pieces they end replies at the same bytes, which are ends of packets, with the
/// same knowledge of the session. `commands` are answered in turn, the first again after the last.
void check_replies(std::string_view stream, std::uint32_t capabilities, const std::vector<wire::Command>& commands,
                   Pieces pieces);

/// A stream of packets of the messages, the first with number `sequence`.
std::string packets(const std::vector<std::string>& messages, std::uint8_t sequence = 0);

}  // namespace reseal::fuzz
