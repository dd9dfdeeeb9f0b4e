// SPDX-License-Identifier: Apache-2.0
#include "sql/json.hpp"

#include <bit>
#include <charconv>

namespace reseal::sql {

JsonValue::JsonValue() = default;
JsonValue::~JsonValue() = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;

template <typename T>
JsonValue::JsonValue(JsonKind kind, T content, std::uint8_t field_type)
    : content_(std::in_place_type<T>, std::move(content)), kind_(kind), field_type_(field_type) {}

JsonValue JsonValue::boolean(bool value) { return {JsonKind::boolean, value}; }

JsonValue JsonValue::signed_integer(std::int64_t value) { return {JsonKind::signed_integer, value}; }

JsonValue JsonValue::unsigned_integer(std::uint64_t value) { return {JsonKind::unsigned_integer, value}; }

JsonValue JsonValue::real(double value) { return {JsonKind::real, value}; }

JsonValue JsonValue::real_text(std::string text) { return {JsonKind::real, std::move(text)}; }

JsonValue JsonValue::decimal(std::string text) { return {JsonKind::decimal, std::move(text)}; }

JsonValue JsonValue::string(std::string text) { return {JsonKind::string, std::move(text)}; }

JsonValue JsonValue::temporal(JsonKind kind, std::string text) {
  RESEAL_CHECK(kind == JsonKind::date || kind == JsonKind::time || kind == JsonKind::datetime ||
               kind == JsonKind::timestamp);
  return {kind, std::move(text)};
}

JsonValue JsonValue::opaque(std::uint8_t field_type, std::string bytes) {
  return {JsonKind::opaque, std::move(bytes), field_type};
}

JsonValue JsonValue::array(Array items) { return {JsonKind::array, std::move(items)}; }

JsonValue JsonValue::object(Object members) { return {JsonKind::object, std::move(members)}; }

bool JsonValue::as_boolean() const {
  RESEAL_CHECK(kind_ == JsonKind::boolean);
  return std::get<bool>(content_);
}

std::int64_t JsonValue::as_signed() const {
  RESEAL_CHECK(kind_ == JsonKind::signed_integer);
  return std::get<std::int64_t>(content_);
}

std::uint64_t JsonValue::as_unsigned() const {
  RESEAL_CHECK(kind_ == JsonKind::unsigned_integer);
  return std::get<std::uint64_t>(content_);
}

double JsonValue::as_real() const {
  RESEAL_CHECK(kind_ == JsonKind::real);
  if (const auto* number = std::get_if<double>(&content_)) return *number;
  const auto& digits = std::get<std::string>(content_);
  double value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string_view JsonValue::source_text() const {
  const auto* digits = std::get_if<std::string>(&content_);
  return kind_ == JsonKind::real && digits != nullptr ? std::string_view(*digits) : std::string_view{};
}

const std::string& JsonValue::text() const {
  RESEAL_CHECK(kind_ != JsonKind::real && std::holds_alternative<std::string>(content_));
  return std::get<std::string>(content_);
}

const JsonValue::Array& JsonValue::items() const {
  RESEAL_CHECK(kind_ == JsonKind::array);
  return std::get<Array>(content_);
}

JsonValue::Array& JsonValue::items() {
  RESEAL_CHECK(kind_ == JsonKind::array);
  return std::get<Array>(content_);
}

const JsonValue::Object& JsonValue::members() const {
  RESEAL_CHECK(kind_ == JsonKind::object);
  return std::get<Object>(content_);
}

JsonValue::Object& JsonValue::members() {
  RESEAL_CHECK(kind_ == JsonKind::object);
  return std::get<Object>(content_);
}

bool JsonValue::operator==(const JsonValue& other) const {
  if (kind_ != other.kind_ || field_type_ != other.field_type_) return false;
  if (kind_ == JsonKind::real)
    return std::bit_cast<std::uint64_t>(as_real()) == std::bit_cast<std::uint64_t>(other.as_real());
  return content_ == other.content_;
}

}  // namespace reseal::sql
