// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/listing.hpp"

#include <algorithm>

#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {

Page page_of(const std::vector<std::string>& keys, const Form& form) {
  const int most = form.number("MaxRecords", 100);
  if (most < 20 || most > 100)
    throw invalid_value("Invalid value " + std::to_string(most) + " for MaxRecords. Must be between 20 and 100");
  Page page;
  if (const auto marker = form.text("Marker"); !marker.empty())
    page.begin = static_cast<std::size_t>(std::upper_bound(keys.begin(), keys.end(), marker) - keys.begin());
  page.end = std::min(keys.size(), page.begin + static_cast<std::size_t>(most));
  if (page.end < keys.size()) page.marker = keys[page.end - 1];
  return page;
}

bool passes_filters(const Form& form, const std::map<std::string, std::vector<std::string>>& values) {
  for (const auto& filter : form.structures("Filters", "Filter")) {
    const auto known = values.find(filter.required("Name"));
    if (known == values.end()) throw invalid_value("Unrecognized filter name: " + filter.text("Name"));
    const auto wanted = filter.list("Values", "Value");
    const bool found = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& value) {
      return std::find(known->second.begin(), known->second.end(), value) != known->second.end();
    });
    if (!found) return false;
  }
  return true;
}

}  // namespace reseal::sandbox::rds
