// SPDX-License-Identifier: Apache-2.0
#include "mysql/session.hpp"

#include <mysql.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>

#include "base/failure.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;

constexpr unsigned tls_error = 2026;  // CR_SSL_CONNECTION_ERROR

// Client errors of a connection that is gone (MySQL manual, "Client Error Message Reference": CR_CONNECTION_ERROR to
// CR_SERVER_LOST_EXTENDED) and server errors after which the same transaction may succeed.
bool worth_a_retry(unsigned error) {
  switch (error) {
    case 2002:  // CR_CONNECTION_ERROR
    case 2003:  // CR_CONN_HOST_ERROR
    case 2006:  // CR_SERVER_GONE_ERROR
    case 2013:  // CR_SERVER_LOST
    case 2055:  // CR_SERVER_LOST_EXTENDED
    case 1040:  // ER_CON_COUNT_ERROR
    case 1053:  // ER_SERVER_SHUTDOWN
    case 1205:  // ER_LOCK_WAIT_TIMEOUT
    case 1213:  // ER_LOCK_DEADLOCK
    case 1927:  // ER_CONNECTION_KILLED (MariaDB's client reports it)
    case 3168:  // ER_SERVER_ISNT_AVAILABLE
      return true;
    default:
      return false;
  }
}

// A server that goes away within a login over TLS is told as an error of TLS, and so is a certificate that does not
// fit, which does not mend itself. The library shows the errno of the one and OpenSSL's reason for the other.
bool login_broke_off(unsigned error, std::string_view text) {
  if (error != tls_error) return false;
  for (const int number : {0, EPIPE, ECONNRESET, ETIMEDOUT})
    if (text.find("(" + std::to_string(number) + ")") != std::string_view::npos) return true;
  return text.find("unexpected eof") != std::string_view::npos;
}

const char* side_name(Side side) { return side == Side::source ? "source" : "target"; }

void forget(st_mysql* handle) { mysql_close(handle); }

int no_file(void** state, const char*, void*) {
  *state = nullptr;
  return 1;
}
int read_nothing(void*, char*, unsigned) { return -1; }
void end_nothing(void*) {}
int refuse_text(void*, char* text, unsigned size) {
  std::strncpy(text, "reseal reads no local file", size);
  if (size > 0) text[size - 1] = '\0';
  return 2000;
}

void initialise_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

}  // namespace

std::string Endpoint::text() const {
  return user + "@" + (socket.empty() ? host + ":" + std::to_string(port) : socket);
}

struct Session::LoadFeed {
  std::function<std::size_t(char*, std::size_t)> fill;
  std::exception_ptr failure;

  static int start(void** state, const char*, void* self) {
    *state = self;
    return 0;
  }
  static int read(void* state, char* buffer, unsigned size) {
    auto& feed = *static_cast<LoadFeed*>(state);
    try {
      return static_cast<int>(feed.fill(buffer, size));
    } catch (const std::exception&) {
      feed.failure = std::current_exception();
      return -1;
    }
  }
  static void end(void*) {}
  static int error(void*, char* text, unsigned size) {
    std::strncpy(text, "the reader of the rows stopped", size);
    if (size > 0) text[size - 1] = '\0';
    return 2000;
  }
};

std::string pinned_settings(Side side) {
  // results as NULL: text columns arrive in the character set they are stored in, as bytes.
  std::string statement =
      "SET SESSION character_set_client=utf8mb4, character_set_connection=utf8mb4, character_set_results=NULL,"
      " collation_connection=utf8mb4_bin, time_zone='+00:00', autocommit=1, sql_quote_show_create=1,"
      " group_concat_max_len=1073741824, net_write_timeout=600, net_read_timeout=600, wait_timeout=28800";
  if (side == Side::source) {
    statement += ", sql_mode='NO_AUTO_VALUE_ON_ZERO', transaction_isolation='REPEATABLE-READ'";
  } else {
    statement +=
        ", sql_mode='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES',"
        " transaction_isolation='READ-COMMITTED', foreign_key_checks=0, innodb_lock_wait_timeout=50";
  }
  return statement;
}

