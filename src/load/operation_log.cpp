// SPDX-License-Identifier: Apache-2.0
#include "load/operation_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <unordered_map>

#include "base/byte_cursor.hpp"
#include "base/failure.hpp"

namespace reseal::load {
namespace {

using base::BadInput;
using base::Failure;
using base::FailureKind;

class Payload {
 public:
  explicit Payload(LogRecord type) { number(static_cast<std::uint8_t>(type), 1); }
  Payload& number(std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFF);
    return *this;
  }
  Payload& text(std::string_view value) {
    bytes_ += value;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class LogReader {
 public:
  base::Result<OperationLog> read(std::string_view bytes) {
    base::ByteCursor file(bytes);
    bool headless = true;
    while (!file.at_end()) {
      const auto at = file.position();
      const auto length = file.u32();
      const auto crc = file.u32();
      const auto payload = file.bytes(length);
      const bool whole = file.ok() && length > 0 && length <= max_log_record && crc32(payload) == crc;
      if (!whole) {
        if (!tail_of_a_crash(bytes.substr(at), file.ok() && file.at_end())) return bad("damaged", at);
        log_.torn = true;
        break;
      }
      if (const auto wrong = take(payload, headless)) return bad(*wrong, at);
      headless = false;
    }
    if (headless) return BadInput{"the log has no head"};
    return std::move(log_);
  }

 private:
  // Only the last record can be torn: it runs into the end of the file, ends there with a wrong checksum, or is zeroes.
  static bool tail_of_a_crash(std::string_view rest, bool ends_here) {
    if (ends_here || rest.find_first_not_of('\0') == std::string_view::npos) return true;
    if (rest.size() < 8) return true;
    base::ByteCursor cursor(rest);
    const auto length = cursor.u32();
    cursor.skip(4);
    // A length that was damaged, rather than cut short, must not hide the records behind it.
    return rest.size() < 8U + length && (cursor.at_end() || length == payload_size(cursor.u8()));
  }

  static std::uint32_t payload_size(std::uint8_t type) {
    switch (static_cast<LogRecord>(type)) {
      case LogRecord::head:
        return 53;
      case LogRecord::intent:
        return 50;
      case LogRecord::outcome:
        return 28;
      case LogRecord::resolved:
        return 10;
      case LogRecord::end:
        return 1;
    }
    return 0;
  }

  static BadInput bad(const std::string& what, std::size_t at) {
    return {"the record at byte " + std::to_string(at) + " is wrong: " + what};
  }

  std::optional<std::string> take(std::string_view payload, bool first) {
    base::ByteCursor cursor(payload);
    const auto type = static_cast<LogRecord>(cursor.u8());
    if (first != (type == LogRecord::head)) return first ? "it is not a head" : "it is a second head";
    std::optional<std::string> wrong;
    switch (type) {
      case LogRecord::head:
        wrong = take_head(cursor);
        break;
      case LogRecord::intent:
        wrong = take_intent(cursor);
        break;
      case LogRecord::outcome:
        wrong = take_outcome(cursor);
        break;
      case LogRecord::resolved:
        wrong = take_resolved(cursor);
        break;
      case LogRecord::end:
        log_.ended = true;
        break;
      default:
        return "its type is not known";
    }
    if (!cursor.ok()) return cursor.error();
    if (!wrong && !cursor.at_end()) return "it is longer than its type";
    return wrong;
  }

  std::optional<std::string> take_head(base::ByteCursor& cursor) {
    if (cursor.bytes(log_magic.size()) != log_magic) return "this is not a log of reseal load";
    if (cursor.u8() != log_version) return "another version of reseal wrote this log";
    log_.client = ClientKey(cursor.u64());
    log_.dimensions.accounts = cursor.u64();
    log_.dimensions.orders = cursor.u64();
    log_.dimensions.document_range = cursor.u64();
    log_.dimensions.mover_range = cursor.u64();
    return std::nullopt;
  }

  std::optional<std::string> take_intent(base::ByteCursor& cursor) {
    Remembered remembered;
    auto& operation = remembered.operation;
    operation.id = OpId(cursor.u64());
    const auto kind = kind_of(cursor.u8());
    if (!kind) return "its kind of operation is not known";
    operation.kind = *kind;
    operation.first = cursor.u64();
    operation.second = cursor.u64();
    operation.amount = cursor.int_le(8);
    operation.retry_of = OpId(cursor.u64());
    remembered.time_ns = cursor.u64();
    if (operation.id.client() != log_.client) return "it is another client's";
    if (!log_.operations.empty() && log_.operations.back().operation.id >= operation.id) return "it is out of order";
    places_[operation.id.value()] = log_.operations.size();
    log_.operations.push_back(remembered);
    return std::nullopt;
  }

  Remembered* find(OpId id) {
    const auto place = places_.find(id.value());
    return place == places_.end() ? nullptr : &log_.operations[place->second];
  }

  std::optional<std::string> take_outcome(base::ByteCursor& cursor) {
    auto* remembered = find(OpId(cursor.u64()));
    const auto verdict = cursor.u8();
    Outcome outcome;
    outcome.code = cursor.u16();
    outcome.time_ns = cursor.u64();
    outcome.seen_seq = cursor.u64();
    if (remembered == nullptr || remembered->outcome) return "it answers no open operation";
    if (verdict < 1 || verdict > 3) return "its verdict is not known";
    outcome.verdict = static_cast<Verdict>(verdict);
    remembered->outcome = outcome;
    return std::nullopt;
  }

  std::optional<std::string> take_resolved(base::ByteCursor& cursor) {
    auto* remembered = find(OpId(cursor.u64()));
    const auto present = cursor.u8();
    if (remembered == nullptr || present > 1) return "it resolves no operation";
    remembered->found = present == 1;
    return std::nullopt;
  }

  OperationLog log_;
  std::unordered_map<std::uint64_t, std::size_t> places_;
};

[[noreturn]] void disk_failure(const std::filesystem::path& path, const char* what) {
  throw Failure(FailureKind::local,
                path.string() + ": cannot " + what + ": " + std::strerror(errno) + "; this client stops here");
}

}  // namespace

OperationLogWriter::OperationLogWriter(const std::filesystem::path& folder, ClientKey client,
                                       const Dimensions& dimensions)
    : path_(folder / ("run-" + std::to_string(client.run()) + "-client-" + std::to_string(client.client()) + ".log")) {
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) disk_failure(path_, "create the log");
  append(Payload(LogRecord::head)
             .text(log_magic)
             .number(log_version, 1)
             .number(client.value(), 8)
             .number(dimensions.accounts, 8)
             .number(dimensions.orders, 8)
             .number(dimensions.document_range, 8)
             .number(dimensions.mover_range, 8)
             .bytes());
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool kept = directory >= 0 && ::fsync(directory) == 0;
  if (directory >= 0) ::close(directory);
  if (!kept) disk_failure(folder, "sync the folder");
}

OperationLogWriter::~OperationLogWriter() {
  if (file_ >= 0) ::close(file_);
}

void OperationLogWriter::append(std::string_view payload) {
  std::string record;
  for (const std::uint32_t number : {static_cast<std::uint32_t>(payload.size()), crc32(payload)})
    for (unsigned shift = 0; shift < 32; shift += 8) record += static_cast<char>(number >> shift & 0xFF);
  record += payload;
  // A short write leaves a torn record; writing on behind it would bury it, so this is the end of the log.
  const auto written = ::write(file_, record.data(), record.size());
  if (written != static_cast<ssize_t>(record.size())) disk_failure(path_, "write");
  if (::fdatasync(file_) != 0) disk_failure(path_, "sync");
}

void OperationLogWriter::intent(const Operation& operation, std::uint64_t time_ns) {
  append(Payload(LogRecord::intent)
             .number(operation.id.value(), 8)
             .number(static_cast<std::uint8_t>(operation.kind), 1)
             .number(operation.first, 8)
             .number(operation.second, 8)
             .number(static_cast<std::uint64_t>(operation.amount), 8)
             .number(operation.retry_of.value(), 8)
             .number(time_ns, 8)
             .bytes());
}

void OperationLogWriter::outcome(OpId id, const Outcome& outcome) {
  append(Payload(LogRecord::outcome)
             .number(id.value(), 8)
             .number(static_cast<std::uint8_t>(outcome.verdict), 1)
             .number(outcome.code, 2)
             .number(outcome.time_ns, 8)
             .number(outcome.seen_seq, 8)
             .bytes());
}

void OperationLogWriter::resolved(OpId id, bool present) {
  append(Payload(LogRecord::resolved).number(id.value(), 8).number(present ? 1 : 0, 1).bytes());
}

void OperationLogWriter::end() { append(Payload(LogRecord::end).bytes()); }

base::Result<OperationLog> read_operation_log(std::string_view bytes) { return LogReader().read(bytes); }

std::vector<OperationLog> read_operation_logs(const std::filesystem::path& folder) {
  std::vector<OperationLog> logs;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto name = entry.path().filename().string();
    if (name.rfind("run-", 0) != 0 || entry.path().extension() != ".log") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file.good() && !file.eof()) throw Failure(FailureKind::local, entry.path().string() + ": cannot be read");
    logs.push_back(base::value_or_fail(read_operation_log(bytes), entry.path().string(), FailureKind::local));
  }
  if (error) throw Failure(FailureKind::usage, folder.string() + ": cannot be listed: " + error.message());
  if (logs.empty()) throw Failure(FailureKind::usage, folder.string() + ": holds no log of reseal load run");
  std::sort(logs.begin(), logs.end(), [](const auto& a, const auto& b) { return a.client < b.client; });
  return logs;
}

}  // namespace reseal::load
