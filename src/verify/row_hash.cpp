// SPDX-License-Identifier: Apache-2.0
#include "verify/row_hash.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "sql/quote.hpp"

namespace reseal::verify {
namespace {

using sql::Column;
using sql::ColumnFamily;

constexpr std::string_view separator = "CAST(',' AS BINARY)";

bool is_long(const Column& column) {
  switch (column.family) {
    case ColumnFamily::json:
    case ColumnFamily::geometry:
    case ColumnFamily::vector:
      return true;
    case ColumnFamily::text:
    case ColumnFamily::bytes:
      return column.data_type.ends_with("text") || column.data_type.ends_with("blob");
    default:
      return false;
  }
}

std::string qualified(const Column& column) { return std::string(row_alias) + "." + sql::quote_name(column.name); }

std::string or_marker(const Column& column, const std::string& expression) {
  return column.nullable ? "IFNULL(" + expression + ",'N')" : expression;
}

/// Arguments of CONCAT_WS for a column that stays short. CONCAT_WS passes over NULLs, so a string that is NULL leaves
/// only its marker.
std::string short_form(const Column& column) {
  const auto name = qualified(column);
  switch (column.family) {
    case ColumnFamily::bit:
    case ColumnFamily::enumeration:
    case ColumnFamily::set:
      return or_marker(column, "CAST(" + name + " AS UNSIGNED)");
    case ColumnFamily::real32:
    case ColumnFamily::real64:
      return "ISNULL(" + name + "),POINT(" + name + ",0)";
    case ColumnFamily::text:
    case ColumnFamily::bytes:
      return or_marker(column, "LENGTH(" + name + ")") + "," + name;
    default:
      return or_marker(column, name);
  }
}

/// The third letters of JSON_TYPE of all values that `path` finds, as one string.
std::string types_at(const std::string& name, std::string_view path) {
  return "IFNULL((SELECT GROUP_CONCAT(MID(JSON_TYPE(leaf.v),3,1) SEPARATOR '') FROM JSON_TABLE(" + name + ",'" +
         std::string(path) + "' COLUMNS (v JSON PATH '$')) AS leaf),'')";
}

std::string long_form(const Column& column) {
  const auto name = qualified(column);
  auto hash = "SHA2(" + name + ",256)";
  if (column.family == ColumnFamily::json)
    hash = "CONCAT(" + hash + ",SHA2(CONCAT(MID(JSON_TYPE(" + name + "),3,1)," + types_at(name, "$**.*") + ",','," +
           types_at(name, "$**[*]") + "),256))";
  // 'N' is no hexadecimal digit, and each hash has its fixed length.
  return "IF(" + name + " IS NULL,'N'," + hash + ")";
}

void add_with_carry(std::array<std::uint64_t, 4>& limbs, const std::array<std::uint64_t, 4>& more) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < limbs.size(); ++i) {
    const auto sum = limbs[i] + more[i];
    const auto with_carry = sum + carry;
    carry = (sum < limbs[i] || with_carry < sum) ? 1 : 0;
    limbs[i] = with_carry;
  }
}

}  // namespace

std::string row_hash_expression(const sql::Table& table) {
  std::string shorts;
  std::string longs;
  for (const auto& column : table.columns) {
    if (is_long(column)) {
      longs += "," + long_form(column);
    } else {
      shorts += "," + short_form(column);
    }
  }
  auto canonical = shorts.empty() ? std::string("''") : "CONCAT_WS(" + std::string(separator) + shorts + ")";
  // CONCAT, unlike CONCAT_WS, is NULL when any part is: a long column whose hash failed shows.
  if (!longs.empty()) canonical = "CONCAT(" + canonical + ",','" + longs + ")";
  return "UNHEX(SHA2(" + canonical + ",256))";
}

bool needs_warning_check(const sql::Table& table) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [](const Column& column) { return column.family == ColumnFamily::json; });
}

void HashSum::add(const RowHash& hash) {
  std::array<std::uint64_t, 4> limbs{};
  std::memcpy(limbs.data(), hash.data(), hash.size());
  add_with_carry(limbs_, limbs);
  ++count_;
}

void HashSum::add(const HashSum& other) {
  add_with_carry(limbs_, other.limbs_);
  count_ += other.count_;
}

std::string HashSum::text() const {
  std::string bytes;
  for (std::size_t i = limbs_.size(); i-- > 0;)
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(limbs_[i] >> shift & 0xFF);
  return hexadecimal(bytes) + ":" + std::to_string(count_);
}

std::string hexadecimal(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

std::string hexadecimal(const RowHash& hash) {
  return hexadecimal(std::string_view(reinterpret_cast<const char*>(hash.data()), hash.size()));
}

RowHash sha256(std::string_view bytes) {
  RowHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

}  // namespace reseal::verify
