// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "rds/clock_for_tests.hpp"
#include "rds/http_server_for_tests.hpp"
#include "rds/rds_client.hpp"

namespace reseal::rds {

/// A client of a loopback server, with keys that never expire and time that passes only by waiting.
struct ConnectionForTests {
  explicit ConnectionForTests(HttpServerForTests::Answer answer, Service service = Service::rds)
      : server(std::move(answer)),
        credentials(
            [this](const std::stop_token&) {
              ++loads;
              return Credentials{"AK" + std::to_string(loads), base::Secret("canary-secret"), base::Secret(token),
                                 std::nullopt, "the test"};
            },
            time.clock()),
        connection(service,
                   ServiceOptions{
                       "eu-central-1", server.url(), {}, [this](std::string_view line) { told.emplace_back(line); }},
                   http, credentials, time.clock()),
        client(connection, stop.get_token()) {}

  int loads = 0;
  std::string token = "canary-token";
  ClockForTests time;
  std::stop_source stop;
  std::vector<std::string> told;
  HttpServerForTests server;
  HttpClient http;
  CredentialProvider credentials;
  ServiceConnection connection;
  RdsClient client;
};

inline std::string error_xml(const std::string& code, const std::string& message = "because") {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code + "</Code><Message>" + message +
         "</Message></Error><RequestId>req-1</RequestId></ErrorResponse>";
}

/// <ActionResponse><ActionResult>…</ActionResult></ActionResponse>
inline std::string result_xml(const std::string& action, const std::string& inner) {
  return "<" + action + "Response><" + action + "Result>" + inner + "</" + action +
         "Result><ResponseMetadata><RequestId>req-2</RequestId></ResponseMetadata></" + action + "Response>";
}

}  // namespace reseal::rds
