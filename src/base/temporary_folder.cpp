// SPDX-License-Identifier: Apache-2.0
#include "base/temporary_folder.hpp"

#include <stdlib.h>

#include <string>

#include "base/failure.hpp"

namespace reseal::base {
namespace {

constexpr auto random_letters = 6;  // mkdtemp(3) puts its own in the place of so many X

}  // namespace

std::filesystem::path make_temporary_folder(std::string_view prefix) {
  return make_temporary_folder(prefix, std::filesystem::temp_directory_path());
}

std::filesystem::path make_temporary_folder(std::string_view prefix, const std::filesystem::path& parent) {
  auto name = (parent / prefix).string() + std::string(random_letters, 'X');
  if (::mkdtemp(name.data()) == nullptr) throw Failure(FailureKind::local, "cannot make the folder " + name);
  return name;
}

}  // namespace reseal::base