Session::Session(const Endpoint& endpoint, Side side, std::chrono::seconds timeout)
    : endpoint_(endpoint), side_(side), handle_(nullptr, forget), feed_(std::make_unique<LoadFeed>()) {
  initialise_library();
  handle_.reset(mysql_init(nullptr));
  RESEAL_CHECK(handle_ != nullptr);
  auto* handle = handle_.get();
  if (timeout.count() > 0) {
    const auto seconds = static_cast<unsigned>(timeout.count());
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
  } else {
    const unsigned connect_seconds = 10;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  }
  // A LOCAL INFILE request is answered only inside `load`, and only towards the target.
  const unsigned local_infile = side == Side::target ? 1 : 0;
  mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &local_infile);
  mysql_set_local_infile_handler(handle, no_file, read_nothing, end_nothing, refuse_text, nullptr);
  const unsigned long packet = 1UL << 30;
  mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");

  if (!endpoint.run.empty()) {
    mysql_optionsv(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "reseal_run", endpoint.run.c_str());
    mysql_optionsv(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "reseal_process", endpoint.process.c_str());
  }

  const bool tls = endpoint.tls != TlsMode::disabled;
  if (tls) {
    const my_bool enforce = 1;
    // A CA file alone makes Connector/C check the certificate's chain; this option adds the check of its host name.
    const my_bool verify = endpoint.tls == TlsMode::verify_identity;
    if (endpoint.tls == TlsMode::verify_ca && endpoint.tls_ca.empty())
      throw Failure(FailureKind::usage, "ssl-mode VERIFY_CA towards " + endpoint.text() + " needs ssl-ca");
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    mysql_options(handle, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
    if (!endpoint.tls_ca.empty()) mysql_options(handle, MYSQL_OPT_SSL_CA, endpoint.tls_ca.c_str());
    if (!endpoint.tls_cert.empty()) mysql_options(handle, MYSQL_OPT_SSL_CERT, endpoint.tls_cert.c_str());
    if (!endpoint.tls_key.empty()) mysql_options(handle, MYSQL_OPT_SSL_KEY, endpoint.tls_key.c_str());
  }
  const bool local = !endpoint.socket.empty();
  if (!local) {  // else the library takes the host name localhost for a socket of its own choice
    const unsigned tcp = MYSQL_PROTOCOL_TCP;
    mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp);
  }
  if (mysql_real_connect(handle, local ? nullptr : endpoint.host.c_str(), endpoint.user.c_str(),
                         endpoint.password.reveal_c_str(), nullptr, local ? 0 : endpoint.port,
                         local ? endpoint.socket.c_str() : nullptr, CLIENT_FOUND_ROWS) == nullptr) {
    const auto error = mysql_errno(handle);
    const bool transient = worth_a_retry(error) || login_broke_off(error, mysql_error(handle));
    throw Failure(transient              ? FailureKind::transient
                  : side == Side::source ? FailureKind::source
                                         : FailureKind::target,
                  std::string("cannot log in to the ") + side_name(side) + " " + endpoint.text() + ": " +
                      mysql_error(handle) + " (" + std::to_string(error) + ")",
                  error);
  }
  if (tls && !local && mysql_get_ssl_cipher(handle) == nullptr)
    throw Failure(FailureKind::refused, std::string("the ") + side_name(side) + " " + endpoint.text() +
                                            " did not offer TLS, and the connection must be encrypted; nothing was"
                                            " changed. Turn TLS on at the server, or use its Unix socket");
  execute(pinned_settings(side));
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

void Session::fail(std::string_view statement) {
  const auto error = mysql_errno(handle_.get());
  // Statements carry row values: only the leading words are shown.
  auto words = std::string(statement.substr(0, 60));
  if (const auto literal = words.find_first_of("'\""); literal != std::string::npos) words.resize(literal);
  // Over TLS a connection that breaks is reported as an error of TLS. At the login that may be a certificate, which
  // does not mend itself; here it is the connection.
  const bool transient = worth_a_retry(error) || error == tls_error;
  throw Failure(transient               ? FailureKind::transient
                : side_ == Side::source ? FailureKind::source
                                        : FailureKind::target,
                std::string("the ") + side_name(side_) + " answered: " + mysql_error(handle_.get()) + " (" +
                    std::to_string(error) + ") to: " + words,
                error);
}

void Session::send(std::string_view statement) {
  if (mysql_real_query(handle_.get(), statement.data(), statement.size()) != 0) fail(statement);
}

