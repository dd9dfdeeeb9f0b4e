// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/byte_cursor.hpp"
#include "binlog/event.hpp"

namespace reseal::binlog {

/// The events of a binlog file: four bytes of magic, then events one after another, each as long as its header says.
inline std::vector<EventBytes> events_of_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<EventBytes> events;
  base::ByteCursor cursor(bytes);
  EXPECT_EQ(cursor.bytes(4),
            "\xFE"
            "bin");
  while (cursor.ok() && !cursor.at_end()) {
    const auto header = parse_event_header(std::string_view(bytes).substr(cursor.position()));
    EXPECT_TRUE(header.ok()) << header.error();
    if (!header.ok()) break;
    events.push_back(std::make_shared<const std::string>(cursor.bytes(header.value().event_size)));
  }
  EXPECT_TRUE(cursor.ok()) << cursor.error();
  return events;
}

}  // namespace reseal::binlog
