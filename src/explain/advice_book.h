// SPDX-License-Identifier: Apache-2.0
// The words behind advice_for(), as data: rules/advice.toml, which travels inside the binary, and
// what an operator lays over it. The first rule that fits speaks; an operator's come before ours.
//
//   [[advice]]
//   cause = "policy"               # mail/cause.h; left out: any, as with all conditions
//   state = "bounced"              # mail/states.h
//   stage = "rcpt_to"              # mail/attempt.h
//   signed = true                  # the mail goes out with DKIM signatures
//   site = "docomo"                # of the rules of sites: this receiver alone
//   meaning.en = "..."             # what it means
//   meaning.ja = "..."
//   action.en = "..."              # what the reader can do
//   action.ja = "..."
//   comes.en = "..."               # what comes of itself; may be left out
//   comes.ja = "..."
//   reader.en = "..."              # said to the mail's reader; may be left out
//   reader.ja = "..."
//   source = "their support page"
//   date = 2026-11-29              # when it was last known to be true
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delivery/policy/site_rules.h"
#include "explain/advice.h"

namespace todoku::explain {

// Conditions left out always hold.
struct AdviceRule {
  std::optional<Cause> cause;
  std::optional<RecipientState> state;
  std::optional<Stage> stage;
  std::optional<bool> is_signed;
  std::string site;
  Advice advice;  // its words belong to the book
  std::string source;
  std::string date;
  std::string place;  // "rules/advice.toml:120"
};

// Immutable and so safe to share between threads.
class AdviceBook {
 public:
  struct Layer {
    std::string name;  // in what is told: "rules/advice.toml"
    std::string text;
  };

  // Later layers go before earlier ones. `sites` say which receiver an address is of; a rule for a
  // site that they do not have is a mistake. Errors: invalid_input with a line for each mistake, up
  // to 20.
  [[nodiscard]] static Result<AdviceBook> parse(std::span<const Layer> layers,
                                                delivery::policy::SiteRules sites);
  [[nodiscard]] static Layer shipped_layer();
  // What comes with the engine, without what is said of single sites.
  [[nodiscard]] static const AdviceBook& shipped();

  [[nodiscard]] const Advice& find(const Outcome& outcome, bool is_signed,
                                   const Where& where) const;
  // The receiver that an address, or a host of it, is of by the rules; empty: they name none.
  [[nodiscard]] std::string_view site_of(const Where& where) const;
  [[nodiscard]] std::span<const AdviceRule> rules() const { return rules_; }

 private:
  friend class AdviceReader;

  std::vector<AdviceRule> rules_;
  std::deque<std::string> texts_;  // what the rules' sentences show; never moved
  delivery::policy::SiteRules sites_;
};

// The words by which this process tells stories: those shipped, until others are put in force,
// which is for the start, before other threads ask.
[[nodiscard]] const AdviceBook& advice_in_force();
void put_in_force(AdviceBook book);

}  // namespace todoku::explain
