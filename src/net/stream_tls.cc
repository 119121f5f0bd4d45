// SPDX-License-Identifier: Apache-2.0
// TLS below a Stream. OpenSSL reads and writes the socket itself through a BIO of ours: no second
// buffer and no copy between them, and no SIGPIPE.
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include "base/check.h"
#include "net/net_error.h"
#include "net/stream_impl.h"

namespace todoku::net {
namespace {

// RFC 8446 section 5.1: the largest plaintext of one record.
constexpr std::size_t kRecordMax = 16'384;

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "unknown reason" : reason;
  ERR_clear_error();
  return text;
}

// The next record's worth of `pieces`: a view of a large piece, else small ones joined in
// `buffer`. The same position gives the same octets again, as a repeated SSL_write needs.
std::string_view next_record(std::span<const std::string_view> pieces, GatherPosition position,
                             std::array<char, kRecordMax>& buffer) {
  std::size_t filled = 0;
  std::size_t offset = position.offset;
  for (std::size_t i = position.piece; i < pieces.size() && filled < buffer.size(); ++i) {
    const std::string_view piece = pieces[i].substr(offset);
    offset = 0;
    if (filled == 0 && (piece.size() >= kRecordMax || i + 1 == pieces.size())) {
      return piece.substr(0, kRecordMax);
    }
    filled += piece.copy(buffer.data() + filled, buffer.size() - filled);
  }
  return {buffer.data(), filled};
}

// Only used between two suspensions, so all streams of a thread share it.
std::array<char, kRecordMax>& record_buffer() {
  thread_local std::array<char, kRecordMax> buffer;
  return buffer;
}

int clamp_to_int(std::size_t size) {
  return static_cast<int>(std::min<std::size_t>(size, INT_MAX));
}

}  // namespace

const BIO_METHOD* StreamImpl::bio_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "todoku stream");
    check(made != nullptr, "OpenSSL has memory for a BIO method");
    BIO_meth_set_write(made, &StreamImpl::bio_send);
    BIO_meth_set_read(made, &StreamImpl::bio_receive);
    BIO_meth_set_ctrl(made, &StreamImpl::bio_control);
    return made;
  }();
  return method;
}

