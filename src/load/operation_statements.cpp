// SPDX-License-Identifier: Apache-2.0
#include "load/operation_statements.hpp"

#include <fmt/format.h>

#include "sql/quote.hpp"

namespace reseal::load {
namespace {

std::string value_or_null(const std::optional<std::string>& value) { return value ? sql::quote_text(*value) : "NULL"; }

class StepWriter {
 public:
  StepWriter(const Operation& operation, const ClientModel& before)
      : operation_(operation), before_(before), op_(operation.id.value()), client_(before.client().value()) {}

  std::vector<Step> write() {
    add(fmt::format("INSERT INTO ledger (op_id, client, seq, kind, from_id, to_id, amount, server_uuid, created)"
                    " VALUES ({}, {}, {}, '{}', {}, {}, {}, @@server_uuid, NOW(6))",
                    op_, client_, operation_.id.seq(), kind_name(operation_.kind), operation_.first, operation_.second,
                    operation_.amount),
        1);
    effect();
    if (operation_.kind != Kind::setup)
      add(fmt::format("UPDATE counters SET seq={}, op_id={} WHERE client={}", operation_.id.seq(), op_, client_), 1);
    return std::move(steps_);
  }

 private:
  void add(std::string statement, std::optional<std::uint64_t> rows) { steps_.push_back({std::move(statement), rows}); }

  void effect() {
    const auto first = operation_.first;
    const auto amount = operation_.amount;
    switch (operation_.kind) {
      case Kind::setup:
        return set_up();
      case Kind::transfer:
        add(fmt::format("UPDATE accounts SET balance=balance-{}, version=version+1 WHERE id={}", amount, first), 1);
        add(fmt::format("UPDATE accounts SET balance=balance+{}, version=version+1 WHERE id={}", amount,
                        operation_.second),
            1);
        return;
      case Kind::doc_insert:
        return add(fmt::format("INSERT INTO documents (id, client, op_id, title, body) VALUES ({}, {}, {}, {}, {})",
                               first, client_, op_, sql::quote_text(fmt::format("Dokument №{} 📄", op_)),
                               document_body(std::to_string(op_), std::to_string(operation_.id.seq()))),
                   1);
      case Kind::doc_set:
      case Kind::doc_append:
      case Kind::doc_remove:
        return add(fmt::format("UPDATE documents SET op_id={}, body={} WHERE id={} AND client={}", op_, new_body(),
                               first, client_),
                   1);
      case Kind::doc_delete:
        return add(fmt::format("DELETE FROM documents WHERE id={} AND client={}", first, client_), 1);
      case Kind::handle_pass:
        return pass_handle();
      case Kind::key_move:
        return move_key(first, operation_.second);
      case Kind::key_swap: {
        const auto waiting = before_.waiting_key();
        move_key(first, waiting);
        move_key(operation_.second, first);
        return move_key(waiting, operation_.second);
      }
      case Kind::blob_put:
        return put_blob();
      case Kind::blob_drop:
        return add(fmt::format("DELETE FROM blobs WHERE id={}", first), 1);
      case Kind::rebirth: {
        const auto place = before_.reborn().find(first);
        const auto generation = place == before_.reborn().end() ? 1 : place->second.generation + 1;
        add(fmt::format("DELETE FROM reborn WHERE id={}", first), 1);
        return add(fmt::format("INSERT INTO reborn (id, client, op_id, generation) VALUES ({}, {}, {}, {})", first,
                               client_, op_, generation),
                   1);
      }
      case Kind::hot:
        return add(fmt::format("UPDATE hot SET hits=hits+1, total=total+{} WHERE id=1", amount), 1);
      case Kind::order_batch:
        return place_orders();
      case Kind::touch:
        return add(fmt::format("UPDATE orders SET touched=touched+1, changed=NOW(6) WHERE id={}", first), 1);
    }
  }

  void set_up() {
    add(fmt::format("INSERT INTO counters (client, seq, op_id) VALUES ({}, {}, {})", client_, operation_.id.seq(), op_),
        1);
    ClientModel after = before_;
    after.apply(operation_);
    std::string handles;
    for (const auto& [key, row] : after.handles())
      handles +=
          fmt::format("{}({}, {}, {}, {})", handles.empty() ? "" : ", ", key, client_, op_, value_or_null(row.value));
    add("INSERT INTO handles (slot, client, op_id, value) VALUES " + handles, after.handles().size());
    std::string movers;
    for (const auto& [key, row] : after.movers())
      movers += fmt::format("{}({}, {}, {}, {})", movers.empty() ? "" : ", ", key, client_, op_, row.tag);
    add("INSERT INTO movers (id, client, op_id, tag) VALUES " + movers, after.movers().size());
    std::string reborn;
    for (const auto& [key, row] : after.reborn())
      reborn += fmt::format("{}({}, {}, {}, {})", reborn.empty() ? "" : ", ", key, client_, op_, row.generation);
    add("INSERT INTO reborn (id, client, op_id, generation) VALUES " + reborn, after.reborn().size());
  }

