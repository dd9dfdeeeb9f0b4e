// SPDX-License-Identifier: Apache-2.0
#include "load/shop_schema.hpp"

namespace reseal::load {

// The types are those that a move has to carry without loss: unsigned and signed widths, DECIMAL, fractional seconds,
// ENUM, SET, BIT, YEAR, latin1 and utf8mb4 text, generated columns, JSON, large rows, unique keys that change hands.
std::vector<std::string> shop_tables() {
  // Statements in several literals each are meant.
  // NOLINTBEGIN(bugprone-suspicious-missing-comma)
  return {
      "CREATE TABLE load_settings (name VARCHAR(40) CHARACTER SET ascii NOT NULL PRIMARY KEY,"
      " value BIGINT UNSIGNED NOT NULL)",

      "CREATE TABLE customers (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
      " email VARCHAR(190) NOT NULL, name VARCHAR(120) NOT NULL, country CHAR(2) CHARACTER SET ascii NOT NULL,"
      " note VARCHAR(400) NULL, born DATE NULL, since TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),"
      " UNIQUE KEY email (email), KEY country_name (country, name(20))) DEFAULT CHARSET=utf8mb4",

      "CREATE TABLE addresses (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
      " customer_id BIGINT UNSIGNED NOT NULL, line VARCHAR(200) NOT NULL, postcode VARCHAR(12) CHARACTER SET latin1"
      " NOT NULL, KEY customer (customer_id), CONSTRAINT address_customer FOREIGN KEY (customer_id)"
      " REFERENCES customers (id) ON DELETE RESTRICT ON UPDATE RESTRICT) DEFAULT CHARSET=utf8mb4",

      "CREATE TABLE accounts (id INT UNSIGNED NOT NULL PRIMARY KEY, balance BIGINT NOT NULL,"
      " version BIGINT UNSIGNED NOT NULL DEFAULT 0)",

      "CREATE TABLE ledger (op_id BIGINT UNSIGNED NOT NULL PRIMARY KEY, client BIGINT UNSIGNED NOT NULL,"
      " seq INT UNSIGNED NOT NULL, kind VARCHAR(12) CHARACTER SET ascii NOT NULL, from_id BIGINT UNSIGNED NOT NULL,"
      " to_id BIGINT UNSIGNED NOT NULL, amount BIGINT NOT NULL, server_uuid CHAR(36) CHARACTER SET ascii NOT NULL,"
      " created DATETIME(6) NOT NULL, UNIQUE KEY client_seq (client, seq))",

      "CREATE TABLE counters (client BIGINT UNSIGNED NOT NULL PRIMARY KEY, seq INT UNSIGNED NOT NULL,"
      " op_id BIGINT UNSIGNED NOT NULL)",

      "CREATE TABLE documents (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, client BIGINT UNSIGNED NOT NULL,"
      " op_id BIGINT UNSIGNED NOT NULL, title VARCHAR(80) NOT NULL, body JSON NOT NULL,"
      " n BIGINT UNSIGNED GENERATED ALWAYS AS (body->'$.n') VIRTUAL, KEY client (client), KEY n (n))"
      " DEFAULT CHARSET=utf8mb4",

      "CREATE TABLE handles (slot BIGINT UNSIGNED NOT NULL PRIMARY KEY, client BIGINT UNSIGNED NOT NULL,"
      " op_id BIGINT UNSIGNED NOT NULL, value VARCHAR(60) NULL, UNIQUE KEY value (value), KEY client (client))"
      " DEFAULT CHARSET=utf8mb4",

      "CREATE TABLE movers (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, client BIGINT UNSIGNED NOT NULL,"
      " op_id BIGINT UNSIGNED NOT NULL, tag BIGINT UNSIGNED NOT NULL, KEY client (client))",

      "CREATE TABLE blobs (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, client BIGINT UNSIGNED NOT NULL,"
      " op_id BIGINT UNSIGNED NOT NULL, size INT UNSIGNED NOT NULL, body MEDIUMBLOB NOT NULL, KEY client (client))",

      "CREATE TABLE reborn (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, client BIGINT UNSIGNED NOT NULL,"
      " op_id BIGINT UNSIGNED NOT NULL, generation BIGINT UNSIGNED NOT NULL, KEY client (client))",

      "CREATE TABLE hot (id TINYINT UNSIGNED NOT NULL PRIMARY KEY, hits BIGINT UNSIGNED NOT NULL,"
      " total BIGINT NOT NULL)",

      "CREATE TABLE orders (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
      " client BIGINT UNSIGNED NOT NULL DEFAULT 0, op_id BIGINT UNSIGNED NOT NULL DEFAULT 0,"
      " customer_id BIGINT UNSIGNED NOT NULL, status ENUM('new','paid','sent','back') NOT NULL,"
      " flags SET('gift','rush','fragile') NOT NULL DEFAULT '', total DECIMAL(12,2) NOT NULL,"
      " placed DATETIME(6) NOT NULL, changed TIMESTAMP(6) NULL, due DATE NULL, at_time TIME(3) NULL, made YEAR NULL,"
      " code VARCHAR(40) CHARACTER SET latin1 NOT NULL, digest BINARY(16) NULL, weight DOUBLE NOT NULL, ratio FLOAT "
      "NULL,"
      " small TINYINT NULL, gift BIT(1) NOT NULL DEFAULT b'0', touched INT UNSIGNED NOT NULL DEFAULT 0,"
      " comment TEXT NULL, cents BIGINT GENERATED ALWAYS AS (total * 100) STORED,"
      " KEY client (client, op_id), KEY customer_placed (customer_id, placed), KEY code (code), KEY total (total))"
      " DEFAULT CHARSET=utf8mb4",

      "CREATE TABLE order_events (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
      " order_id BIGINT UNSIGNED NOT NULL, client BIGINT UNSIGNED NOT NULL, op_id BIGINT UNSIGNED NOT NULL,"
      " what VARCHAR(20) CHARACTER SET ascii NOT NULL, KEY client (client, op_id), KEY order_id (order_id))",
  };
  // NOLINTEND(bugprone-suspicious-missing-comma)
}

std::vector<std::string> shop_programs() {
  return {
      "CREATE SQL SECURITY INVOKER VIEW open_orders AS SELECT o.id, o.total, o.placed, c.email FROM orders o"
      " JOIN customers c ON c.id = o.customer_id WHERE o.status IN ('new', 'paid')",
      // Applied twice (once by the row events, once by a trigger that fires again), an event row shows up doubled.
      "CREATE TRIGGER order_placed AFTER INSERT ON orders FOR EACH ROW INSERT INTO order_events"
      " (order_id, client, op_id, what) VALUES (NEW.id, NEW.client, NEW.op_id, 'placed')",
      "CREATE PROCEDURE customer_orders (IN customer BIGINT UNSIGNED) READS SQL DATA"
      " SELECT id, total FROM orders WHERE customer_id = customer ORDER BY id",
      "CREATE EVENT forget_events ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM order_events WHERE client = 0",
  };
}

}  // namespace reseal::load
