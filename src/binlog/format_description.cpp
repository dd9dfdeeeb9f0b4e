// SPDX-License-Identifier: Apache-2.0
#include "binlog/format_description.hpp"

#include <charconv>
#include <tuple>

#include "base/byte_cursor.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::Result;

/// Whether "major.minor.patch…" is at least 5.6.1, the first version that writes checksums.
bool writes_checksums(std::string_view version) {
  unsigned parts[3] = {0, 0, 0};
  const auto* at = version.data();
  const auto* end = at + version.size();
  for (auto& part : parts) {
    const auto number = std::from_chars(at, end, part);
    if (number.ec != std::errc()) return false;
    at = number.ptr;
    if (at != end && *at == '.') ++at;
  }
  return std::tie(parts[0], parts[1], parts[2]) >= std::make_tuple(5U, 6U, 1U);
}

}  // namespace

std::uint8_t FormatDescription::post_header_length(EventType type) const {
  const auto index = static_cast<std::size_t>(type);
  return index == 0 || index > post_header_lengths.size() ? std::uint8_t{0} : post_header_lengths[index - 1];
}

Result<FormatDescription> parse_format_description(std::string_view event) {
  const auto header = parse_event_header(event);
  if (!header.ok()) return header.bad();
  auto body = event_body(event, header.value(), ChecksumAlgorithm::none);
  if (!body.ok()) return body.bad();
  constexpr std::size_t server_version_size = 50;
  base::ByteCursor cursor(body.value());
  FormatDescription format;
  format.binlog_version = cursor.u16();
  const auto version = cursor.bytes(server_version_size);
  format.server_version = std::string(version.substr(0, version.find('\0')));
  cursor.skip(4);  // when the file was created
  const auto header_size = cursor.u8();
  if (!cursor.ok()) return BadInput{"FORMAT_DESCRIPTION event: " + cursor.error()};
  if (format.binlog_version != 4 || header_size != event_header_size)
    return BadInput{"FORMAT_DESCRIPTION event: unknown binlog version " + std::to_string(format.binlog_version)};
  if (!writes_checksums(format.server_version))
    return BadInput{"FORMAT_DESCRIPTION event: server version " + format.server_version + " is too old"};
  if (format.server_version.find("MariaDB") != std::string::npos)
    return BadInput{"FORMAT_DESCRIPTION event: MariaDB's binlog dialect is not supported"};
  if (cursor.remaining() < 1 + checksum_size) return BadInput{"FORMAT_DESCRIPTION event ends early"};
  const auto lengths = cursor.bytes(cursor.remaining() - 1 - checksum_size);
  format.post_header_lengths.assign(lengths.begin(), lengths.end());
  const auto algorithm = cursor.u8();
  if (algorithm > 1)
    return BadInput{"FORMAT_DESCRIPTION event: unknown checksum algorithm " + std::to_string(algorithm)};
  format.checksum = static_cast<ChecksumAlgorithm>(algorithm);
  if (format.checksum == ChecksumAlgorithm::crc32) {
    const auto checked = event_body(event, header.value(), ChecksumAlgorithm::crc32);
    if (!checked.ok()) return checked.bad();
  }
  return format;
}

}  // namespace reseal::binlog
