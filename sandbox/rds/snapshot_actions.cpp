// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/failure.hpp"
#include "sandbox/rds/answers.hpp"
#include "sandbox/rds/api_error.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/listing.hpp"
#include "sandbox/rds/rules.hpp"

namespace reseal::sandbox::rds {
namespace {

std::string snapshot_id(const Form& form, const std::string& parameter) {
  return checked_identifier(parameter, form.required(parameter), 255);
}

}  // namespace

ControlPlane::SnapshotPtr ControlPlane::new_snapshot(const std::string& id, const Instance& instance, Tags tags) {
  check_new_snapshot(records_, id);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->id = id;
  snapshot->created = snapshot->original_created = std::chrono::system_clock::now();
  snapshot->kms_key = instance.kms_key;
  snapshot->instance = instance;
  snapshot->tags = std::move(tags);
  // A name that was used before must not meet what is still being removed.
  static unsigned number = 0;
  snapshot->folder.root = options_.folder / "snapshots" / fmt::format("{}-{}", ++number, instance.resource_id);
  records_.snapshots[id] = snapshot;
  return snapshot;
}

void ControlPlane::create_snapshot(const Form& form, pugi::xml_node result) {
  const auto instance = records_.instance(form.required("DBInstanceIdentifier"));
  const auto id = snapshot_id(form, "DBSnapshotIdentifier");
  check_new_snapshot(records_, id);
  require_available(*instance);
  auto tags = tags_in(form);
  if (instance->setting_flag("CopyTagsToSnapshot")) tags.insert(instance->tags.begin(), instance->tags.end());
  const auto snapshot = new_snapshot(id, *instance, std::move(tags));
  instance->status = "backing-up";
  instance->status_since = snapshot->created;
  show(result, *snapshot);
  begin(instance, "available", [=, this] { run_snapshot(instance, snapshot); });
}

void ControlPlane::take_snapshot(const InstancePtr& instance, const SnapshotPtr& snapshot) {
  try {
    clone_server(accounts_, instance->folder, snapshot->folder, [&](int percent) {
      const std::lock_guard lock(mutex_);
      snapshot->percent = percent;
    });
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex_);
    snapshot->status = "failed";
    throw;
  }
  linger(snapshot->created);
  const std::lock_guard lock(mutex_);
  snapshot->percent = 100;
  snapshot->status = "available";
}

void ControlPlane::run_snapshot(const InstancePtr& instance, const SnapshotPtr& snapshot) {
  take_snapshot(instance, snapshot);
  {
    const std::lock_guard lock(mutex_);
    event(snapshot->id, "db-snapshot", "Manual snapshot created", "creation");
  }
  set_status(instance, "available");
}

void ControlPlane::copy_snapshot(const Form& form, pugi::xml_node result) {
  const auto source = records_.snapshot(Account::name_of(form.required("SourceDBSnapshotIdentifier")));
  const auto id = snapshot_id(form, "TargetDBSnapshotIdentifier");
  check_copy(*source);
  check_new_snapshot(records_, id);
  const auto key = form.has("KmsKeyId") ? keys_.usable(form.required("KmsKeyId")) : source->kms_key;
  auto tags = tags_in(form);
  if (form.flag("CopyTags", false)) tags.insert(source->tags.begin(), source->tags.end());
  const auto target = new_snapshot(id, source->instance, std::move(tags));
  target->kms_key = key;
  target->original_created = source->original_created;
  target->source = options_.account.arn("snapshot", source->id);
  show(result, *target);
  jobs_.start([=, this] { run_copy(source, target); });
}

void ControlPlane::run_copy(const SnapshotPtr& source, const SnapshotPtr& target) {
  const bool encrypt = target->encrypted() && !source->encrypted();
  const auto tell = [&](int percent) {
    check_open();
    const std::lock_guard lock(mutex_);
    target->percent = percent;
  };
  try {
    copy_folder(source->folder, target->folder, [&](int percent) { tell(encrypt ? percent / 2 : percent); });
    if (encrypt) encrypt_folder(host_, accounts_, target->folder, tell);
  } catch (const std::exception& failure) {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    log_->error("sandbox: db-snapshot " + target->id + ": " + failure.what());
    target->status = "failed";
    return;
  }
  linger(target->created);
  const std::lock_guard lock(mutex_);
  target->percent = 100;
  target->status = "available";
  event(target->id, "db-snapshot", "Finished copy of snapshot " + source->id, "notification");
}

void ControlPlane::delete_snapshot(const Form& form, pugi::xml_node result) {
  const auto snapshot = records_.snapshot(form.required("DBSnapshotIdentifier"));
  check_delete_snapshot(*snapshot);
  snapshot->status = "deleted";
  show(result, *snapshot);
  records_.snapshots.erase(snapshot->id);
  event(snapshot->id, "db-snapshot", "Deleted user snapshot", "deletion");
  jobs_.start([this, snapshot] {
    std::error_code error;
    std::filesystem::remove_all(snapshot->folder.root, error);
    if (error) log_->error("sandbox: cannot remove " + snapshot->folder.root.string() + ": " + error.message());
  });
}

void ControlPlane::describe_snapshots(const Form& form, pugi::xml_node result) {
  const auto id = form.find("DBSnapshotIdentifier");
  if (id) records_.snapshot(Account::name_of(*id));
  std::vector<std::string> names;
  for (const auto& [name, snapshot] : records_.snapshots) {
    const auto& instance = snapshot->instance;
    const auto type = form.text("SnapshotType", snapshot->type);
    if ((id && name != Account::name_of(*id)) || type != snapshot->type ||
        form.text("DBInstanceIdentifier", instance.id) != instance.id ||
        form.text("DbiResourceId", instance.resource_id) != instance.resource_id)
      continue;
    if (passes_filters(form, {{"db-instance-id", {instance.id, options_.account.arn("db", instance.id)}},
                              {"db-snapshot-id", {name}},
                              {"dbi-resource-id", {instance.resource_id}},
                              {"snapshot-type", {snapshot->type}},
                              {"engine", {"mysql"}}}))
      names.push_back(name);
  }
  const auto page = page_of(names, form);
  auto list = result.append_child("DBSnapshots");
  for (auto i = page.begin; i < page.end; ++i) show(list, *records_.snapshots.at(names[i]));
  if (!page.marker.empty()) add_text(result, "Marker", page.marker);
}

}  // namespace reseal::sandbox::rds
