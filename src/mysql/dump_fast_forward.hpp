// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace reseal::mysql {

/// Makes a dump that began at the head of a file look as if it had begun at `offset`. COM_BINLOG_DUMP has 32 bits for
/// the offset, and one huge transaction takes a file past 4 GiB: then the whole file is dumped, what lies before the
/// offset is dropped here, and the rotate and the format description in front are changed as the server changes them
/// when it begins in the middle of a file (Binlog_sender::send_format_description_event, sql/rpl_binlog_sender.cc).
class DumpFastForward {
 public:
  /// `checksums`: events end with a CRC32, which must be right again after a change.
  DumpFastForward(std::uint64_t offset, bool checksums) : offset_(offset), checksums_(checksums) {}

  /// True while events before the offset are still due.
  bool under_way() const noexcept { return under_way_; }

  enum class Verdict { hand_on, drop };
  /// Judges the next event of the dump, and may change it. Throws Failure(source) when no event begins at the offset.
  Verdict pass(std::string& event);

 private:
  [[noreturn]] void no_event_there() const;
  void change(std::string& event, std::size_t at, std::uint64_t value, unsigned width) const;

  std::uint64_t offset_;
  bool checksums_;
  bool under_way_ = true;
  bool named_file_ = false;  ///< the artificial rotate in front has come
  std::uint64_t place_ = 4;  ///< where the next event of the file begins
};

}  // namespace reseal::mysql
