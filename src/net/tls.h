// SPDX-License-Identifier: Apache-2.0
// TLS settings shared by many connections: whom a client trusts and which sessions it may resume,
// and the certificates that a server shows. TLS 1.2 is the oldest version spoken, but to devices
// that are allowed older ones by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/wipe.h"
#include "mail/tlsa_record.h"

// OpenSSL's own names, declared so that this header costs its users nothing.
struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace todoku::net {

// What a finished handshake came to.
struct TlsInfo {
  std::string version;       // "TLSv1.3"
  std::string cipher;        // "TLS_AES_256_GCM_SHA384"
  bool verified = false;     // client: the certificate proves what TlsPeer asks for
  std::string verify_error;  // why not, in OpenSSL's words; empty if verified
  bool resumed = false;      // a session of before was taken up again

  // "TLSv1.3 TLS_AES_256_GCM_SHA384"
  [[nodiscard]] std::string summary() const { return version + " " + cipher; }
};

// Whom a client expects at the other end.
struct TlsPeer {
  // A host name, or an IP address in text: for server name indication, and to be proven.
  std::string name;
  // With DANE (RFC 7672): what the signed DNS has about its certificate, which is to be one of them
  // or, for records of authorities, to lead to one; the roots of the context prove nothing then,
  // and sessions are not resumed, because the records of before may be others. Empty: no DANE.
  std::vector<TlsaRecord> records{};
  // With records of authorities: names that do as well as `name`.
  std::vector<std::string> other_names{};
};

// A certificate and its private key as PEM text. `chain` holds the leaf first.
struct TlsIdentity {
  std::string chain;
  SecretText private_key;
};

// Reads both files. Errors: not_found, io with the path; limit_exceeded for a key of more than 64
// KiB.
[[nodiscard]] Result<TlsIdentity> read_identity(const std::string& chain_file,
                                                const std::string& private_key_file);

// How a client talks TLS. The chain and the name are always judged and never end the handshake:
// the caller reads TlsInfo::verified and decides. Thread-safe; connections share one context and,
// by server name, its bounded cache of sessions.
class TlsClientContext {
 public:
  struct Options {
    std::string ca_file;  // PEM bundle of trusted roots; empty: the system's
    std::string ca_pem;   // further trusted roots as PEM text
    // Opportunistic encryption accepts weak keys and old signatures, because the alternative is
    // clear text (RFC 7435); they never count as verified. False: refuse them.
    bool opportunistic = true;
    std::size_t sessions_max = 10'000;  // 0: no resumption
  };

  // Errors: not_found, io, corrupt (a bundle holds no certificate).
  [[nodiscard]] static Result<std::shared_ptr<TlsClientContext>> create(const Options& options);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // A handle for one connection to `peer`, with server name indication, what is to be proven, and a
  // session to resume if there is one. `peer` must stay in place as long as the handle. Errors:
  // invalid_input (a name that is none, records none of which can be used). The caller frees it.
  [[nodiscard]] Result<ssl_st*> new_handle(const TlsPeer& peer) const;

 private:
  class SessionCache;
  TlsClientContext(ssl_ctx_st* context, std::size_t sessions_max);
  static int store_session(ssl_st* handle, ssl_session_st* session);

  ssl_ctx_st* context_;
  std::unique_ptr<SessionCache> sessions_;
};

// Whom a server talks TLS with.
enum class TlsAge : std::uint8_t {
  usual,   // TLS 1.2 and above, as OpenSSL has it
  modern,  // TLS 1.2 and above, and of 1.2 only forward secrecy with authenticated encryption
  old,     // TLS 1.0 and above, with whatever OpenSSL still has: for devices that know no better
};

class TlsCertificate;

// How a server talks TLS. Immutable and thread-safe.
class TlsServerContext {
 public:
  using Certificates = std::span<const std::shared_ptr<const TlsCertificate>>;

  // Errors: corrupt (no certificate, no key, or they do not belong together).
  [[nodiscard]] static Result<std::shared_ptr<TlsServerContext>> create(
      const TlsIdentity& identity);
  // Shows the certificate of the name that the client asks for (RFC 6066 section 3), an equal one
  // before a wildcard; the first, which there must be, to who asks for none or an unknown one.
  // Errors: corrupt (a key too weak for OpenSSL).
  [[nodiscard]] static Result<std::shared_ptr<TlsServerContext>> create(Certificates certificates,
                                                                        TlsAge age);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  // A handle for one connection. The caller frees it, before this object goes.
  [[nodiscard]] ssl_st* new_handle() const;

 private:
  struct Shown {
    std::shared_ptr<const TlsCertificate> certificate;
    ssl_ctx_st* context;
  };
  TlsServerContext() = default;
  static int choose(ssl_st* handle, int* alert, void* self);
  [[nodiscard]] const Shown* shown_for(const std::string& host_name) const;

  std::vector<Shown> shown_;
};

}  // namespace todoku::net
