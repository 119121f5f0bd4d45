// SPDX-License-Identifier: Apache-2.0
#include "sink/script.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>

#include "base/bytes.h"
#include "base/digest.h"
#include "sink/provider.h"

namespace todoku::sink {
namespace {

constexpr std::uint64_t kFlakyNumber = 1'000'000;  // beyond the numbers of rules
constexpr std::uint64_t kGreyNumber = 1'000'001;
constexpr std::uint64_t kGreylistNumber = 1'000'002;

std::uint64_t hash_of(std::uint64_t seed, std::uint64_t number, const Address& address) {
  return siphash64(siphash64(seed, number, address.local), number, address.domain);
}

double unit(std::uint64_t hash) {
  return SeededRandom(hash).unit();
}

// "bounce-550.17" is the word "bounce" with the argument "550".
struct Convention {
  std::string word;
  std::string_view argument;

  // nullopt: the argument is no number of this range. `absent` if there is no argument.
  [[nodiscard]] std::optional<unsigned> number(unsigned low, unsigned high, unsigned absent) const {
    if (argument.empty()) return absent;
    unsigned value = 0;
    const char* const end = argument.data() + argument.size();
    const auto [next, error] = std::from_chars(argument.data(), end, value);
    if (error != std::errc() || next != end || value < low || value > high) return std::nullopt;
    return value;
  }
};

Convention read_convention(std::string_view local) {
  local = local.substr(0, local.find_first_of("+."));
  const std::size_t hyphen = local.find('-');
  return {to_ascii_lower(local.substr(0, hyphen)),
          hyphen == std::string_view::npos ? std::string_view() : local.substr(hyphen + 1)};
}

// Spares the usual address the work of reading it.
bool may_be_convention(std::string_view local) {
  return !local.empty() && std::string_view("bcdfgls").contains(ascii_lower(local.front()));
}

bool concerns_recipients(Moment at) {
  return at == Moment::rcpt || at == Moment::data || at == Moment::bdat || at == Moment::body;
}

}  // namespace

bool fits(std::string_view pattern, std::string_view text) {
  // The classic two-pointer match: after a mismatch the last star takes one octet more.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t starred = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      starred = t;
    } else if (p < pattern.size() &&
               (pattern[p] == '?' || ascii_lower(pattern[p]) == ascii_lower(text[t]))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++starred;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Script::Script(const Receiver& receiver, std::uint64_t seed, Attempts& attempts)
    : receiver_(receiver),
      seed_(siphash64(seed, fnv1a64(receiver.name), "script")),
      attempts_(attempts) {
  std::uint64_t number = 0;
  for (const Rule& rule : receiver.rules) {
    rules_[static_cast<std::size_t>(rule.at)].push_back({number++, rule});
  }
  for (const std::string& domain : receiver.domains) {
    if (domain.find_first_of("*?") == std::string::npos) {
      domains_.insert(to_ascii_lower(domain));
    } else {
      domain_patterns_.push_back(domain);
    }
  }
}

bool Script::serves(const std::string& domain) const {
  if (receiver_.domains.empty() || domain == receiver_.protocol.hostname) return true;
  if (domains_.contains(domain)) return true;
  return std::ranges::any_of(domain_patterns_,
                             [&](const std::string& pattern) { return fits(pattern, domain); });
}

Reply Script::words(Excuse excuse, const Scene& scene, const Address* about) const {
  const std::string address = about == nullptr ? std::string() : about->to_string();
  const std::uint64_t draw = about == nullptr ? 0 : hash_of(seed_, 0, *about);
  return provider_reply(
      receiver_.provider, excuse,
      {.address = address, .client = scene.client, .hostname = receiver_.protocol.hostname}, draw);
}

Decision Script::decide(const Scene& scene, Random& random, Instant now) const {
  Decision decision;
  if (concerns_recipients(scene.at) && receiver_.address_rules) {
    for (const Address& address : scene.recipients) {
      if (!may_be_convention(address.local)) continue;
      follow_address(scene, address, now, decision);
      if (decision.decided()) return decision;
    }
  }
  for (const NumberedRule& numbered : rules_[static_cast<std::size_t>(scene.at)]) {
    const Rule& rule = numbered.rule;
    if (!applies(numbered, scene, random, now)) continue;
    decision.delay += rule.delay;
    if (!rule.decides()) continue;
    decision.close = rule.close;
    decision.reply = rule.reply;
    if (rule.excuse) {
      const Address* about = scene.recipients.empty() ? nullptr : &scene.recipients.front();
      decision.reply = words(*rule.excuse, scene, about);
    }
    return decision;
  }
  if (scene.at == Moment::rcpt && receiver_.greylist) apply_greylist(scene, now, decision);
  return decision;
}

bool Script::applies(const NumberedRule& numbered, const Scene& scene, Random& random,
                     Instant now) const {
  const Rule& rule = numbered.rule;
  const auto fitting = std::ranges::find_if(scene.recipients, [&](const Address& address) {
    return (rule.local.empty() || fits(rule.local, address.local)) &&
           (rule.domain.empty() || fits(rule.domain, address.domain));
  });
  const bool about_recipient = concerns_recipients(rule.at);
  if (about_recipient && fitting == scene.recipients.end()) return false;
  if (rule.odds >= 1) return true;
  if (!about_recipient || !rule.decides()) return random.unit() < rule.odds;
  const bool permanent =
      (rule.reply && rule.reply->permanent()) ||
      (rule.excuse && provider_reply(receiver_.provider, *rule.excuse, {}).permanent());
  if (permanent) return unit(hash_of(seed_, numbered.number, *fitting)) < rule.odds;
  return draw_temporary(numbered.number, scene, *fitting, rule.odds, now);
}

bool Script::draw_temporary(std::uint64_t number, const Scene& scene, const Address& address,
                            double odds, Instant now) const {
  const std::uint64_t key =
      siphash64(hash_of(seed_, number, address), static_cast<std::uint64_t>(scene.at), "odds");
  if (unit(key + attempts_.counted(key)) >= odds) return false;
  // A full memory forgets how often: then everything comes through at last.
  return attempts_.count(key, now).has_value();
}

void Script::follow_address(const Scene& scene, const Address& address, Instant now,
                            Decision& decision) const {
  const Convention said = read_convention(address.local);
  const auto refuse = [&](std::optional<unsigned> code) {
    if (!code) return;
    decision.reply = provider_reply_with_code(receiver_.provider, static_cast<int>(*code),
                                              {.address = address.to_string(),
                                               .client = scene.client,
                                               .hostname = receiver_.protocol.hostname});
  };
  if (said.word == "close" && said.argument == to_string(scene.at)) decision.close = true;
  if (said.word == "late" && scene.at == Moment::body) refuse(said.number(400, 599, 554));
  if (scene.at != Moment::rcpt) return;
  if (said.word == "bounce") refuse(said.number(500, 599, 550));
  if (said.word == "defer") refuse(said.number(400, 499, 450));
  if (said.word == "slow") {
    decision.delay += std::chrono::seconds(said.number(0, 3600, 5).value_or(0));
  }
  if (said.word == "flaky") {
    const double odds = said.number(0, 100, 50).value_or(0) / 100.0;
    if (draw_temporary(kFlakyNumber, scene, address, odds, now)) {
      decision.reply = words(Excuse::any_temporary, scene, &address);
    }
  }
  if (said.word == "grey") {
    const unsigned tries = said.number(1, 100, 2).value_or(1);
    const auto seen = attempts_.count(hash_of(seed_, kGreyNumber, address), now);
    if (seen && seen->count < tries) decision.reply = words(Excuse::greylisted, scene, &address);
  }
}

void Script::apply_greylist(const Scene& scene, Instant now, Decision& decision) const {
  const Address& address = scene.recipients.front();
  const std::uint64_t key = siphash64(
      siphash64(hash_of(seed_, kGreylistNumber, address), 0, scene.client), 0, scene.sender);
  const auto seen = attempts_.count(key, now);
  if (!seen) return;
  const Greylist& greylist = *receiver_.greylist;
  const bool tried_enough = greylist.tries != 0 && seen->count >= greylist.tries;
  const bool waited_enough =
      greylist.seconds != 0 && now - seen->first >= std::chrono::seconds(greylist.seconds);
  if (tried_enough || waited_enough) return;
  decision.reply = words(Excuse::greylisted, scene, &address);
}

}  // namespace todoku::sink
