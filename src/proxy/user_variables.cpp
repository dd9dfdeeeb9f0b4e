// SPDX-License-Identifier: Apache-2.0
#include "proxy/user_variables.hpp"

#include "proxy/session_state.hpp"

namespace reseal::proxy {
namespace {

using Kind = UserVariable::Kind;

constexpr std::size_t columns_of_one = 4;

std::string quoted(const std::string& name) {
  std::string out = "@`";
  for (const char c : name) out.append(c == '`' ? 2 : 1, c);
  return out + "`";
}

// enum_field_types, include/field_types.h: what user variables of the server's four kinds of results are shown as.
std::optional<Kind> kind_of(const wire::ResultColumn& column) {
  switch (column.type) {
    case 8:  // LONGLONG
      return column.is_unsigned ? Kind::unsigned_integer : Kind::integer;
    case 5:  // DOUBLE
      return Kind::real;
    case 246:  // NEWDECIMAL
      return Kind::decimal;
    case 249:  // TINY_BLOB, MEDIUM_BLOB, LONG_BLOB, BLOB, VAR_STRING, STRING
    case 250:
    case 251:
    case 252:
    case 253:
    case 254:
      return Kind::bytes;
    default:
      return std::nullopt;
  }
}

std::optional<std::string> from_hexadecimal(const std::string& text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  if (text.size() % 2 != 0 || text.find_first_not_of("0123456789ABCDEF") != std::string::npos) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  return bytes;
}

// A number's text is ASCII, and without a quote.
std::string number(const UserVariable& variable, const std::string& type) {
  return "CAST(" + (variable.value ? "'" + *variable.value + "'" : "NULL") + " AS " + type + ")";
}

std::string decimal_type(const std::string& text) {
  const auto point = text.find('.');
  return "DECIMAL(65," + std::to_string(point == std::string::npos ? 0 : text.size() - point - 1) + ")";
}

std::string expression(const UserVariable& variable) {
  switch (variable.kind) {
    case Kind::integer:
      return number(variable, "SIGNED");
    case Kind::unsigned_integer:
      return number(variable, "UNSIGNED");
    case Kind::real:
      return number(variable, "DOUBLE");
    case Kind::decimal:
      return number(variable, decimal_type(variable.value.value_or("")));
    case Kind::bytes:
      break;
  }
  const auto text = variable.value ? bytes_literal(variable.character_set, *variable.value)
                                   : "CONVERT(NULL USING " + variable.character_set + ")";
  // The grammar has no COLLATE binary.
  return variable.character_set == "binary" ? text : text + " COLLATE " + variable.collation;
}

bool is_number_text(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string::npos;
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

}  // namespace

std::string user_variables_query(const std::vector<std::string>& names) {
  std::string query = "SELECT ";
  for (const auto& name : names) {
    const auto variable = quoted(name);
    query.append(query.back() == ' ' ? "" : ",").append(variable);
    for (const auto* function : {",HEX(", ",CHARSET(", ",COLLATION("})
      query.append(function).append(variable).append(")");
  }
  return query + " LIMIT 1";
}

std::optional<std::vector<UserVariable>> read_user_variables(const std::vector<std::string>& names,
                                                             const wire::TextResultMachine& answer) {
  const auto& rows = answer.rows();
  if (rows.size() != 1 || rows[0].size() != names.size() * columns_of_one) return std::nullopt;
  std::vector<UserVariable> variables;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = i * columns_of_one;
    const auto kind = kind_of(answer.columns()[at]);
    if (!kind) return std::nullopt;
    UserVariable variable{names[i], *kind, rows[0][at], rows[0][at + 2].value_or(""), rows[0][at + 3].value_or("")};
    if (!is_name(variable.character_set) || !is_name(variable.collation)) return std::nullopt;
    if (variable.kind == Kind::bytes && variable.value) {
      variable.value = from_hexadecimal(rows[0][at + 1].value_or("-"));
      if (!variable.value) return std::nullopt;
    } else if (variable.value && !is_number_text(*variable.value)) {
      return std::nullopt;
    }
    variables.push_back(std::move(variable));
  }
  return variables;
}

std::string set_user_variables(const std::vector<UserVariable>& variables) {
  std::string statement = "SET ";
  for (const auto& variable : variables)
    statement.append(statement.back() == ' ' ? "" : ",").append(quoted(variable.name) + ":=" + expression(variable));
  return statement;
}

}  // namespace reseal::proxy
