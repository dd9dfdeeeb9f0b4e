// SPDX-License-Identifier: Apache-2.0
// A server's stream of replies to any commands, text and binary.
#include "fuzz/server_says.hpp"
#include "fuzz/streams.hpp"
#include "fuzz/target.hpp"
#include "wire/command_kind.hpp"

namespace reseal::fuzz {

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto capabilities = capability_choice(input);
  const Pieces pieces(input.number(2));
  std::vector<wire::Command> commands;
  for (const char choice : input.text()) {
    const auto command = static_cast<wire::Command>(choice);
    const auto shape = wire::reply_shape(command);
    if (shape != wire::ReplyShape::none && shape != wire::ReplyShape::login) commands.push_back(command);
  }
  check_replies(input.rest(), capabilities, commands, pieces);
}

std::vector<std::string> seeds() {
  using wire::Command;
  std::vector<std::string> made;
  for (const unsigned choice : {0U, 1U, 2U, 3U, 7U}) {
    const auto with = [&](std::initializer_list<Command> commands, const std::string& stream) {
      std::string names;
      for (const auto command : commands) names += static_cast<char>(command);
      made.push_back(std::string(1, static_cast<char>(choice)) + "\x07\x07" + text_choice(names) + stream);
    };
    const ServerSays says(capabilities_of(choice));
    with({Command::query}, packets(says.result(3), 1) + packets({says.ok()}, 1));
    with({Command::query}, packets(says.two_results(), 1));
    with({Command::query}, packets({says.error(1064)}, 1) + packets({says.ok_with_state()}, 1));
    with({Command::query}, packets({std::string("\xFB/tmp/file")}, 1) + packets({says.ok()}, 4));
    with({Command::stmt_prepare, Command::stmt_execute, Command::stmt_fetch, Command::stmt_reset},
         packets(says.prepared(2, 3), 1) + packets(says.cursor_opened(), 1) + packets(says.fetched(), 1) +
             packets({says.ok()}, 1));
    with({Command::statistics, Command::field_list, Command::ping, Command::set_option},
         packets({"Uptime: 7"}, 1) + packets(says.fetched(), 1) + packets({says.ok()}, 1) + packets({says.end()}, 1));
    with({}, packets({says.error(1927)}));
  }
  return made;
}

}  // namespace reseal::fuzz
