// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/run_sandbox.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"
#include "sandbox/rds/endpoint.hpp"
#include "sandbox/rds/http_server.hpp"

namespace reseal::sandbox::rds {
namespace {

namespace fs = std::filesystem;
using base::Failure;
using base::FailureKind;

// The sandbox's folder, one that it made or one that was empty.
class SandboxFolder {
 public:
  explicit SandboxFolder(const fs::path& named) : kept_(!named.empty()) {
    if (kept_) {
      path_ = fs::absolute(named).lexically_normal();
      if (path_.string().find_first_of("'\"\\\n ") != std::string::npos)
        throw Failure(FailureKind::usage,
                      "a sandbox folder's name may not hold quotes, backslashes, blanks or line ends");
      fs::create_directories(path_);
      if (!fs::is_empty(path_))
        throw Failure(FailureKind::refused, path_.string() + " is not empty; nothing was changed; name another folder");
      fs::permissions(path_, fs::perms::owner_all);
      return;
    }
    path_ = base::make_temporary_folder("reseal-rds-");
  }
  ~SandboxFolder() {
    std::error_code ignored;
    if (!kept_) fs::remove_all(path_, ignored);
  }
  SandboxFolder(const SandboxFolder&) = delete;
  SandboxFolder& operator=(const SandboxFolder&) = delete;

  const fs::path& path() const { return path_; }
  bool kept() const { return kept_; }

 private:
  fs::path path_;
  bool kept_;
};

void write_private(const fs::path& path, const std::string& text) {
  const int handle = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = handle >= 0 && ::write(handle, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (handle >= 0) ::close(handle);
  if (!written) throw Failure(FailureKind::local, "cannot write " + path.string() + ": " + std::strerror(error));
}

AccessKey new_key() {
  auto id = "AKIASANDBOX" + random_password().substr(4, 9);
  std::transform(id.begin(), id.end(), id.begin(), [](char c) { return c >= 'a' ? static_cast<char>(c - 32) : c; });
  return {id, base::Secret("sandbox/" + random_password())};
}

std::string environment_text(const AccessKey& key, const std::string& region, std::uint16_t port) {
  return fmt::format(
      "# A reseal sandbox, not Amazon RDS: these credentials work at this endpoint only.\n"
      "export AWS_ACCESS_KEY_ID={}\nexport AWS_SECRET_ACCESS_KEY={}\nexport AWS_REGION={}\n"
      "export AWS_DEFAULT_REGION={}\nexport AWS_ENDPOINT_URL=http://127.0.0.1:{}\n",
      key.id, std::string(key.secret.reveal()), region, region, port);
}

void wait_for(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait(lock, stop, [] { return false; });
}

}  // namespace

void run_sandbox(const RunOptions& options, const std::stop_token& stop, base::Log& log) {
  const SandboxFolder folder(options.folder);
  ControlPlaneOptions plane_options{folder.path(), folder.kept(), {}, options.procedures, options.least_status};
  plane_options.account.region = options.region;
  const auto key = new_key();
  Faults faults;
  faults.throttle_every(options.throttle_every);
  for (const auto& [action, times] : options.lose_answers) faults.lose_answers(action, times);
  ControlPlane plane(plane_options, MysqlPrograms::find(), log);
  {
    Endpoint endpoint(plane, faults, plane_options.account, key, log);
    const HttpServer server(options.port, [&](const HttpRequest& request) { return endpoint.answer(request); });
    const Caretaker caretaker(plane, options.caretaker, log);
    const auto environment = folder.path() / "environment.sh";
    write_private(environment, environment_text(key, options.region, server.port()));
    std::printf(
        "sandbox   RDS endpoint http://127.0.0.1:%u, a rehearsal: no Amazon account, nothing leaves this machine\n",
        server.port());
    std::printf("key       . %s\n", environment.c_str());
    std::printf("try       aws rds describe-db-instances --endpoint-url http://127.0.0.1:%u\n", server.port());
    std::printf("stop      kill %d\n", ::getpid());
    std::fflush(stdout);
    wait_for(stop);
    log.info("sandbox: stopping");
  }
  plane.close();
}

}  // namespace reseal::sandbox::rds
