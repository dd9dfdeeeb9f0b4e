// SPDX-License-Identifier: Apache-2.0
#include "load/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/failure.hpp"
#include "load/operation_statements.hpp"
#include "load/shop_schema.hpp"
#include "sql/quote.hpp"

namespace reseal::load {
namespace {

using base::Failure;
using base::FailureKind;

constexpr std::uint64_t rows_per_statement = 20'000;
constexpr std::uint64_t key_distance = 1'000'000;  ///< between the keys of prepared documents and movers
constexpr std::uint64_t canary_distance = 97;      ///< every so many rows carry the canary

struct Filler {
  const char* table;
  const char* columns;
  std::string values;  ///< of the number `n`, from 1
  std::uint64_t rows;
  std::uint64_t rows_at_once = rows_per_statement;
};

class ShopFiller {
 public:
  ShopFiller(mysql::Session& session, const PrepareOptions& options, base::Log& log)
      : session_(session), options_(options), log_(log) {}

  PrepareReport fill() {
    for (const auto& table : fillers()) fill_table(table);
    session_.execute("INSERT INTO hot (id, hits, total) VALUES (1, 0, 0)");
    Dimensions dimensions{scaled(2'000), scaled(61'000), scaled(12'000) * key_distance, scaled(2'000) * key_distance};
    session_.execute(
        fmt::format("INSERT INTO load_settings (name, value) VALUES ('accounts', {}), ('orders', {}),"
                    " ('document_range', {}), ('mover_range', {})",
                    dimensions.accounts, dimensions.orders, dimensions.document_range, dimensions.mover_range));
    return {dimensions, rows_ + 5, 0};
  }

 private:
  std::uint64_t scaled(double rows) const {
    return std::max<std::uint64_t>(10, static_cast<std::uint64_t>(std::llround(rows * options_.scale)));
  }

  std::string canary_or(const std::string& otherwise) const {
    if (options_.canary.empty()) return otherwise;
    return fmt::format("IF(n % {} = 1, {}, {})", canary_distance, sql::quote_text(options_.canary), otherwise);
  }

