// SPDX-License-Identifier: Apache-2.0
#include "proxy/proxy_header.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using Read = ProxyHeader::Read;
using namespace std::string_literals;

const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;
const auto v4_header = signature + "\x21\x11\0\x0C\x0A\0\0\7\x7F\0\0\1\xC3\x50\x0C\xEA"s;

sockaddr_storage address(const char* text) {
  sockaddr_storage made{};
  if (::inet_pton(AF_INET, text, &reinterpret_cast<sockaddr_in&>(made).sin_addr) == 1)
    made.ss_family = AF_INET;
  else if (::inet_pton(AF_INET6, text, &reinterpret_cast<sockaddr_in6&>(made).sin6_addr) == 1)
    made.ss_family = AF_INET6;
  return made;
}

void reads(const std::string& bytes, const std::string& client) {
  ProxyHeader header;
  EXPECT_EQ(read_proxy_header(bytes + "rest", header), Read::whole);
  EXPECT_EQ(header.size, bytes.size());
  EXPECT_EQ(header.client, client);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(read_proxy_header(bytes.substr(0, size), header), Read::cut_off) << size;
}

TEST(ProxyHeaderTest, reads_the_text_form) {
  reads("PROXY TCP4 10.0.0.7 127.0.0.1 50000 3306\r\n", "10.0.0.7:50000");
  reads("PROXY TCP6 2001:db8::7 ::1 50000 3306\r\n", "[2001:db8::7]:50000");
  reads("PROXY UNKNOWN\r\n", "");
}

TEST(ProxyHeaderTest, reads_the_binary_form) {
  reads(v4_header, "10.0.0.7:50000");
  reads(signature + "\x21\x11\0\x0F"s + v4_header.substr(16) + "TLV", "10.0.0.7:50000");
  reads(signature + "\x21\x21\0\x24"s + "\x20\1\x0D\xB8"s + std::string(11, '\0') + "\7"s + std::string(16, '\0') +
            "\xC3\x50\x0C\xEA",
        "[2001:db8::7]:50000");
  reads(signature + "\x20\0\0\0"s, "");
}

TEST(ProxyHeaderTest, anything_else_is_bad) {
  ProxyHeader header;
  for (const auto& bytes : {"\x0A" + "8.0"s, "PROXY TCP4 10.0.0.7 127.0.0.1 50000\r\n"s,
                            "PROXY TCP4 host 127.0.0.1 1 2\r\n"s, "PROXY TCP4 10.0.0.7 127.0.0.1 70000 1\r\n"s,
                            "PROXY " + std::string(120, 'x'), signature + "\x31\x11\0\x0C"s + std::string(12, 'x'),
                            signature + "\x21\x11\0\4"s + "xxxx", signature + "\x21\x11\xFF\xFF"s})
    EXPECT_EQ(read_proxy_header(bytes, header), Read::bad) << bytes;
}

TEST(PeerNetworkTest, holds_what_lies_in_it) {
  EXPECT_TRUE(PeerNetwork::parse("10.0.0.0/8").holds(address("10.255.0.1")));
  EXPECT_FALSE(PeerNetwork::parse("10.0.0.0/8").holds(address("11.0.0.1")));
  EXPECT_TRUE(PeerNetwork::parse("10.0.0.0/8").holds(address("::ffff:10.0.0.1")));
  EXPECT_TRUE(PeerNetwork::parse("10.0.0.1").holds(address("10.0.0.1")));
  EXPECT_FALSE(PeerNetwork::parse("10.0.0.1").holds(address("10.0.0.2")));
  EXPECT_TRUE(PeerNetwork::parse("2001:db8::/33").holds(address("2001:db8:7fff::1")));
  EXPECT_FALSE(PeerNetwork::parse("2001:db8::/33").holds(address("2001:db8:8000::1")));
  EXPECT_TRUE(PeerNetwork::parse("0.0.0.0/0").holds(address("1.2.3.4")));
  EXPECT_FALSE(PeerNetwork::parse("0.0.0.0/0").holds(address("2001:db8::1")));
  EXPECT_FALSE(PeerNetwork::parse("::/0").holds(sockaddr_storage{}));
  for (const auto* text : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "host", "::/129"})
    EXPECT_THROW(PeerNetwork::parse(text), base::Failure) << text;
}

}  // namespace
}  // namespace reseal::proxy
