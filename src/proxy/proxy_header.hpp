// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// The PROXY protocol, versions 1 and 2, of the receiving side (proxy-protocol.txt of HAProxy).
namespace reseal::proxy {

/// A network of peers that are believed when they say whom they connect for.
class PeerNetwork {
 public:
  /// "10.0.0.0/8", "2001:db8::/32", or one address. Failure(usage) for anything else.
  static PeerNetwork parse(const std::string& text);
  bool holds(const sockaddr_storage& peer) const noexcept;

 private:
  std::array<std::uint8_t, 16> address_{};  ///< IPv4 as ::ffff:a.b.c.d
  unsigned bits_ = 0;
};

struct ProxyHeader {
  enum class Read {
    whole,
    cut_off,  ///< more of it has to come
    bad
  };
  std::size_t size = 0;  ///< bytes of the stream that it takes
  std::string client;    ///< "10.0.0.7:50123"; empty when the peer speaks for itself (LOCAL, UNKNOWN)
};

/// Reads the header at the front of `bytes`. A whole one is never longer than `most_header`.
ProxyHeader::Read read_proxy_header(std::string_view bytes, ProxyHeader& header);
inline constexpr std::size_t most_header = 2048;

/// An address as people write it, with its port.
std::string address_text(const sockaddr_storage& address);

}  // namespace reseal::proxy
