// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

// What each file of targets/ defines, and what a driver calls: replay.cpp, or libFuzzer through libfuzzer.cpp.
namespace reseal::fuzz {

/// Runs the code under test over one input and checks what must hold for every input, by RESEAL_CHECK. The same input
/// takes the same way each time.
void run_target(std::string_view bytes);

/// Inputs to begin with, made by our own encoders: each leads deep into the code.
std::vector<std::string> seeds();

}  // namespace reseal::fuzz
