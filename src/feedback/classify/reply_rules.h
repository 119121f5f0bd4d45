// SPDX-License-Identifier: Apache-2.0
// Which answers have which cause, as data: rules/replies.toml, which travels inside the binary, and
// what an operator lays over it. The first rule that fits speaks; an operator's come before ours.
//
//   off = ["rate-too-many"]        # rules of the files below that do not hold here
//
//   [[reply]]
//   id = "bank-greylists"          # what stories and `todoku rules explain` call it
//   cause = "greylist"             # mail/cause.h
//   site = "bank"                  # holds at this site alone; left out: everywhere
//   smarthost = true               # holds for what a smarthost of ours says alone
//   stages = ["rcpt_to", "data"]   # left out: any, as with all that follows
//   codes = "4xx"                  # or "451", or "500-504"
//   status = "7.1"                 # subject and detail of the enhanced code; "7": any detail
//   unless_status = "7"            # a subject that speaks against it
//   phrases = ["come back"]        # one of these; "throttl*" is open at its end
//   begins = ["try"]               # or the words begin with one of these
//   patterns = ["wait [0-9]+ min"] # or one of these expressions (RE2) is found
//   list = "full_mailbox"          # or one of a list of [lists]
//   with = ["of_a_recipient"]      # and one of each of these lists, wherever it stands
//   without = ["of_a_domain"]      # and none of these
//   party = "sender"               # of whom the words speak (party.h)
//   our_address = true             # the words speak of the address that we send from
//   leaves_the_reason_open = true  # the words stand in front of whatever may be the reason
//   source = "their postmaster page, https://example.jp/postmaster"
//   date = 2026-11-29              # when it was last known to be true
//   note = "why"
//
// The list `not_our_address` has the words of a bad name that is the sender's domain's, a link's or
// the content's: where one of them is said, our address is not meant, unless the rule says so.
//
// Words are compared in lower case, without line breaks and without e-mail addresses: words.h.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "feedback/classify/party.h"
#include "feedback/classify/phrase_set.h"
#include "mail/attempt.h"
#include "mail/cause.h"

namespace todoku::feedback::classify {

// A set of stages; empty: any.
class Stages {
 public:
  constexpr Stages() = default;
  constexpr Stages(std::initializer_list<Stage> stages) {
    for (const Stage stage : stages) add(stage);
  }
  constexpr void add(Stage stage) { bits_ |= 1U << static_cast<unsigned>(stage); }
  [[nodiscard]] constexpr bool allow(Stage stage) const {
    return bits_ == 0 || (bits_ >> static_cast<unsigned>(stage) & 1U) != 0;
  }

 private:
  std::uint32_t bits_ = 0;
};

struct Codes {
  int low = 0;  // 0: any
  int high = 0;
};

// Conditions left out always hold.
struct ReplyRule {
  struct Said {
    std::string words;
    std::size_t number;  // in the set of all that rules look for
  };

  std::string id;
  Cause cause = Cause::none;
  std::string site;
  bool of_smarthost = false;
  Stages stages;
  Codes codes;
  int subject = -1;  // of the enhanced status code, whatever its class; -1: any
  int detail = -1;
  int unless = -1;
  std::vector<Said> said;  // one of these
  // Numbers in that set: one of each of `with`, none of `without`.
  std::vector<std::vector<std::size_t>> with;
  std::vector<std::size_t> without;
  std::optional<Party> party;
  bool of_our_address = false;
  bool leaves_the_reason_open = false;
  std::string source;
  std::string date;
  std::string note;
  std::string place;  // "rules/replies.toml:120"

  // It goes by more than a code, so that it knows the reason.
  [[nodiscard]] bool is_specific() const {
    return !said.empty() || detail >= 0 || party.has_value();
  }
  // Only words can speak against words.
  [[nodiscard]] bool gives_the_reason() const { return !said.empty() && !leaves_the_reason_open; }
  // It holds only where the words speak of nobody else, unless `party` says of whom.
  [[nodiscard]] bool is_about_recipient() const {
    return cause == Cause::mailbox || cause == Cause::mailbox_disabled ||
           cause == Cause::mailbox_full || cause == Cause::bad_address || cause == Cause::moved;
  }
};

// What a receiver has said, where.
struct SaidByReceiver {
  Stage stage = Stage::none;
  int code = 0;
  std::string_view text;
  std::string_view site;      // empty: not known
  bool by_smarthost = false;  // of ours (delivery/smarthost.h)
};

// Immutable and so safe to share between threads.
class ReplyRules {
 public:
  struct Layer {
    std::string name;  // in what is told: "rules/replies.toml"
    std::string text;
  };

  // Later layers go before earlier ones. Errors: invalid_input with a line for each mistake, up to
  // 20: "replies.toml:12: reply.cause ...".
  [[nodiscard]] static Result<ReplyRules> parse(std::span<const Layer> layers);
  // What comes with the engine.
  [[nodiscard]] static const ReplyRules& shipped();
  [[nodiscard]] static Layer shipped_layer();

  // The first that fits; where none does, one without conditions whose cause is `unclear`.
  [[nodiscard]] const ReplyRule& rule_for(const SaidByReceiver& said) const;
  // What `rule` looked for and found; empty: it looks for no words.
  [[nodiscard]] std::string_view words_found(const ReplyRule& rule,
                                             const SaidByReceiver& said) const;
  [[nodiscard]] Party party_of(std::string_view words) const;
  // Whether a reply has words of the list `not_our_address`.
  [[nodiscard]] bool speaks_of_no_address(std::string_view text) const;

  // In the order in which they are asked.
  [[nodiscard]] const std::vector<ReplyRule>& rules() const { return rules_; }

 private:
  friend class ReplyRuleReader;

  // Lists of words by which party_of() decides; their names in [parties] of the file.
  enum class Words : std::uint8_t {
    sender_named,
    sender,
    returned,
    verified,
    recipient_verified,
    host,
    let_in,
    how_much,
    many,
    many_in_mailbox,
    blocked,
    blocked_mailbox,
    content,
  };
  static constexpr std::size_t kWordLists = 13;

  std::vector<ReplyRule> rules_;
  ReplyRule otherwise_;
  PhraseSet phrases_;
  std::vector<std::size_t> not_our_address_;  // numbers in it
  std::array<std::vector<std::size_t>, kWordLists> party_words_;
  PhraseSet party_phrases_;
};

// The rules by which this process reads what receivers say: those shipped, until others are put in
// force. Everything stored is read by them, by whatever part of the engine, so there is one set a
// process. put_in_force() is for the start, before other threads ask.
[[nodiscard]] const ReplyRules& reply_rules_in_force();
void put_in_force(ReplyRules rules);

}  // namespace todoku::feedback::classify
