// SPDX-License-Identifier: Apache-2.0
// A certificate with its chain and private key, read and found to belong together. OpenSSL's own
// objects stay inside net/.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls.h"

namespace todoku::net {

// Immutable and thread-safe.
class TlsCertificate {
 public:
  // Errors: corrupt (no certificate, no unencrypted key, or they do not belong together).
  [[nodiscard]] static Result<std::shared_ptr<const TlsCertificate>> parse(
      const TlsIdentity& identity);
  ~TlsCertificate();
  TlsCertificate(const TlsCertificate&) = delete;
  TlsCertificate& operator=(const TlsCertificate&) = delete;

  // Whether it proves the host name, in ASCII as in SNI (RFC 6066 section 3): by an alternative
  // name that is equal or, with `wildcards`, by one of "*." and all but the first label (RFC 6125
  // section 6.4.3). The subject does not count.
  [[nodiscard]] bool serves(const std::string& host_name, bool wildcards) const;
  // The host names among its alternative names, as written, and at most 100 of them.
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] Instant valid_from() const { return valid_from_; }
  [[nodiscard]] Instant valid_until() const { return valid_until_; }

  // Has the context show it. False: OpenSSL finds it too weak for the context.
  [[nodiscard]] bool use_in(ssl_ctx_st* context) const;

 private:
  struct Parts;
  explicit TlsCertificate(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  Instant valid_from_;
  Instant valid_until_;
};

}  // namespace todoku::net
