// SPDX-License-Identifier: Apache-2.0
#include "run/phase.hpp"

#include <array>
#include <utility>

namespace reseal::run {
namespace {
constexpr std::array<std::pair<Phase, std::string_view>, 7> names = {{{Phase::fresh, "fresh"},
                                                                      {Phase::provisioned, "provisioned"},
                                                                      {Phase::seeded, "seeded"},
                                                                      {Phase::caught_up, "caught-up"},
                                                                      {Phase::verified, "verified"},
                                                                      {Phase::switched, "switched"},
                                                                      {Phase::finished, "finished"}}};
}  // namespace

std::string_view name(Phase phase) {
  for (const auto& [value, text] : names)
    if (value == phase) return text;
  return "?";
}

std::optional<Phase> phase_named(std::string_view text) {
  for (const auto& [value, known] : names)
    if (known == text) return value;
  return std::nullopt;
}

}  // namespace reseal::run
