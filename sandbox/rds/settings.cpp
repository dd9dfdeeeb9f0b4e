// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/settings.hpp"

namespace reseal::sandbox::rds {

using Kind = SettingName::Kind;

const std::vector<SettingName>& setting_names() {
  static const std::vector<SettingName> names = {
      {"DBInstanceClass", "DBInstanceClass", Kind::text, "db.t3.micro", false},
      {"AllocatedStorage", "AllocatedStorage", Kind::number, "20", false},
      {"StorageType", "StorageType", Kind::text, "gp2", false},
      {"Iops", "Iops", Kind::number, nullptr, false},
      {"StorageThroughput", "StorageThroughput", Kind::number, nullptr, false},
      {"MaxAllocatedStorage", "MaxAllocatedStorage", Kind::number, nullptr, true},
      {"MultiAZ", "MultiAZ", Kind::flag, "false", false},
      {"AvailabilityZone", "AvailabilityZone", Kind::text, nullptr, false},
      {"PubliclyAccessible", "PubliclyAccessible", Kind::flag, "false", true},
      {"AutoMinorVersionUpgrade", "AutoMinorVersionUpgrade", Kind::flag, "true", true},
      {"DeletionProtection", "DeletionProtection", Kind::flag, "false", true},
      {"CopyTagsToSnapshot", "CopyTagsToSnapshot", Kind::flag, "false", true},
      {"BackupRetentionPeriod", "BackupRetentionPeriod", Kind::number, "1", false},
      {"PreferredBackupWindow", "PreferredBackupWindow", Kind::text, "03:00-03:30", true},
      {"PreferredMaintenanceWindow", "PreferredMaintenanceWindow", Kind::text, "sun:04:00-sun:04:30", true},
      {"MonitoringInterval", "MonitoringInterval", Kind::number, "0", true},
      {"MonitoringRoleArn", "MonitoringRoleArn", Kind::text, nullptr, true},
      {"CACertificateIdentifier", "CACertificateIdentifier", Kind::text, "rds-ca-rsa2048-g1", true},
      {"EnableIAMDatabaseAuthentication", "IAMDatabaseAuthenticationEnabled", Kind::flag, "false", false},
      {"EnablePerformanceInsights", "PerformanceInsightsEnabled", Kind::flag, "false", true},
      {"PerformanceInsightsRetentionPeriod", "PerformanceInsightsRetentionPeriod", Kind::number, nullptr, true},
      {"NetworkType", "NetworkType", Kind::text, "IPV4", false},
      {"LicenseModel", "LicenseModel", Kind::text, "general-public-license", true},
      {"DedicatedLogVolume", "DedicatedLogVolume", Kind::flag, "false", false},
      {"EngineLifecycleSupport", "EngineLifecycleSupport", Kind::text, "open-source-rds-extended-support", true},
      {"BackupTarget", "BackupTarget", Kind::text, "region", true},
  };
  return names;
}

Settings initial_settings() {
  Settings settings;
  for (const auto& name : setting_names())
    if (name.initial != nullptr) settings[name.request] = name.initial;
  return settings;
}

void take_settings(Settings& settings, const Form& form) {
  for (const auto& name : setting_names()) {
    const auto value = form.find(name.request);
    if (!value) continue;
    if (name.kind == Kind::flag) {
      settings[name.request] = parse_flag(name.request, *value) ? "true" : "false";
    } else {
      if (name.kind == Kind::number) parse_number(name.request, *value);
      settings[name.request] = *value;
    }
  }
}

}  // namespace reseal::sandbox::rds
