// SPDX-License-Identifier: Apache-2.0
#include "mysql/option_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/failure.hpp"
#include "base/log.hpp"

namespace reseal::mysql {
namespace {

using base::Failure;
using base::FailureKind;

std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// A '#' starts a comment anywhere outside quotes (mysys/my_default.cc, find_end_comment).
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  bool escaped = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if ((c == '\'' || c == '"') && !escaped) {
      if (quote == 0)
        quote = c;
      else if (quote == c)
        quote = 0;
    }
    if (quote == 0 && c == '#') return line.substr(0, i);
    escaped = quote != 0 && c == '\\' && !escaped;
  }
  return line;
}

// MySQL manual, "Using Option Files": a backslash before any other character stands for itself.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (const char c = text[++i]) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 's':
        out += ' ';
        break;
      case '"':
      case '\'':
      case '\\':
        out += c;
        break;
      default:
        (out += '\\') += c;
    }
  }
  return out;
}

std::string option_value(std::string_view text) {
  text = trimmed(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back())
    text = text.substr(1, text.size() - 2);
  return unescaped(text);
}

class OptionReader {
 public:
  OptionReader(const std::string& name, const std::vector<std::string>& groups, Endpoint start)
      : name_(name), groups_(groups), endpoint_(std::move(start)) {}

  void read(std::string_view text) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    for (line_ = 1; !text.empty(); ++line_) {
      const auto end = text.find('\n');
      take_line(trimmed(text.substr(0, end)));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  Endpoint finish() {
    if (!group_seen_) throw Failure(FailureKind::usage, name_ + ": has no group " + group_names());
    const bool identified = !endpoint_.tls_ca.empty();
    if (!tls_mode_seen_ && ca_seen_ && identified) endpoint_.tls = TlsMode::verify_ca;
    if (!identified && (endpoint_.tls == TlsMode::verify_ca || endpoint_.tls == TlsMode::verify_identity))
      throw Failure(FailureKind::usage, name_ + ": ssl-mode asks to verify the server, but ssl-ca is missing");
    return std::move(endpoint_);
  }

  bool password_seen() const { return password_seen_; }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(FailureKind::usage, name_ + ":" + std::to_string(line_) + ": " + what);
  }

  std::string group_names() const {
    std::string out;
    for (const auto& group : groups_) out += (out.empty() ? "[" : " or [") + group + "]";
    return out;
  }

  void take_line(std::string_view line) {
    if (line.empty() || line.front() == '#' || line.front() == ';') return;
    if (line.front() == '!') fail("!include and !includedir are not followed; name that file itself");
    if (line.front() == '[') return take_group(line);
    if (!group_) fail("an option stands before the first [group]");
    if (!wanted_) return;
    line = without_comment(line);
    const auto equals = line.find('=');
    auto option = lower(trimmed(line.substr(0, equals)));
    std::replace(option.begin(), option.end(), '_', '-');
    if (option.rfind("loose-", 0) == 0) option.erase(0, 6);
    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = option_value(line.substr(equals + 1));
    take_option(option, value);
    if (value) explicit_bzero(value->data(), value->size());
  }

  void take_group(std::string_view line) {
    const auto end = line.find(']');
    if (end == std::string_view::npos) fail("a [group] without its ]");
    const auto rest = trimmed(line.substr(end + 1));
    if (!rest.empty() && rest.front() != '#' && rest.front() != ';') fail("text after the ] of a group");
    group_ = std::string(trimmed(line.substr(1, end - 1)));
    wanted_ = std::find(groups_.begin(), groups_.end(), *group_) != groups_.end();
    group_seen_ = group_seen_ || wanted_;
  }

