// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/server_host.hpp"

#include <future>
#include <vector>

#include "base/failure.hpp"
#include "sandbox/server_launch.hpp"

namespace reseal::sandbox::rds {

using base::Failure;
using base::FailureKind;

ServerHost::ServerHost(MysqlPrograms programs)
    : programs_(std::move(programs)), starter_([this](const std::stop_token& stop) {
        for (;;) {
          std::function<void()> task;
          {
            std::unique_lock lock(mutex_);
            if (!wake_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
            task = std::move(tasks_.front());
            tasks_.pop_front();
          }
          task();
        }
      }) {}

ServerHost::~ServerHost() {
  try {
    close(false);
  } catch (const std::exception&) {
    // The kernel ends them with the starter's thread.
  }
}

void ServerHost::enqueue(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  wake_.notify_one();
}

void ServerHost::run_on_starter(const std::function<void()>& task) {
  const auto done = std::make_shared<std::promise<void>>();
  enqueue([this, task, done] {
    try {
      {
        const std::lock_guard lock(mutex_);
        if (closed_) throw Failure(FailureKind::interrupted, "the sandbox is stopping");
      }
      task();
      done->set_value();
    } catch (const std::exception&) {
      done->set_exception(std::current_exception());
    }
  });
  done->get_future().get();
}

void ServerHost::prepare(const ServerFolder& folder, const ServerOptions& options) {
  run_on_starter([&] { prepare_data_folder(programs_, folder, options); });
}

std::uint16_t ServerHost::start(const ServerFolder& folder, std::uint16_t port, const ServerOptions& options) {
  std::uint16_t chosen = 0;
  run_on_starter([&] {
    auto server = launch(programs_, folder, socket_path(folder.root), port, options, Lifetime::of_starting_thread);
    chosen = server.port;
    const std::lock_guard lock(mutex_);
    running_.insert_or_assign(folder.root.string(), std::move(server.process));
  });
  return chosen;
}

std::optional<ServerProcess> ServerHost::take(const ServerFolder& folder) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(folder.root.string());
  if (found == running_.end()) return std::nullopt;
  std::optional<ServerProcess> server(std::move(found->second));
  running_.erase(found);
  return server;
}

void ServerHost::stop(const ServerFolder& folder) {
  if (auto server = take(folder)) server->stop();
  remove_socket_folder(folder.root);
}

void ServerHost::kill(const ServerFolder& folder) {
  if (auto server = take(folder)) server->kill_hard();
  remove_socket_folder(folder.root);
}

void ServerHost::close(bool kept) {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // Behind what the starter has begun: then no server comes up after this.
  std::promise<void> idle;
  enqueue([&idle] { idle.set_value(); });
  idle.get_future().get();
  std::vector<std::string> roots;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [root, server] : running_) roots.push_back(root);
  }
  for (const auto& root : roots) {
    if (kept)
      stop({root});
    else
      kill({root});
  }
}

}  // namespace reseal::sandbox::rds
