// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace reseal::base {

/// Threads that live and fall together: the first exception stops the others and is thrown again by `join`.
/// The destructor asks all to stop and waits for them.
class TaskGroup {
 public:
  /// Tasks see a stop when `parent` is stopped, when one of them fails, and on `stop`.
  explicit TaskGroup(std::stop_token parent = {});
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void start(std::function<void(std::stop_token)> task);
  void stop() { stop_.request_stop(); }
  std::stop_token token() const { return stop_.get_token(); }
  /// Waits for all tasks, then throws the first failure if there was one.
  void join();

 private:
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> parent_stop_;
  std::mutex mutex_;
  std::exception_ptr first_;
  std::vector<std::jthread> threads_;
};

}  // namespace reseal::base