  void take_option(const std::string& option, const std::optional<std::string>& value) {
    std::string* text = option == "host"       ? &endpoint_.host
                        : option == "socket"   ? &endpoint_.socket
                        : option == "user"     ? &endpoint_.user
                        : option == "ssl-ca"   ? &endpoint_.tls_ca
                        : option == "ssl-cert" ? &endpoint_.tls_cert
                        : option == "ssl-key"  ? &endpoint_.tls_key
                                               : nullptr;
    if (text != nullptr) {
      *text = needed(option, value);
      ca_seen_ = ca_seen_ || option == "ssl-ca";
    } else if (option == "port") {
      endpoint_.port = parse_port(needed(option, value));
    } else if (option == "password") {
      if (!value) fail("the option password has no value; it is never asked for here");
      endpoint_.password = base::Secret(*value);
      password_seen_ = true;
    } else if (option == "ssl-mode") {
      take_tls_mode(needed(option, value));
    } else if (option.rfind("ssl", 0) == 0 || option.rfind("tls", 0) == 0) {
      fail("the option " + base::printable(option) + " is not known; ssl-mode, ssl-ca, ssl-cert and ssl-key are");
    }
  }

  const std::string& needed(const std::string& option, const std::optional<std::string>& value) const {
    if (!value || value->find('\0') != std::string::npos) fail("the option " + option + " has no usable value");
    return *value;
  }

  std::uint16_t parse_port(const std::string& text) const {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto done = std::from_chars(text.data(), end, port);
    if (done.ec != std::errc() || done.ptr != end || port == 0) fail("port is not a number from 1 to 65535");
    return port;
  }

  void take_tls_mode(const std::string& text) {
    try {
      endpoint_.tls = parse_tls_mode(text);
    } catch (const Failure& failure) {
      fail(failure.what());
    }
    tls_mode_seen_ = true;
  }

  const std::string& name_;
  const std::vector<std::string>& groups_;
  Endpoint endpoint_;
  std::size_t line_ = 0;
  std::optional<std::string> group_;
  bool wanted_ = false;
  bool group_seen_ = false;
  bool password_seen_ = false;
  bool tls_mode_seen_ = false;
  bool ca_seen_ = false;
};

}  // namespace

TlsMode parse_tls_mode(std::string_view text) {
  const auto mode = lower(text);
  if (mode == "disabled") return TlsMode::disabled;
  if (mode == "required") return TlsMode::required;
  if (mode == "verify_ca") return TlsMode::verify_ca;
  if (mode == "verify_identity") return TlsMode::verify_identity;
  if (mode == "preferred")
    throw Failure(FailureKind::usage,
                  "ssl-mode=PREFERRED falls back to a plain connection unseen; write REQUIRED or DISABLED");
  throw Failure(FailureKind::usage, "ssl-mode is none of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY");
}

Endpoint parse_option_text(std::string_view text, const std::string& name, const std::vector<std::string>& groups,
                           Endpoint start) {
  OptionReader reader(name, groups, std::move(start));
  reader.read(text);
  return reader.finish();
}

Endpoint read_option_file(const std::filesystem::path& path, const std::vector<std::string>& groups, Endpoint start) {
  const auto name = path.string();
  const auto refuse = [&](const std::string& what) { throw Failure(FailureKind::usage, name + ": " + what); };
  // Permissions are asked of the opened file, so that it cannot be exchanged between the look and the read.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) refuse(std::string("cannot be opened: ") + std::strerror(errno));
  struct stat status {};
  std::string text;
  ssize_t got = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode) ? 0 : -1;
  if (got == 0) {
    char buffer[4096];
    while (text.size() < (1U << 20) && (got = ::read(file, buffer, sizeof buffer)) > 0)
      text.append(buffer, static_cast<std::size_t>(got));
    explicit_bzero(buffer, sizeof buffer);
  }
  ::close(file);
  if (got < 0) refuse("is not a readable plain file");
  if (got > 0) refuse("is larger than 1 MiB, which no option file is");
  if ((status.st_mode & S_IWOTH) != 0) refuse("everyone may write to it; run chmod o-rwx on it");

  OptionReader reader(name, groups, std::move(start));
  reader.read(text);
  explicit_bzero(text.data(), text.size());
  if (reader.password_seen() && (status.st_mode & S_IROTH) != 0)
    refuse("holds a password and everyone may read it; run chmod o-rwx on it");
  return reader.finish();
}

}  // namespace reseal::mysql
