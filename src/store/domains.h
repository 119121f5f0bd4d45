// SPDX-License-Identifier: Apache-2.0
// The domains that accounts send from. A claim is an account's and of one domain; several accounts
// may claim the same, and an unproven claim is in nobody's way.
//
//   unproven ──the record is found──> proven ──seven days of answers without it──> lapsed
//                                       ^                                             │
//                                       └────────────── the record is found ──────────┘
//
// What makes one of the other, and who may prove what, is access/domain_proof.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class DomainState : std::uint8_t { unproven = 0, proven = 1, lapsed = 2 };

struct Domain {
  AccountKey account{};
  std::string domain;  // A-labels, lower case
  std::string token;   // what its proof says; random, of this claim alone
  DomainState state = DomainState::unproven;
  bool vouched = false;              // an operator stands for it: no proof is looked for
  std::vector<AccountKey> consents;  // who may have domains equal to it or below it, too
  Instant created{};
  std::optional<Instant> proven;    // since when it is, or was until it lapsed
  std::optional<Instant> answered;  // the last answer of the DNS that was one
  std::optional<Instant> failing;   // since when answers are without the record
  Milliseconds failed_for{};        // of that time, what answers vouch for
  std::optional<Instant> look_at;   // when the DNS is asked again; nullopt: only when told to
};

// What checks of what a proven domain says in the DNS have found (operate/domain_history.h), and
// when the next is due. Kept with the claim, and gone with it.
struct DomainCheck {
  std::optional<Instant> next;  // nullopt: at once
  std::string found;            // opaque here; empty: it was never checked
};
inline constexpr std::size_t kDomainCheckMax = std::size_t{256} * 1024;

[[nodiscard]] inline Result<void> check_sound(const DomainCheck& check) {
  if (check.found.size() <= kDomainCheckMax) return {};
  return fail(ErrorKind::invalid_input, "what checks of a domain found is too long");
}

// A place in the list of all claims, which is by account and domain.
struct DomainPlace {
  AccountKey account{};
  std::string domain;
};

class DomainReads {
 public:
  virtual ~DomainReads() = default;
  // In pages: those after `after`, at most `limit`. All that are proven: ProvenDomains in walks.h.
  [[nodiscard]] virtual Result<std::vector<Domain>> domains(const DomainPlace& after,
                                                            std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<std::vector<Domain>> proven_domains(const DomainPlace& after,
                                                                   std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<Domain> domain(AccountKey account, std::string_view domain) = 0;
  // Every proven claim of one of these domains, whoever's.
  [[nodiscard]] virtual Result<std::vector<Domain>> holders(
      std::span<const std::string> domains) = 0;
  // Whose time to be looked at has come, the longest due first.
  [[nodiscard]] virtual Result<std::vector<Domain>> domains_to_look_at(std::int64_t limit) = 0;
  // Proven ones whose time to be checked has come, the longest due first.
  [[nodiscard]] virtual Result<std::vector<DomainPlace>> domains_to_check(std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<DomainCheck> domain_check(AccountKey account,
                                                         std::string_view domain) = 0;
};

class DomainWrites {
 public:
  virtual ~DomainWrites() = default;
  // All of it is taken but `created`, which is the store's. conflict: the account claims it
  // already.
  [[nodiscard]] virtual Result<Domain> add_domain(const Domain& domain) = 0;
  // All but token and `created`.
  [[nodiscard]] virtual Result<void> change_domain(const Domain& domain) = 0;
  // Only what a look found that changes nobody's rights: answered, failing, failed_for, look_at.
  // Nobody who keeps domains in memory reads them anew.
  [[nodiscard]] virtual Result<void> note_look(const Domain& domain) = 0;
  // Whoever takes it checks it, and nobody else does before `until`, whatever becomes of the one
  // who took it. False: another was first, it is not due, or no longer proven (a conditional
  // update).
  [[nodiscard]] virtual Result<bool> take_domain_check(AccountKey account, std::string_view domain,
                                                       Instant until) = 0;
  // invalid_input: more than kDomainCheckMax.
  [[nodiscard]] virtual Result<void> keep_domain_check(AccountKey account, std::string_view domain,
                                                       const DomainCheck& check) = 0;
  // Its owner is told: domain_broken or domain_whole, and because of what.
  virtual void tell_of_domain_check(EventKind kind, AccountKey account, std::string_view domain,
                                    std::string_view because) = 0;
  [[nodiscard]] virtual Result<void> remove_domain(AccountKey account, std::string_view domain) = 0;
  // From here to the commit no other transaction gets past this: who holds what, asked afterwards,
  // stays true. Counts as a change of the topic.
  [[nodiscard]] virtual Result<void> hold_domains() = 0;
};

}  // namespace todoku::store