int StreamImpl::bio_send(BIO* bio, const char* octets, int count) {
  auto* self = static_cast<StreamImpl*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t sent = 0;
  do {
    sent = ::send(self->socket_.native_handle(), octets, static_cast<std::size_t>(count),
                  MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<int>(sent);
  self->tls_errno_ = errno;
  if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_write(bio);
  return -1;
}

int StreamImpl::bio_receive(BIO* bio, char* into, int count) {
  auto* self = static_cast<StreamImpl*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t got = 0;
  do {
    got =
        ::recv(self->socket_.native_handle(), into, static_cast<std::size_t>(count), MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) return static_cast<int>(got);
  if (got == 0) {
    self->tls_bio_ended_ = true;
    return 0;
  }
  self->tls_errno_ = errno;
  if (errno == EAGAIN || errno == EWOULDBLOCK) BIO_set_retry_read(bio);
  return -1;
}

long StreamImpl::bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return static_cast<StreamImpl*>(BIO_get_data(bio))->tls_bio_ended_ ? 1 : 0;
    default:
      return 0;
  }
}

Result<bool> StreamImpl::tls_wants(int returned, std::string_view doing) {
  switch (SSL_get_error(tls_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return false;
    case SSL_ERROR_WANT_WRITE:
      return true;
    case SSL_ERROR_ZERO_RETURN:
      tls_ended_ = true;
      return fail(ErrorKind::closed, fmt::format("{}: the peer ended TLS", doing));
    case SSL_ERROR_SYSCALL: {
      tls_poisoned_ = true;
      ERR_clear_error();
      if (tls_errno_ == 0 || tls_bio_ended_) {
        tls_ended_ = true;
        return fail(ErrorKind::closed, fmt::format("{}: the peer closed the connection", doing));
      }
      return fail(errno_to_error(doing, tls_errno_));
    }
    default:
      tls_poisoned_ = true;
      return fail(ErrorKind::corrupt, fmt::format("{}: {}", doing, openssl_reason()));
  }
}

Task<Result<TlsInfo>> StreamImpl::handshake(TlsHandle handle, SteadyInstant deadline) {
  if (closed_) co_return fail(ErrorKind::closed, "connection closed");
  check(!tls_, "a stream goes over to TLS once");
  tls_ = std::move(handle);
  BIO* bio = BIO_new(bio_method());
  check(bio != nullptr, "OpenSSL has memory for a BIO");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_.get(), bio, bio);
  for (;;) {
    ERR_clear_error();
    tls_errno_ = 0;
    const int returned = SSL_do_handshake(tls_.get());
    if (returned == 1) break;
    const Result<bool> wants = tls_wants(returned, "TLS handshake");
    if (!wants) {
      tls_poisoned_ = true;
      Error error = wants.error();
      // The bytes were no TLS, or the two sides have no version, cipher or key in common: for the
      // caller the same thing, TLS does not work here.
      if (error.kind == ErrorKind::corrupt) error.kind = ErrorKind::unsupported;
      co_return fail(std::move(error));
    }
    const Result<void> ready = co_await wait_ready(*wants, deadline);
    if (!ready) {
      tls_poisoned_ = true;
      co_return fail("TLS handshake", ready.error());
    }
  }
  co_return tls_info();
}

TlsInfo StreamImpl::tls_info() const {
  TlsInfo info{.version = SSL_get_version(tls_.get()),
               .cipher = SSL_get_cipher_name(tls_.get()),
               .resumed = SSL_session_reused(tls_.get()) != 0};
  if (SSL_is_server(tls_.get()) != 0) return info;
  const long verdict = SSL_get_verify_result(tls_.get());
  info.verified = verdict == X509_V_OK && SSL_get0_peer_certificate(tls_.get()) != nullptr;
  if (!info.verified) {
    info.verify_error =
        verdict == X509_V_OK ? "no certificate" : X509_verify_cert_error_string(verdict);
  }
  return info;
}

Task<Result<std::size_t>> StreamImpl::read_tls(std::span<char> into, SteadyInstant deadline) {
  for (;;) {
    if (closed_) co_return fail(ErrorKind::closed, "connection closed");
    if (tls_ended_) co_return std::size_t{0};
    ERR_clear_error();
    tls_errno_ = 0;
    const int returned = SSL_read(tls_.get(), into.data(), clamp_to_int(into.size()));
    if (returned > 0) co_return static_cast<std::size_t>(returned);
    const Result<bool> wants = tls_wants(returned, "read");
    if (!wants) {
      if (tls_ended_) co_return std::size_t{0};
      co_return fail(wants.error());
    }
    const Result<void> ready = co_await wait_ready(*wants, deadline);
    if (!ready) co_return fail(ready.error());
  }
}

Task<Result<void>> StreamImpl::write_tls(std::span<const std::string_view> pieces,
                                         SteadyInstant deadline) {
  GatherPosition position;
  while (position.piece < pieces.size()) {
    if (closed_) co_return fail(ErrorKind::closed, "connection closed");
    const std::string_view record = next_record(pieces, position, record_buffer());
    if (record.empty()) break;
    ERR_clear_error();
    tls_errno_ = 0;
    const int returned = SSL_write(tls_.get(), record.data(), clamp_to_int(record.size()));
    if (returned > 0) {
      position.advance(pieces, static_cast<std::size_t>(returned));
      continue;
    }
    const Result<bool> wants = tls_wants(returned, "write");
    if (!wants) co_return fail(wants.error());
    const Result<void> ready = co_await wait_ready(*wants, deadline);
    if (!ready) co_return fail(ready.error());
  }
  co_return Result<void>();
}

}  // namespace todoku::net
