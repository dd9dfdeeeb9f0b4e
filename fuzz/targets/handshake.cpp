// SPDX-License-Identifier: Apache-2.0
// The messages of a login in both directions: what was read is written and read again; and our own login against any
// server.
#include "wire/handshake.hpp"

#include "base/failure.hpp"
#include "fuzz/memory_meter.hpp"
#include "fuzz/server_says.hpp"
#include "fuzz/target.hpp"
#include "wire/auth.hpp"
#include "wire/client_handshake_machine.hpp"
#include "wire/reply.hpp"

namespace reseal::fuzz {
namespace {

using Machine = wire::ClientHandshakeMachine;
using wire::capability::lenenc_auth_data;

// What is read is a few texts, each a copy.
constexpr std::size_t memory_per_byte = 4;
constexpr std::size_t memory_at_least = 4096;
constexpr std::size_t nonce_size = 20;
const std::string nonce = "0123456789abcdefghij";
const std::string password = "correct horse battery staple";

void read_greeting(std::string_view payload) {
  const MemoryMeter memory;
  const auto read = wire::parse_greeting(payload);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * payload.size());
  if (!read.ok() || read.value().nonce.size() != nonce_size) return;
  const auto again = wire::parse_greeting(wire::greeting_payload(read.value()));
  RESEAL_CHECK(again.ok());
  const auto& one = read.value();
  const auto& other = again.value();
  RESEAL_CHECK(one.server_version == other.server_version && one.connection_id == other.connection_id);
  RESEAL_CHECK(one.nonce == other.nonce && one.capabilities == other.capabilities);
  RESEAL_CHECK(one.collation == other.collation && one.status == other.status && one.auth_plugin == other.auth_plugin);
}

bool same(const wire::HandshakeResponse& one, const wire::HandshakeResponse& other) {
  return one.collation == other.collation && one.user == other.user && one.auth_data == other.auth_data &&
         one.database == other.database && one.auth_plugin == other.auth_plugin;
}

void read_response(std::string_view payload, std::uint32_t offered) {
  const MemoryMeter memory;
  const auto read = wire::parse_handshake_response(payload);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * payload.size());
  RESEAL_CHECK(!wire::is_ssl_request(payload) || payload.size() == 32);
  std::string masked(payload);
  const auto flags = wire::mask_capabilities(masked, offered);
  RESEAL_CHECK(masked.size() == payload.size());
  if (flags.ok()) {
    RESEAL_CHECK((flags.value() & ~offered) == 0);
    RESEAL_CHECK(std::string_view(masked).substr(4) == payload.substr(4));
    const auto after = wire::parse_handshake_response(masked);
    RESEAL_CHECK(after.ok() == read.ok());
    if (after.ok()) RESEAL_CHECK(after.value().capabilities == flags.value() && same(after.value(), read.value()));
  }
  if (!read.ok()) return;
  const auto& response = read.value();
  const bool writable = (response.capabilities & lenenc_auth_data) != 0 ||
                        (response.capabilities & wire::capability::secure_connection) != 0;
  if (!writable) return;  // the form of before 4.1, which we never send
  const auto again = wire::parse_handshake_response(wire::handshake_response(response));
  RESEAL_CHECK(again.ok() && again.value().capabilities == response.capabilities && same(again.value(), response));
}

void read_change_user(std::string_view payload, std::uint32_t capabilities) {
  const MemoryMeter memory;
  const auto read = wire::parse_change_user(payload, capabilities);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * payload.size());
  if (!read.ok()) return;
  RESEAL_CHECK(payload.starts_with('\x11'));
  RESEAL_CHECK(payload.substr(1).starts_with(read.value().user));
}

void read_auth_switch(std::string_view payload) {
  const auto read = wire::parse_auth_switch(payload);
  if (!read.ok()) return;
  const auto written = "\xFE" + read.value().plugin + '\0' + read.value().nonce;
  RESEAL_CHECK(payload == written || payload == written + '\0');
}

// Our login: whatever the server says, what leaves is what may leave.
class OurLogin {
 public:
  explicit OurLogin(Input& input)
      : tls_(static_cast<wire::TlsWish>(input.below(3))),
        carrier_(static_cast<wire::Carrier>(input.below(2))),
        machine_(options(input)) {}

  void talk(Input input) {
    while (!input.empty()) {
      const auto payload = input.text();
      take(machine_.feed(payload), payload);
    }
  }

 private:
  wire::ClientHandshakeOptions options(Input& input) const {
    wire::ClientHandshakeOptions options;
    options.user = "anna";
    options.password = base::Secret(password);
    options.tls = tls_;
    options.carrier = carrier_;
    if (input.flag()) options.database = "shop";
    if (input.flag()) options.attributes = {{"program_name", "reseal"}};
    return options;
  }

