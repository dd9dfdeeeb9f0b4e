// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "mysql/session.hpp"
#include "platform/rds_made.hpp"
#include "platform/replica_place.hpp"
#include "platform/retention.hpp"
#include "rds/rds_client.hpp"
#include "rds/session.hpp"
#include "sql/position.hpp"

namespace reseal::platform {

struct CopyRequest {
  std::string source;   ///< DBInstanceIdentifier; it serves all the while
  std::string target;   ///< DBInstanceIdentifier of the encrypted instance to be made
  std::string kms_key;  ///< id, ARN or alias/NAME
  std::string run_id;   ///< a UUID; names and tags of everything that is made come from it
};

enum class CopyStep { log_kept, replica_made, replica_stopped, snapshot_taken, copied, restored, checked };

struct CopyOptions {
  int retention_hours = longest_retention_hours;  ///< for the source's binlogs; has to cover copy and restore
  std::chrono::milliseconds poll{15'000};
  std::chrono::milliseconds settle{10'000};  ///< between the two looks at the stopped replica
  int stable_looks = 4;                      ///< an instance is available when so many looks in a row say so
  std::chrono::milliseconds longest_instance_wait{std::chrono::hours(24)};
  std::chrono::milliseconds longest_snapshot_wait{std::chrono::hours(72)};
  std::function<void(CopyStep)> done;  ///< told after each step, also when it was done before. May be empty
};

/// What AWS cannot hold of a run, kept by the caller.
struct CopyNotes {
  std::function<std::optional<std::string>(const std::string& name)> fact;
  std::function<void(const std::string& name, const std::string& value)> note;  ///< durable when it returns
};

struct CopyReport {
  std::string host;  ///< of the target
  std::uint16_t port = 0;
  sql::SourcePosition position;     ///< of the source: the target holds everything before it and nothing after
  RetentionHours retention_before;  ///< of the source, to be set again at the end
  std::vector<MadeResource> made;
};

/// Makes an encrypted instance out of an unencrypted one of Amazon RDS for MySQL, at a noted place of its log, while it
/// serves: read replica, replication stopped, snapshot, encrypted copy of it, restore. The target is read-only, runs no
/// events, and replicates from nowhere yet. Takes hours for large data; costs the source a snapshot's load and the
/// storage of its binlogs.
///
/// It can be killed at any point and run again with the same run id: what is there is found by its name and tags and
/// not made twice, an AWS call whose answer was lost included. Not after the switch: it makes the target read-only
/// again. Not for several threads or processes at a time.
class RdsCopy {
 public:
  using OpenSession = std::function<mysql::Session(const std::string& host, std::uint16_t port, mysql::Side side)>;

  /// `session` and `log` must outlive this. `open` logs in as the master user.
  RdsCopy(CopyRequest request, CopyOptions options, rds::Session& session, OpenSession open, CopyNotes notes,
          base::Log& log, std::stop_token stop);

  /// Throws Failure: refused, before anything is made, when source, key or target will not do; later when a place in
  /// the log cannot be trusted; interrupted when stopped; transient at a deadline; else the services' errors.
  CopyReport run();

 private:
  void look_before();
  void raise_retention();
  void make_waiting_group();
  /// Whether a snapshot at the noted place is there, or what was made of it.
  bool has_proven_snapshot();
  void make_replica();
  void make_proven_snapshot();
  void stop_and_snapshot(ReplicaPlace& place);
  void prove_snapshot(ReplicaPlace& place);
  void drop_failed_snapshot(std::string_view part);
  void make_copy();
  void make_target();
  void require_sealed(const std::string& what, bool encrypted, const std::string& key, const std::string& remedy) const;
  void change_later();
  void apply_parameters();
  void check_target();
  void check_gtids(mysql::Session& target, const mysql::ServerFacts& facts);

  rds::DbInstance wait_stable(const std::string& identifier);
  rds::DbSnapshot wait_snapshot(std::string_view part);
  void remove_snapshot(std::string_view part);
  rds::DbInstance describe(const std::string& identifier);
  mysql::Session open(const rds::DbInstance& instance, mysql::Side side);
  sql::SourcePosition noted_position();
  rds::WaitOptions wait_options(std::chrono::milliseconds longest, int stable_looks) const;
  void done(CopyStep step) const;

  CopyRequest request_;
  CopyOptions options_;
  rds::Session& session_;
  OpenSession open_;
  CopyNotes notes_;
  base::Log& log_;
  std::stop_token stop_;
  rds::RdsClient client_;
  rds::OwnedResources owned_;
  rds::DbInstance source_;
  std::string key_arn_;
};

}  // namespace reseal::platform
