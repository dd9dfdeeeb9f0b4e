// SPDX-License-Identifier: Apache-2.0
#include "sandbox/test_server.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"
#include "sandbox/server_launch.hpp"

namespace reseal::sandbox {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

const std::string temporary_prefix = "reseal-server-";

bool process_exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno == EPERM; }

// A test that crashed leaves its folders; the kernel has killed its servers. The name says whose they were.
void remove_orphans() noexcept {
  std::error_code ignored;
  for (fs::directory_iterator entry(fs::temp_directory_path(ignored), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const auto name = entry->path().filename().string();
    if (!name.starts_with(temporary_prefix)) continue;
    const auto owner = static_cast<pid_t>(std::atol(name.c_str() + temporary_prefix.size()));
    std::error_code removal;
    if (owner > 0 && !process_exists(owner)) fs::remove_all(entry->path(), removal);
  }
}

fs::path make_temporary_folder() {
  remove_orphans();
  return base::make_temporary_folder(temporary_prefix + std::to_string(::getpid()) + "-");
}

}  // namespace

TestServer::TestServer(ServerOptions options, fs::path folder)
    : programs_(MysqlPrograms::find()),
      options_(std::move(options)),
      folder_{folder.empty() ? make_temporary_folder() : fs::absolute(folder)},
      temporary_(folder.empty() && std::getenv("RESEAL_KEEP_SERVERS") == nullptr) {
  try {
    prepare_data_folder(programs_, folder_, options_);
    socket_ = socket_path(folder_.root);
    auto server = launch(programs_, folder_, socket_, 0, options_, Lifetime::of_starting_thread);
    process_.emplace(std::move(server.process));
    endpoint_ = make_account(folder_, socket_, server.port);
  } catch (const std::exception&) {
    discard();
    throw;
  }
}

TestServer::~TestServer() { discard(); }

void TestServer::discard() noexcept {
  try {
    // What is thrown away needs no clean shutdown.
    if (temporary_) kill_hard();
    stop();
    remove_socket_folder(folder_.root);
    if (temporary_) fs::remove_all(folder_.root);
  } catch (const std::exception&) {
    // A destructor can tell nobody; the next TestServer removes the folder.
  }
}

void TestServer::stop() {
  if (process_) process_->stop();
  process_.reset();
}

void TestServer::kill_hard() {
  if (process_) process_->kill_hard();
  process_.reset();
}

void TestServer::start_again() {
  RESEAL_CHECK(!running());
  auto server = launch(programs_, folder_, socket_, endpoint_.port, options_, Lifetime::of_starting_thread);
  process_.emplace(std::move(server.process));
}

}  // namespace reseal::sandbox
