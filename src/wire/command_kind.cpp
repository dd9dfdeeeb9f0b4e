// SPDX-License-Identifier: Apache-2.0
#include "wire/command_kind.hpp"

namespace reseal::wire {

ReplyShape reply_shape(Command command) noexcept {
  switch (command) {
    case Command::quit:
    case Command::stmt_close:
    case Command::stmt_send_long_data:
      return ReplyShape::none;
    case Command::statistics:
      return ReplyShape::text;
    case Command::field_list:
    case Command::stmt_fetch:
      return ReplyShape::rows;
    case Command::query:
    case Command::process_info:
    case Command::stmt_execute:
      return ReplyShape::results;
    case Command::stmt_prepare:
      return ReplyShape::prepared;
    case Command::change_user:
      return ReplyShape::login;
    default:
      return ReplyShape::single;
  }
}

bool belongs_to_a_replica(Command command) noexcept {
  switch (command) {
    case Command::binlog_dump:
    case Command::binlog_dump_gtid:
    case Command::table_dump:
    case Command::register_replica:
    case Command::clone:
    case Command::subscribe_group_replication:
      return true;
    default:
      return false;
  }
}

}  // namespace reseal::wire
