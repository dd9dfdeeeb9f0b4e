// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/records.hpp"

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr std::size_t max_events = 5000;

}  // namespace

std::shared_ptr<Instance> Records::instance(const std::string& id) const {
  const auto found = instances.find(id);
  if (found == instances.end()) throw no_instance(id);
  return found->second;
}

std::shared_ptr<Snapshot> Records::snapshot(const std::string& id) const {
  const auto found = snapshots.find(id);
  if (found == snapshots.end()) throw no_snapshot(id);
  return found->second;
}

const ParameterGroup& Records::group(const std::string& name) const {
  const auto found = groups.find(name);
  if (found == groups.end()) throw no_group(name);
  return found->second;
}

std::vector<std::string> Records::replicas_of(const std::string& id) const {
  std::vector<std::string> result;
  for (const auto& [name, instance] : instances)
    if (instance->source_id == id) result.push_back(name);
  return result;
}

void Records::add_event(Time now, std::string source_id, std::string source_type, std::string message,
                        std::vector<std::string> categories) {
  events.push_back({now, std::move(source_id), std::move(source_type), std::move(message), std::move(categories)});
  if (events.size() > max_events) events.pop_front();
}

std::string Account::arn(const std::string& type, const std::string& name) const {
  return "arn:aws:rds:" + region + ":" + id + ":" + type + ":" + name;
}

// arn:aws:rds:REGION:ACCOUNT:TYPE:NAME, where NAME may hold colons ("rds:db-2026-01-01-00-00").
std::string Account::name_of(const std::string& name_or_arn) {
  if (!name_or_arn.starts_with("arn:")) return name_or_arn;
  std::size_t begin = 0;
  for (int colon = 0; colon < 6; ++colon) {
    begin = name_or_arn.find(':', begin);
    if (begin++ == std::string::npos) throw invalid_value("Invalid ARN: " + name_or_arn);
  }
  return name_or_arn.substr(begin);
}

}  // namespace reseal::sandbox::rds
