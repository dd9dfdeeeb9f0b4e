// SPDX-License-Identifier: Apache-2.0
// A client's stream of commands, with files for LOAD DATA LOCAL between them.
#include "wire/command.hpp"

#include "fuzz/streams.hpp"
#include "fuzz/target.hpp"
#include "sql/gtid_set.hpp"

namespace reseal::fuzz {

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto files = static_cast<std::uint8_t>(input.number(1));
  const Pieces pieces(input.number(2));
  check_commands(input.rest(), files, pieces);
}

std::vector<std::string> seeds() {
  std::string every;
  for (int command = 0; command < 0x22; ++command)
    every += packets({std::string(1, static_cast<char>(command)) + std::string(command, 'x')});
  const auto file = packets({"1\tone\n", "2\ttwo\n", ""}, 2);
  std::vector<std::string> made{std::string(3, '\0') + every};
  made.push_back(std::string("\x01\x07\x07") + packets({wire::query_command("LOAD DATA LOCAL")}) + file +
                 packets({wire::ping_command()}));
  made.push_back(std::string("\0\x07\x07", 3) + packets({wire::register_replica_command(7)}) +
                 packets({wire::binlog_dump_command(7, "binlog.000001", 4)}) +
                 packets({wire::binlog_dump_gtid_command(7, sql::GtidSet())}) + packets({""}));
  made.push_back(std::string("\0\x07\x07", 3) + packets({wire::ping_command()}, 3));
  return made;
}

}  // namespace reseal::fuzz
