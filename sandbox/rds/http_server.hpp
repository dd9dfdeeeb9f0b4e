// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/log.hpp"
#include "sandbox/rds/endpoint.hpp"

namespace reseal::sandbox::rds {

/// A small HTTP/1.1 server on 127.0.0.1, one request at a time, in a thread of its own. Bodies are limited to 1 MiB,
/// idle connections to a minute.
class HttpServer {
 public:
  /// Nothing: the connection closes without an answer.
  using Answer = std::function<std::optional<HttpAnswer>(const HttpRequest&)>;

  /// Listens at once; `port` 0 takes a free one. Failure(refused) when the port is in use.
  HttpServer(std::uint16_t port, Answer answer);
  /// Closes what is open.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;

 private:
  class Listening;
  std::unique_ptr<Listening> listening_;
};

}  // namespace reseal::sandbox::rds
