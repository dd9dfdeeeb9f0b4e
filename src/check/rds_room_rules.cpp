// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "check/rds_state.hpp"
#include "rds/key_and_identity.hpp"

namespace reseal::check {
namespace {

struct Need {
  std::string_view quota;
  std::int64_t more = 0;
  std::string_view code;
  std::string_view what;
  std::string_view mend;
};

}  // namespace

void rds_room_rules(const RdsState& state, Findings& findings) {
  const auto gib = state.instance ? state.instance->allocated_gib : 0;
  // A read replica and the encrypted instance; a plain snapshot and its encrypted copy.
  const Need needs[] = {
      {"ManualSnapshots", 2, "rds-snapshot-quota", "manual snapshots",
       "delete those that are not needed, or raise the quota: aws rds describe-db-snapshots --snapshot-type manual"},
      {"DBInstances", 2, "rds-instance-quota", "instances",
       "raise the quota: aws service-quotas list-service-quotas --service-code rds"},
      {"AllocatedStorage", 2 * gib, "rds-storage-quota", "GiB of storage",
       "raise the quota: aws service-quotas list-service-quotas --service-code rds"}};
  for (const auto& quota : state.quotas)
    for (const auto& need : needs)
      if (quota.name == need.quota && quota.most - quota.used < need.more)
        findings.push_back({Severity::blocker, std::string(need.code), Where::target, std::string(need.quota),
                            fmt::format("{} of {} {} are used in {}, and the move needs {} more", quota.used,
                                        quota.most, need.what, state.region, need.more),
                            "RDS would refuse in the middle of the move", std::string(need.mend)});
}

void rds_key_rules(const RdsState& state, Findings& findings) {
  const auto tell = [&](const char* code, std::string what, const char* why, std::string mend) {
    findings.push_back({Severity::blocker, code, Where::target, state.kms_key, std::move(what), why, std::move(mend)});
  };
  const auto make_one = fmt::format("aws kms create-key --region {}", state.region);
  const auto named_region = rds::region_of_arn(state.key ? state.key->arn : state.kms_key);
  if (!named_region.empty() && named_region != state.region)
    return tell("rds-key-region", fmt::format("the key is in {} and the instance in {}", named_region, state.region),
                "RDS uses keys of its own region only", make_one);
  if (!state.key_seen) return;
  if (!state.key)
    return tell("rds-no-key", "KMS knows no such key in " + state.region, "nothing can be encrypted with it",
                fmt::format("aws kms list-aliases --region {}, or {}", state.region, make_one));
  const auto& key = *state.key;
  if (key.spec != "SYMMETRIC_DEFAULT" || key.usage != "ENCRYPT_DECRYPT")
    tell("rds-key-kind", fmt::format("the key is {} for {}", key.spec, key.usage),
         "RDS encrypts with symmetric keys only", make_one);
  if (key.state == "PendingDeletion" || key.state == "PendingReplicaDeletion")
    tell("rds-key-disabled", "the key is about to be deleted: " + key.state, "with the key all data would be gone",
         fmt::format(
             "aws kms cancel-key-deletion --region {0} --key-id {1}; aws kms enable-key --region {0} --key-id {1}",
             state.region, key.id));
  else if (!key.enabled)
    tell("rds-key-disabled", "the key's state is " + key.state, "RDS cannot use it, and stops instances that need it",
         fmt::format("aws kms enable-key --region {} --key-id {}", state.region, key.id));
  if (key.manager == "AWS")
    findings.push_back({Severity::note, "rds-key-managed", Where::target, state.kms_key, "AWS manages this key",
                        "its policy cannot be changed, and snapshots under it cannot be shared with another account",
                        "give an own key with --kms-key if that matters"});
}

}  // namespace reseal::check
