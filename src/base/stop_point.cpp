// SPDX-License-Identifier: Apache-2.0
#include "base/stop_point.hpp"

#include <csignal>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>
#include <string>

namespace reseal::base {
namespace {

std::set<std::string> named_places() {
  std::set<std::string> places;
  const char* named = std::getenv("RESEAL_STOP_AT");
  std::istringstream list(named == nullptr ? "" : named);
  for (std::string place; std::getline(list, place, ',');) places.insert(place);
  return places;
}

}  // namespace

void stop_point(std::string_view name, Edge edge) {
  static std::mutex mutex;
  static auto places = named_places();
  const std::lock_guard lock(mutex);
  if (places.erase(std::string(name) + (edge == Edge::before ? ":before" : ":after")) != 0) std::raise(SIGSTOP);
}

}  // namespace reseal::base
