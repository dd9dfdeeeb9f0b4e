// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace reseal::sql {

/// What a node of a JSON document is to MySQL: more than JSON itself knows. The text of a document shows a decimal as
/// a number and a date as a string; the kind is what a text copy loses.
enum class JsonKind : std::uint8_t {
  null,
  boolean,
  signed_integer,
  unsigned_integer,
  real,
  decimal,
  string,
  date,
  time,
  datetime,
  timestamp,
  opaque,
  array,
  object
};

struct JsonMember;

/// One node of a MySQL JSON document, and everything below it. Owns its bytes: moving is cheap, copying is not.
/// A value is built by the named makers and never changes its kind. No thread may write while another reads.
class JsonValue {
 public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<JsonMember>;

  JsonValue();  ///< JSON null
  ~JsonValue();
  JsonValue(const JsonValue&);
  JsonValue& operator=(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(JsonValue&&) noexcept;

  static JsonValue boolean(bool value);
  static JsonValue signed_integer(std::int64_t value);
  static JsonValue unsigned_integer(std::uint64_t value);
  static JsonValue real(double value);
  /// A double read from text, which is kept: should the number turn out to be a DECIMAL, no digit is lost (`retype`).
  /// `text` is a number in JSON's grammar.
  static JsonValue real_text(std::string text);
  /// `text` is the exact decimal as MySQL prints it, scale kept: "-1.10".
  static JsonValue decimal(std::string text);
  static JsonValue string(std::string text);
  /// `kind` is date, time, datetime or timestamp; `text` is as MySQL prints it inside JSON: "2015-01-15",
  /// "-23:24:25.000000", "2015-01-15 23:24:25.120000".
  static JsonValue temporal(JsonKind kind, std::string text);
  /// `field_type` is the column type (enum_field_types) the bytes came from: 252 for a BLOB.
  static JsonValue opaque(std::uint8_t field_type, std::string bytes);
  static JsonValue array(Array items);
  /// Members in the order they are to be printed.
  static JsonValue object(Object members);

  JsonKind kind() const noexcept { return kind_; }
  bool scalar() const noexcept { return kind_ != JsonKind::array && kind_ != JsonKind::object; }

  // Each is for its own kind only; asking another kind is our bug.
  bool as_boolean() const;
  std::int64_t as_signed() const;
  std::uint64_t as_unsigned() const;
  double as_real() const;
  /// What a number read from text looked like; empty for a number that was made in another way.
  std::string_view source_text() const;
  /// The text of a string, decimal or temporal, or the bytes of an opaque value. Lives as long as this value.
  const std::string& text() const;
  std::uint8_t field_type() const noexcept { return field_type_; }
  const Array& items() const;
  Array& items();
  const Object& members() const;
  Object& members();

  /// Same kinds, same bits, same order of members. A double equals only itself, bit for bit.
  bool operator==(const JsonValue& other) const;

 private:
  using Content = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;
  template <typename T>
  JsonValue(JsonKind kind, T content, std::uint8_t field_type = 0);

  Content content_;
  JsonKind kind_ = JsonKind::null;
  std::uint8_t field_type_ = 0;
};

struct JsonMember {
  std::string key;
  JsonValue value;
  bool operator==(const JsonMember&) const = default;
};

/// MySQL's own limit on nesting (JSON_DOCUMENT_MAX_DEPTH in mysql-server sql-common/json_dom.h).
inline constexpr unsigned json_max_depth = 100;

/// Reads text that a MySQL server printed. A number that fits a signed or unsigned 64-bit integer becomes one; any
/// other becomes a double, correctly rounded. Bad text, nesting deeper than 100 and invalid escapes are errors.
base::Result<JsonValue> parse_json_text(std::string_view text);

/// `value` as MySQL prints it: ", " and ": " between, doubles shortest that read back equal.
std::string json_text(const JsonValue& value);
void append_json_text(std::string& out, const JsonValue& value);
/// A double as MySQL prints it inside JSON: "1.0", "1e25", "1e-16".
void append_json_real(std::string& out, double value);

/// Whether the value keeps every type and bit when MySQL parses its text again. Not so for decimals, temporals, opaque
/// values, unsigned integers up to 2^32-1, signed ones above it, and doubles that MySQL's JSON text parser may
/// misround.
bool survives_text(const JsonValue& value);

/// Appends an SQL expression of type JSON that rebuilds `value` exactly on MySQL 8.0 or newer, for a session whose
/// sql_mode lacks NO_BACKSLASH_ESCAPES. Throws Failure(unsupported) when a leaf cannot be rebuilt by any expression,
/// naming its type. Large strings are copied once, into `out`.
void append_json_expression(std::string& out, const JsonValue& value);

/// Calls `leaf` with the MySQL path (`$."a"[3]`) of every scalar of the document, in document order. A scalar
/// document is one leaf with path "$". Empty arrays and objects have none.
void leaves(const JsonValue& value, const std::function<void(const std::string& path, const JsonValue& leaf)>& leaf);

/// The exact leaf that `leaf`, read from text, stands for, given what the server's JSON_TYPE says of it: "DECIMAL",
/// "DATE", "TIME", "DATETIME", "UNSIGNED INTEGER", "INTEGER", "DOUBLE", "STRING", "BLOB", "BIT", "OPAQUE", "BOOLEAN",
/// "NULL". A decimal keeps every digit and its scale, since parse_json_text keeps the text of its numbers.
base::Result<JsonValue> retype(const JsonValue& leaf, std::string_view json_type);

/// Retypes every leaf in place, in the order of `leaves`. `types` must name exactly as many leaves as there are.
base::Result<std::monostate> retype_leaves(JsonValue& value, const std::vector<std::string>& types);

}  // namespace reseal::sql
