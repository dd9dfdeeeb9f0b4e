// SPDX-License-Identifier: Apache-2.0
#include "attest/file_scan.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <system_error>

#include "base/failure.hpp"

namespace reseal::attest {
namespace {

using base::Failure;
using base::FailureKind;
namespace fs = std::filesystem;

constexpr std::size_t window_bytes = 1U << 20;
constexpr std::size_t shortest_canary = 8;

class OpenFile {
 public:
  explicit OpenFile(const fs::path& path) : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool ok() const { return descriptor_ >= 0; }
  /// Bytes read, 0 at the end; nothing on an error.
  std::optional<std::size_t> read(char* buffer, std::size_t size) const {
    for (;;) {
      const auto got = ::read(descriptor_, buffer, size);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return std::nullopt;
    }
  }

 private:
  int descriptor_;
};

/// Which file or folder a path leads to, whatever its name.
using Identity = std::pair<dev_t, ino_t>;

class Scanner {
 public:
  Scanner(fs::path folder, const std::vector<std::string>& canaries) : canaries_(canaries) {
    scan_.folder = std::move(folder);
    std::size_t longest = 0;
    for (const auto& canary : canaries) {
      if (canary.size() < shortest_canary)
        throw Failure(FailureKind::usage, "a canary of less than 8 bytes would be found by chance");
      longest = std::max(longest, canary.size());
    }
    overlap_ = longest == 0 ? 0 : longest - 1;
    buffer_.resize(window_bytes + overlap_);
  }

  FileScan run() {
    std::error_code error;
    fs::directory_iterator probe(scan_.folder, error);
    if (error)
      throw Failure(FailureKind::local, "cannot read the folder " + scan_.folder.string() + ": " + error.message());
    visit(scan_.folder);
    return std::move(scan_);
  }

 private:
  std::string shown(const fs::path& path) const { return path.lexically_relative(scan_.folder).string(); }

  void enter(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      entries.push_back(it->path());
    // A folder that vanished, as a dropped schema's does, holds nothing any more.
    if (error && error != std::errc::no_such_file_or_directory) scan_.unreadable.push_back(shown(folder));
    std::sort(entries.begin(), entries.end());
    for (const auto& entry : entries) visit(entry);
  }

  void visit(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      if (errno != ENOENT) scan_.unreadable.push_back(shown(path));
      return;
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) return;
    if (!seen_.insert({status.st_dev, status.st_ino}).second) return;
    if (S_ISDIR(status.st_mode)) return enter(path);
    read(path);
  }

  void read(const fs::path& path) {
    const OpenFile file(path);
    if (!file.ok()) {
      if (errno != ENOENT) scan_.unreadable.push_back(shown(path));
      return;
    }
    ++scan_.files;
    std::vector<bool> found(canaries_.size(), false);
    std::uint64_t offset = 0;  // of the buffer's first byte in the file
    std::size_t kept = 0;
    for (;;) {
      const auto got = file.read(buffer_.data() + kept, window_bytes);
      if (!got) {
        scan_.unreadable.push_back(shown(path));
        return;
      }
      if (*got == 0) return;
      scan_.bytes += *got;
      const auto size = kept + *got;
      search(path, offset, size, found);
      // The last bytes are looked at again with the next window, so that a canary across the border is seen.
      kept = std::min(overlap_, size);
      std::memmove(buffer_.data(), buffer_.data() + size - kept, kept);
      offset += size - kept;
    }
  }

  void search(const fs::path& path, std::uint64_t offset, std::size_t size, std::vector<bool>& found) {
    for (std::size_t i = 0; i < canaries_.size(); ++i) {
      if (found[i]) continue;
      const auto* hit =
          static_cast<const char*>(::memmem(buffer_.data(), size, canaries_[i].data(), canaries_[i].size()));
      if (hit == nullptr) continue;
      found[i] = true;
      scan_.hits.push_back({shown(path), offset + static_cast<std::uint64_t>(hit - buffer_.data()), i});
    }
  }

  const std::vector<std::string>& canaries_;
  FileScan scan_;
  std::set<Identity> seen_;
  std::vector<char> buffer_;
  std::size_t overlap_ = 0;
};

}  // namespace

FileScan scan_files(const fs::path& folder, const std::vector<std::string>& canaries) {
  return Scanner(folder, canaries).run();
}

}  // namespace reseal::attest
