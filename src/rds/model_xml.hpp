// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "rds/model.hpp"
#include "rds/xml.hpp"

namespace reseal::rds {

// Each reads one element of an answer. What is absent reads as empty, as the API leaves members out at will; the caller
// says what has to be there.

DbInstance instance_of(const XmlView& element);
DbSnapshot snapshot_of(const XmlView& element);
ParameterGroup parameter_group_of(const XmlView& element);
Parameter parameter_of(const XmlView& element);
Event event_of(const XmlView& element);
OrderableOption orderable_option_of(const XmlView& element);
Quota quota_of(const XmlView& element);
/// <TagList><Tag><Key/><Value/></Tag>…
Tags tags_of(const XmlView& parent);

}  // namespace reseal::rds
