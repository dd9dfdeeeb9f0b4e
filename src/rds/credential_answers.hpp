// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.hpp"
#include "rds/credentials.hpp"
#include "rds/xml.hpp"

namespace reseal::rds {

/// "2026-11-25T08:00:00Z", with or without a fraction, which is dropped.
base::Result<Time> parse_time(std::string_view text);

/// {"AccessKeyId","SecretAccessKey","Token","Expiration"} of a container's agent or the metadata service. No error
/// shows a value.
base::Result<Credentials> credentials_of_json(std::string_view body, std::string_view origin);
/// <Credentials><AccessKeyId/><SecretAccessKey/><SessionToken/><Expiration/> of STS.
base::Result<Credentials> credentials_of_xml(const XmlAnswer& answer, std::string_view origin);

}  // namespace reseal::rds
