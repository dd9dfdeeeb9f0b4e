// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/failure.hpp"
#include "base/temporary_folder.hpp"

// A certificate authority and what it signs, made on the spot for the tests of this folder.
namespace reseal::mysql {

struct KeyAndCertificate {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;
};

/// `names` is OpenSSL's text form of the alternative names, "DNS:localhost,IP:127.0.0.1". Without `issuer` it is an
/// authority that signs itself.
inline KeyAndCertificate make_certificate(const std::string& subject, const std::string& names,
                                          const KeyAndCertificate* issuer = nullptr) {
  KeyAndCertificate made{{EVP_EC_gen("P-256"), EVP_PKEY_free}, {X509_new(), X509_free}};
  auto* certificate = made.certificate.get();
  RESEAL_CHECK(made.key != nullptr && certificate != nullptr);
  static long serial = 1;
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, made.key.get());
  auto* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1,
                             0);
  const auto& signer = issuer == nullptr ? made : *issuer;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate.get()));
  const auto extend = [&](int kind, const std::string& value) {
    auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    RESEAL_CHECK(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  };
  extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!names.empty()) extend(NID_subject_alt_name, names);
  RESEAL_CHECK(X509_sign(certificate, signer.key.get(), EVP_sha256()) > 0);
  return made;
}

/// A PEM file that lives as long as this.
class CertificateFile {
 public:
  explicit CertificateFile(const KeyAndCertificate& content) {
    auto* file = std::fopen(path_.c_str(), "w");
    RESEAL_CHECK(file != nullptr);
    PEM_write_X509(file, content.certificate.get());
    std::fclose(file);
  }
  ~CertificateFile() { std::filesystem::remove_all(folder_); }
  CertificateFile(const CertificateFile&) = delete;
  CertificateFile& operator=(const CertificateFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::filesystem::path folder_ = base::make_temporary_folder("reseal-certificate-");
  std::string path_ = folder_ / "certificate.pem";
};

}  // namespace reseal::mysql
