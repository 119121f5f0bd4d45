// SPDX-License-Identifier: Apache-2.0
// One try at one recipient and how it ended: the data that every story is told from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "mail/cause.h"
#include "mail/reply.h"
#include "mail/states.h"

namespace todoku {

// Where in the dialogue an attempt ended. Stored as these numbers: never renumber.
enum class Stage : std::uint8_t {
  none = 0,       // before any network: suppressed, cancelled, expired while waiting
  dns = 1,        // looking up the receiver
  connect = 2,    // TCP connection
  greeting = 3,   // the 220 banner
  hello = 4,      // EHLO or HELO
  starttls = 5,   // STARTTLS and the handshake
  auth = 6,       // AUTH, for smarthosts
  mail_from = 7,  // MAIL FROM
  rcpt_to = 8,    // RCPT TO
  data = 9,       // DATA or BDAT, content not acknowledged
  accepted = 10,  // the final 250
};

// How the connection was protected. Stored as these numbers: never renumber.
enum class TlsUse : std::uint8_t {
  none = 0,        // clear text: not offered, or every handshake failed under opportunistic policy
  unverified = 1,  // encrypted, certificate does not prove the host
  verified = 2,    // encrypted, certificate proves the MX host's name
};

// The way a mail took: shared by many attempts, so stored once.
struct Path {
  std::string mx_host;        // empty if the attempt ended before one was chosen
  std::string remote_ip;      // with port if it is not 25
  std::string egress_source;  // name of the source that sent, or would have
  TlsUse tls = TlsUse::none;
  std::string tls_detail;  // "TLSv1.3 TLS_AES_256_GCM_SHA384", or why there is none
  friend bool operator==(const Path&, const Path&) = default;
};

// What an attempt makes of its recipient.
struct Outcome {
  RecipientState state = RecipientState::deferred;
  Stage stage = Stage::none;
  // The receiver's answer; code 0 if there was none, then text is our own sentence about what
  // happened ("connection timed out after 30 s").
  Reply reply;
  bool is_attempt = true;  // false: waiting we chose ourselves (parking), burns no retry
  // The delivery asked for ISO-2022-JP, which cannot say this one message: it went out in UTF-8.
  bool charset_fell_back = false;
  // Of a mail that was taken: its sender wishes to hear of that (NOTIFY=SUCCESS), and the receiver
  // will not tell (RFC 3461 section 5.2.2).
  bool sender_to_tell = false;
  // Why it ended so. Whoever makes the outcome sets it; none: it went well, or nobody has said.
  Cause cause = Cause::none;
};

[[nodiscard]] std::string_view to_string(Stage stage);
[[nodiscard]] std::string_view to_string(TlsUse tls);

}  // namespace todoku