  std::string new_body() const {
    const auto seq = operation_.id.seq();
    // JSON_SET and JSON_REMOVE on the column itself can go into the binary log as partial updates; the append cannot.
    if (operation_.kind == Kind::doc_set)
      return fmt::format(
          "JSON_SET(body, '$.op', {}, '$.n', {}, '$.nested.list[0]', {}, '$.price', CAST('{}' AS DECIMAL(12,2)))", op_,
          seq, seq, document_price(seq));
    if (operation_.kind == Kind::doc_append)
      return fmt::format("JSON_SET(JSON_ARRAY_APPEND(body, '$.trail', {}), '$.op', {})", seq, op_);
    return fmt::format("JSON_REMOVE(JSON_SET(body, '$.op', {}), '$.trail[0]')", op_);
  }

  std::optional<std::string> handle_value(std::uint64_t slot) const {
    const auto place = before_.handles().find(slot);
    return place == before_.handles().end() ? std::nullopt : place->second.value;
  }

  void pass_handle() {
    const auto first_value = handle_value(operation_.first);
    const auto second_value = handle_value(operation_.second);
    const auto write = [&](std::uint64_t slot, const std::optional<std::string>& from,
                           const std::optional<std::string>& to) {
      add(fmt::format("UPDATE handles SET value={}, op_id={} WHERE slot={} AND value <=> {}", value_or_null(to), op_,
                      slot, value_or_null(from)),
          1);
    };
    write(operation_.first, first_value, std::nullopt);
    write(operation_.second, second_value, first_value);
    write(operation_.first, std::nullopt, second_value);
  }

  void move_key(std::uint64_t from, std::uint64_t to) {
    add(fmt::format("UPDATE movers SET id={}, op_id={} WHERE id={} AND client={}", to, op_, from, client_), 1);
  }

  void put_blob() {
    const auto size = static_cast<std::size_t>(operation_.amount);
    std::string statement = fmt::format("REPLACE INTO blobs (id, client, op_id, size, body) VALUES ({}, {}, {}, {}, ",
                                        operation_.first, client_, op_, size);
    sql::append_binary_literal(statement, blob_bytes(operation_.id, size));
    add(statement + ")", std::nullopt);
  }

  void place_orders() {
    std::string statement =
        "INSERT INTO orders (client, op_id, customer_id, status, total, placed, changed, code, weight, gift) VALUES ";
    for (std::int64_t i = 0; i < operation_.amount; ++i) {
      const auto roll = mix(op_ + static_cast<std::uint64_t>(i));
      statement += fmt::format("{}({}, {}, {}, {}, {}.{:02}, NOW(6), NOW(6), 'N{:x}', {}e-3, b'{}')",
                               i == 0 ? "" : ", ", client_, op_, roll % 1000 + 1, roll % 4 + 1, roll % 10000,
                               roll % 100, roll, roll % 100000, roll % 2);
    }
    add(std::move(statement), static_cast<std::uint64_t>(operation_.amount));
  }

  const Operation& operation_;
  const ClientModel& before_;
  std::uint64_t op_;
  std::uint64_t client_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> operation_steps(const Operation& operation, const ClientModel& before) {
  return StepWriter(operation, before).write();
}

std::string document_body(const std::string& op, const std::string& n) {
  return "JSON_OBJECT('op', " + op + ", 'n', " + n + ", 'trail', JSON_ARRAY(" + n +
         "), 'price', CAST('12.34' AS DECIMAL(12,2)), 'at', CAST('2024-02-29 12:34:56.789012' AS DATETIME(6)),"
         " 'day', CAST('2024-02-29' AS DATE), 'big', CAST(18446744073709551615 AS UNSIGNED), 'ratio', 2.5e0,"
         " 'none', CAST(NULL AS SIGNED), 'nested', JSON_OBJECT('list', JSON_ARRAY(1, -2, 'Grüße 👋',"
         " JSON_OBJECT('deep', CAST('true' AS JSON)))), 'text', REPEAT('ab', 40 + " +
         n + " % 200))";
}

std::string own_rows_query(OwnTable table, ClientKey client) {
  const auto key = client.value();
  switch (table) {
    case OwnTable::counters:
      return fmt::format("SELECT client, op_id, seq FROM counters WHERE client={}", key);
    case OwnTable::documents:
      return fmt::format(
          "SELECT id, op_id, CONCAT_WS('|', body->>'$.op', body->>'$.n', body->>'$.trail', body->>'$.nested.list[0]',"
          " body->>'$.price', JSON_TYPE(body->'$.price'), JSON_TYPE(body->'$.at'), JSON_TYPE(body->'$.big'))"
          " FROM documents WHERE client={}",
          key);
    case OwnTable::handles:
      return fmt::format("SELECT slot, op_id, COALESCE(value, '-') FROM handles WHERE client={}", key);
    case OwnTable::movers:
      return fmt::format("SELECT id, op_id, tag FROM movers WHERE client={}", key);
    case OwnTable::blobs:
      return fmt::format("SELECT id, op_id, CONCAT_WS('|', size, LENGTH(body), CRC32(body)) FROM blobs WHERE client={}",
                         key);
    case OwnTable::reborn:
      return fmt::format("SELECT id, op_id, generation FROM reborn WHERE client={}", key);
    case OwnTable::orders:
      return fmt::format("SELECT op_id, op_id, COUNT(*) FROM orders WHERE client={} GROUP BY op_id", key);
    case OwnTable::order_events:
      return fmt::format("SELECT op_id, op_id, COUNT(*) FROM order_events WHERE client={} GROUP BY op_id", key);
  }
  return {};
}

}  // namespace reseal::load
