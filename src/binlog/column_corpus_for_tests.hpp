// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace reseal::binlog {

/// A column type and SQL expressions of values at its edges.
struct ColumnCase {
  std::string type;
  std::vector<std::string> values;
};

inline std::vector<ColumnCase> number_cases() {
  return {
      {"TINYINT", {"-128", "-1", "0", "1", "127", "NULL"}},
      {"TINYINT UNSIGNED", {"0", "1", "127", "128", "200", "255", "NULL"}},
      {"SMALLINT", {"-32768", "-1", "32767", "NULL"}},
      {"SMALLINT UNSIGNED", {"0", "32768", "65534", "65535"}},
      {"MEDIUMINT", {"-8388608", "-1", "8388607"}},
      {"MEDIUMINT UNSIGNED", {"8388607", "8388608", "10000000", "16777215"}},
      {"INT", {"-2147483648", "-1", "2147483647"}},
      {"INT UNSIGNED", {"2147483648", "4294967294", "4294967295"}},
      {"INT(8) ZEROFILL", {"442", "0"}},
      {"BIGINT", {"-9223372036854775808", "-1", "9223372036854775807"}},
      {"BIGINT UNSIGNED", {"9223372036854775808", "18446744073709551614", "18446744073709551615", "0"}},
      {"DECIMAL(65,30)",
       {"99999999999999999999999999999999999.999999999999999999999999999999",
        "-99999999999999999999999999999999999.999999999999999999999999999999", "0", "-0.000000000000000000000000000001",
        "123456789.000000001", "NULL"}},
      {"DECIMAL(65,0)", {"12345678901234567890123456789012345678901234567890123456789012345", "-1", "0"}},
      {"DECIMAL(30,30)", {"0.123456789012345678901234567890", "-0.000000000000000000000000000001"}},
      {"DECIMAL(1,0)", {"9", "-9", "0"}},
      {"DECIMAL(10,2)", {"99999999.99", "-99999999.99", "1.10", "-0.01"}},
      {"DECIMAL(18,14)", {"-96.78850375986021", "0.0000010000000000"}},
      {"DECIMAL(40,16)", {"100000000.0000000200000000", "0.0000010000000000"}},
      {"DECIMAL(7)", {"234.5", "-234.5"}},
      {"DECIMAL(20,10) UNSIGNED", {"1234567890.0123456789"}},
      {"FLOAT",
       {"3.14", "16777217", "1.17549435e-38", "3.4028235e38", "-0e0", "1.4e-45", "-1e-40", "0.1", "123456.7", "NULL"}},
      {"FLOAT(35,5)", {"3.14159", "1e20", "-123456.78901"}},
      {"FLOAT(53)", {"0.1"}},
      {"FLOAT UNSIGNED", {"0.3", "3.4028235e38"}},
      {"DOUBLE",
       {"0.1", "0.30000000000000004", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "-0e0",
        "9007199254740991", "9007199254740993", "-1.389e74", "1e25", "NULL"}},
      {"DOUBLE(20,5)", {"123456789.12345", "-0.00001"}},
      {"BIT(1)", {"b'1'", "b'0'", "NULL"}},
      {"BIT(2)", {"b'10'"}},
      {"BIT(8)", {"b'11111111'", "b'1'"}},
      {"BIT(17)", {"b'10000000000000001'"}},
      {"BIT(64)", {"18446744073709551615", "0", "1", "9223372036854775808"}},
      {"YEAR", {"0", "1901", "2155", "'18'", "'0018'", "'78'", "NULL"}},
      {"ENUM('', 'a,b', 'c,''d', 'é')", {"1", "2", "'c,''d'", "'é'", "0", "'nothing'", "NULL"}},
      {"SET('foo', 'bar', 'baz')", {"''", "'foo'", "'foo,baz'", "7", "NULL"}},
  };
}

inline std::vector<ColumnCase> temporal_cases() {
  std::vector<ColumnCase> cases{
      {"DATE",
       {"'0000-00-00'", "'0001-01-01'", "'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'1000-00-00'", "'2016-10-00'",
        "NULL"}},
      {"TIME", {"'00:00:00'", "'-00:00:01'", "'838:59:59'", "'-838:59:59'", "'517:51:04'", "NULL"}},
      {"DATETIME",
       {"'0000-00-00 00:00:00'", "'0000-00-01 15:04:05'", "'2016-00-28 15:30:42'", "'9999-12-31 23:59:59'", "NULL"}},
      {"TIMESTAMP NULL",
       {"'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-02-29 12:00:00'", "NULL"}},
  };
  const std::string digits = "123456";
  for (unsigned scale = 1; scale <= 6; ++scale) {
    const auto n = std::to_string(scale);
    const std::string last = std::string(scale - 1, '0') + "1";
    const std::string nines(scale, '9');
    cases.push_back({"TIME(" + n + ")",
                     {"'-00:00:00." + last + "'", "'-00:00:00." + nines + "'", "'-838:59:58." + nines + "'",
                      "'-01:01:01." + last + "'", "'-00:20:38.0'", "'-15:04:05." + digits.substr(0, scale) + "'",
                      "'517:51:04." + nines + "'", "'00:00:00." + last + "'", "'-00:00:01.0'"}});
    cases.push_back({"DATETIME(" + n + ")",
                     {"'0000-00-00 00:00:00." + last + "'", "'2016-00-28 15:30:42." + nines + "'",
                      "'9999-12-31 23:59:59." + nines + "'", "'2011-11-11 11:11:11." + digits.substr(0, scale) + "'"}});
    cases.push_back({"TIMESTAMP(" + n + ") NULL",
                     {"'0000-00-00 00:00:00.0'", "'1970-01-01 00:00:01." + last + "'",
                      "'2038-01-19 03:14:07." + nines + "'", "'2014-06-28 15:30:42.0'"}});
  }
  return cases;
}

