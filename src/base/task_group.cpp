// SPDX-License-Identifier: Apache-2.0
#include "base/task_group.hpp"

namespace reseal::base {

TaskGroup::TaskGroup(std::stop_token parent)
    : parent_stop_(std::move(parent), std::function<void()>([this] { stop_.request_stop(); })) {}

TaskGroup::~TaskGroup() {
  stop();
  threads_.clear();
}

void TaskGroup::start(std::function<void(std::stop_token)> task) {
  threads_.emplace_back([this, task = std::move(task)] {
    try {
      task(stop_.get_token());
    } catch (const std::exception&) {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
      stop_.request_stop();
    }
  });
}

void TaskGroup::join() {
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  const std::lock_guard lock(mutex_);
  if (first_) std::rethrow_exception(first_);
}

}  // namespace reseal::base
