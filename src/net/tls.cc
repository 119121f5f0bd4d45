// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "net/endpoint.h"
#include "net/net_error.h"
#include "net/openssl_ptr.h"
#include "net/tls_certificate.h"

namespace todoku::net {
namespace {

// At or above this OpenSSL level keys and signatures are strong enough to prove a name:
// RSA from 2048 bits, no SHA-1.
constexpr int kProvingLevel = 2;

ContextPtr new_context(const SSL_METHOD* method) {
  ContextPtr context(SSL_CTX_new(method));
  check(context != nullptr, "OpenSSL makes a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // A stream repeats a write from wherever its octets then are, and gives idle connections'
  // buffers back: ten thousand of them would be 300 MB.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // Many mail servers close without close_notify; SMTP itself tells where a reply ends.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                         SSL_OP_NO_COMPRESSION);
  // A record's header and body in one system call.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return fail(errno_to_error(path, errno));
  std::string content;
  std::array<char, 4096> block;
  std::size_t got = 0;
  while ((got = std::fread(block.data(), 1, block.size(), file.get())) > 0) {
    content.append(block.data(), got);
  }
  if (std::ferror(file.get()) != 0) return fail(ErrorKind::io, path + ": cannot be read");
  return content;
}

// Into memory of one piece, which is wiped with the text: what grows leaves copies behind.
Result<SecretText> read_secret(const std::string& path) {
  constexpr std::size_t kLongest = std::size_t{64} << 10U;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return fail(errno_to_error(path, errno));
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::string content(kLongest + 1, '\0');
  const std::size_t got = std::fread(content.data(), 1, content.size(), file.get());
  content.resize(got);
  SecretText secret(std::move(content));
  if (std::ferror(file.get()) != 0) return fail(ErrorKind::io, path + ": cannot be read");
  if (got > kLongest) return fail(ErrorKind::limit_exceeded, path + ": too long for a private key");
  return secret;
}

// False: no certificate in `pem`.
bool trust(SSL_CTX* context, const std::string& pem) {
  const BioPtr bio = memory_bio(pem);
  bool any = false;
  while (const CertificatePtr root{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get());
    any = true;
  }
  ERR_clear_error();  // the end of the text is reported as an error
  return any;
}

Result<void> expect_name(SSL* handle, const std::string& name) {
  // RFC 6066 section 3: no address in SNI.
  const bool done = IpAddress::parse(name)
                        ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str()) == 1
                        : SSL_set1_host(handle, name.c_str()) == 1 &&
                              SSL_set_tlsext_host_name(handle, name.c_str()) == 1;
  if (done && !name.empty()) return {};
  return fail(ErrorKind::invalid_input, fmt::format("'{}' is no server name for TLS", name));
}

// RFC 7672 section 3: OpenSSL judges the chain by them.
Result<void> expect_records(SSL* handle, const TlsPeer& peer) {
  // The name serves for SNI and, with records of authorities, as what is to be proven.
  bool done = !peer.name.empty() && SSL_dane_enable(handle, peer.name.c_str()) == 1;
  for (const std::string& name : peer.other_names) {
    done = done && SSL_add1_host(handle, name.c_str()) == 1;
  }
  if (!done) {
    return fail(ErrorKind::invalid_input, fmt::format("'{}' is no server name for TLS", peer.name));
  }
  // RFC 7672 section 3.1.1: who names the very certificate does not care for the names in it.
  SSL_dane_set_flags(handle, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  bool any = false;
  for (const TlsaRecord& record : peer.records) {
    const auto* octets = reinterpret_cast<const unsigned char*>(record.data.data());
    any |= SSL_dane_tlsa_add(handle, record.usage, record.selector, record.matching, octets,
                             record.data.size()) == 1;
  }
  // Without any, OpenSSL would judge as if there were no DANE.
  if (any) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("none of the TLSA records of {} can be used", peer.name));
}

// Of TLS 1.2 what Mozilla's guidelines call intermediate, less finite-field Diffie-Hellman; those
// of TLS 1.3 are all good.
constexpr const char* kModernCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

ContextPtr new_server_context(TlsAge age) {
  ContextPtr context = new_context(TLS_server_method());
  switch (age) {
    case TlsAge::usual:
      break;
    case TlsAge::modern:
      check(SSL_CTX_set_cipher_list(context.get(), kModernCiphers) == 1, "OpenSSL has them");
      break;
    case TlsAge::old:
      // TLS 1.0 and 1.1 sign with MD5 and SHA-1, which OpenSSL has at level 0 only.
      SSL_CTX_set_security_level(context.get(), 0);
      check(SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0") == 1, "OpenSSL has them");
      SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
      break;
  }
  return context;
}

}  // namespace

Result<TlsIdentity> read_identity(const std::string& chain_file,
                                  const std::string& private_key_file) {
  Result<std::string> chain = read_file(chain_file);
  if (!chain) return fail(chain.error());
  auto key = read_secret(private_key_file);
  if (!key) return fail(key.error());
  return TlsIdentity{std::move(*chain), std::move(*key)};
}

// The latest session per server name, least recently used out first.
class TlsClientContext::SessionCache {
 public:
  explicit SessionCache(std::size_t sessions_max) : sessions_max_(sessions_max) {}

