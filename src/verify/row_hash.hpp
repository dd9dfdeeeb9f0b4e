// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sql/table.hpp"

namespace reseal::verify {

/// SHA-256 of one row's canonical form, made by the server that holds the row.
using RowHash = std::array<std::uint8_t, 32>;

/// The name under which the table must be in the query's FROM clause for `row_hash_expression`.
inline constexpr std::string_view row_alias = "r";

/// SQL expression of the row's hash: 32 bytes, never NULL unless the server could not compute it. All columns take
/// part, generated ones too. Needs MySQL 8.0.17 or later when a column is JSON.
///
/// The canonical form is one-to-one for rows of one table definition:
///  - Integers, decimals, dates and times as their text, ENUM, SET and BIT as their number; NULL is 'N'. None of these
///    holds a comma, and commas separate.
///  - FLOAT and DOUBLE as the 25 bytes of POINT(c, 0), which hold the value's own IEEE 754 bits (0.0 is not -0.0, and
///  no
///    decimal text comes in between, which also makes it four times cheaper).
///  - Strings as their length and their stored bytes. The separator is CAST(',' AS BINARY): being binary, it makes the
///    whole CONCAT_WS binary, so that no character set is converted and collations play no part.
///  - What can be long (TEXT, BLOB, JSON, geometry, VECTOR) as its own SHA-256, so that the text that is put together
///    stays within MySQL's row limit of 64 KiB. A CONCAT beyond max_allowed_packet is NULL on both servers alike, and
///    would hide a difference; a NULL hash is therefore a Failure for the reader.
///  - JSON as its text and the type of every value in it, since text alone cannot tell DECIMAL from DOUBLE, UNSIGNED
///  from
///    INTEGER or DATE from STRING. The two paths $**.* and $**[*] give every object member and every array element in
///    an order that the text fixes; the third letter of the type's name tells apart those types that can share one
///    text.
std::string row_hash_expression(const sql::Table& table);

/// True when the hash reads JSON: then a server warning can mean that a list of types was cut short, and the reader has
/// to look (see read_rows).
bool needs_warning_check(const sql::Table& table);

/// Adds up row hashes as 256-bit numbers, modulo 2^256: in any order, and with multiplicity, which XOR would lose.
class HashSum final {
 public:
  void add(const RowHash& hash);
  void add(const HashSum& other);
  std::uint64_t count() const { return count_; }
  /// Lower-case hexadecimal: the sum's 64 digits, a colon, the count in decimal.
  std::string text() const;
  bool operator==(const HashSum&) const = default;

 private:
  std::array<std::uint64_t, 4> limbs_{};  ///< lowest first
  std::uint64_t count_ = 0;
};

/// `bytes` in lower-case hexadecimal.
std::string hexadecimal(std::string_view bytes);
std::string hexadecimal(const RowHash& hash);
/// SHA-256 computed here.
RowHash sha256(std::string_view bytes);

}  // namespace reseal::verify
