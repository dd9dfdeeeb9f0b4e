// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/temporary_folder.hpp"
#include "mysql/session.hpp"
#include "rds/session.hpp"
#include "sandbox/rds/admin_session.hpp"
#include "sandbox/rds/caretaker.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/endpoint.hpp"
#include "sandbox/rds/http_server.hpp"

namespace reseal::platform {

/// The RDS sandbox within this process: the API on loopback with real servers behind it. Heavy: one per test program.
class SandboxForTests {
 public:
  using Fields = std::map<std::string, std::string>;

  SandboxForTests() = default;
  ~SandboxForTests() {
    plane.close();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  SandboxForTests(const SandboxForTests&) = delete;
  SandboxForTests& operator=(const SandboxForTests&) = delete;

  /// An action of the API that the client of the tool does not have.
  pugi::xml_document act(const std::string& action, const Fields& fields) {
    sandbox::rds::Form form;
    for (const auto& [name, value] : fields) form.set(name, value);
    pugi::xml_document document;
    plane.act(action, form, document.append_child("Result"));
    return document;
  }
  void create_instance(const std::string& name, Fields fields) {
    fields.insert({{"DBInstanceIdentifier", name},
                   {"DBInstanceClass", "db.t3.micro"},
                   {"Engine", "mysql"},
                   {"MasterUsername", "admin"},
                   {"MasterUserPassword", password},
                   {"AllocatedStorage", "20"}});
    act("CreateDBInstance", fields);
  }
  /// Logs in as the master user.
  mysql::Session open(const std::string& host, std::uint16_t port, mysql::Side side = mysql::Side::source) const {
    mysql::Endpoint place;
    place.host = host;
    place.port = port;
    place.user = "admin";
    place.password = base::Secret(password);
    return {place, side, std::chrono::seconds(120)};
  }
  std::unique_ptr<rds::Session> session() {
    rds::SessionOptions options{"us-east-1", "http://127.0.0.1:" + std::to_string(server.port()), {}, {}};
    options.retry.base = std::chrono::milliseconds(20);
    static const Fields environment = {{"AWS_ACCESS_KEY_ID", key_id}, {"AWS_SECRET_ACCESS_KEY", key_secret}};
    return std::make_unique<rds::Session>(options, rds::Environment([](const char* name) {
                                            const auto found = environment.find(name);
                                            return found == environment.end() ? nullptr : found->second.c_str();
                                          }));
  }

  /// Every action that was asked for: "rds:CreateDBSnapshot".
  std::set<std::string> actions() {
    const std::lock_guard lock(mutex_);
    return actions_;
  }

  /// The next time that this action is asked for, `then` is called first, in the server's thread.
  void at(const std::string& action, std::function<void()> then) {
    const std::lock_guard lock(mutex_);
    at_action_ = "rds:" + action;
    then_ = std::move(then);
  }
  /// rdsadmin, who may everything.
  mysql::Session rdsadmin(const std::string& resource_id) {
    for (const auto& served : plane.served())
      if (served.resource_id == resource_id) return sandbox::rds::admin_session(plane.accounts(), served.folder);
    throw base::Failure(base::FailureKind::usage, "no server of " + resource_id);
  }

 private:
  void note(const sandbox::rds::HttpRequest& request) {
    const auto target = request.header("x-amz-target");
    const auto action = target.empty() ? "rds:" + sandbox::rds::Form::parse(request.body).text("Action")
                                       : "kms:" + target.substr(target.find('.') + 1);
    const std::lock_guard lock(mutex_);
    actions_.insert(action);
    if (action == at_action_ && then_) std::exchange(then_, nullptr)();
  }

  std::mutex mutex_;
  std::set<std::string> actions_;
  std::string at_action_;
  std::function<void()> then_;

 public:
  static constexpr const char* password = "secretpw1";
  static constexpr const char* key_id = "AKIASANDBOXFORTESTS0";
  static constexpr const char* key_secret = "sandbox/for-tests";

  base::Log log{base::Log::Level::quiet};
  std::filesystem::path folder = base::make_temporary_folder("reseal-rds-test-");
  sandbox::rds::Account account;
  sandbox::rds::Faults faults;
  sandbox::rds::ControlPlane plane{
      sandbox::rds::ControlPlaneOptions{folder, false, account, sandbox::rds::ProcedureNames::source,
                                        std::chrono::milliseconds(0)},
      sandbox::MysqlPrograms::find(), log};
  sandbox::rds::Endpoint endpoint{plane, faults, account, {key_id, base::Secret(key_secret)}, log};
  sandbox::rds::HttpServer server{0, [this](const sandbox::rds::HttpRequest& request) {
                                    note(request);
                                    return endpoint.answer(request);
                                  }};
  sandbox::rds::Caretaker caretaker{plane, {std::chrono::milliseconds(500), std::chrono::hours(1)}, log};
};

}  // namespace reseal::platform
