// SPDX-License-Identifier: Apache-2.0
#include "sql/gtid_set.hpp"

#include <algorithm>
#include <charconv>

#include "base/byte_cursor.hpp"

namespace reseal::sql {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto head = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return trim(head);
}

bool parse_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

void append_le(std::string& out, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) out += static_cast<char>(value >> 8 * i & 0xFF);
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > 32 || std::isdigit(static_cast<unsigned char>(text.front()))) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)); });
}

}  // namespace

base::Result<std::array<std::uint8_t, 16>> parse_uuid(std::string_view text) {
  std::array<std::uint8_t, 16> uuid{};
  std::size_t digit = 0;
  for (const char c : text) {
    if (c == '-') continue;
    const auto value = hex_digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    if (value == std::string_view::npos || digit == 32) return base::BadInput{"not a UUID"};
    uuid[digit / 2] = static_cast<std::uint8_t>(uuid[digit / 2] << 4 | value);
    ++digit;
  }
  if (digit != 32) return base::BadInput{"not a UUID"};
  return uuid;
}

std::string uuid_text(const std::array<std::uint8_t, 16>& uuid) {
  std::string out;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += hex_digits[uuid[i] >> 4];
    out += hex_digits[uuid[i] & 15];
  }
  return out;
}

std::string Gtid::text() const {
  return uuid_text(uuid) + (tag.empty() ? "" : ":" + tag) + ":" + std::to_string(number);
}

void GtidSet::add(const Sid& sid, Interval interval) {
  auto& list = sids_[sid];
  auto at = std::lower_bound(list.begin(), list.end(), interval.first,
                             [](const Interval& i, std::uint64_t first) { return i.last + 1 < first; });
  auto end = at;
  while (end != list.end() && end->first <= interval.last + 1) {
    interval.first = std::min(interval.first, end->first);
    interval.last = std::max(interval.last, end->last);
    ++end;
  }
  if (at == end) {
    list.insert(at, interval);
  } else {
    *at = interval;
    list.erase(at + 1, end);
  }
}

void GtidSet::add(const Gtid& gtid) { add({gtid.uuid, gtid.tag}, {gtid.number, gtid.number}); }

void GtidSet::add(const GtidSet& other) {
  for (const auto& [sid, list] : other.sids_)
    for (const auto& interval : list) add(sid, interval);
}

bool GtidSet::contains(const Gtid& gtid) const {
  const auto it = sids_.find({gtid.uuid, gtid.tag});
  if (it == sids_.end()) return false;
  const auto at = std::lower_bound(it->second.begin(), it->second.end(), gtid.number,
                                   [](const Interval& i, std::uint64_t n) { return i.last < n; });
  return at != it->second.end() && at->first <= gtid.number;
}

bool GtidSet::contains(const GtidSet& other) const { return other.minus(*this).empty(); }

GtidSet GtidSet::minus(const GtidSet& other) const {
  GtidSet result;
  for (const auto& [sid, list] : sids_) {
    const auto theirs = other.sids_.find(sid);
    for (auto left : list) {
      bool some_left = true;
      if (theirs != other.sids_.end()) {
        for (const auto& cut : theirs->second) {
          if (cut.last < left.first) continue;
          if (cut.first > left.last) break;
          if (cut.first > left.first) result.add(sid, {left.first, cut.first - 1});
          if (cut.last >= left.last) {
            some_left = false;
            break;
          }
          left.first = cut.last + 1;
        }
      }
      if (some_left) result.add(sid, left);
    }
  }
  return result;
}

base::Result<GtidSet> GtidSet::parse(std::string_view text) {
  GtidSet set;
  while (!text.empty()) {
    auto entry = take_until(text, ',');
    if (entry.empty()) continue;
    auto uuid = parse_uuid(take_until(entry, ':'));
    if (!uuid.ok()) return uuid.bad();
    Sid sid{uuid.value(), ""};
    if (entry.empty()) return base::BadInput{"a GTID set entry has no interval"};
    while (!entry.empty()) {
      auto part = take_until(entry, ':');
      if (is_tag(part)) {
        sid.second = std::string(part);
        std::transform(sid.second.begin(), sid.second.end(), sid.second.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        continue;
      }
      Interval interval{};
      const auto first = take_until(part, '-');
      if (!parse_number(first, interval.first)) return base::BadInput{"a GTID interval is not a number"};
      interval.last = interval.first;
      if (!part.empty() && !parse_number(part, interval.last)) return base::BadInput{"a GTID interval is not a number"};
      if (interval.first == 0 || interval.last > max_number) return base::BadInput{"a GTID number is out of range"};
      if (interval.last >= interval.first) set.add(sid, interval);
    }
  }
  return set;
}

std::string GtidSet::text() const {
  std::string out;
  const std::array<std::uint8_t, 16>* previous = nullptr;
  for (const auto& [sid, list] : sids_) {
    if (previous == nullptr || *previous != sid.first) {
      if (previous != nullptr) out += ",";
      out += uuid_text(sid.first);
      previous = &sid.first;
    }
    if (!sid.second.empty()) out += ":" + sid.second;
    for (const auto& interval : list) {
      out += ":" + std::to_string(interval.first);
      if (interval.last != interval.first) out += "-" + std::to_string(interval.last);
    }
  }
  return out;
}

std::string GtidSet::encode() const {
  const bool tagged = std::any_of(sids_.begin(), sids_.end(), [](const auto& e) { return !e.first.second.empty(); });
  std::string out;
  // Format 1 writes the format number in the lowest and the highest byte of the first eight, the count between them.
  append_le(out, tagged ? (1ULL << 56 | static_cast<std::uint64_t>(sids_.size()) << 8 | 1) : sids_.size(), 8);
  for (const auto& [sid, list] : sids_) {
    for (const auto byte : sid.first) out += static_cast<char>(byte);
    if (tagged) {
      out += static_cast<char>(sid.second.size() << 1);  // serialization library's one-byte variable-length form
      out += sid.second;
    }
    append_le(out, list.size(), 8);
    for (const auto& interval : list) {
      append_le(out, interval.first, 8);
      append_le(out, interval.last + 1, 8);
    }
  }
  return out;
}

base::Result<GtidSet> GtidSet::decode(std::string_view bytes) {
  GtidSet set;
  base::ByteCursor cursor(bytes);
  const auto head = cursor.u64();
  const bool tagged = head >> 56 == 1;
  std::uint64_t sids = tagged ? head >> 8 & 0xFFFFFFFFFFFFULL : head;
  for (; sids > 0 && cursor.ok(); --sids) {
    Sid sid{};
    const auto uuid = cursor.bytes(16);
    std::copy(uuid.begin(), uuid.end(), sid.first.begin());
    if (tagged) sid.second = std::string(cursor.bytes(cursor.u8() >> 1));
    const bool upper = std::any_of(sid.second.begin(), sid.second.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!sid.second.empty() && (upper || !is_tag(sid.second))) return base::BadInput{"a GTID tag is none"};
    for (auto intervals = cursor.u64(); intervals > 0 && cursor.ok(); --intervals) {
      const auto first = cursor.u64();
      const auto end = cursor.u64();
      if (!cursor.ok()) break;
      if (first == 0 || end <= first || end > max_number + 1) return base::BadInput{"a GTID interval is out of range"};
      set.add(sid, {first, end - 1});
    }
  }
  if (!cursor.ok()) return base::BadInput{"GTID set: " + cursor.error()};
  if (!cursor.at_end()) return base::BadInput{"GTID set: bytes left over"};
  return set;
}

}  // namespace reseal::sql
