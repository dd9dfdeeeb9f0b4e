// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "base/log.hpp"
#include "mysql/endpoint.hpp"
#include "mysql/session.hpp"
#include "seed/clone_account.hpp"
#include "seed/clone_run.hpp"
#include "sql/position.hpp"

namespace reseal::seed {

struct CloneOptions {
  /// A token of this run that stands in reseal.marker on the donor since before the first call: what tells this clone
  /// from any other.
  std::string marker;
  /// Starts the recipient's server, which ends after a clone when it has no supervisor. Called once, then.
  std::function<void()> start_again;
  /// How long the recipient may take to recover what was cloned and to answer.
  std::chrono::seconds restart_bound = std::chrono::hours(1);
  /// Runs a short write on a donor that takes writes only so: the clone's account comes and goes. Empty: it takes them.
  std::function<void(const std::function<void()>& write)> write_on_donor;
};

/// The physical seed where we can log in to both servers: the clone plugin copies the donor's files to the empty
/// recipient, which then is the donor as of `position`: data, accounts, events, routines. Every file arrives as plain
/// as it is on the donor: `encrypt_in_place` is what comes next.
///
/// A caller does: unless `cloned`, note `account_to_keep` durably, then `clone`; then `put_back` the noted account.
/// After a kill at any point it does the same again, with the account that it noted first.
///
/// While the recipient is not in use, it is persisted there that events do not run, that only accounts with
/// CONNECTION_ADMIN write, and that no replication channel starts by itself: all three survive the clone, which keeps
/// mysqld-auto.cnf. The caller takes them back (RESET PERSIST) when the recipient is to serve.
class CloneSeed final {
 public:
  CloneSeed(mysql::Endpoint donor, mysql::Endpoint recipient, CloneOptions options, CloneProgress& progress,
            base::Log& log);

  /// Whether the recipient holds a finished clone of this donor with the marker. Works before and after `put_back`.
  bool cloned();
  /// The account that the clone will remove from the recipient. Before `clone` only.
  KeptAccount account_to_keep();
  /// Checks what must hold (Failure(refused), nothing changed), clones, and waits until the recipient answers as the
  /// clone. Finds and awaits a clone that a killed process of ours left running.
  void clone(const std::stop_token& stop);
  /// Makes the recipient's endpoint work again, takes the clone's account away on both sides, and the donor's own
  /// replication channels away from the recipient, when it was a replica. Running it again changes nothing.
  void put_back(const KeptAccount& account);
  /// Where the donor's log goes on after the clone: exact, nothing before it is missing and nothing after it is in.
  /// Of a donor that is a replica it is a place in the replica's own log; its GTIDs hold for the source too.
  sql::SourcePosition position();

 private:
  mysql::Session log_in();
  void write_on_donor(const std::function<void()>& write);
  void prepare_recipient(mysql::Session& recipient);
  void come_back(CloneEnd end, const std::stop_token& stop);
  bool holds_clone(mysql::Session& recipient);

  mysql::Endpoint donor_;
  mysql::Endpoint recipient_;
  mysql::Endpoint recipient_as_donor_;  ///< the recipient's address with the donor's user and password
  CloneOptions options_;
  CloneProgress& progress_;
  base::Log& log_;
};

}  // namespace reseal::seed
