// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/log.hpp"
#include "sandbox/rds/control_plane.hpp"
#include "sandbox/rds/faults.hpp"
#include "sandbox/rds/signature.hpp"

namespace reseal::sandbox::rds {

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "text/xml";
  std::string body;
  std::string request_id;
};

/// Signed requests in, answers out: the Query API of RDS, STS GetCallerIdentity, and KMS DescribeKey (JSON) at one
/// place, told apart as AWS tells them: by X-Amz-Target and by the service that the signature is for. No sockets.
class Endpoint {
 public:
  Endpoint(ControlPlane& plane, Faults& faults, Account account, AccessKey key, base::Log& log)
      : plane_(&plane), faults_(&faults), account_(std::move(account)), key_(std::move(key)), log_(&log) {}

  /// Nothing when the answer is to be lost.
  std::optional<HttpAnswer> answer(const HttpRequest& request);

 private:
  HttpAnswer answer_query(const HttpRequest& request, std::string& action);
  HttpAnswer answer_kms(const HttpRequest& request, std::string& action);
  HttpAnswer answer_faults(const HttpRequest& request);

  ControlPlane* plane_;
  Faults* faults_;
  Account account_;
  AccessKey key_;
  base::Log* log_;
};

}  // namespace reseal::sandbox::rds
