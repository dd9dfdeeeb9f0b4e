// SPDX-License-Identifier: Apache-2.0
#include "rds/profile_files.hpp"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "base/failure.hpp"

namespace reseal::rds {

using base::Failure;
using base::FailureKind;

namespace {

constexpr std::size_t most_bytes = 1U << 20U;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view space = " \t\r";
  const auto first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if ((line[i] == '#' || line[i] == ';') && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
      return line.substr(0, i);
  return line;
}

// The profile of a section's title; nothing for a section of another kind.
std::optional<std::string> profile_of(std::string_view title, ProfileSyntax syntax) {
  title = trimmed(title);
  if (syntax == ProfileSyntax::credentials || title == "default") return std::string(title);
  constexpr std::string_view word = "profile";
  if (!title.starts_with(word) || title.size() == word.size()) return std::nullopt;
  title.remove_prefix(word.size());
  if (title.front() != ' ' && title.front() != '\t') return std::nullopt;
  title = trimmed(title);
  if (title.size() >= 2 && title.front() == '"' && title.back() == '"') title = title.substr(1, title.size() - 2);
  return std::string(title);
}

std::string path_of(const Environment& environment, const char* variable, const char* file) {
  if (auto path = environment(variable)) return *path;
  const auto home = environment("HOME");
  return home ? *home + "/.aws/" + file : std::string();
}

Profiles read_file(const std::string& path, ProfileSyntax syntax) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return {};
  const auto refuse = [&](const std::string& what) {
    throw Failure(FailureKind::usage, "the AWS file " + path + " " + what + ". Nothing was sent");
  };
  if (syntax == ProfileSyntax::credentials && (status.st_mode & (S_IROTH | S_IWOTH)) != 0)
    refuse("may be read or written by everyone; chmod 600 it");
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) refuse("cannot be read");
  const base::Secret kept(std::move(text));
  if (kept.reveal().size() > most_bytes) refuse("is larger than 1 MiB");
  auto parsed = parse_profiles(kept.reveal(), syntax);
  if (!parsed.ok()) refuse("is not understood: " + parsed.error());
  return std::move(parsed).value();
}

}  // namespace

base::Result<Profiles> parse_profiles(std::string_view text, ProfileSyntax syntax) {
  Profiles profiles;
  Profile* current = nullptr;
  bool in_section = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    const auto raw = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto line = trimmed(without_comment(raw));
    if (line.empty()) continue;
    const auto bad = [&](const char* what) { return base::BadInput{"line " + std::to_string(number) + " " + what}; };
    if (line.front() == '[' && raw.front() == '[') {
      if (line.back() != ']') return bad("begins a section and does not end it");
      const auto name = profile_of(line.substr(1, line.size() - 2), syntax);
      current = name ? &profiles[*name] : nullptr;
      in_section = true;
      continue;
    }
    if (!in_section) return bad("stands before the first section");
    if (raw.front() == ' ' || raw.front() == '\t') continue;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) return bad("is neither a section nor key = value");
    if (current != nullptr)
      (*current)[std::string(trimmed(line.substr(0, equals)))] =
          base::Secret(std::string(trimmed(line.substr(equals + 1))));
  }
  return profiles;
}

std::optional<std::string> ProfileFiles::setting(std::string_view key) const {
  for (const auto* profile : {in_credentials(), in_config()})
    if (profile != nullptr)
      if (const auto found = profile->find(key); found != profile->end() && !found->second.empty())
        return std::string(found->second.reveal());
  return std::nullopt;
}

const Profile* ProfileFiles::in_credentials() const {
  const auto found = credentials.find(name);
  return found == credentials.end() ? nullptr : &found->second;
}

const Profile* ProfileFiles::in_config() const {
  const auto found = config.find(name);
  return found == config.end() ? nullptr : &found->second;
}

ProfileFiles read_profile_files(const Environment& environment) {
  ProfileFiles files;
  files.credentials_path = path_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  files.config_path = path_of(environment, "AWS_CONFIG_FILE", "config");
  files.credentials = read_file(files.credentials_path, ProfileSyntax::credentials);
  files.config = read_file(files.config_path, ProfileSyntax::config);
  if (const auto named = environment("AWS_PROFILE")) {
    files.name = *named;
    files.named = true;
  }
  return files;
}

}  // namespace reseal::rds
