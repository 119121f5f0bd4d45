// SPDX-License-Identifier: Apache-2.0
#include "net/tls_certificate.h"

#include <chrono>
#include <ctime>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "net/openssl_ptr.h"

namespace todoku::net {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

// The certificates after the leaf; null if OpenSSL has no memory.
ChainPtr read_chain(BIO* bio) {
  ChainPtr chain(sk_X509_new_null());
  while (chain) {
    CertificatePtr next(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
    if (!next) break;
    if (sk_X509_push(chain.get(), next.get()) <= 0) return nullptr;
    (void)next.release();  // the chain owns it now
  }
  ERR_clear_error();  // the end of the text is reported as an error
  return chain;
}

KeyPtr read_key(std::string_view pem) {
  const BioPtr bio = memory_bio(pem);
  // The password callback refuses: an encrypted key must not ask on a terminal.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
}

// RFC 5280 section 4.1.2.5: UTC.
Instant instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return Instant();
  }
  return Instant(std::chrono::seconds(::timegm(&parts)));
}

std::unexpected<Error> corrupt(std::string detail) {
  ERR_clear_error();
  return fail(ErrorKind::corrupt, std::move(detail));
}

}  // namespace

struct TlsCertificate::Parts {
  CertificatePtr leaf;
  ChainPtr chain;
  KeyPtr key;
};

TlsCertificate::TlsCertificate(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)),
      valid_from_(instant_of(X509_get0_notBefore(parts_->leaf.get()))),
      valid_until_(instant_of(X509_get0_notAfter(parts_->leaf.get()))) {}

TlsCertificate::~TlsCertificate() = default;

Result<std::shared_ptr<const TlsCertificate>> TlsCertificate::parse(const TlsIdentity& identity) {
  const BioPtr bio = memory_bio(identity.chain);
  auto parts = std::make_unique<Parts>();
  parts->leaf.reset(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
  if (!parts->leaf) return corrupt("the TLS certificate chain holds no usable certificate");
  parts->chain = read_chain(bio.get());
  check(parts->chain != nullptr, "OpenSSL has memory for a chain");
  parts->key = read_key(identity.private_key);
  if (!parts->key) return corrupt("the TLS private key is no unencrypted PEM key");
  if (X509_check_private_key(parts->leaf.get(), parts->key.get()) != 1) {
    return corrupt("the TLS private key does not belong to the certificate");
  }
  return std::shared_ptr<const TlsCertificate>(new TlsCertificate(std::move(parts)));
}

bool TlsCertificate::serves(const std::string& host_name, bool wildcards) const {
  const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                         X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                         (wildcards ? 0U : unsigned{X509_CHECK_FLAG_NO_WILDCARDS});
  // A name that begins with a dot would stand for all below it.
  if (host_name.empty() || host_name.front() == '.') return false;
  const int found =
      X509_check_host(parts_->leaf.get(), host_name.data(), host_name.size(), flags, nullptr);
  if (found < 0) ERR_clear_error();
  return found == 1;
}

std::vector<std::string> TlsCertificate::names() const {
  constexpr std::size_t kNamesMax = 100;
  std::vector<std::string> names;
  const NamesPtr all(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(parts_->leaf.get(), NID_subject_alt_name, nullptr, nullptr)));
  if (!all) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()) && names.size() < kNamesMax; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type != GEN_DNS) continue;
    const ASN1_IA5STRING* text = name->d.dNSName;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return names;
}

bool TlsCertificate::use_in(ssl_ctx_st* context) const {
  const bool done = SSL_CTX_use_cert_and_key(context, parts_->leaf.get(), parts_->key.get(),
                                             parts_->chain.get(), 1) == 1;
  if (!done) ERR_clear_error();
  return done;
}

}  // namespace todoku::net
