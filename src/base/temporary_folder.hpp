// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string_view>

namespace reseal::base {

/// Makes a new folder that only this user can enter, in the folder for temporary files or in `parent`. Its name begins
/// with `prefix`. Whoever makes it removes it. Throws Failure(local).
std::filesystem::path make_temporary_folder(std::string_view prefix);
std::filesystem::path make_temporary_folder(std::string_view prefix, const std::filesystem::path& parent);

}  // namespace reseal::base
