// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <thread>

namespace reseal::sandbox::rds {

/// Threads of work that requests have begun. `start` and `join` are called by one thread at a time.
class Jobs {
 public:
  /// Runs `work` in a thread of its own. It must not throw.
  void start(std::function<void()> work) {
    threads_.remove_if([](const Thread& thread) { return thread.ended->load(); });
    auto ended = std::make_shared<std::atomic<bool>>(false);
    threads_.push_back({ended, std::jthread([work = std::move(work), ended] {
                          work();
                          *ended = true;
                        })});
  }
  void join() { threads_.clear(); }

 private:
  struct Thread {
    std::shared_ptr<std::atomic<bool>> ended;
    std::jthread thread;
  };
  std::list<Thread> threads_;
};

}  // namespace reseal::sandbox::rds
