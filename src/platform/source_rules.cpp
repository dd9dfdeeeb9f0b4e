// SPDX-License-Identifier: Apache-2.0
#include "platform/source_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "base/failure.hpp"
#include "rds/key_and_identity.hpp"

namespace reseal::platform {
namespace {

using base::Failure;
using base::FailureKind;

constexpr std::size_t longest_old_host = 60;
constexpr std::size_t longest_name = 63;

[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& next) {
  throw Failure(FailureKind::refused,
                fmt::format("{}: {}. This command has made and changed nothing. {}", where, what, next));
}

// SOURCE_HOST holds 60 characters before 8.0.17 (WL#12571).
bool takes_short_hosts_only(const std::string& version) {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned patch = 0;
  if (std::sscanf(version.c_str(), "%u.%u.%u", &major, &minor, &patch) != 3) return false;
  return std::tie(major, minor, patch) < std::make_tuple(8U, 0U, 17U);
}

}  // namespace

void require_movable(const rds::DbInstance& source) {
  const auto where = "the source instance " + source.identifier;
  if (source.engine != "mysql" || !source.cluster.empty())
    refuse(where,
           source.cluster.empty() ? "its engine is " + source.engine : "it belongs to the cluster " + source.cluster,
           "Only single instances and Multi-AZ instances of RDS for MySQL are moved: name another one");
  if (source.storage_encrypted)
    refuse(where, "its storage is encrypted already, with " + source.kms_key_id,
           "There is nothing to move for encryption's sake: name another one");
  if (source.backup_retention_days == 0)
    refuse(where, "its BackupRetentionPeriod is 0, so it has no binary log and takes no read replica",
           fmt::format("Turn backups on, which restarts it: aws rds modify-db-instance --db-instance-identifier {} "
                       "--backup-retention-period 7 --apply-immediately",
                       source.identifier));
  if (takes_short_hosts_only(source.engine_version) && source.address.size() > longest_old_host)
    refuse(where,
           fmt::format("its endpoint has {} characters, and MySQL {} takes at most {} as the source of replication",
                       source.address.size(), source.engine_version, longest_old_host),
           fmt::format("Upgrade the engine, or rename it, which restarts it: aws rds modify-db-instance "
                       "--db-instance-identifier {} --new-db-instance-identifier SHORTER --apply-immediately",
                       source.identifier));
}

void require_usable_key(const std::string& asked, const std::string& region, const std::optional<rds::KmsKey>& key) {
  const auto where = "the KMS key " + asked;
  const auto list = "List the keys: aws kms list-aliases --region " + region;
  if (!key) refuse(where, "there is no such key in " + region, list);
  const auto key_region = rds::region_of_arn(key->arn);
  if (key_region != region)
    refuse(where, fmt::format("it is in {} and the instance in {}", key_region, region),
           "RDS uses keys of its own region only: name one of them");
  if (key->spec != "SYMMETRIC_DEFAULT" || key->usage != "ENCRYPT_DECRYPT")
    refuse(where, fmt::format("it is {} for {}", key->spec, key->usage),
           "RDS encrypts with symmetric keys only: name one of them");
  if (!key->enabled || key->state != "Enabled")
    refuse(where, "its state is " + key->state,
           fmt::format("Name another one, or enable it: aws kms enable-key --region {} --key-id {}", region, key->id));
}

void require_target_name(const std::string& source, const std::string& target) {
  const bool letters = std::all_of(target.begin(), target.end(),
                                   [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (!letters || target.empty() || target.size() > longest_name || target[0] < 'a' || target.back() == '-' ||
      target.find("--") != std::string::npos)
    refuse("the name of the target, '" + target + "'", "RDS takes no such name",
           "Name it with 1 to 63 lower-case letters, digits and single hyphens, a letter first");
  if (target == source)
    refuse("the name of the target, '" + target + "'", "it is the source's",
           "Name another one: the instance that is made stands beside the source");
}

}  // namespace reseal::platform