  void put(const std::string& server_name, SessionPtr session) {
    const std::lock_guard lock(mutex_);
    if (const auto found = index_.find(server_name); found != index_.end()) {
      found->second->second = std::move(session);
      order_.splice(order_.begin(), order_, found->second);
      return;
    }
    order_.emplace_front(server_name, std::move(session));
    index_.emplace(server_name, order_.begin());
    if (order_.size() > sessions_max_) {
      index_.erase(order_.back().first);
      order_.pop_back();
    }
  }

  // The session stays in the cache; the reference counted copy is the caller's.
  [[nodiscard]] SessionPtr get(const std::string& server_name) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(server_name);
    if (found == index_.end()) return nullptr;
    SSL_SESSION* session = found->second->second.get();
    const long age = static_cast<long>(std::time(nullptr)) - SSL_SESSION_get_time(session);
    if (age > SSL_SESSION_get_timeout(session) || SSL_SESSION_is_resumable(session) == 0) {
      order_.erase(found->second);
      index_.erase(found);
      return nullptr;
    }
    SSL_SESSION_up_ref(session);
    return SessionPtr(session);
  }

 private:
  using Entry = std::pair<std::string, SessionPtr>;
  const std::size_t sessions_max_;
  std::mutex mutex_;
  std::list<Entry> order_;
  std::unordered_map<std::string, std::list<Entry>::iterator> index_;
};

TlsClientContext::TlsClientContext(ssl_ctx_st* context, std::size_t sessions_max)
    : context_(context), sessions_(std::make_unique<SessionCache>(sessions_max)) {
  SSL_CTX_set_app_data(context_, this);
  if (sessions_max == 0) return;
  SSL_CTX_set_session_cache_mode(context_,
                                 SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context_, &TlsClientContext::store_session);
}

TlsClientContext::~TlsClientContext() {
  SSL_CTX_free(context_);
}

int TlsClientContext::store_session(ssl_st* handle, ssl_session_st* session) {
  const auto* self =
      static_cast<const TlsClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(handle)));
  const auto* server_name = static_cast<const std::string*>(SSL_get_app_data(handle));
  if (server_name == nullptr) return 0;
  self->sessions_->put(*server_name, SessionPtr(session));
  return 1;  // we keep the reference
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::create(const Options& options) {
  ContextPtr context = new_context(TLS_client_method());
  // Judged, but never the end of a handshake: the caller decides.
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  if (options.opportunistic) {
    SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0");
    SSL_CTX_set_security_level(context.get(), 0);
  }
  X509_VERIFY_PARAM_set_auth_level(SSL_CTX_get0_param(context.get()), kProvingLevel);
  check(SSL_CTX_dane_enable(context.get()) == 1, "OpenSSL has DANE");
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    const Result<std::string> bundle = read_file(options.ca_file);
    if (!bundle) return fail(bundle.error());
    if (!trust(context.get(), *bundle)) {
      return fail(ErrorKind::corrupt, options.ca_file + ": holds no certificate");
    }
  }
  if (!options.ca_pem.empty() && !trust(context.get(), options.ca_pem)) {
    return fail(ErrorKind::corrupt, "the PEM text of trusted roots holds no certificate");
  }
  return std::shared_ptr<TlsClientContext>(
      new TlsClientContext(context.release(), options.sessions_max));
}

