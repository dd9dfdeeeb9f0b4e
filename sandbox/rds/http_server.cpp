// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/http_server.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cctype>
#include <thread>

#include "base/failure.hpp"

namespace reseal::sandbox::rds {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr std::uint64_t body_limit = 1U << 20U;
constexpr std::chrono::seconds idle_limit(60);

HttpRequest read_request(const http::request<http::string_body>& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  request.body = message.body();
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto& value = request.headers[name];
    value += (value.empty() ? "" : ",") + std::string(field.value());
  }
  return request;
}

// One connection: reads a request, answers it, reads the next. Lives as long as an operation of it is under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, const HttpServer::Answer& answer) : stream_(std::move(socket)), answer_(&answer) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(body_limit);
    stream_.expires_after(idle_limit);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

 private:
  void write() {
    const auto& message = parser_->get();
    const auto answer = (*answer_)(read_request(message));
    if (!answer) return close();
    response_ = {static_cast<http::status>(answer->status), message.version()};
    response_.set(http::field::content_type, answer->content_type);
    response_.set("x-amzn-RequestId", answer->request_id);
    response_.keep_alive(message.keep_alive());
    response_.body() = answer->body;
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (error || !self->response_.keep_alive()) return self->close();
      self->read();
    });
  }

  void close() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
  }

  beast::tcp_stream stream_;
  const HttpServer::Answer* answer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

}  // namespace

class HttpServer::Listening {
 public:
  Listening(std::uint16_t port, Answer answer) : answer_(std::move(answer)), acceptor_(loop_) {
    beast::error_code error;
    const tcp::endpoint place(asio::ip::address_v4::loopback(), port);
    acceptor_.open(place.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(place, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      throw base::Failure(base::FailureKind::refused, "cannot listen on 127.0.0.1:" + std::to_string(port) + ": " +
                                                          error.message() + "; name another port");
    accept();
    thread_ = std::jthread([this] { loop_.run(); });
  }
  ~Listening() { loop_.stop(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](beast::error_code error, tcp::socket socket) {
      if (!error) std::make_shared<Connection>(std::move(socket), answer_)->read();
      accept();
    });
  }

  Answer answer_;
  asio::io_context loop_{1};
  tcp::acceptor acceptor_;
  std::jthread thread_;  ///< last, so that it ends first
};

HttpServer::HttpServer(std::uint16_t port, Answer answer)
    : listening_(std::make_unique<Listening>(port, std::move(answer))) {}
HttpServer::~HttpServer() = default;
std::uint16_t HttpServer::port() const { return listening_->port(); }

}  // namespace reseal::sandbox::rds
