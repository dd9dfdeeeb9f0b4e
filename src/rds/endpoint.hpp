// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "rds/environment.hpp"

namespace reseal::rds {

enum class Service { rds, kms, sts };
/// "rds": the signing name and the first label of the host
std::string_view name(Service service);

/// The URL that requests for `service` go to. In this order: `override_url`, AWS_ENDPOINT_URL_RDS (or _KMS, _STS),
/// AWS_ENDPOINT_URL, https://SERVICE.REGION.amazonaws.com/ (amazonaws.com.cn in China).
/// AWS_IGNORE_CONFIGURED_ENDPOINT_URLS passes over the two variables. Throws Failure(usage) for a region that is no
/// region's name, and for http:// to another host than this machine.
std::string endpoint_url(Service service, const std::string& region, const std::string& override_url,
                         const Environment& environment);

/// Letters, digits and hyphens of a DNS label: a region is put into a host name.
bool is_region_name(std::string_view region);

/// The host of an http or https URL, without brackets, port, user or path; empty when it is no such URL.
std::string host_of(std::string_view url);
/// localhost, 127.0.0.0/8 or ::1
bool is_this_machine(std::string_view host);

}  // namespace reseal::rds