  void take(const Machine::Step& step, std::string_view answered) {
    if (over_) RESEAL_CHECK(std::holds_alternative<Machine::Failed>(step));
    if (const auto* send = std::get_if<Machine::Send>(&step)) check_sent(send->payload);
    if (std::holds_alternative<Machine::Done>(step)) {
      RESEAL_CHECK(wire::is_ok(answered) && (encrypted_ || tls_ != wire::TlsWish::always));
      over_ = true;
    }
    if (const auto* start = std::get_if<Machine::StartTls>(&step)) {
      RESEAL_CHECK(tls_ != wire::TlsWish::never && !encrypted_ && wire::is_ssl_request(start->payload));
      encrypted_ = true;
      take(machine_.tls_started(), {});
    }
    if (const auto* failed = std::get_if<Machine::Failed>(&step)) {
      RESEAL_CHECK(!failed->text.empty() || failed->reason == Machine::Failed::Reason::server_error);
      over_ = true;
    }
  }

  void check_sent(std::string_view payload) {
    RESEAL_CHECK(encrypted_ || tls_ != wire::TlsWish::always);
    if (payload.find(password) != std::string_view::npos) {
      RESEAL_CHECK(payload == password + '\0');
      RESEAL_CHECK(!std::exchange(password_sent_, true));
      RESEAL_CHECK(encrypted_ || carrier_ == wire::Carrier::unix_socket);
    } else if (!std::exchange(responded_, true)) {
      const auto response = wire::parse_handshake_response(payload);
      RESEAL_CHECK(response.ok() && response.value().user == "anna");
      const auto& used = machine_.greeting().nonce;
      RESEAL_CHECK(response.value().auth_data == (response.value().auth_plugin == wire::native_password
                                                      ? wire::native_scramble(password, used)
                                                      : wire::caching_sha2_scramble(password, used)));
    }
  }

  wire::TlsWish tls_;
  wire::Carrier carrier_;
  Machine machine_;
  bool encrypted_ = false;
  bool responded_ = false;
  bool password_sent_ = false;
  bool over_ = false;
};

std::string greeting(std::uint32_t capabilities, const std::string& plugin) {
  wire::Greeting greeting;
  greeting.server_version = "9.7.4";
  greeting.connection_id = 12;
  greeting.nonce = nonce;
  greeting.capabilities = capabilities;
  greeting.collation = 255;
  greeting.status = wire::status::autocommit;
  greeting.auth_plugin = plugin;
  return wire::greeting_payload(greeting);
}

std::string auth_switch(std::string_view plugin) { return "\xFE" + std::string(plugin) + '\0' + nonce + '\0'; }

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  switch (input.below(5)) {
    case 0:
      return read_greeting(input.rest());
    case 1: {
      const auto offered = static_cast<std::uint32_t>(input.number(4));
      return read_response(input.rest(), offered);
    }
    case 2: {
      const auto capabilities = static_cast<std::uint32_t>(input.number(4));
      return read_change_user(input.rest(), capabilities);
    }
    case 3:
      return read_auth_switch(input.rest());
    default:
      return OurLogin(input).talk(input);
  }
}

std::vector<std::string> seeds() {
  constexpr std::uint32_t all = 0x1FFFFFFF & ~wire::capability::compress;
  constexpr auto without_tls = all & ~wire::capability::ssl;
  const std::string flags("\xFF\xFF\xFF\xFF");
  std::vector<std::string> made;
  for (const auto capabilities :
       {all, without_tls, wire::capability::protocol_41 | wire::capability::secure_connection})
    made.push_back(std::string(1, '\0') + greeting(capabilities, "caching_sha2_password"));

  wire::HandshakeResponse response;
  response.user = "anna";
  response.database = "shop";
  response.auth_plugin = "caching_sha2_password";
  response.auth_data = wire::caching_sha2_scramble(password, nonce);
  response.attributes = {{"_client_name", "libmysql"}, {"_pid", "7"}};
  for (const auto capabilities : {all, all & ~lenenc_auth_data}) {
    response.capabilities = capabilities;
    made.push_back("\1" + flags + wire::handshake_response(response));
  }
  made.push_back("\1" + flags + wire::ssl_request(response));

  std::string change(
      "\x11"
      "bert\0",
      6);
  change += '\x20' + response.auth_data + std::string("shop\0\x2D\0caching_sha2_password\0", 29);
  made.push_back("\2" + flags + change);
  made.push_back("\3" + auth_switch("mysql_native_password"));
  for (const auto& choice : {std::string("\4\0\0\1\1", 5), std::string("\4\1\0\0\0", 5), std::string("\4\2\0\1\0", 5),
                             std::string("\4\0\1\0\0", 5)})
    for (const auto capabilities : {all, without_tls}) {
      const auto head = choice + text_choice(greeting(capabilities, "caching_sha2_password"));
      made.push_back(head + text_choice("\1\3") + text_choice(ServerSays::ok()));
      made.push_back(head + text_choice("\1\4") + text_choice(ServerSays::ok()));
      made.push_back(head + text_choice(auth_switch("mysql_native_password")) + text_choice(ServerSays::error(1045)));
    }
  return made;
}

}  // namespace reseal::fuzz
