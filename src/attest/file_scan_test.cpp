// SPDX-License-Identifier: Apache-2.0
#include "attest/file_scan.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"

namespace reseal::attest {
namespace {

namespace fs = std::filesystem;

const std::string canary = "canary-4711-planted";

class ScanFiles : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
  }

  fs::path folder_ = base::make_temporary_folder("reseal-scan-");
};

TEST_F(ScanFiles, finds_a_canary_and_says_file_and_offset) {
  write("shop/orders.ibd", std::string(5000, 'x') + canary + "tail");
  write("clean.ibd", std::string(5000, 'x'));
  const auto scan = scan_files(folder_, {canary});
  ASSERT_EQ(scan.hits.size(), 1U);
  EXPECT_EQ(scan.hits[0].file, "shop/orders.ibd");
  EXPECT_EQ(scan.hits[0].offset, 5000U);
  EXPECT_EQ(scan.files, 2U);
  EXPECT_EQ(scan.bytes, 10000 + canary.size() + 4);
  EXPECT_FALSE(scan.clean());
}

TEST_F(ScanFiles, finds_a_canary_at_every_place_around_a_window_border) {
  constexpr std::size_t window = 1U << 20;
  for (std::size_t before = 0; before <= canary.size(); ++before) {
    write("big.ibd", std::string(window - before, '\0') + canary + std::string(100, '\0'));
    const auto scan = scan_files(folder_, {canary});
    ASSERT_EQ(scan.hits.size(), 1U) << before;
    EXPECT_EQ(scan.hits[0].offset, window - before);
  }
}

TEST_F(ScanFiles, tells_canaries_apart_and_counts_each_once_per_file) {
  write("a", canary + canary + "second-canary-text");
  const auto scan = scan_files(folder_, {canary, "second-canary-text", "not-there-at-all"});
  ASSERT_EQ(scan.hits.size(), 2U);
  EXPECT_EQ(scan.hits[0].canary, 0U);
  EXPECT_EQ(scan.hits[0].offset, 0U);
  EXPECT_EQ(scan.hits[1].canary, 1U);
}

TEST_F(ScanFiles, follows_links_and_survives_a_loop) {
  write("elsewhere/data", canary);
  fs::create_directories(folder_ / "datadir");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "datadir" / "schema");
  fs::create_directory_symlink(folder_ / "datadir", folder_ / "datadir" / "loop");
  const auto scan = scan_files(folder_ / "datadir", {canary});
  ASSERT_EQ(scan.hits.size(), 1U);
  EXPECT_EQ(scan.hits[0].file, "schema/data");
}

TEST_F(ScanFiles, is_clean_without_a_hit) {
  write("a", canary.substr(1));
  EXPECT_TRUE(scan_files(folder_, {canary}).clean());
}

TEST_F(ScanFiles, refuses_a_short_canary_and_a_missing_folder) {
  EXPECT_THROW(scan_files(folder_, {"short"}), base::Failure);
  EXPECT_THROW(scan_files(folder_ / "not-there", {canary}), base::Failure);
}

}  // namespace
}  // namespace reseal::attest
