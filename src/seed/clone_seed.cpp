// SPDX-License-Identifier: Apache-2.0
#include "seed/clone_seed.hpp"

#include <cstdlib>
#include <optional>

#include "base/failure.hpp"
#include "mysql/schema_reader.hpp"
#include "seed/clone_rules.hpp"
#include "seed/wait_until.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {

using base::Failure;
using base::FailureKind;
using mysql::Session;
using mysql::Side;

namespace {

constexpr auto patience = std::chrono::seconds(60);  // for an answer of a server that is up
constexpr unsigned access_denied = 1045;             // ER_ACCESS_DENIED_ERROR

bool has_table(Session& session, const char* schema, const char* name) {
  return session.scalar("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA=" + sql::quote_text(schema) +
                        " AND TABLE_NAME=" + sql::quote_text(name)) != "0";
}

std::string clone_error(Session& recipient) {
  if (!has_table(recipient, "performance_schema", "clone_status")) return "it has no clone plugin";
  const auto rows = recipient.query("SELECT STATE, ERROR_NO, ERROR_MESSAGE FROM performance_schema.clone_status");
  if (rows.empty()) return "it knows of no clone";
  return "its clone is " + rows[0][0].value_or("") + ", error " + rows[0][1].value_or("0") + " " +
         base::printable(rows[0][2].value_or(""));
}

/// A clone of a replica knows the replica's source and would follow it. Channels that a caller made since stay: the
/// clone's account, which goes last, tells that there can be none yet.
void forget_channels(Session& recipient) {
  if (recipient.scalar("SELECT COUNT(*) FROM information_schema.USER_ATTRIBUTES WHERE USER=" +
                       sql::quote_text(clone_user)) == "0" ||
      recipient.scalar("SELECT COUNT(*) FROM performance_schema.replication_connection_configuration") == "0")
    return;
  recipient.execute("STOP REPLICA");
  recipient.execute("RESET REPLICA ALL");
}

}  // namespace

CloneSeed::CloneSeed(mysql::Endpoint donor, mysql::Endpoint recipient, CloneOptions options, CloneProgress& progress,
                     base::Log& log)
    : donor_(std::move(donor)),
      recipient_(std::move(recipient)),
      recipient_as_donor_(recipient_),
      options_(std::move(options)),
      progress_(progress),
      log_(log) {
  recipient_as_donor_.user = donor_.user;
  recipient_as_donor_.password = donor_.password;
}

Session CloneSeed::log_in() {
  try {
    return Session(recipient_, Side::target, patience);
  } catch (const Failure& failure) {
    if (failure.server_errno() != access_denied) throw;
  }
  return Session(recipient_as_donor_, Side::target, patience);
}

void CloneSeed::write_on_donor(const std::function<void()>& write) {
  options_.write_on_donor ? options_.write_on_donor(write) : write();
}

bool CloneSeed::holds_clone(Session& recipient) {
  const auto source = donor_.host + ":" + std::to_string(donor_.port);
  return has_table(recipient, "performance_schema", "clone_status") && has_table(recipient, "reseal", "marker") &&
         recipient.scalar(
             "SELECT COUNT(*) FROM performance_schema.clone_status WHERE STATE='Completed' AND ERROR_NO=0"
             " AND SOURCE=" +
             sql::quote_text(source)) != "0" &&
         recipient.scalar("SELECT COUNT(*) FROM reseal.marker WHERE token=" + sql::quote_text(options_.marker)) != "0";
}

bool CloneSeed::cloned() {
  auto recipient = log_in();
  return holds_clone(recipient);
}

KeptAccount CloneSeed::account_to_keep() {
  Session recipient(recipient_, Side::target, patience);
  return read_own_account(recipient);
}

void CloneSeed::prepare_recipient(Session& recipient) {
  mysql::without_binlog(recipient);
  recipient.execute("SET PERSIST event_scheduler=OFF");
  recipient.execute("SET PERSIST super_read_only=OFF");
  recipient.execute("SET PERSIST read_only=ON");
  recipient.execute("SET PERSIST_ONLY skip_replica_start=ON");
}

