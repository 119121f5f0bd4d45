// SPDX-License-Identifier: Apache-2.0
// How an account proves that a domain is its to send from, and when a proof is over
// (docs/adr/0022-who-may-send-as-whom.md). Pure, but for what a transaction is asked.
//
// The proof is a TXT record at `_todoku-challenge.<domain>` whose value is random and of one claim
// alone. What counts are answers that are answers: a name server that fails, or that nobody
// reaches, neither proves nor ends anything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::access {

// Answers without the record for so long end a proof.
inline constexpr Milliseconds kProofLapsesAfter = std::chrono::days(7);
// Of one account, so that nobody has the DNS asked without end.
inline constexpr std::int64_t kDomainsMax = 1'000;
inline constexpr std::size_t kConsentsMax = 100;

// "_todoku-challenge.example.jp"
[[nodiscard]] std::string proof_name(std::string_view domain);
// "todoku-domain-verification=<token>"
[[nodiscard]] std::string proof_value(std::string_view token);
[[nodiscard]] std::string new_proof_token();

// As it is stored: A-labels, lower case. invalid_input: it is no domain, or a public suffix, below
// which others' domains are.
[[nodiscard]] Result<std::string> claimable_domain(std::string_view text);

// "mail.example.jp", "example.jp", "jp"
[[nodiscard]] std::vector<std::string> domain_and_above(std::string_view domain);

// What a look at the DNS found.
enum class Finding : std::uint8_t { found, absent, unanswered };
// `texts`: the TXT records at proof_name(), none where there is no such name.
[[nodiscard]] Finding finding_of(const Result<std::vector<std::string>>& texts,
                                 std::string_view token);

// Of `texts`, where the proof is not among them, the first that looks like one: a value from
// before, or a slip in copying; empty: none. Shortened to what can be shown.
[[nodiscard]] std::string other_proof(const Result<std::vector<std::string>>& texts,
                                      std::string_view token);

// The claim after a look, with the time of the next one. Whether another account has to consent is
// not asked here.
[[nodiscard]] store::Domain judged(store::Domain claim, Finding finding, Instant now);
// When the DNS is asked again, of a claim of which an answer may be missing; nullopt: never.
[[nodiscard]] std::optional<Instant> next_look(const store::Domain& claim, bool unanswered,
                                               Instant now);

// Of `holders`, claims that are proven of the domain or one above it: the one whose account has to
// consent and has not; nullptr: none.
[[nodiscard]] const store::Domain* in_the_way(const store::Domain& claim,
                                              std::span<const store::Domain> holders);

struct Looked {
  store::Domain claim;
  bool changed = false;       // its state
  std::string needs_consent;  // of whoever has this domain proven; empty: of nobody
};
// Puts what a look found into the store. A record that is found proves nothing while the account of
// a domain above, or of the same one, has not consented. not_found: the claim is gone.
[[nodiscard]] Result<Looked> record_finding(store::WriteTransaction& transaction,
                                            store::AccountKey account, std::string_view domain,
                                            Finding finding, Instant now);

}  // namespace todoku::access
