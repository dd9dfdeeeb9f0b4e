// SPDX-License-Identifier: Apache-2.0
#include "seed/plain_leftovers.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/failure.hpp"
#include "seed/wait_until.hpp"
#include "sql/quote.hpp"

namespace reseal::seed {
namespace {

using base::Failure;
using base::FailureKind;
using mysql::Session;

const std::string helper = "reseal_undo";
constexpr auto redo_bound = std::chrono::minutes(10);
constexpr std::uint64_t mebibyte = 1U << 20U;

std::string undo_state(Session& session, const std::string& name) {
  const auto rows =
      session.query("SELECT STATE FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE='Undo' AND NAME=" +
                    sql::quote_text(name));
  return rows.empty() ? "absent" : rows[0][0].value_or("");
}

void empty_undo(Session& session, const std::string& name, std::chrono::seconds bound, const std::stop_token& stop) {
  if (undo_state(session, name) == "active")
    session.execute("ALTER UNDO TABLESPACE " + sql::quote_name(name) + " SET INACTIVE");
  const auto what = "the undo tablespace " + name + " of " + session.endpoint().text() + " to become empty";
  if (!wait_until([&] { return undo_state(session, name) == "empty"; }, bound, stop, what))
    throw Failure(FailureKind::transient,
                  "waited in vain for " + what +
                      ": a transaction or a snapshot needs what it holds. It is out of use and keeps its data. End the "
                      "oldest transactions (information_schema.INNODB_TRX, XA RECOVER), and run again");
}

void set_active(Session& session, const std::string& name) {
  session.execute("ALTER UNDO TABLESPACE " + sql::quote_name(name) + " SET ACTIVE");
}

void resize_redo(Session& session, std::uint64_t capacity, const std::stop_token& stop) {
  const auto bytes = std::to_string(capacity);
  session.execute("SET GLOBAL innodb_redo_log_capacity=" + bytes);
  const auto resized = [&] {
    return session.scalar(
               "SELECT COUNT(*) FROM performance_schema.global_status WHERE"
               " (VARIABLE_NAME='Innodb_redo_log_resize_status' AND VARIABLE_VALUE='OK') OR"
               " (VARIABLE_NAME='Innodb_redo_log_capacity_resized' AND VARIABLE_VALUE='" +
               bytes + "')") == "2";
  };
  if (!wait_until(resized, redo_bound, stop, "the redo log of " + session.endpoint().text() + " to change its size"))
    throw Failure(FailureKind::transient, "the redo log of " + session.endpoint().text() +
                                              " did not take the size of " + bytes +
                                              " bytes; it works as before, with plain records of the copy in its "
                                              "files. Run again");
}

}  // namespace

void renew_undo(Session& session, std::chrono::seconds bound, const std::stop_token& stop) {
  const auto rows =
      session.query("SELECT NAME FROM information_schema.INNODB_TABLESPACES WHERE SPACE_TYPE='Undo' AND NAME<>" +
                    sql::quote_text(helper) + " ORDER BY NAME");
  if (undo_state(session, helper) == "absent")
    session.execute("CREATE UNDO TABLESPACE " + sql::quote_name(helper) + " ADD DATAFILE 'reseal_undo.ibu'");
  else
    set_active(session, helper);  // a killed process left it
  // One that a killed process left out of use counts for nothing while it is, so all come back before the next goes.
  for (const auto& row : rows)
    if (undo_state(session, row[0].value_or("")) != "active") {
      empty_undo(session, row[0].value_or(""), bound, stop);
      set_active(session, row[0].value_or(""));
    }
  for (const auto& row : rows) {
    empty_undo(session, row[0].value_or(""), bound, stop);
    set_active(session, row[0].value_or(""));
  }
  empty_undo(session, helper, bound, stop);
  session.execute("DROP UNDO TABLESPACE " + sql::quote_name(helper));
}

void renew_redo(Session& session, const std::stop_token& stop) {
  const auto capacity =
      std::strtoull(session.scalar("SELECT @@global.innodb_redo_log_capacity").value_or("0").c_str(), nullptr, 10);
  const auto other = capacity >= 16 * mebibyte ? capacity / 2 / mebibyte * mebibyte : capacity * 2;
  resize_redo(session, other, stop);
  resize_redo(session, capacity, stop);
}

}  // namespace reseal::seed
