// SPDX-License-Identifier: Apache-2.0
#include "net/self_signed.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include "base/check.h"
#include "net/endpoint.h"
#include "net/openssl_ptr.h"

namespace todoku::net {
namespace {

void require(bool done) {
  check(done, "OpenSSL makes a certificate");
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (!list.empty()) list += ',';
    list += (IpAddress::parse(name) ? "IP:" : "DNS:") + name;
  }
  return list;
}

template <class Write>
std::string to_pem(Write write) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr && write(bio.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

TlsIdentity make_self_signed(const std::vector<std::string>& names, Instant now, int days) {
  check(!names.empty(), "a certificate has a name");
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  require(key != nullptr && certificate != nullptr);
  X509* x = certificate.get();
  const std::int64_t seconds = to_epoch_ms(now) / 1000;
  const std::int64_t day = 86'400;
  require(X509_set_version(x, X509_VERSION_3) == 1);
  // Unlike others of the same name, so that a client that knows an old one is not confused.
  require(ASN1_INTEGER_set_int64(X509_get_serialNumber(x), to_epoch_ms(now) + 1) == 1);
  require(ASN1_TIME_set(X509_getm_notBefore(x), seconds - day) != nullptr);
  require(ASN1_TIME_set(X509_getm_notAfter(x), seconds + days * day) != nullptr);
  require(X509_set_pubkey(x, key.get()) == 1);
  X509_NAME* name = X509_get_subject_name(x);
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(names[0].c_str()), -1,
                                     -1, 0) == 1);
  require(X509_set_issuer_name(x, name) == 1);
  add_extension(x, NID_subject_alt_name, alternative_names(names));
  add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(x, key.get(), EVP_sha256()) > 0);
  return {.chain = to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, x); }),
          .private_key = SecretText(to_pem([&](BIO* bio) {
            return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          }))};
}

}  // namespace todoku::net