  // `h` is a number that looks random but is the same in every run.
  std::vector<Filler> fillers() const {
    const auto customers = scaled(10'000);
    const std::string distance = std::to_string(key_distance);
    return {
        // Keys are given, not left to AUTO_INCREMENT, which leaves gaps between statements.
        {"customers", "id, email, name, country, note, born, since",
         "n, CONCAT('customer', n, '@example.test'), CONCAT(ELT(1 + h % 5, 'Zoë', 'Jürgen', 'Łukasz', '王芳', 'Ana 🌻'),"
         " ' ', n), ELT(1 + h % 4, 'DE', 'FR', 'PL', 'CN'), " +
             canary_or("IF(h % 3 = 0, NULL, CONCAT('note ', h))") +
             ", IF(h % 7 = 0, NULL, '1950-01-01' + INTERVAL h % 20000 DAY), '2020-01-01' + INTERVAL h % 100000000 "
             "SECOND",
         customers},
        {"addresses", "id, customer_id, line, postcode",
         fmt::format("n, 1 + h % {}, CONCAT('Straße ', n, ' – Hinterhof'), LPAD(h % 100000, 5, '0')", customers),
         scaled(10'000)},
        {"accounts", "id, balance, version", fmt::format("n, {}, 0", opening_balance), scaled(2'000)},
        {"documents", "id, client, op_id, title, body",
         "n * " + distance + ", 0, 0, CONCAT('Prepared № ', n), " + document_body("n", "n"), scaled(12'000), 5'000},
        {"handles", "slot, client, op_id, value", "n * 1000000000, 0, 0, CONCAT('@prepared-', n)", scaled(2'000)},
        {"movers", "id, client, op_id, tag", "n * " + distance + ", 0, 0, n", scaled(2'000)},
        {"blobs", "id, client, op_id, size, body",
         "n, 0, 0, n, CONCAT(" + canary_or("''") + ", RANDOM_BYTES(512), REPEAT(CHAR(h % 256), 1024 + h % 30000))",
         scaled(500), 250},
        {"reborn", "id, client, op_id, generation", "n, 0, 0, 0", scaled(500)},
        {"orders",
         "id, customer_id, status, flags, total, placed, changed, due, at_time, made, code, digest, weight, ratio, "
         "small,"
         " gift, comment",
         fmt::format(
             "n, 1 + h % {}, 1 + h % 4, h % 8, h % 1000000 / 100, '2021-03-04 05:06:07.000001' + INTERVAL h MICROSECOND"
             " + INTERVAL h % 80000000 SECOND, IF(h % 5 = 0, NULL, '2022-01-01 00:00:00.5' + INTERVAL h % 1000000"
             " SECOND), IF(h % 9 = 0, NULL, '2023-01-01' + INTERVAL h % 900 DAY), SEC_TO_TIME(h % 86400), 1990 + h % "
             "60,"
             " CONCAT('Ä', n, '-', HEX(h)), UNHEX(LEFT(SHA2(n, 256), 32)), h / 7, h / 3, CAST(h % 255 AS SIGNED) - "
             "127, h % 2,"
             " IF(h % 4 = 0, NULL, REPEAT(CONCAT('Bemerkung ', h, ' '), 1 + h % 6))",
             customers),
         scaled(61'000)},
    };
  }

  void fill_table(const Filler& table) {
    for (std::uint64_t done = 0; done < table.rows; done += table.rows_at_once) {
      const auto last = std::min(table.rows, done + table.rows_at_once);
      session_.execute(
          fmt::format("INSERT INTO {} ({}) WITH RECURSIVE counted (n) AS (SELECT {} UNION ALL SELECT n + 1 FROM "
                      "counted WHERE n < {}),"
                      " numbered (n, h) AS (SELECT n, CRC32(CONCAT('{}', n)) FROM counted) SELECT {} FROM numbered",
                      table.table, table.columns, done + 1, last, table.table, table.values));
    }
    rows_ += table.rows;
    log_.info(fmt::format("{}.{}: {} rows", options_.schema, table.table, table.rows));
  }

  mysql::Session& session_;
  const PrepareOptions& options_;
  base::Log& log_;
  std::uint64_t rows_ = 0;
};

void make_schema(mysql::Session& session, const PrepareOptions& options) {
  const auto name = sql::quote_name(options.schema);
  if (options.replace) session.execute("DROP DATABASE IF EXISTS " + name);
  session.execute("CREATE DATABASE IF NOT EXISTS " + name + " DEFAULT CHARACTER SET utf8mb4");
  const auto tables = session.scalar("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = " +
                                     sql::quote_text(options.schema));
  if (tables != "0")
    throw Failure(FailureKind::refused, "the schema " + options.schema +
                                            " already has tables; nothing was changed. Name another schema, or drop it"
                                            " and start afresh with --replace");
  session.execute("USE " + name);
}

}  // namespace

mysql::Session open_shop(const mysql::Endpoint& endpoint, const std::string& schema, std::chrono::seconds timeout) {
  mysql::Session session(endpoint, mysql::Side::source, timeout);
  session.execute("SET SESSION sql_mode = DEFAULT, character_set_results = utf8mb4, innodb_lock_wait_timeout = 5");
  if (!schema.empty()) session.execute("USE " + sql::quote_name(schema));
  return session;
}

Dimensions read_dimensions(mysql::Session& session) {
  Dimensions dimensions;
  try {
    for (const auto& row : session.query("SELECT name, value FROM load_settings")) {
      const auto value = std::stoull(row[1].value_or("0"));
      if (row[0] == "accounts") dimensions.accounts = value;
      if (row[0] == "orders") dimensions.orders = value;
      if (row[0] == "document_range") dimensions.document_range = value;
      if (row[0] == "mover_range") dimensions.mover_range = value;
    }
  } catch (const Failure& failure) {
    if (failure.server_errno() != 1146) throw;  // ER_NO_SUCH_TABLE
  }
  if (dimensions.accounts < 2 || dimensions.orders == 0 || dimensions.document_range == 0 ||
      dimensions.mover_range == 0)
    throw Failure(FailureKind::refused, "this schema was not prepared; run reseal load prepare first");
  return dimensions;
}

PrepareReport prepare(const PrepareOptions& options, base::Log& log) {
  if (!(options.scale > 0 && options.scale <= 1e5))
    throw Failure(FailureKind::usage, "--scale must be above 0 and at most 100000");
  const auto start = std::chrono::steady_clock::now();
  auto session = open_shop(options.endpoint, "");
  make_schema(session, options);
  session.execute("SET SESSION cte_max_recursion_depth = 4294967295");
  for (const auto& table : shop_tables()) session.execute(table);
  auto report = ShopFiller(session, options, log).fill();
  for (const auto& program : shop_programs()) session.execute(program);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace reseal::load
