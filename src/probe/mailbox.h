// SPDX-License-Identifier: Apache-2.0
// Looks for a mail in a mailbox by IMAP4rev1 (RFC 3501), over libcurl.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "probe/imap_answers.h"

namespace todoku::probe {

enum class MailboxTls : std::uint8_t {
  implicit,  // from the first octet, port 993 (RFC 8314)
  starttls,
  none,  // clear text, for this machine alone
};

struct MailboxAccess {
  std::string host;
  std::uint16_t port = 993;
  MailboxTls tls = MailboxTls::implicit;
  std::string ca_file;  // PEM; empty: the system's roots
  std::string user;
  std::string secret;   // the password, or an access token
  bool bearer = false;  // the secret is a token (SASL OAUTHBEARER, XOAUTH2)
};

struct MailboxWish {
  std::string token;        // a word of the mail's subject
  bool everywhere = false;  // else only in the inbox and the junk
  bool remove = false;      // what is found is deleted for good
  Milliseconds most = std::chrono::seconds(60);
};

struct FoundMail {
  Folder folder;
  std::string header;  // its header section, up to 256 KiB
};

// Blocks for `most` at the most, and ends soon once `stopped` is true. nullopt: it is not there.
// Errors: unauthorized (the login is refused, or the certificate not trusted), unavailable (no such
// host, nobody answers), timeout, corrupt (it answers more than is read), cancelled, io.
[[nodiscard]] Result<std::optional<FoundMail>> find_mail(const MailboxAccess& access,
                                                         const MailboxWish& wish,
                                                         const Clock& clock,
                                                         const std::atomic<bool>& stopped);

}  // namespace todoku::probe
