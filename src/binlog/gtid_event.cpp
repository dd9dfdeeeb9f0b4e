// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>

#include "base/byte_cursor.hpp"
#include "binlog/control_events.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

// GNO_END of mysql-server sql/rpl_gtid.h: numbers are below 2^63 - 1.
constexpr std::uint64_t gtid_number_end = 0x7FFFFFFFFFFFFFFFULL;

/// The unsigned integer of mysql-server libs/mysql/serialization/readme.md, "Variable-length integers": as many
/// trailing ones in the first byte as bytes follow it.
std::uint64_t varlen(ByteCursor& cursor) {
  const auto first = cursor.u8();
  const auto more = static_cast<unsigned>(std::countr_one(first));
  if (more == 0) return first >> 1;
  const auto rest = cursor.uint_le(more);
  // With eight more bytes nothing of the first is left; with seven, nothing but its zero bit.
  return more == 8 ? rest : rest << (7 - more) | static_cast<std::uint64_t>(first >> (more + 1));
}

std::int64_t varlen_signed(ByteCursor& cursor) {
  const auto value = varlen(cursor);
  const auto magnitude = static_cast<std::int64_t>(value >> 1);
  return (value & 1) != 0 ? ~magnitude : magnitude;
}

void read_times(ByteCursor& cursor, GtidStart& start) {
  constexpr std::uint64_t two_times = std::uint64_t{1} << 55;
  const auto immediate = cursor.uint_le(7);
  start.immediate_commit_us = immediate & ~two_times;
  start.original_commit_us = (immediate & two_times) != 0 ? cursor.uint_le(7) : start.immediate_commit_us;
}

/// Fields of GTID_TAGGED in order of their ids (mysql-server libs/mysql/binlog/event/control_events.h,
/// Gtid_event::define_fields).
enum class TaggedField : std::uint64_t {
  flags,
  uuid,
  number,
  tag,
  last_committed,
  sequence_number,
  immediate_commit,
  original_commit,
  transaction_length,
  immediate_version,
  original_version,
  commit_group_ticket,
  end
};

struct TaggedContent {
  sql::Gtid gtid;
  std::int64_t number = 0;
  bool has_original = false;
  std::array<bool, static_cast<std::size_t>(TaggedField::end)> seen{};
};

void read_tag(ByteCursor& cursor, std::string& tag) {
  constexpr std::uint64_t max_tag = 32;
  const auto length = varlen(cursor);
  if (length > max_tag) cursor.fail("tag longer than 32 characters");
  tag = std::string(cursor.bytes(length));
}

void read_tagged_field(ByteCursor& cursor, TaggedField field, TaggedContent& content, GtidStart& start) {
  switch (field) {
    case TaggedField::flags:
      varlen(cursor);
      return;
    case TaggedField::uuid:
      for (auto& byte : content.gtid.uuid) {
        const auto value = varlen(cursor);
        if (value > 0xFF) cursor.fail("UUID byte out of range");
        byte = static_cast<std::uint8_t>(value);
      }
      return;
    case TaggedField::number:
      content.number = varlen_signed(cursor);
      return;
    case TaggedField::tag:
      read_tag(cursor, content.gtid.tag);
      return;
    case TaggedField::last_committed:
      start.last_committed = varlen_signed(cursor);
      return;
    case TaggedField::sequence_number:
      start.sequence_number = varlen_signed(cursor);
      return;
    case TaggedField::immediate_commit:
      start.immediate_commit_us = varlen(cursor);
      return;
    case TaggedField::original_commit:
      start.original_commit_us = varlen(cursor);
      content.has_original = true;
      return;
    case TaggedField::transaction_length:
      start.transaction_length = varlen(cursor);
      return;
    case TaggedField::immediate_version:
    case TaggedField::original_version:
    case TaggedField::commit_group_ticket:
      varlen(cursor);
      return;
    case TaggedField::end:
      return;
  }
}

/// The message of libs/mysql/serialization: version, size of it all, last field that a reader must know, then (id,
/// value) pairs. Fields are in rising order; those after the ones we know can be left only because none of them may be
/// required.
void read_message(ByteCursor& cursor, TaggedContent& content, GtidStart& start) {
  const auto whole = cursor.remaining();
  constexpr std::uint64_t serialization_version = 1;
  if (varlen(cursor) != serialization_version) cursor.fail("unknown serialization version");
  const auto size = varlen(cursor);
  const auto last_required = varlen(cursor);
  if (size > whole) cursor.fail("message larger than the event");
  if (last_required >= static_cast<std::uint64_t>(TaggedField::end)) cursor.fail("unknown field that must be known");
  std::uint64_t next = 0;
  while (cursor.ok() && cursor.position() < size) {
    const auto id = varlen(cursor);
    if (id >= static_cast<std::uint64_t>(TaggedField::end)) return;
    if (id < next) cursor.fail("fields out of order");
    if (!cursor.ok()) return;
    read_tagged_field(cursor, static_cast<TaggedField>(id), content, start);
    content.seen[id] = true;
    next = id + 1;
  }
}

}  // namespace

Result<GtidStart> parse_gtid(std::string_view body, EventType type) {
  constexpr std::uint8_t logical_clock = 2;  // LOGICAL_TIMESTAMP_TYPECODE
  ByteCursor cursor(body);
  GtidStart start;
  sql::Gtid gtid;
  cursor.skip(1);  // flags
  const auto uuid = cursor.bytes(gtid.uuid.size());
  std::copy(uuid.begin(), uuid.end(), gtid.uuid.begin());
  gtid.number = cursor.u64();
  // Each group of fields came with a later version; an event may end before any of them.
  if (cursor.remaining() > 0 && cursor.u8() == logical_clock) {
    start.last_committed = static_cast<std::int64_t>(cursor.u64());
    start.sequence_number = static_cast<std::int64_t>(cursor.u64());
    if (cursor.remaining() >= 7) {
      read_times(cursor, start);
      if (cursor.remaining() > 0) start.transaction_length = cursor.lenenc();
    }
  }
  if (!cursor.ok()) return BadInput{event_type_name(type) + " event: " + cursor.error()};
  const bool anonymous = type == EventType::anonymous_gtid;
  if (anonymous ? gtid.number != 0 : gtid.number == 0 || gtid.number >= gtid_number_end)
    return BadInput{event_type_name(type) + " event: transaction number out of range"};
  if (!anonymous) start.gtid = std::move(gtid);
  return start;
}

Result<GtidStart> parse_gtid_tagged(std::string_view body) {
  ByteCursor cursor(body);
  GtidStart start;
  TaggedContent content;
  read_message(cursor, content, start);
  if (!cursor.ok()) return BadInput{"GTID_TAGGED event: " + cursor.error()};
  const auto seen = [&](TaggedField field) { return content.seen[static_cast<std::size_t>(field)]; };
  if (!seen(TaggedField::uuid) || !seen(TaggedField::number) || content.number <= 0 ||
      static_cast<std::uint64_t>(content.number) >= gtid_number_end)
    return BadInput{"GTID_TAGGED event: no valid GTID"};
  content.gtid.number = static_cast<std::uint64_t>(content.number);
  if (!content.has_original) start.original_commit_us = start.immediate_commit_us;
  start.gtid = std::move(content.gtid);
  return start;
}

}  // namespace reseal::binlog
