// SPDX-License-Identifier: Apache-2.0
// Hands a mail to a smarthost by SMTP (RFC 6409), over libcurl: not by the engine's own queue,
// lanes and sources, which it may have to tell of.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "alarms/recipient_replies.h"
#include "base/result.h"

namespace todoku::alarms {

enum class SmarthostTls : std::uint8_t { verified, unverified, none };

struct SmarthostAccess {
  std::string host;
  std::uint16_t port = 587;
  SmarthostTls tls = SmarthostTls::verified;  // by STARTTLS
  std::string ca_file;                        // PEM; empty: the system's roots
  std::string hello_name;
  std::string user;  // empty: no login
  std::string password;
};

struct AlarmMail {
  std::string from;  // addresses
  std::vector<std::string> to;
  std::string message;  // with CRLF
};

// Blocks for a minute at the most, and ends soon once `stopped` is true. Errors: unauthorized (the
// login is refused, or the certificate not trusted), unavailable (nobody answers), timeout,
// cancelled, io (it does not take the mail, or none of the addresses; the detail has its words).
// Else it has the mail, for all but the addresses that are answered: these it refused.
[[nodiscard]] Result<std::vector<RefusedRecipient>> hand_to_smarthost(
    const SmarthostAccess& access, const AlarmMail& mail, const std::atomic<bool>& stopped);

}  // namespace todoku::alarms
