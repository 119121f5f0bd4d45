// SPDX-License-Identifier: Apache-2.0
// What a client says about a mail outside of it: from whom, to whom, and what it needs from the
// server. An envelope that exists is safe to put into commands.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mail/dsn.h"

namespace todoku::smtp {

struct EnvelopeNeeds {
  bool eight_bit = false;  // the content has octets above 127 (RFC 6152)
  bool smtputf8 = false;   // the header section has (RFC 6531); set for such addresses by itself
};

// What the sender wants to be told (RFC 3461). A receiver that offers DSN is asked for it; another
// hears nothing of it.
struct RecipientReports {
  DsnNotify notify;
  std::optional<OriginalRecipient> original;
};
struct EnvelopeReports {
  DsnReturn returned = DsnReturn::unspecified;
  std::string envelope_id;                   // without xtext; empty: none
  std::vector<RecipientReports> recipients;  // one for each of the envelope, or none at all
};

class ClientEnvelope {
 public:
  // Addresses in the form of the wire (Address::to_string()), without angle brackets; an empty
  // `mail_from` is the null path. Errors: invalid_input if there is no recipient or an address
  // could break out of its command: control characters, spaces or angle brackets outside of
  // quotes, not UTF-8, over 256 octets (RFC 5321 section 4.5.3.1.3); or if `reports` are not as
  // many as recipients, or hold what parse_envid() and parse_orcpt() would not read.
  [[nodiscard]] static Result<ClientEnvelope> make(std::string mail_from,
                                                   std::vector<std::string> recipients,
                                                   EnvelopeNeeds needs = {},
                                                   EnvelopeReports reports = {});

  [[nodiscard]] const std::string& mail_from() const { return mail_from_; }
  [[nodiscard]] std::span<const std::string> recipients() const { return recipients_; }
  [[nodiscard]] const EnvelopeNeeds& needs() const { return needs_; }
  [[nodiscard]] const EnvelopeReports& reports() const { return reports_; }
  // Of the recipient at `index`; nullptr: nothing is wanted.
  [[nodiscard]] const RecipientReports* reports_of(std::size_t index) const {
    return reports_.recipients.empty() ? nullptr : &reports_.recipients[index];
  }

 private:
  ClientEnvelope() = default;

  std::string mail_from_;
  std::vector<std::string> recipients_;
  EnvelopeNeeds needs_;
  EnvelopeReports reports_;
};

// A whole message as it goes on the wire, in pieces that lie somewhere else.
struct MessageView {
  std::span<const std::string_view> pieces;
  std::uint64_t size = 0;  // of all pieces, octets
  // False promises that no line begins with ".", which saves looking for one.
  bool may_have_leading_dot = true;
  // It is not in memory as a whole: `pieces` is empty, and `size` octets are given by and by, when
  // they are asked for.
  bool in_slices = false;
  // It goes out only when the recipients have been answered, however small it is: who falls silent
  // or is left before that has surely not got it.
  bool after_recipients = false;
};

// A view of `pieces`, counted.
[[nodiscard]] MessageView view_of(std::span<const std::string_view> pieces);

}  // namespace todoku::smtp
