// SPDX-License-Identifier: Apache-2.0
// Runs a target once over each of its seeds and each file of the folders named; a folder that is not there holds none.
//   replay_NAME [FOLDER...]
//   replay_NAME --write-seeds FOLDER    writes the seeds as files instead
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/target.hpp"

namespace {

namespace fs = std::filesystem;

constexpr unsigned seconds_per_input = 20;

// A check that does not hold ends the process, so the name comes first.
void run(const std::string& name, std::string_view bytes) {
  std::cout << "replay: " << name << " (" << bytes.size() << " bytes)" << std::endl;
  ::alarm(seconds_per_input);
  reseal::fuzz::run_target(bytes);
  ::alarm(0);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int write_seeds(const fs::path& folder) {
  fs::create_directories(folder);
  std::size_t number = 0;
  for (const auto& seed : reseal::fuzz::seeds()) {
    std::ofstream out(folder / ("seed-" + std::to_string(number++)), std::ios::binary);
    out << seed;
    if (!out.flush()) return 1;
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() == 2 && arguments[0] == "--write-seeds") return write_seeds(arguments[1]);
  std::size_t number = 0;
  for (const auto& seed : reseal::fuzz::seeds()) run("seed-" + std::to_string(number++), seed);
  if (number == 0) {
    std::cerr << "replay: the target has no seeds\n";
    return 1;
  }
  for (const auto& folder : arguments)
    for (const auto& file : files_of(folder)) run(file.string(), content(file));
  return 0;
}
