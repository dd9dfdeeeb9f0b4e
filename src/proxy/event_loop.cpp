// SPDX-License-Identifier: Apache-2.0
#include "proxy/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/failure.hpp"

namespace reseal::proxy {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t events_at_once = 128;

[[noreturn]] void fail(const char* what) {
  throw base::Failure(base::FailureKind::local, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!epoll_.open() || !wakeup_.open()) fail("cannot open an event queue");
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLET;
  wanted.data.ptr = nullptr;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, wakeup_.number(), &wanted) != 0) fail("cannot watch an event queue");
}

void EventLoop::watch(int socket, Watched& watched) {
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  wanted.data.ptr = &watched;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, socket, &wanted) != 0) fail("cannot watch a socket");
}

void EventLoop::forget(int socket) { ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, socket, nullptr); }

void EventLoop::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  if (posted_.size() == 1) ::eventfd_write(wakeup_.number(), 1);
}

void EventLoop::run(int tick_ms, const std::function<void()>& tick) {
  std::array<epoll_event, events_at_once> events{};
  auto next_tick = Clock::now() + std::chrono::milliseconds(tick_ms);
  while (!stopping_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_tick - Clock::now()).count();
    const int count =
        ::epoll_wait(epoll_.number(), events.data(), events.size(), left > 0 ? static_cast<int>(left) : 0);
    if (count < 0 && errno != EINTR) fail("cannot wait for events");
    for (int i = 0; i < count; ++i) {
      const auto& event = events.at(static_cast<std::size_t>(i));
      // An end or an error shows itself to whoever reads or writes next.
      const bool over = (event.events & (EPOLLERR | EPOLLHUP)) != 0;
      if (auto* const watched = static_cast<Watched*>(event.data.ptr))
        watched->ready({over || (event.events & (EPOLLIN | EPOLLRDHUP)) != 0, over || (event.events & EPOLLOUT) != 0,
                        over || (event.events & EPOLLRDHUP) != 0});
    }
    run_posted();
    if (Clock::now() >= next_tick) {
      tick();
      next_tick = Clock::now() + std::chrono::milliseconds(tick_ms);
    }
  }
}

void EventLoop::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    if (posted_.empty()) return;
    eventfd_t ignored = 0;
    ::eventfd_read(wakeup_.number(), &ignored);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

}  // namespace reseal::proxy
