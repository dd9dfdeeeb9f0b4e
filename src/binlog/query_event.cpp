// SPDX-License-Identifier: Apache-2.0
#include "base/byte_cursor.hpp"
#include "binlog/control_events.hpp"

namespace reseal::binlog {
namespace {

using base::BadInput;
using base::ByteCursor;
using base::Result;

/// mysql-server libs/mysql/binlog/event/statement_events.h, enum Query_event_status_vars.
enum class StatusVariable : std::uint8_t {
  flags2 = 0,
  sql_mode = 1,
  catalog = 2,
  auto_increment = 3,
  charset = 4,
  time_zone = 5,
  catalog_nz = 6,
  lc_time_names = 7,
  charset_database = 8,
  table_map_for_update = 9,
  master_data_written = 10,
  invoker = 11,
  updated_db_names = 12,
  microseconds = 13,
  commit_ts = 14,
  commit_ts2 = 15,
  explicit_defaults_for_timestamp = 16,
  ddl_logged_with_xid = 17,
  default_collation_for_utf8mb4 = 18,
  sql_require_primary_key = 19,
  default_table_encryption = 20
};

void read_updated_names(ByteCursor& cursor) {
  constexpr unsigned over_max = 254;  // OVER_MAX_DBS_IN_EVENT_MTS: more than 16, so none are listed
  const unsigned count = cursor.u8();
  if (count >= over_max) return;
  for (unsigned i = 0; i < count && cursor.ok(); ++i) cursor.nul_terminated();
}

/// False for a variable we do not know: variables are written in rising order, so that a reader can stop there.
bool read_variable(ByteCursor& cursor, StatusVariable variable, Query& query) {
  switch (variable) {
    case StatusVariable::flags2:
      cursor.skip(4);
      return true;
    case StatusVariable::sql_mode:
      query.sql_mode = cursor.u64();
      return true;
    case StatusVariable::catalog:
      cursor.skip(std::uint64_t{cursor.u8()} + 1);
      return true;
    case StatusVariable::auto_increment:
      cursor.skip(4);
      return true;
    case StatusVariable::charset:
      query.character_set_client = cursor.u16();
      query.collation_connection = cursor.u16();
      query.collation_server = cursor.u16();
      return true;
    case StatusVariable::time_zone:
      query.time_zone = cursor.bytes(cursor.u8());
      return true;
    case StatusVariable::catalog_nz:
      cursor.skip(cursor.u8());
      return true;
    case StatusVariable::lc_time_names:
    case StatusVariable::charset_database:
      cursor.skip(2);
      return true;
    case StatusVariable::table_map_for_update:
      cursor.skip(8);
      return true;
    case StatusVariable::master_data_written:
      cursor.skip(4);
      return true;
    case StatusVariable::invoker:
      cursor.skip(cursor.u8());
      cursor.skip(cursor.u8());
      return true;
    case StatusVariable::updated_db_names:
      read_updated_names(cursor);
      return true;
    case StatusVariable::microseconds:
      cursor.skip(3);
      return true;
    case StatusVariable::explicit_defaults_for_timestamp:
      query.explicit_defaults_for_timestamp = cursor.u8() != 0;
      return true;
    case StatusVariable::ddl_logged_with_xid:
      query.ddl_xid = cursor.u64();
      return true;
    case StatusVariable::default_collation_for_utf8mb4:
      query.default_collation_for_utf8mb4 = cursor.u16();
      return true;
    case StatusVariable::sql_require_primary_key:
    case StatusVariable::default_table_encryption:
      cursor.skip(1);
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<Query> parse_query(std::string_view body) {
  ByteCursor cursor(body);
  Query query;
  query.thread_id = cursor.u32();
  cursor.skip(4);  // execution time
  const auto schema_length = cursor.u8();
  query.error_code = cursor.u16();
  const auto variables_length = cursor.u16();
  ByteCursor variables(cursor.bytes(variables_length));
  while (variables.ok() && !variables.at_end())
    if (!read_variable(variables, static_cast<StatusVariable>(variables.u8()), query)) break;
  query.schema = cursor.bytes(schema_length);
  if (cursor.u8() != 0) cursor.fail("schema name without its NUL");
  query.text = cursor.rest();
  if (!cursor.ok()) return BadInput{"QUERY event: " + cursor.error()};
  if (!variables.ok()) return BadInput{"QUERY event: status variables: " + variables.error()};
  return query;
}

}  // namespace reseal::binlog
