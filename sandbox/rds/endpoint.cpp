// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/endpoint.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/failure.hpp"
#include "sandbox/rds/answers.hpp"
#include "sandbox/rds/api_error.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr const char* rds_namespace = "http://rds.amazonaws.com/doc/2014-10-31/";
constexpr const char* sts_namespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr const char* kms_prefix = "TrentService.";
constexpr const char* kms_type = "application/x-amz-json-1.1";
constexpr const char* faults_path = "/sandbox/faults";

std::string new_request_id() {
  unsigned char b[16];
  RESEAL_CHECK(RAND_bytes(b, sizeof b) == 1);
  return fmt::format(
      "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", b[0],
      b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

std::string text_of(const pugi::xml_document& document) {
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default, pugi::encoding_utf8);
  return text.str();
}

HttpAnswer xml_answer(const pugi::xml_document& document, const std::string& request_id) {
  return {200, "text/xml", text_of(document), request_id};
}

HttpAnswer xml_error(const ApiError& error, const char* name_space) {
  pugi::xml_document document;
  const auto id = new_request_id();
  auto root = document.append_child("ErrorResponse");
  root.append_attribute("xmlns") = name_space;
  auto node = root.append_child("Error");
  add_text(node, "Type", error.status() < 500 ? "Sender" : "Receiver");
  add_text(node, "Code", error.code());
  add_text(node, "Message", error.what());
  add_text(root, "RequestId", id);
  return {error.status(), "text/xml", text_of(document), id};
}

HttpAnswer json_error(const ApiError& error) {
  // KMS has names of its own for what the signature check finds, and always status 400.
  const auto code = error.code() == "InvalidClientTokenId"    ? "UnrecognizedClientException"
                    : error.code() == "SignatureDoesNotMatch" ? "InvalidSignatureException"
                                                              : error.code();
  const nlohmann::json body = {{"__type", code}, {"message", error.what()}};
  return {400, kms_type, body.dump(), new_request_id()};
}

HttpAnswer caller_identity(const Account& account) {
  pugi::xml_document document;
  const auto id = new_request_id();
  auto root = document.append_child("GetCallerIdentityResponse");
  root.append_attribute("xmlns") = sts_namespace;
  auto result = root.append_child("GetCallerIdentityResult");
  add_text(result, "Arn", "arn:aws:iam::" + account.id + ":user/sandbox");
  add_text(result, "UserId", "AIDASANDBOXSANDBOX123");
  add_text(result, "Account", account.id);
  add_text(root.append_child("ResponseMetadata"), "RequestId", id);
  return xml_answer(document, id);
}

bool is_kms(const HttpRequest& request) { return request.header("x-amz-target").starts_with(kms_prefix); }

// The query of a GET, or the body.
Form form_of(const HttpRequest& request) {
  const auto question = request.target.find('?');
  if (request.method == "GET" && question != std::string::npos) return Form::parse(request.target.substr(question + 1));
  return Form::parse(request.body);
}

}  // namespace

HttpAnswer Endpoint::answer_query(const HttpRequest& request, std::string& action) {
  const auto service = check_signature(request, key_, account_.region, std::chrono::system_clock::now());
  const auto form = form_of(request);
  action = form.required("Action");
  if (faults_->throttles()) throw ApiError(400, "Throttling", "Rate exceeded");
  if (service == "sts") {
    if (action != "GetCallerIdentity") throw ApiError(400, "InvalidAction", "This sandbox has no operation " + action);
    return caller_identity(account_);
  }
  if (service != "rds")
    throw ApiError(403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'rds'.");
  if (form.text("Version") != "2014-10-31")
    throw ApiError(400, "NoSuchVersion", "This sandbox has version 2014-10-31 only.");
  pugi::xml_document document;
  const auto id = new_request_id();
  auto root = document.append_child((action + "Response").c_str());
  root.append_attribute("xmlns") = rds_namespace;
  auto result = root.append_child((action + "Result").c_str());
  // Actions on one instance, snapshot or group answer with it, and it is the result's only child.
  plane_->act(action, form, result);
  if (!result.first_child()) root.remove_child(result);
  add_text(root.append_child("ResponseMetadata"), "RequestId", id);
  return xml_answer(document, id);
}

HttpAnswer Endpoint::answer_kms(const HttpRequest& request, std::string& action) {
  if (check_signature(request, key_, account_.region, std::chrono::system_clock::now()) != "kms")
    throw ApiError(403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'kms'.");
  action = request.header("x-amz-target").substr(std::string_view(kms_prefix).size());
  if (action != "DescribeKey") throw ApiError(400, "UnknownOperationException", "This sandbox has DescribeKey only.");
  if (faults_->throttles()) throw ApiError(400, "ThrottlingException", "Rate exceeded");
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("KeyId") || !body["KeyId"].is_string())
    throw ApiError(400, "SerializationException", "The body must be JSON with a KeyId.");
  return {200, kms_type, plane_->keys().describe(body["KeyId"].get<std::string>()).dump(), new_request_id()};
}

HttpAnswer Endpoint::answer_faults(const HttpRequest& request) {
  if (request.method != "POST") throw ApiError(405, "MethodNotAllowed", "POST it.");
  const auto form = Form::parse(request.body);
  faults_->set(form);
  if (form.has("hold")) plane_->hold(form.flag("hold", false));
  return {200, "text/plain", "set\n", new_request_id()};
}

std::optional<HttpAnswer> Endpoint::answer(const HttpRequest& request) {
  std::string action;
  HttpAnswer answer;
  std::string code = "OK";
  try {
    if (request.target == faults_path)
      answer = answer_faults(request);
    else
      answer = is_kms(request) ? answer_kms(request, action) : answer_query(request, action);
  } catch (const ApiError& error) {
    code = error.code();
    answer = is_kms(request) ? json_error(error) : xml_error(error, rds_namespace);
  } catch (const std::exception& error) {
    code = "InternalFailure";
    log_->error(std::string("sandbox: ") + error.what());
    answer = xml_error(ApiError(500, code, "The sandbox failed; its log says why."), rds_namespace);
  }
  const bool lost = !action.empty() && faults_->loses(action);
  log_->info(fmt::format("sandbox: {} {} {}{}", action.empty() ? request.target : action, answer.status, code,
                         lost ? ", its answer is lost" : ""));
  if (lost) return std::nullopt;
  return answer;
}

}  // namespace reseal::sandbox::rds
