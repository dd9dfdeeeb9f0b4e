// SPDX-License-Identifier: Apache-2.0
// GTID sets as text and as bytes, and the laws of sets.
#include "sql/gtid_set.hpp"

#include "base/failure.hpp"
#include "fuzz/input.hpp"
#include "fuzz/memory_meter.hpp"
#include "fuzz/target.hpp"

namespace reseal::fuzz {
namespace {

using sql::GtidSet;

// "1," is an interval; the map's nodes are the costly part, and take sixteen bytes at least.
constexpr std::size_t memory_per_byte = 64;
constexpr std::size_t memory_at_least = 4096;

GtidSet read(std::string_view bytes, bool binary) {
  const MemoryMeter memory;
  auto set = binary ? GtidSet::decode(bytes) : GtidSet::parse(bytes);
  RESEAL_CHECK(memory.most() <= memory_at_least + memory_per_byte * bytes.size());
  return set.ok() ? std::move(set).value() : GtidSet();
}

void check_forms(const GtidSet& set) {
  const auto text = GtidSet::parse(set.text());
  RESEAL_CHECK(text.ok() && text.value() == set);
  const auto bytes = GtidSet::decode(set.encode());
  RESEAL_CHECK(bytes.ok() && bytes.value() == set);
  RESEAL_CHECK(set.empty() == set.text().empty());
}

void check_laws(const GtidSet& a, const GtidSet& b) {
  auto both = a;
  both.add(b);
  auto again = b;
  again.add(a);
  RESEAL_CHECK(both == again);
  RESEAL_CHECK(both.contains(a) && both.contains(b));
  const auto only_a = a.minus(b);
  RESEAL_CHECK(a.contains(only_a) && only_a.minus(b) == only_a && a.minus(a).empty());
  RESEAL_CHECK(b.contains(a) == only_a.empty());
  auto joined = only_a;
  joined.add(b);
  RESEAL_CHECK(joined == both);
  check_forms(both);
  check_forms(only_a);
}

}  // namespace

void run_target(std::string_view bytes) {
  Input input(bytes);
  const bool binary = input.flag();
  const auto first = input.take(input.number(2));
  const auto a = read(first, binary);
  const auto b = read(input.rest(), binary);
  check_forms(a);
  check_forms(b);
  check_laws(a, b);
}

std::vector<std::string> seeds() {
  const std::string one = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7:11-18";
  const std::string two = "3e11fa47-71ca-11e1-9e33-c80aa9429562:3-12:tag_1:1-3,eca54231-e830-11f1-bd3b-02fc00000001:9";
  std::vector<std::string> made;
  const auto pair = [&](char form, const std::string& a, const std::string& b) {
    made.push_back(std::string{form, static_cast<char>(a.size() & 0xFF), static_cast<char>(a.size() >> 8)} + a + b);
  };
  pair('\0', one, two);
  pair('\0', two, one);
  pair('\0', "", one + ",\n" + two);
  pair('\1', GtidSet::parse(one).value().encode(), GtidSet::parse(two).value().encode());
  pair('\1', GtidSet::parse(two).value().encode(), GtidSet().encode());
  return made;
}

}  // namespace reseal::fuzz
