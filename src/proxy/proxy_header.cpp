// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy_header.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using Read = ProxyHeader::Read;

constexpr std::string_view signature_2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view signature_1 = "PROXY ";
constexpr std::size_t longest_1 = 107;  // section 2.1
constexpr std::uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::array<std::uint8_t, 16> as_v6(const in_addr& v4) {
  std::array<std::uint8_t, 16> bytes{};
  std::copy(std::begin(mapped), std::end(mapped), bytes.begin());
  std::memcpy(bytes.data() + sizeof mapped, &v4, sizeof v4);
  return bytes;
}

std::array<std::uint8_t, 16> as_v6(const in6_addr& v6) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &v6, bytes.size());
  return bytes;
}

template <typename Number>
std::optional<Number> decimal(std::string_view text, Number most) {
  Number number = 0;
  const auto end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || last != end || number > most) return std::nullopt;
  return number;
}

bool is_address(const std::string& text) {
  std::array<std::uint8_t, 16> any{};
  return ::inet_pton(AF_INET, text.c_str(), any.data()) == 1 || ::inet_pton(AF_INET6, text.c_str(), any.data()) == 1;
}

std::string with_port(const std::string& address, unsigned port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Read read_1(std::string_view bytes, ProxyHeader& header) {
  const auto end = bytes.substr(0, longest_1).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() < longest_1 ? Read::cut_off : Read::bad;
  header.size = end + 2;
  auto rest = bytes.substr(signature_1.size(), end - signature_1.size());
  if (rest.substr(0, 7) == "UNKNOWN") return Read::whole;
  std::vector<std::string> words;  // family, client, server, client's port, server's port
  for (std::size_t space = 0; space != std::string_view::npos; rest.remove_prefix(space + 1)) {
    space = rest.find(' ');
    words.emplace_back(rest.substr(0, space));
    if (space == std::string_view::npos) break;
  }
  if (words.size() != 5 || (words[0] != "TCP4" && words[0] != "TCP6") || !is_address(words[1])) return Read::bad;
  const auto port = decimal<unsigned>(words[3], 65535);
  if (!port) return Read::bad;
  header.client = with_port(words[1], *port);
  return Read::whole;
}

Read read_2(std::string_view bytes, ProxyHeader& header) {
  base::ByteCursor cursor(bytes);
  cursor.skip(signature_2.size());
  const auto version = cursor.u8();
  const auto family = cursor.u8();
  const auto length = cursor.uint_be(2);
  if (!cursor.ok()) return Read::cut_off;
  if (version >> 4 != 2 || (version & 15) > 1 || cursor.position() + length > most_header) return Read::bad;
  const auto body = cursor.bytes(length);
  if (!cursor.ok()) return Read::cut_off;
  header.size = cursor.position();
  if ((version & 15) == 0) return Read::whole;  // LOCAL
  sockaddr_storage address{};
  base::ByteCursor addresses(body);
  if (family == 0x11) {  // TCP over IPv4
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    const auto client = addresses.bytes(sizeof v4.sin_addr);
    addresses.skip(sizeof v4.sin_addr);
    v4.sin_port = htons(static_cast<std::uint16_t>(addresses.uint_be(2)));
    if (addresses.ok()) std::memcpy(&v4.sin_addr, client.data(), client.size());
  } else if (family == 0x21) {  // TCP over IPv6
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    const auto client = addresses.bytes(sizeof v6.sin6_addr);
    addresses.skip(sizeof v6.sin6_addr);
    v6.sin6_port = htons(static_cast<std::uint16_t>(addresses.uint_be(2)));
    if (addresses.ok()) std::memcpy(&v6.sin6_addr, client.data(), client.size());
  } else {
    return Read::whole;  // a kind of connection that has no address for people
  }
  if (!addresses.ok()) return Read::bad;
  header.client = address_text(address);
  return Read::whole;
}

}  // namespace

PeerNetwork PeerNetwork::parse(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = text.substr(0, slash);
  PeerNetwork network;
  in_addr v4{};
  in6_addr v6{};
  unsigned most = 128;
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) {
    network.address_ = as_v6(v4);
    most = 32;
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6) == 1) {
    network.address_ = as_v6(v6);
  } else {
    throw base::Failure(base::FailureKind::usage, "not a network or address: '" + text + "'");
  }
  const auto bits = slash == std::string::npos ? most : decimal<unsigned>(text.substr(slash + 1), most);
  if (!bits) throw base::Failure(base::FailureKind::usage, "not a network or address: '" + text + "'");
  network.bits_ = *bits + (128 - most);
  return network;
}

bool PeerNetwork::holds(const sockaddr_storage& peer) const noexcept {
  std::array<std::uint8_t, 16> bytes{};
  if (peer.ss_family == AF_INET)
    bytes = as_v6(reinterpret_cast<const sockaddr_in&>(peer).sin_addr);
  else if (peer.ss_family == AF_INET6)
    bytes = as_v6(reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr);
  else
    return false;
  for (unsigned bit = 0; bit < bits_; ++bit)
    if (((bytes[bit / 8] ^ address_[bit / 8]) & (0x80U >> (bit % 8))) != 0) return false;
  return true;
}

ProxyHeader::Read read_proxy_header(std::string_view bytes, ProxyHeader& header) {
  header = {};
  for (const auto signature : {signature_1, signature_2}) {
    const auto seen = bytes.substr(0, signature.size());
    if (seen != signature.substr(0, seen.size())) continue;
    if (seen.size() < signature.size()) return Read::cut_off;
    return signature == signature_1 ? read_1(bytes, header) : read_2(bytes, header);
  }
  return Read::bad;
}

std::string address_text(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return with_port(text.data(), ntohs(v4.sin_port));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  return with_port(text.data(), ntohs(v6.sin6_port));
}

}  // namespace reseal::proxy
