// SPDX-License-Identifier: Apache-2.0
#include "access/domain_proof.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mailauth/suffixes/public_suffix.h"

namespace todoku::access {
namespace {

using store::Domain;
using store::DomainState;

constexpr std::string_view kLabel = "_todoku-challenge.";
constexpr std::string_view kValue = "todoku-domain-verification=";
constexpr std::size_t kTokenOctets = 20;  // 160 random bits
constexpr std::size_t kNameMax = 253;     // octets of a domain name (RFC 1035 section 2.3.4)

constexpr Milliseconds kProvenEvery = std::chrono::hours(6);
// Soon again where something is missing, so that seven days are made of many answers.
constexpr Milliseconds kDoubtfulEvery = std::chrono::hours(1);
// What a single answer vouches for of the time before it: that an engine was stopped, or nobody
// answered, does not count.
constexpr Milliseconds kAnswerCoversMost = 2 * kDoubtfulEvery;

// A claim that is not proven is looked at ever more rarely, and then only when somebody asks.
struct Patience {
  Milliseconds until_old;
  Milliseconds every;
};
constexpr Patience kPatience[] = {{std::chrono::hours(1), std::chrono::minutes(1)},
                                  {std::chrono::days(1), std::chrono::minutes(15)},
                                  {std::chrono::days(30), std::chrono::hours(6)}};

}  // namespace

std::string proof_name(std::string_view domain) {
  return std::string(kLabel).append(domain);
}

std::string proof_value(std::string_view token) {
  return std::string(kValue).append(token);
}

std::string new_proof_token() {
  return to_hex(random_octets(kTokenOctets));
}

Result<std::string> claimable_domain(std::string_view text) {
  auto domain = to_ascii_domain(text);
  if (!domain || domain->starts_with('[')) {
    return fail(ErrorKind::invalid_input,
                fmt::format("\"{}\" is not a domain", printable(text.substr(0, kNameMax))));
  }
  if (domain->size() + kLabel.size() > kNameMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the domain is too long for the name of its proof, {}", kLabel));
  }
  if (mailauth::is_public_suffix(*domain)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} is a public suffix: domains of others are below it. Claim the "
                            "domain that was registered, such as example.{}",
                            *domain, *domain));
  }
  return domain;
}

std::vector<std::string> domain_and_above(std::string_view domain) {
  std::vector<std::string> names;
  while (!domain.empty()) {
    names.emplace_back(domain);
    const std::size_t dot = domain.find('.');
    domain = dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
  }
  return names;
}

Finding finding_of(const Result<std::vector<std::string>>& texts, std::string_view token) {
  if (!texts) {
    return texts.error().kind == ErrorKind::not_found ? Finding::absent : Finding::unanswered;
  }
  const std::string wanted = proof_value(token);
  const bool found =
      std::ranges::any_of(*texts, [&](const std::string& text) { return trim(text) == wanted; });
  return found ? Finding::found : Finding::absent;
}

std::string other_proof(const Result<std::vector<std::string>>& texts, std::string_view token) {
  constexpr std::size_t kShownMax = 100;
  if (!texts || finding_of(texts, token) == Finding::found) return {};
  const std::string ours = proof_value({});
  const auto other = std::ranges::find_if(
      *texts, [&](const std::string& text) { return trim(text).starts_with(ours); });
  if (other == texts->end()) return {};
  return printable(utf8_prefix(trim(*other), kShownMax));
}

std::optional<Instant> next_look(const Domain& claim, bool unanswered, Instant now) {
  if (claim.vouched) return std::nullopt;
  if (claim.state == DomainState::proven) {
    return now + (unanswered || claim.failing ? kDoubtfulEvery : kProvenEvery);
  }
  const Milliseconds age =
      now -
      (claim.state == DomainState::lapsed ? claim.failing.value_or(claim.created) : claim.created);
  const auto patience =
      std::ranges::find_if(kPatience, [age](const Patience& each) { return age < each.until_old; });
  if (patience == std::end(kPatience)) return std::nullopt;
  return now + patience->every;
}

