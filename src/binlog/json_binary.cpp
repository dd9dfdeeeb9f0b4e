// SPDX-License-Identifier: Apache-2.0
#include "binlog/json_binary.hpp"

#include <bit>
#include <cmath>

#include "base/byte_cursor.hpp"
#include "binlog/packed_decimal.hpp"
#include "binlog/table_map.hpp"
#include "binlog/temporal_text.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;
using sql::JsonKind;
using sql::JsonValue;

/// mysql-server sql-common/json_binary.h, "type".
enum class Tag : std::uint8_t {
  small_object = 0,
  large_object = 1,
  small_array = 2,
  large_array = 3,
  literal = 4,
  int16 = 5,
  uint16 = 6,
  int32 = 7,
  uint32 = 8,
  int64 = 9,
  uint64 = 10,
  real = 11,
  string = 12,
  opaque = 15
};

/// Decodes by offsets, which may point anywhere inside their container. Hostile offsets could make many entries share
/// one subtree and so multiply it at every level; the budget bounds what is copied out by what a sane document of this
/// size can hold: every byte of content belongs to one value, and every value has an entry of at least three bytes.
class JsonDecoder {
 public:
  explicit JsonDecoder(std::size_t size) : budget_(2 * size + 64) {}

  const std::string& error() const { return error_; }

  JsonValue value(Tag tag, std::string_view bytes, unsigned depth) {
    spend(1);
    if (!ok()) return {};
    ByteCursor cursor(bytes);
    auto decoded = value_at(tag, cursor, bytes, depth);
    if (!cursor.ok()) fail(cursor.error());
    return decoded;
  }

 private:
  bool ok() const { return error_.empty(); }
  void fail(std::string_view why) {
    if (error_.empty()) error_ = std::string(why);
  }
  void spend(std::size_t bytes) {
    if (bytes > budget_) return fail("values share their bytes");
    budget_ -= bytes;
  }

  JsonValue value_at(Tag tag, ByteCursor& cursor, std::string_view bytes, unsigned depth) {
    switch (tag) {
      case Tag::small_object:
        return container(bytes, {true, false}, depth + 1);
      case Tag::large_object:
        return container(bytes, {true, true}, depth + 1);
      case Tag::small_array:
        return container(bytes, {false, false}, depth + 1);
      case Tag::large_array:
        return container(bytes, {false, true}, depth + 1);
      case Tag::literal:
        return literal(cursor.u8());
      case Tag::int16:
        return JsonValue::signed_integer(cursor.int_le(2));
      case Tag::uint16:
        return JsonValue::unsigned_integer(cursor.uint_le(2));
      case Tag::int32:
        return JsonValue::signed_integer(cursor.int_le(4));
      case Tag::uint32:
        return JsonValue::unsigned_integer(cursor.uint_le(4));
      case Tag::int64:
        return JsonValue::signed_integer(cursor.int_le(8));
      case Tag::uint64:
        return JsonValue::unsigned_integer(cursor.uint_le(8));
      case Tag::real:
        return real(std::bit_cast<double>(cursor.u64()));
      case Tag::string:
        return JsonValue::string(content(cursor));
      case Tag::opaque:
        return opaque(cursor);
    }
    fail("unknown type " + std::to_string(static_cast<unsigned>(tag)));
    return {};
  }

  JsonValue real(double number) {
    if (!std::isfinite(number)) fail("a number that is none");
    return JsonValue::real(number);
  }

  JsonValue literal(std::uint8_t which) {
    if (which > 2) fail("unknown literal");
    return which == 0 ? JsonValue() : JsonValue::boolean(which == 1);
  }

