// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sandbox/rds/form.hpp"

namespace reseal::sandbox::rds {

/// The part of a list that one answer holds.
struct Page {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string marker;  ///< what asks for the next page; empty on the last
};

/// The page that MaxRecords (20 to 100, default 100) and Marker of the request ask for. `keys` are sorted and unique;
/// the marker is the key of the last element of the page before. ApiError(InvalidParameterValue).
Page page_of(const std::vector<std::string>& keys, const Form& form);

/// Whether an element with these values, by filter name, passes every filter of the request. A filter that the list
/// does not know is an ApiError(InvalidParameterValue).
bool passes_filters(const Form& form, const std::map<std::string, std::vector<std::string>>& values);

}  // namespace reseal::sandbox::rds