void CloneSeed::clone(const std::stop_token& stop) {
  bool runs = false;
  {
    Session recipient(recipient_, Side::target, patience);
    runs = clone_runs(recipient);
    if (!runs) {
      Session donor(donor_, Side::source, patience);
      require_clonable(donor, recipient);
      if (!options_.write_on_donor) require_writable(donor);
      for (auto* server : {&donor, &recipient})
        if (ensure_clone_plugin(*server)) log_.info("installed the clone plugin on " + server->endpoint().text());
      prepare_recipient(recipient);
    }
  }
  if (runs) {
    log_.info("a clone runs on " + recipient_.text() + " already; waiting for its end");
    await_running_clone(recipient_, progress_, stop);
    return come_back(CloneEnd::not_known, stop);
  }
  base::Secret password;
  {
    Session donor(donor_, Side::source, patience);
    end_lost_clones(donor, stop);
    write_on_donor([&] { password = make_clone_account(donor); });
  }
  come_back(run_clone(recipient_, donor_, password, progress_, stop), stop);
}

void CloneSeed::come_back(CloneEnd end, const std::stop_token& stop) {
  if (end == CloneEnd::stays_down) {
    log_.info("the recipient " + recipient_.text() + " has no supervisor and was ended by the clone; starting it");
    options_.start_again();
  }
  std::optional<Session> recipient;
  const auto answers = [&] {
    try {
      recipient.emplace(log_in());
      return holds_clone(*recipient) || !clone_runs(*recipient);
    } catch (const Failure& failure) {
      if (failure.kind() != FailureKind::transient) throw;
      return false;
    }
  };
  const auto where = "the recipient " + recipient_.text();
  if (!wait_until(answers, options_.restart_bound, stop, where + " to come back from the clone"))
    throw Failure(FailureKind::transient,
                  where +
                      " does not answer after the clone; the donor is as it was. Start the server, and run again. If "
                      "it cannot start, its error log says why: then give it a new, empty data directory");
  if (!holds_clone(*recipient))
    throw Failure(FailureKind::target, where + " does not hold the clone: " + clone_error(*recipient) +
                                           "; the donor is as it was, and the recipient holds no data that counts. Run "
                                           "again to clone anew");
  note_progress(*recipient, progress_);
}

void CloneSeed::put_back(const KeptAccount& account) {
  {
    auto recipient = log_in();
    put_back_account(recipient, account, recipient_.password);
  }
  Session recipient(recipient_, Side::target, patience);
  mysql::without_binlog(recipient);
  forget_channels(recipient);
  drop_clone_account(recipient);
  Session donor(donor_, Side::source, patience);
  write_on_donor([&] { drop_clone_account(donor); });
}

sql::SourcePosition CloneSeed::position() {
  auto recipient = log_in();
  const auto rows = recipient.query(
      "SELECT BINLOG_FILE, CAST(BINLOG_POSITION AS CHAR), GTID_EXECUTED FROM performance_schema.clone_status WHERE"
      " STATE='Completed' AND ERROR_NO=0");
  if (rows.empty())
    throw Failure(FailureKind::target, "the recipient " + recipient_.text() + " has no position of a clone: " +
                                           clone_error(recipient) + "; nothing was changed. Clone it first");
  if (rows[0][0].value_or("").empty())
    throw Failure(FailureKind::refused, "the donor " + donor_.text() +
                                            " has no binary log, so nothing can be followed from its clone; nothing "
                                            "was changed. Turn its binary log on, and clone anew");
  sql::SourcePosition position;
  position.binlog = {rows[0][0].value_or(""), std::strtoull(rows[0][1].value_or("0").c_str(), nullptr, 10)};
  position.gtids = base::value_or_fail(sql::GtidSet::parse(rows[0][2].value_or("")), "GTID_EXECUTED of the clone");
  return position;
}

}  // namespace reseal::seed
