// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"
#include "mysql/option_file.hpp"
#include "mysql/session.hpp"
#include "sandbox/sandbox_pair.hpp"
#include "sandbox/server_process.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using mysql::Side;
using testing::HasSubstr;

class SandboxPairTest : public testing::Test {
 protected:
  ~SandboxPairTest() override {
    for (const auto& folder : used_)
      if (fs::exists(folder / ".reseal-sandbox")) SandboxPair(folder).down();
    fs::remove_all(parent_);
  }

  SandboxPair pair(const std::string& name) {
    used_.push_back(parent_ / name);
    return SandboxPair(parent_ / name);
  }
  static std::vector<PairMember> up(SandboxPair& pair) {
    return pair.up(ServerOptions::plain_source(), ServerOptions::encrypted_target());
  }
  static mysql::Session login(const PairMember& member) {
    return {mysql::read_option_file(member.option_file, {"client"}),
            member.name == "source" ? Side::source : Side::target};
  }

  fs::path parent_ = base::make_temporary_folder("reseal-pair-");
  std::vector<fs::path> used_;
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

TEST_F(SandboxPairTest, is_up_twice_the_same_and_down_without_a_process) {
  auto pair = this->pair("a");
  const auto first = up(pair);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_FALSE(first[0].encrypted);
  EXPECT_TRUE(first[1].encrypted);
  login(first[0]).execute("CREATE DATABASE kept");
  const auto second = up(pair);
  EXPECT_EQ(second[0].pid, first[0].pid);
  EXPECT_EQ(second[1].pid, first[1].pid);

  EXPECT_EQ(pair.down(), 2);
  EXPECT_EQ(::kill(first[0].pid, 0), -1);
  EXPECT_EQ(::kill(first[1].pid, 0), -1);
  EXPECT_EQ(pair.status()[0].pid, 0);
  EXPECT_EQ(pair.down(), 0);

  const auto third = up(pair);
  EXPECT_EQ(third[0].port, first[0].port);
  EXPECT_EQ(login(third[0]).query("SHOW DATABASES LIKE 'kept'").size(), 1U);
}

TEST_F(SandboxPairTest, login_files_are_private_and_work_over_verified_tls) {
  auto pair = this->pair("a");
  for (const auto& member : up(pair)) {
    struct stat found {};
    ASSERT_EQ(::stat(member.option_file.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    EXPECT_EQ(mysql::read_option_file(member.option_file, {"client"}).tls, mysql::TlsMode::verify_ca);
    EXPECT_FALSE(login(member).query("SHOW SESSION STATUS LIKE 'Ssl_cipher'").at(0).at(1)->empty());
  }
}

TEST_F(SandboxPairTest, works_in_a_folder_too_long_for_a_socket) {
  auto pair = this->pair(std::string(90, 'x'));
  EXPECT_NE(up(pair)[0].pid, 0);
  const auto socket_folder = fs::read_symlink(pair.folder() / "source" / "socket-folder");
  EXPECT_TRUE(fs::exists(socket_folder));
  EXPECT_EQ(pair.down(), 2);
  EXPECT_FALSE(fs::exists(socket_folder));
}

TEST_F(SandboxPairTest, does_not_touch_a_folder_in_use_for_something_else) {
  fs::create_directories(parent_ / "mine");
  std::ofstream(parent_ / "mine" / "notes.txt") << "keep me";
  auto pair = SandboxPair(parent_ / "mine");
  EXPECT_THAT(message_of([&] { up(pair); }), HasSubstr("in use for something else"));
  EXPECT_THAT(message_of([&] { pair.down(); }), HasSubstr("nothing was stopped"));
  EXPECT_TRUE(fs::exists(parent_ / "mine" / "notes.txt"));
}

TEST_F(SandboxPairTest, starts_anew_what_an_interrupted_up_left) {
  auto pair = this->pair("a");
  const auto first = up(pair);
  fs::remove(first[0].option_file);
  const auto second = up(pair);
  EXPECT_NE(second[0].pid, first[0].pid);
  EXPECT_EQ(second[1].pid, first[1].pid);
  EXPECT_EQ(::kill(first[0].pid, 0), -1);
  login(second[0]).execute("SELECT 1");
}

TEST(ServerProcess, is_not_found_by_the_pid_of_another_process) {
  EXPECT_FALSE(ServerProcess::find(::getpid(), "--datadir=/nowhere"));
  EXPECT_FALSE(ServerProcess::find(0, ""));
}

}  // namespace
}  // namespace reseal::sandbox
