// SPDX-License-Identifier: Apache-2.0
#include "mail/attempt.h"

namespace todoku {

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::none:
      return "none";
    case Stage::dns:
      return "dns";
    case Stage::connect:
      return "connect";
    case Stage::greeting:
      return "greeting";
    case Stage::hello:
      return "hello";
    case Stage::starttls:
      return "starttls";
    case Stage::auth:
      return "auth";
    case Stage::mail_from:
      return "mail_from";
    case Stage::rcpt_to:
      return "rcpt_to";
    case Stage::data:
      return "data";
    case Stage::accepted:
      return "accepted";
  }
  return "invalid";
}

std::string_view to_string(TlsUse tls) {
  switch (tls) {
    case TlsUse::none:
      return "none";
    case TlsUse::unverified:
      return "unverified";
    case TlsUse::verified:
      return "verified";
  }
  return "invalid";
}

}  // namespace todoku