Effect Session::effect() const {
  const char* info = mysql_info(handle_.get());
  return {mysql_affected_rows(handle_.get()), mysql_warning_count(handle_.get()), info == nullptr ? "" : info};
}

Effect Session::execute(std::string_view statement) {
  send(statement);
  if (mysql_field_count(handle_.get()) != 0) {
    MYSQL_RES* result = mysql_store_result(handle_.get());
    if (result == nullptr) fail(statement);
    mysql_free_result(result);
  }
  return effect();
}

RowReader::RowReader(Session& session, std::string_view statement)
    : session_(&session), statement_(statement.substr(0, 60)), result_(nullptr, mysql_free_result) {
  session.send(statement);
  result_.reset(mysql_use_result(session.handle_.get()));
  if (!result_ && mysql_errno(session.handle_.get()) != 0) session.fail(statement_);
}

std::optional<RowView> RowReader::next() {
  if (!result_) return std::nullopt;
  if (MYSQL_ROW values = mysql_fetch_row(result_.get()))
    return RowView(values, mysql_fetch_lengths(result_.get()), mysql_num_fields(result_.get()));
  if (mysql_errno(session_->handle_.get()) != 0) session_->fail(statement_);
  return std::nullopt;
}

void Session::stream(std::string_view statement, const std::function<bool(const RowView&)>& row) {
  auto reader = read(statement);
  while (const auto view = reader.next())
    if (!row(*view)) return;
}

std::vector<Row> Session::query(std::string_view statement) {
  std::vector<Row> rows;
  stream(statement, [&](const RowView& view) {
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < view.size(); ++i) row.push_back(view.null(i) ? Cell() : Cell(std::string(view[i])));
    return true;
  });
  return rows;
}

Cell Session::scalar(std::string_view statement) {
  auto rows = query(statement);
  if (rows.size() != 1 || rows[0].size() != 1)
    throw Failure(side_ == Side::source ? FailureKind::source : FailureKind::target,
                  std::string("the ") + side_name(side_) +
                      " did not answer with one value to: " + std::string(statement.substr(0, 60)));
  return rows[0][0];
}

std::vector<NamedRow> Session::named_rows(std::string_view statement) {
  auto reader = read(statement);
  std::vector<NamedRow> rows;
  while (const auto view = reader.next()) {
    auto& row = rows.emplace_back();
    const auto* fields = mysql_fetch_fields(reader.result_.get());
    for (std::size_t i = 0; i < view->size(); ++i)
      row.emplace(fields[i].name, view->null(i) ? Cell() : Cell(std::string((*view)[i])));
  }
  return rows;
}

std::vector<Row> Session::call(std::string_view statement) {
  auto rows = query(statement);
  int more = 0;
  while ((more = mysql_next_result(handle_.get())) == 0)
    if (MYSQL_RES* result = mysql_store_result(handle_.get())) mysql_free_result(result);
  if (more > 0) fail(statement);
  return rows;
}

Effect Session::load(std::string_view statement, const std::function<std::size_t(char*, std::size_t)>& fill) {
  RESEAL_CHECK(side_ == Side::target);
  feed_->fill = fill;
  feed_->failure = nullptr;
  mysql_set_local_infile_handler(handle_.get(), LoadFeed::start, LoadFeed::read, LoadFeed::end, LoadFeed::error,
                                 feed_.get());
  const int failed = mysql_real_query(handle_.get(), statement.data(), statement.size());
  mysql_set_local_infile_handler(handle_.get(), no_file, read_nothing, end_nothing, refuse_text, nullptr);
  if (feed_->failure) std::rethrow_exception(feed_->failure);
  if (failed != 0) fail(statement);
  const auto done = effect();
  if (done.warnings != 0) {
    const auto rows = query("SHOW WARNINGS LIMIT 1");
    throw Failure(FailureKind::target, "the load was accepted with a warning, which would change data: code " +
                                           (rows.empty() ? std::string("?") : rows[0][1].value_or("?")));
  }
  return done;
}

void without_binlog(Session& session) { session.execute("SET SESSION sql_log_bin=0"); }

std::uint64_t Session::id() const { return mysql_thread_id(handle_.get()); }

void Session::kill_switch() noexcept {
  const auto socket = mysql_get_socket(handle_.get());
  if (socket != MARIADB_INVALID_SOCKET) ::shutdown(socket, SHUT_RDWR);
}

}  // namespace reseal::mysql