Domain judged(Domain claim, Finding finding, Instant now) {
  if (finding == Finding::found) {
    if (claim.state != DomainState::proven) claim.proven = now;
    claim.state = DomainState::proven;
    claim.failing.reset();
    claim.failed_for = Milliseconds(0);
  } else if (finding == Finding::absent && claim.state == DomainState::proven) {
    if (claim.failing) {
      const Milliseconds since = now - claim.answered.value_or(*claim.failing);
      claim.failed_for += std::clamp(since, Milliseconds(0), kAnswerCoversMost);
    } else {
      claim.failing = now;
      claim.failed_for = Milliseconds(0);
    }
    if (claim.failed_for >= kProofLapsesAfter) claim.state = DomainState::lapsed;
  }
  if (finding != Finding::unanswered) claim.answered = now;
  claim.look_at = next_look(claim, finding == Finding::unanswered, now);
  return claim;
}

const Domain* in_the_way(const Domain& claim, std::span<const Domain> holders) {
  const auto found = std::ranges::find_if(holders, [&](const Domain& holder) {
    if (holder.account == claim.account) return false;
    if (std::ranges::find(holder.consents, claim.account) != holder.consents.end()) return false;
    // Who came first needs nobody's consent.
    return claim.state != DomainState::proven || !claim.proven || !holder.proven ||
           *holder.proven < *claim.proven;
  });
  return found == holders.end() ? nullptr : &*found;
}

namespace {

// What the finding makes of the claim as this transaction sees it and who holds the domain.
Result<Looked> look_at(store::ReadTransaction& transaction, const Domain& before, Finding finding,
                       Instant now) {
  Looked looked{.claim = judged(before, finding, now), .needs_consent = {}};
  // What is proven rests on consents whatever its name servers say: who lost one could keep them
  // silent.
  if (finding == Finding::found || before.state == DomainState::proven) {
    const auto holders = transaction.holders(domain_and_above(before.domain));
    if (!holders) return fail(holders.error());
    if (const Domain* const other = in_the_way(before, *holders)) {
      looked.needs_consent = other->domain;
      looked.claim = before;
      if (finding != Finding::unanswered) looked.claim.answered = now;
      if (before.state == DomainState::proven) {
        looked.claim.state = DomainState::lapsed;
        looked.claim.failing = now;
      }
      looked.claim.look_at = next_look(looked.claim, false, now);
    }
  }
  looked.changed = looked.claim.state != before.state;
  return looked;
}

}  // namespace

Result<Looked> record_finding(store::WriteTransaction& transaction, store::AccountKey account,
                              std::string_view domain, Finding finding, Instant now) {
  auto before = transaction.read().domain(account, domain);
  if (!before) return fail(std::move(before.error()));
  if (before->vouched) return Looked{.claim = std::move(*before), .needs_consent = {}};
  auto looked = look_at(transaction.read(), *before, finding, now);
  if (!looked) return looked;
  if (!looked->changed) {
    auto noted = transaction.note_look(looked->claim);
    if (!noted) return fail(std::move(noted.error()));
    return looked;
  }
  // Whoever changes rights does so alone: neither a consent that is given or taken back meanwhile
  // is lost, nor do two prove one domain at a time.
  if (auto held = transaction.hold_domains(); !held) return fail(std::move(held.error()));
  before = transaction.read().domain(account, domain);
  if (!before) return fail(std::move(before.error()));
  if (before->vouched) return Looked{.claim = std::move(*before), .needs_consent = {}};
  looked = look_at(transaction.read(), *before, finding, now);
  if (!looked) return looked;
  auto changed = transaction.change_domain(looked->claim);
  if (!changed) return fail(std::move(changed.error()));
  return looked;
}

}  // namespace todoku::access
