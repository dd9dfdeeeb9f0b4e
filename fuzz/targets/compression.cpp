// SPDX-License-Identifier: Apache-2.0
// Compressed packets from a peer, and ours read again.
#include "wire/compression.hpp"

#include "base/failure.hpp"
#include "fuzz/input.hpp"
#include "fuzz/target.hpp"

namespace reseal::fuzz {
namespace {

using wire::CompressedReader;
using wire::Compression;

constexpr std::size_t most_made = 4 << 20;  // a few bytes may stand for much more than is worth waiting for

struct Read {
  std::string made;
  bool bad = false;
};

Read read_all(Compression::Method method, std::string_view packed, Pieces pieces) {
  CompressedReader reader(method);
  Read read;
  std::string room(65'536, '\0');
  auto shown = packed.substr(0, pieces.next());
  packed.remove_prefix(shown.size());
  while (read.made.size() < most_made) {
    const auto size = std::min(room.size(), pieces.next());
    const auto taken = reader.feed(shown, std::span(room).first(size));
    RESEAL_CHECK(taken.used <= shown.size() && taken.made <= size);
    shown.remove_prefix(taken.used);
    read.made.append(room, 0, taken.made);
    read.bad = reader.bad();
    if (read.bad || (taken.made == 0 && shown.empty() && packed.empty())) return read;
    RESEAL_CHECK(taken.used > 0 || taken.made > 0 || shown.empty());  // it never stands still before bytes
    if (shown.empty()) {
      shown = packed.substr(0, pieces.next());
      packed.remove_prefix(shown.size());
    }
  }
  read.bad = true;
  return read;
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  const auto method = input.flag() ? Compression::Method::zstd : Compression::Method::zlib;
  const Pieces pieces(input.number(2));
  const auto rest = input.rest();
  const auto once = read_all(method, rest, Pieces::whole());
  const auto again = read_all(method, rest, pieces);
  // What comes before the bad byte may have been given already, or not.
  if (once.bad || again.bad)
    RESEAL_CHECK(once.bad == again.bad || once.made.size() >= most_made || again.made.size() >= most_made);
  else
    RESEAL_CHECK(once.made == again.made);
  std::string packed;
  std::uint8_t sequence = 9;
  wire::append_compressed(packed, rest, {method, 1}, sequence);
  const auto back = read_all(method, packed, pieces);
  RESEAL_CHECK(rest.size() >= most_made || (!back.bad && back.made == rest));
}

std::vector<std::string> seeds() {
  std::vector<std::string> made;
  for (const auto method : {Compression::Method::zlib, Compression::Method::zstd}) {
    std::string packed;
    std::uint8_t sequence = 0;
    for (const auto* const text : {"SELECT 1", "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"})
      wire::append_compressed(packed, text, {method, 3}, sequence);
    made.push_back(std::string(1, method == Compression::Method::zstd ? '\1' : '\0') + std::string("\7\7") + packed);
    made.push_back(made.back().substr(0, made.back().size() - 2));
  }
  return made;
}

}  // namespace reseal::fuzz
