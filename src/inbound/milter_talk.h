// SPDX-License-Identifier: Apache-2.0
// What is said to a filter of mail, and what it says: Sendmail's milter protocol, version 6 (and
// down to 2), from the side of the mail server. Pure. There is no RFC of it; its description is
// that of libmilter (Sendmail 8.17).
//
//   packet = length (4, big endian, of what follows) command (1) data
//
//   ours    O negotiate, then of one mail  D macros, C connect, H hello, M mail, R recipient, T
//   data,
//           L field, N end of fields, B body, E end of body;  Q quit
//   theirs  O negotiated; c continue, a accept, r reject, t tempfail, y reply in its words,
//           d discard, f connection failed, s skip, p progress;
//           before the answer to E also h add, i insert, m change (a field), q quarantine
//
// The filter says in O which of ours it does without, and to which it gives no answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "inbound/field_changes.h"
#include "mail/reply.h"
#include "net/endpoint.h"

namespace todoku::inbound {

// A mail that has come in whole. The octets live as long as the talk.
struct MilterMail {
  std::string id;  // for logs of both sides
  std::string hostname;
  net::Endpoint client;
  std::string hello;
  std::string sender;  // empty: the null path
  std::vector<std::string> recipients;
  std::string_view octets;
};

struct MilterVerdict {
  enum class Kind : std::uint8_t {
    accepted,  // with the changes
    refused,   // with the reply, 4xx or 5xx
    discarded,
    quarantined,  // for a person to look at, with the changes
  };
  Kind kind = Kind::accepted;
  Reply reply;
  std::string reason;  // of a quarantine, printable, in the filter's words
  std::vector<FieldChange> changes;
};

class MilterTalk {
 public:
  // Of one packet of the filter, and of all that it changes.
  static constexpr std::size_t kPacketOctetsMax = std::size_t{64} << 10U;
  static constexpr std::size_t kChangesMax = 100;
  // Of the body in one packet, as libmilter takes it.
  static constexpr std::size_t kChunkOctets = 65'535;

  explicit MilterTalk(const MilterMail& mail);

  // Octets to be written now, about two chunks at most; empty: the filter's answer is awaited, or
  // it is over. To be asked until it is empty.
  [[nodiscard]] std::string next_output();
  // What the filter wrote, cut anywhere. Errors: corrupt (it is no such protocol, or makes a change
  // that was not offered); then nothing more is to be said.
  [[nodiscard]] Result<void> receive(std::string_view octets);
  [[nodiscard]] bool has_ended() const { return stage_ == Stage::ended; }
  // Once it has ended.
  [[nodiscard]] const MilterVerdict& verdict() const { return verdict_; }

 private:
  enum class Stage : std::uint8_t {
    negotiate,
    connect,
    hello,
    mail,
    recipients,
    data,
    fields,
    end_of_fields,
    body,
    end,  // of the body: changes come, and the last word
    ended,
  };

  [[nodiscard]] Result<void> take(char command, std::string_view data);
  [[nodiscard]] Result<void> take_negotiated(std::string_view data);
  [[nodiscard]] Result<void> take_change(char command, std::string_view data);
  [[nodiscard]] Result<void> take_word(char command, std::string_view data);
  void end_with(MilterVerdict::Kind kind, Reply reply = {});
  void say(std::string& out);
  void say_step(std::string& out, char command, std::string_view data, std::uint32_t unwanted,
                std::uint32_t unanswered);
  void say_connect(std::string& out);
  void say_fields(std::string& out);
  void say_body(std::string& out);

  const MilterMail& mail_;
  const SplitMail split_;
  Stage stage_ = Stage::negotiate;
  std::size_t done_ = 0;  // of recipients, of fields, of octets of the body
  bool awaits_ = false;
  bool said_quit_ = false;
  std::uint32_t protocol_ = 0;  // what the filter wished
  std::string input_;
  MilterVerdict verdict_;
};

}  // namespace todoku::inbound