  /// Length in groups of seven bits, lowest first, at most 32 bits, then the bytes.
  std::string content(ByteCursor& cursor) {
    std::uint64_t length = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = cursor.u8();
      length |= std::uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80) == 0) break;
      if (shift == 28 || !cursor.ok()) {
        cursor.fail("bad length");
        return {};
      }
    }
    const auto bytes = cursor.bytes(length);
    spend(bytes.size());
    return ok() ? std::string(bytes) : std::string();
  }

  JsonValue opaque(ByteCursor& cursor) {
    const auto type = static_cast<FieldType>(cursor.u8());
    auto bytes = content(cursor);
    if (!cursor.ok() || !ok()) return {};
    switch (type) {
      case FieldType::new_decimal:
        return decimal(bytes);
      case FieldType::date:
        return temporal(JsonKind::date, bytes);
      case FieldType::time:
        return temporal(JsonKind::time, bytes);
      case FieldType::datetime:
        return temporal(JsonKind::datetime, bytes);
      case FieldType::timestamp:
        return temporal(JsonKind::timestamp, bytes);
      default:
        return JsonValue::opaque(static_cast<std::uint8_t>(type), std::move(bytes));
    }
  }

  JsonValue decimal(std::string_view bytes) {
    ByteCursor cursor(bytes);
    const auto precision = cursor.u8();
    const auto scale = cursor.u8();
    // Inside JSON the server's decimal buffer is the limit, 81 digits, not DECIMAL's 65
    // (DECIMAL_MAX_POSSIBLE_PRECISION).
    if (precision > 81) cursor.fail("decimal too long");
    auto text = cursor.ok() ? packed_decimal_text(cursor.rest(), precision, scale)
                            : Result<std::string>(BadInput{"decimal: " + cursor.error()});
    if (text.ok()) return JsonValue::decimal(std::move(text).value());
    fail(text.error());
    return {};
  }

  JsonValue temporal(JsonKind kind, std::string_view bytes) {
    ByteCursor cursor(bytes);
    const auto packed = cursor.int_le(8);
    if (!cursor.ok() || !cursor.at_end()) {
      fail("temporal value is not 8 bytes long");
      return {};
    }
    auto text = kind == JsonKind::time   ? time_text(packed, 6)
                : kind == JsonKind::date ? date_text(packed)
                                         : datetime_text(packed, 6);
    if (text.ok()) return JsonValue::temporal(kind, std::move(text).value());
    fail(text.error());
    return {};
  }

  struct Shape {
    bool object;
    bool large;
    unsigned offset_size() const { return large ? 4 : 2; }
  };

  JsonValue container(std::string_view bytes, Shape shape, unsigned depth) {
    if (depth > sql::json_max_depth) fail("nested deeper than 100");
    ByteCursor cursor(bytes);
    const auto count = cursor.uint_le(shape.offset_size());
    const auto size = cursor.uint_le(shape.offset_size());
    if (!cursor.ok() || size > bytes.size()) fail("container larger than its bytes");
    const std::uint64_t entry = (shape.object ? shape.offset_size() + 2U : 0U) + shape.offset_size() + 1U;
    if (ok() && 2 * shape.offset_size() + count * entry > size) fail("more entries than bytes");
    if (!ok()) return {};
    bytes = bytes.substr(0, size);
    return shape.object ? object(bytes, shape, count, depth) : array(bytes, shape, count, depth);
  }

  JsonValue array(std::string_view bytes, Shape shape, std::uint64_t count, unsigned depth) {
    ByteCursor entries(bytes.substr(2 * shape.offset_size()));
    JsonValue::Array items;
    items.reserve(count);
    for (std::uint64_t i = 0; i < count && ok(); ++i) items.push_back(entry(entries, bytes, shape, depth));
    return JsonValue::array(std::move(items));
  }

  JsonValue object(std::string_view bytes, Shape shape, std::uint64_t count, unsigned depth) {
    ByteCursor keys(bytes.substr(2 * shape.offset_size()));
    ByteCursor entries(bytes.substr(
        std::min<std::size_t>(bytes.size(), 2 * shape.offset_size() + count * (shape.offset_size() + 2U))));
    JsonValue::Object members;
    members.reserve(count);
    for (std::uint64_t i = 0; i < count && ok(); ++i) {
      const auto offset = keys.uint_le(shape.offset_size());
      const auto length = keys.u16();
      if (!keys.ok() || offset > bytes.size() || length > bytes.size() - offset) fail("key outside its object");
      spend(length);
      if (!ok()) break;
      std::string key(bytes.substr(offset, length));
      members.push_back({std::move(key), entry(entries, bytes, shape, depth)});
    }
    return JsonValue::object(std::move(members));
  }

  static bool inlined(Tag tag, bool large) {
    switch (tag) {
      case Tag::literal:
      case Tag::int16:
      case Tag::uint16:
        return true;
      case Tag::int32:
      case Tag::uint32:
        return large;
      default:
        return false;
    }
  }

  JsonValue entry(ByteCursor& entries, std::string_view bytes, Shape shape, unsigned depth) {
    const auto tag = static_cast<Tag>(entries.u8());
    const auto place = entries.bytes(shape.offset_size());
    if (!entries.ok()) {
      fail(entries.error());
      return {};
    }
    if (inlined(tag, shape.large)) return value(tag, place, depth);
    const auto offset = ByteCursor(place).uint_le(shape.offset_size());
    if (offset >= bytes.size()) {
      fail("value outside its container");
      return {};
    }
    return value(tag, bytes.substr(offset), depth);
  }

  std::size_t budget_;
  std::string error_;
};

}  // namespace

Result<JsonValue> parse_json_binary(std::string_view bytes) {
  if (bytes.empty()) return JsonValue();
  JsonDecoder decoder(bytes.size());
  auto root = decoder.value(static_cast<Tag>(bytes[0]), bytes.substr(1), 0);
  if (!decoder.error().empty()) return BadInput{"JSON document: " + decoder.error()};
  return root;
}

}  // namespace reseal::binlog
