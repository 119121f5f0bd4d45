// SPDX-License-Identifier: Apache-2.0
// A host that a source hands all its mail to, whatever its domain, instead of the receivers' own:
// where port 25 is closed, or where somebody else's name is to be sent under. It is a site of its
// own: limits, pace, rests and credit are the smarthost's. What it says of a recipient counts as if
// the receiver had said it; that it does not let us in, or not send, is a matter between the two of
// us (Cause::smarthost; policy/verdict.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "mail/client_login.h"
#include "mail/tls_plan.h"

namespace todoku::delivery {

struct Smarthost {
  std::string host;  // a name in A-labels and lower case, or an address
  std::uint16_t port = 587;
  TlsPlan tls{.mode = TlsMode::required, .proof = TlsProof::mx_name};
  // As whom we log in, asked for each connection, so that a password may change meanwhile; does not
  // block. Errors: any, and no mail goes out. Empty: we do not log in.
  std::function<Task<Result<std::shared_ptr<const ClientLogin>>>()> login{};

  // Under what its route is asked for (dns/mail_route.h), and known until it has a site.
  [[nodiscard]] std::string route_name() const { return '=' + host; }
};

}  // namespace todoku::delivery