Result<ssl_st*> TlsClientContext::new_handle(const TlsPeer& peer) const {
  HandlePtr handle(SSL_new(context_));
  check(handle != nullptr, "OpenSSL has memory for a connection");
  SSL_set_connect_state(handle.get());
  // RFC 6125 section 6.4.3: no wildcard inside a label. Names of hosts stand in the extension for
  // them alone: RFC 8461 section 4.2, RFC 7672 section 3.2.2, RFC 9525 section 2.
  X509_VERIFY_PARAM_set_hostflags(
      SSL_get0_param(handle.get()),
      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  const Result<void> expected = peer.records.empty() ? expect_name(handle.get(), peer.name)
                                                     : expect_records(handle.get(), peer);
  ERR_clear_error();
  if (!expected) return fail(expected.error());
  if (!peer.records.empty()) return handle.release();
  SSL_set_app_data(handle.get(), const_cast<std::string*>(&peer.name));
  if (const SessionPtr session = sessions_->get(peer.name)) {
    SSL_set_session(handle.get(), session.get());
  }
  return handle.release();
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::create(const TlsIdentity& identity) {
  const auto certificate = TlsCertificate::parse(identity);
  if (!certificate) return fail(certificate.error());
  return create({&*certificate, 1}, TlsAge::usual);
}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::create(Certificates certificates,
                                                                   TlsAge age) {
  check(!certificates.empty(), "a server has a certificate");
  std::shared_ptr<TlsServerContext> made(new TlsServerContext);
  for (const auto& certificate : certificates) {
    ContextPtr context = new_server_context(age);
    if (!certificate->use_in(context.get())) {
      return fail(ErrorKind::corrupt,
                  "OpenSSL refuses the TLS certificate: a key or a signature "
                  "is too weak");
    }
    made->shown_.push_back({certificate, context.release()});
  }
  // Handles are made of the first: the callback is its.
  SSL_CTX* first = made->shown_.front().context;
  SSL_CTX_set_tlsext_servername_callback(first, &TlsServerContext::choose);
  SSL_CTX_set_tlsext_servername_arg(first, made.get());
  return made;
}

TlsServerContext::~TlsServerContext() {
  for (const Shown& shown : shown_) SSL_CTX_free(shown.context);
}

// RFC 6066 section 3: an unknown name is no reason to end the handshake; many devices send one
// that we do not have.
int TlsServerContext::choose(ssl_st* handle, int* /*alert*/, void* self) {
  const char* asked = SSL_get_servername(handle, TLSEXT_NAMETYPE_host_name);
  if (asked == nullptr) return SSL_TLSEXT_ERR_NOACK;
  const Shown* shown = static_cast<const TlsServerContext*>(self)->shown_for(asked);
  if (shown == nullptr) return SSL_TLSEXT_ERR_NOACK;
  // Session tickets stay those of the first context: they serve all names.
  if (SSL_set_SSL_CTX(handle, shown->context) == nullptr) return SSL_TLSEXT_ERR_ALERT_FATAL;
  return SSL_TLSEXT_ERR_OK;
}

const TlsServerContext::Shown* TlsServerContext::shown_for(const std::string& host_name) const {
  for (const bool wildcards : {false, true}) {
    for (const Shown& shown : shown_) {
      if (shown.certificate->serves(host_name, wildcards)) return &shown;
    }
  }
  return nullptr;
}

ssl_st* TlsServerContext::new_handle() const {
  SSL* handle = SSL_new(shown_.front().context);
  check(handle != nullptr, "OpenSSL has memory for a connection");
  SSL_set_accept_state(handle);
  return handle;
}

}  // namespace todoku::net
