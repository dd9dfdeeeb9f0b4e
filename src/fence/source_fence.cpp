// SPDX-License-Identifier: Apache-2.0
#include "fence/source_fence.hpp"

#include <fmt/format.h>

#include <thread>

#include "base/failure.hpp"
#include "base/stop_point.hpp"
#include "mysql/schema_reader.hpp"

namespace reseal::fence {

using base::Failure;
using base::FailureKind;

namespace {
constexpr unsigned lock_wait_timeout = 1205;  // ER_LOCK_WAIT_TIMEOUT
constexpr unsigned no_such_thread = 1094;     // ER_NO_SUCH_THREAD
// INNODB_TRX answers from a cache that is renewed only when nobody has read it for 100 ms (mysql-server
// storage/innobase/trx/trx0i_s.cc, CACHE_MIN_IDLE_TIME_US): asking more often never shows anything new.
constexpr auto poll_every = std::chrono::milliseconds(110);
}  // namespace

void SourceFence::raise(std::chrono::seconds patience) {
  source_.execute("SET SESSION lock_wait_timeout=" + std::to_string(patience.count()));
  try {
    source_.execute("SET PERSIST super_read_only=ON");
  } catch (const Failure& failure) {
    if (failure.server_errno() == lock_wait_timeout)
      throw Failure(FailureKind::given_up,
                    "the fence could not be raised in " + std::to_string(patience.count()) +
                        " s: a session holds LOCK TABLES, a global read lock or a long statement");
    throw;
  }
  if (!up()) throw Failure(FailureKind::source, "the source took super_read_only=ON and still allows writes");
}

void SourceFence::lower() {
  source_.execute("SET GLOBAL super_read_only=OFF");
  source_.execute("SET GLOBAL read_only=OFF");
  base::stop_point("lower-fence-persisted", base::Edge::before);
  source_.execute("RESET PERSIST IF EXISTS super_read_only");
  source_.execute("RESET PERSIST IF EXISTS read_only");
}

bool SourceFence::up() { return source_.scalar("SELECT @@global.super_read_only") == "1"; }

std::vector<std::uint64_t> SourceFence::open_writers() {
  std::vector<std::uint64_t> writers;
  for (const auto& row : source_.query("SELECT trx_mysql_thread_id FROM information_schema.INNODB_TRX"
                                       " WHERE trx_rows_modified>0 AND trx_mysql_thread_id<>CONNECTION_ID()"))
    writers.push_back(std::stoull(row[0].value_or("0")));
  return writers;
}

void SourceFence::end(const std::vector<std::uint64_t>& sessions) {
  for (const auto id : sessions) {
    if (id == 0) continue;  // a prepared XA transaction without a session; counted by prepared_xa
    try {
      source_.execute("KILL CONNECTION " + std::to_string(id));
    } catch (const Failure& failure) {
      if (failure.server_errno() != no_such_thread) throw;
    }
  }
}

void SourceFence::end_open_writes(std::chrono::milliseconds drain, std::chrono::milliseconds limit, base::Log& log) {
  const auto start = std::chrono::steady_clock::now();
  bool ended = false;
  while (true) {
    const auto writers = open_writers();
    if (writers.empty()) break;
    const auto now = std::chrono::steady_clock::now();
    if (now >= start + limit)
      throw Failure(FailureKind::given_up, fmt::format("{} transactions do not end", writers.size()));
    if (!ended && now > start + std::min(drain, limit)) {
      log.warn(fmt::format("fence: ending {} transactions that did not end in {} ms", writers.size(), drain.count()));
      end(writers);
      ended = true;
    }
    std::this_thread::sleep_for(poll_every);
  }
  if (prepared_xa() != 0)
    throw Failure(FailureKind::given_up, "there are prepared XA transactions, which could commit later");
}

std::uint64_t SourceFence::prepared_xa() { return source_.query("XA RECOVER").size(); }

sql::SourcePosition SourceFence::final_position() {
  const auto facts = mysql::server_facts(source_);
  const auto read = [&] {
    auto position = mysql::binlog_end(source_, facts);
    if (facts.gtid_on) position.gtids = mysql::gtid_executed(source_);
    return position;
  };
  const auto first = read();
  if (!up() || !open_writers().empty())
    throw Failure(FailureKind::given_up, "the source is not quiet under the fence; no position can be final");
  const auto second = read();
  if (!(first.binlog == second.binlog) || !(first.gtids == second.gtids))
    throw Failure(FailureKind::given_up, "the source's log still moves under the fence: something writes through it");
  return second;
}

void close_standby(mysql::Session& standby) {
  standby.execute("SET PERSIST read_only=ON");
  standby.execute("SET GLOBAL super_read_only=OFF");  // leaves read_only on
  standby.execute("RESET PERSIST IF EXISTS super_read_only");
}

void open_standby(mysql::Session& standby) {
  standby.execute("SET GLOBAL super_read_only=OFF");
  standby.execute("SET GLOBAL read_only=OFF");
  base::stop_point("open-persisted", base::Edge::before);
  standby.execute("RESET PERSIST IF EXISTS read_only");
  standby.execute("RESET PERSIST IF EXISTS super_read_only");
}

bool standby_open(mysql::Session& standby) {
  return standby.scalar("SELECT @@global.read_only OR @@global.super_read_only") == "0";
}

}  // namespace reseal::fence