inline std::vector<ColumnCase> string_cases() {
  return {
      {"CHAR(10) CHARACTER SET utf8mb4", {"''", "' '", "'a '", "'🍻😀'", "x'00'", "x'5C27221A'", "'NULL'", "NULL"}},
      {"CHAR(255) CHARACTER SET utf8mb4", {"REPEAT('🍻', 255)", "''", "REPEAT('a', 255)", "REPEAT('é', 200)"}},
      {"VARCHAR(255) CHARACTER SET latin1", {"REPEAT('a', 255)", "''", "' a '", "NULL"}},
      {"VARCHAR(256) CHARACTER SET latin1", {"REPEAT('a', 256)", "'x'"}},
      {"VARCHAR(16000) CHARACTER SET utf8mb4", {"REPEAT('🍻', 16000)", "'a  '"}},
      {"BINARY(8)", {"x'aabbccdd00000000'", "x'0000000000000000'", "x'00'", "x'ffffffffffffffff'", "'20 20 '", "NULL"}},
      {"BINARY(255)", {"REPEAT(x'ff', 255)", "x''"}},
      {"VARBINARY(16)", {"x'00'", "x'0000'", "x''", "x'ff00'", "x'27'"}},
      {"VARBINARY(300)", {"REPEAT(x'00', 300)"}},
      {"TINYTEXT", {"''", "REPEAT('a', 255)", "NULL"}},
      {"TEXT", {"REPEAT('é', 30000)", "'\\\\'"}},
      {"MEDIUMTEXT", {"REPEAT('x', 65536)"}},
      {"LONGTEXT", {"REPEAT('\\'', 70000)"}},
      {"TINYBLOB", {"x'00ff'", "x''"}},
      {"BLOB", {"REPEAT(x'00', 65535)", "x'1a0d0a005c27'"}},
      {"MEDIUMBLOB", {"REPEAT(x'00ff', 40000)"}},
      {"LONGBLOB", {"REPEAT(x'5c27', 2000000)", "NULL"}},
      {"POINT", {"ST_GeomFromText('POINT(1 -1.5)')", "NULL"}},
      {"GEOMETRY",
       {"ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('LINESTRING(0 0,1 1,2 2)')",
        "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')",
        "ST_GeomFromText('MULTIPOLYGON(((0 0,10 0,10 10,0 10,0 0),(5 5,7 5,7 7,5 7,5 5)))', 3857)"}},
      {"POLYGON SRID 4326", {"ST_GeomFromText('POLYGON((0 0,0 5,5 5,5 0,0 0))', 4326)"}},
  };
}

inline std::vector<ColumnCase> vector_cases() {
  return {{"VECTOR", {"TO_VECTOR('[1,2.5,-3]')", "NULL"}},
          {"VECTOR(1)", {"TO_VECTOR('[0]')", "x'00000080'"}},
          {"VECTOR(3000)", {"x'" + std::string(std::size_t{3000} * 8, '1') + "'"}}};
}

inline std::vector<ColumnCase> json_cases() {
  const std::string typed =
      "JSON_OBJECT('n', 1.10, 'dt', CAST('2015-01-15 23:24:25.12' AS DATETIME(2)), 't', CAST('-23:24:25.000001' AS "
      "TIME(6)), 'd', CAST('2015-01-15' AS DATE), 'b', x'cafebabe', 'r', 1e25, 'u', CAST(5 AS UNSIGNED), 'z', "
      "CAST('0000-00-00' AS DATE), 'neg', -1234567890.0123456789)";
  std::string nested = "1";
  for (int i = 0; i < 100; ++i) nested = i % 2 == 0 ? "[" + nested + "]" : "{\"k\": " + nested + "}";
  std::string keys = "JSON_OBJECT(REPEAT('k', 65535), 1.10, REPEAT('m', 1000), REPEAT('v', 70000)";
  for (int i = 0; i < 300; ++i) keys += ", 'key" + std::to_string(i) + "', " + std::to_string(i * 1000 - 40000);
  return {{"JSON",
           {"'null'",
            "'true'",
            "'false'",
            "'\"str\"'",
            "'\"\"'",
            "'-1'",
            "'0'",
            "'32767'",
            "'32768'",
            "'-32768'",
            "'-32769'",
            "'65535'",
            "'2147483647'",
            "'2147483648'",
            "'-2147483649'",
            "'4294967296'",
            "JSON_ARRAY(5000000000, CAST(5000000000 AS UNSIGNED))",
            "'18446744073709551615'",
            "'18446744073709551616'",
            "'1.0'",
            "'-0.0'",
            "'1e25'",
            "'5e-324'",
            "'1.7976931348623157e308'",
            "'{}'",
            "'[]'",
            "'[[], {}, [{}]]'",
            "'[1, 65536, -65536, 1e10, true, null]'",
            "'{\"\": 1, \"b\": 2, \"a\": 3, \"aa\": 4}'",
            "'{\"k\\\\\"\\\\\\\\\\\\n\": \"é🍻\\\\u0001\"}'",
            typed,
            "JSON_ARRAY(" + typed + ", " + typed + ")",
            "JSON_ARRAY(CAST(x'cafe' AS JSON), b'101', 18446744073709551615)",
            "CAST(ST_GeomFromText('POINT(1 1)') AS JSON)",
            "'" + nested + "'",
            "JSON_ARRAY(REPEAT('x', 127), REPEAT('x', 128), REPEAT('x', 16384), REPEAT('\\'', 70000))",
            keys + ")",
            "NULL"}}};
}

}  // namespace reseal::binlog
