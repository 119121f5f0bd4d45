// SPDX-License-Identifier: Apache-2.0
// Submitted messages (RFC 6409) as they come: octets go in, cut anywhere, and what goes on comes
// out. Of the message only its header section is ever held. Pure.
//
// What changes, and nothing else does, so that signatures of others stay good:
//   - the Received field is put in front
//   - Bcc and Resent-Bcc are taken out, and every X-Todoku-*: of those, what the credential may say
//     is an option of the submission
//   - Date, Message-ID and From are added where they are missing (RFC 6409 section 8); a From that
//     names somebody of the sender's own machine ("root") gets the credential's address
//   - a header section gets its blank line, and a last line its CRLF
//
// A line that is no field before the blank line is refused (RFC 5322 section 2.2): whoever ended
// the header section there would deliver what follows, Bcc and X-Todoku-* included, as text to all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/address.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "mail/submission_options.h"
#include "mime/line_scan.h"

namespace todoku::intake::submission {

// With what is added it is no more than what a relayed message may have (delivery).
inline constexpr std::size_t kHeadOctetsMax = std::size_t{1020} << 10U;
inline constexpr std::size_t kFieldsMax = 10'000;
inline constexpr std::size_t kHopsMax = 100;            // RFC 5321 section 6.3
inline constexpr std::size_t kHopsThroughUsMax = 3;     // ... of which by a name of ours
inline constexpr std::size_t kRecipientsOfOneMax = 50;  // more make a mailing

struct SubmissionRules {
  std::string received;  // the whole field, see received_field()
  SubmissionOptionBits allowed_options = 0;
  Instant now{};
  std::string message_id;  // without angle brackets, of a message that has none
  // Of a message without From, or with a From or Sender that is not qualified; empty: those are
  // refused.
  std::string from_address;
  // Of a listener for devices, which has no credential: what From must be of. For the refusal only.
  std::string device_domain = {};
  // By which this installation is known in Received, lower case.
  std::vector<std::string> own_names;
  bool smtputf8 = false;    // fields may be beyond ASCII (RFC 6531)
  bool by_request = false;  // it came by a request, not in a session of SMTP
  // Whether who its fields name is to be found: where nobody else says to whom it goes.
  bool to_whom_it_names = false;
};

struct SubmissionOptions {
  std::vector<std::string> tags;
  std::optional<Purpose> purpose;
  std::optional<Instant> send_at;
  std::optional<Milliseconds> expires_in;
  std::optional<std::string> list_id;
  std::optional<std::string> idempotency_key;
  std::optional<std::string> reference;  // at most kReferenceOctetsMax
};

struct Submitted {
  Mailbox from;
  // Of a Sender field; of somebody of the sender's own machine SubmissionRules::from_address.
  std::optional<Mailbox> sender;
  // Of To, Cc and Bcc, as they stand there, if the rules ask for them: at most kRecipientsOfOneMax.
  std::vector<std::string> recipients;
  std::string subject;  // decoded, at most 998 octets
  // Of the message as it goes on, without angle brackets; empty: longer than
  // kRelayedMessageIdOctetsMax, or not ASCII.
  std::string message_id;
  SubmissionOptions options;
  std::string unheard;            // why fields X-Todoku-* meant nothing; empty: none did
  bool looks_like_list = false;   // List-Unsubscribe, List-Id or Precedence: bulk
  std::uint64_t head_octets = 0;  // of what goes on, with the blank line
  std::uint64_t octets = 0;       // of all that goes on
  bool has_leading_dot = false;   // of a line of what goes on
  bool is_eight_bit = false;
  bool has_long_line = false;  // of over 998 octets (RFC 5321 section 4.5.3.1.6)
};

class SubmissionReader {
 public:
  explicit SubmissionReader(SubmissionRules rules);

  // The next octets; what goes on is appended to `out`. Errors, with a sentence for the client:
  // invalid_input (bare CR or LF, NUL, a line of the header section that is no field, a From or an
  // option that does not do), unsupported (a header section beyond ASCII without SMTPUTF8),
  // limit_exceeded (a header section that is too large), conflict (the
  // message goes in a loop). After one the message is to be refused, and nothing of `out` is to be
  // kept.
  [[nodiscard]] Result<void> take(std::string_view octets, std::string& out);
  // After the last of them. Errors: as above.
  [[nodiscard]] Result<Submitted> finish(std::string& out);
  // Of a message that was refused for its header section: what its From field says, at most 200
  // octets; empty: not known.
  [[nodiscard]] std::string from_shown() const;
  // Octets of memory that its header section takes: none once that has gone on.
  [[nodiscard]] std::size_t held() const {
    return head_.capacity() + begins_.capacity() * sizeof(std::size_t);
  }

 private:
  enum class Part : std::uint8_t { head, body };

  [[nodiscard]] Result<void> take_head(std::string_view& octets);
  // A line of the header section, which is the last of head_; after the blank one it is over.
  [[nodiscard]] Result<void> take_line();
  [[nodiscard]] Result<void> end_head(std::string& out);
  [[nodiscard]] Result<void> judge_fields();
  [[nodiscard]] Result<void> judge_from();
  [[nodiscard]] Result<void> judge_sender();
  [[nodiscard]] Result<void> find_recipients();
  [[nodiscard]] Result<void> judge_characters() const;
  [[nodiscard]] Result<void> judge_hops() const;
  [[nodiscard]] Result<void> judge_options();
  void find_facts();
  [[nodiscard]] std::string message_id() const;
  [[nodiscard]] std::string written_head() const;
  [[nodiscard]] Result<void> emit(std::string_view octets, std::string& out);

  struct Field {
    std::string_view name;  // into head_
    std::string_view raw;   // with its CRLF
  };
  [[nodiscard]] std::string value_of(const Field& field) const;
  [[nodiscard]] const Field* first(std::string_view name) const;

  const SubmissionRules rules_;
  Part part_ = Part::head;
  std::string head_;       // so far
  std::size_t line_ = 0;   // where its last line begins
  std::size_t lines_ = 0;  // so far, in it
  std::vector<Field> fields_;
  std::vector<std::size_t> begins_;  // of fields in head_
  bool replaces_from_ = false;
  bool replaces_sender_ = false;
  mime::LineScan coming_;  // of the header section
  mime::LineScan going_;   // of what goes on
  Submitted found_;
};

// What Received tells (RFC 5321 section 4.4, RFC 3848, RFC 8314).
struct ReceivedFacts {
  std::string hello;   // as the client called itself
  std::string client;  // its address; empty: not told
  // A user of this machine, who came over no network.
  std::optional<std::uint32_t> user = {};
  std::string hostname;
  bool esmtp = true;
  bool by_request = false;  // it came by a request of HTTP, in no session of SMTP
  bool smtputf8 = false;
  std::string tls;  // version and cipher; empty: none
  bool authenticated = false;
  std::string recipient;  // of a message with one; empty: not told
  Instant now{};
};
// The whole field, ASCII, folded. What is none of a domain or address in what the client says does
// not get into it.
[[nodiscard]] std::string received_field(const ReceivedFacts& facts);

// What kind of mail it is. `said`: of the credential; nullopt: as it looks, by which a newsletter
// is bulk advertisement, so that it cannot slip past who opted out.
struct MailClass {
  TrafficClass traffic = TrafficClass::transactional;
  Purpose purpose = Purpose::by_type;
};
[[nodiscard]] MailClass classify(const Submitted& message, std::optional<TrafficClass> said,
                                 std::size_t recipients);

}  // namespace todoku::intake::submission
