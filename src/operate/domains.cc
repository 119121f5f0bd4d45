// SPDX-License-Identifier: Apache-2.0
// Operations on the domains that accounts send from.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "access/domain_proof.h"
#include "base/log.h"
#include "mailauth/dkim/dns_record.h"
#include "operate/account_names.h"
#include "operate/key_rotation.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

using store::Domain;
using store::DomainState;

std::string_view word_of(DomainState state) {
  switch (state) {
    case DomainState::unproven:
      return "unproven";
    case DomainState::proven:
      return "proven";
    case DomainState::lapsed:
      return "lapsed";
  }
  return "";
}

// "12/example.jp"; a domain has no slash.
std::string to_text(const Domain& domain) {
  return fmt::format("{}/{}", static_cast<std::int64_t>(domain.account), domain.domain);
}

Result<store::DomainPlace> parse_domain_place(std::string_view text) {
  if (text.empty()) return store::DomainPlace{};
  const std::size_t slash = text.find('/');
  std::int64_t account = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + std::min(slash, text.size()), account);
  if (slash == text.npos || error != std::errc() || end != text.data() + slash) {
    return fail(ErrorKind::invalid_input, "there is no such place in the list of domains");
  }
  return store::DomainPlace{.account = store::AccountKey{account},
                            .domain = std::string(text.substr(slash + 1))};
}

// nullopt: the account is gone.
Result<std::optional<DomainView>> view_of(store::ReadTransaction& transaction, AccountNames& names,
                                          Domain claim) {
  auto name = names.of(transaction, claim.account);
  if (!name) return fail(std::move(name.error()));
  if (!*name) return std::nullopt;
  DomainView view;
  view.account = **std::move(name);
  view.state = word_of(claim.state);
  view.dns_name = access::proof_name(claim.domain);
  view.dns_record = access::proof_value(claim.token);
  view.zone_entry = mailauth::dkim::zone_file_entry(view.dns_name, view.dns_record);
  for (const store::AccountKey account : claim.consents) {
    auto consented = names.of(transaction, account);
    if (!consented) return fail(std::move(consented.error()));
    if (*consented) view.consents.push_back(**std::move(consented));
  }
  view.claim = std::move(claim);
  return view;
}

Result<DomainView> one_view(store::ReadTransaction& transaction, Domain claim) {
  AccountNames names;
  auto view = view_of(transaction, names, std::move(claim));
  if (!view) return fail(std::move(view.error()));
  if (!*view) return fail(ErrorKind::not_found, "there is no such account");
  return **std::move(view);
}

Result<Page<DomainView>> read_views(store::ReadTransaction& transaction,
                                    const store::DomainPlace& after, std::int64_t limit,
                                    std::optional<store::AccountKey> only) {
  auto claims = transaction.domains(after, limit);
  if (!claims) return fail(std::move(claims.error()));
  Page<DomainView> page;
  if (static_cast<std::int64_t>(claims->size()) == limit) page.next = to_text(claims->back());
  AccountNames names;
  for (Domain& claim : *claims) {
    if (only && claim.account != *only) {
      page.next.clear();
      break;
    }
    auto view = view_of(transaction, names, std::move(claim));
    if (!view) return fail(std::move(view.error()));
    if (*view) page.views.push_back(**std::move(view));
  }
  return page;
}

Result<DomainView> write_claim(store::WriteTransaction& transaction, Domain claim,
                               const std::optional<Named>& named, Instant now) {
  if (named) {
    if (auto kept = transaction.keep_answer(named->record); !kept) {
      return fail(std::move(kept.error()));
    }
  }
  if (auto held = transaction.hold_domains(); !held) return fail(std::move(held.error()));
  const auto others =
      transaction.read().domains({.account = claim.account, .domain = {}}, access::kDomainsMax);
  if (!others) return fail(others.error());
  if (static_cast<std::int64_t>(others->size()) == access::kDomainsMax &&
      others->back().account == claim.account) {
    return fail(ErrorKind::conflict,
                fmt::format("an account has at most {} domains", access::kDomainsMax));
  }
  claim.token = access::new_proof_token();
  if (claim.vouched) {
    claim.state = DomainState::proven;
    claim.proven = now;
    // An operator's word takes the place of a claim that was not proven.
    auto there = transaction.read().domain(claim.account, claim.domain);
    if (there && !there->vouched) {
      there->state = DomainState::proven;
      there->vouched = true;
      there->proven = now;
      there->failing.reset();
      there->look_at.reset();
      auto done = transaction.change_domain(*there);
      if (!done) return fail(std::move(done.error()));
      return one_view(transaction.read(), std::move(*there));
    }
  } else {
    claim.look_at = now;
  }
  auto added = transaction.add_domain(claim);
  if (!added) return fail(std::move(added.error()));
  return one_view(transaction.read(), std::move(*added));
}

// What the other account has that rests on a consent is looked at anew; what is proven ends now if
// the consent was taken back.
Result<void> look_again(store::WriteTransaction& transaction, store::AccountKey other,
                        std::string_view domain, Instant now) {
  store::DomainPlace after{.account = other, .domain = {}};
  constexpr std::int64_t kPage = 200;
  while (true) {
    const auto claims = transaction.read().domains(after, kPage);
    if (!claims) return fail(claims.error());
    for (const Domain& claim : *claims) {
      if (claim.account != other) return {};
      const auto above = access::domain_and_above(claim.domain);
      if (claim.vouched || std::ranges::find(above, domain) == above.end()) continue;
      if (claim.state == store::DomainState::proven) {
        const auto judged = access::record_finding(transaction, other, claim.domain,
                                                   access::Finding::unanswered, now);
        if (!judged) return fail(judged.error());
        if (judged->changed) continue;
      }
      Domain due = claim;
      due.look_at = now;
      if (auto noted = transaction.note_look(due); !noted) return noted;
    }
    if (static_cast<std::int64_t>(claims->size()) < kPage) return {};
    after = {.account = claims->back().account, .domain = claims->back().domain};
  }
}

struct Consent {
  store::AccountKey account{};
  std::string domain;
  store::AccountKey to{};
  bool withdrawn = false;
};

Result<DomainView> write_consent(store::WriteTransaction& transaction, const Consent& consent,
                                 Instant now) {
  // Else a look at the same moment would write the claim as it was, or this one undo the look.
  if (auto held = transaction.hold_domains(); !held) return fail(std::move(held.error()));
  auto claim = transaction.read().domain(consent.account, consent.domain);
  if (!claim) return fail(std::move(claim.error()));
  const bool there = std::ranges::find(claim->consents, consent.to) != claim->consents.end();
  if (consent.withdrawn) {
    std::erase(claim->consents, consent.to);
  } else if (!there) {
    if (claim->consents.size() >= access::kConsentsMax) {
      return fail(ErrorKind::conflict,
                  fmt::format("a domain is shared with at most {} accounts", access::kConsentsMax));
    }
    claim->consents.push_back(consent.to);
  }
  auto done = transaction.change_domain(*claim);
  if (done) done = look_again(transaction, consent.to, consent.domain, now);
  if (!done) return fail(std::move(done.error()));
  return one_view(transaction.read(), std::move(*claim));
}

}  // namespace

Task<Result<DomainView>> Operations::add_domain(NewDomain request) {
  auto domain = access::claimable_domain(request.domain);
  if (!domain) co_return fail(std::move(domain.error()));
  auto owner = co_await account(request.account);
  if (!owner) co_return fail(std::move(owner.error()));
  if (request.named && request.named->again) {
    co_return co_await store_.read([account = owner->key, name = *domain](
                                       store::ReadTransaction& reader) -> Result<DomainView> {
      auto there = reader.domain(account, name);
      if (!there) return fail(std::move(there.error()));
      return one_view(reader, std::move(*there));
    });
  }
  Domain claim;
  claim.account = owner->key;
  claim.domain = *domain;
  claim.vouched = request.vouched;
  auto view = co_await store_.write(store::WritePriority::accept,
                                    [claim, named = request.named, now = store_.clock().now()](
                                        store::WriteTransaction& transaction) {
                                      return write_claim(transaction, claim, named, now);
                                    });
  if (!view) co_return fail(std::move(view.error()));
  if (request.vouched) {
    log::info("domain vouched for", {{"account", request.account}, {"domain", *domain}});
  }
  if (auto known = co_await changed(); !known) co_return fail(std::move(known.error()));
  co_return view;
}

Task<Result<Page<DomainView>>> Operations::domains(std::string account_name, std::string after,
                                                   std::int64_t limit) {
  auto place = parse_domain_place(after);
  if (!place) co_return fail(std::move(place.error()));
  std::optional<store::AccountKey> only;
  if (!account_name.empty()) {
    auto found = co_await account(account_name);
    if (!found) co_return fail(std::move(found.error()));
    only = found->key;
    if (place->account != *only) place = store::DomainPlace{.account = *only, .domain = {}};
  }
  auto page = co_await store_.read([place = *place, limit, only](store::ReadTransaction& reader) {
    return read_views(reader, place, limit, only);
  });
  co_return page;
}

Task<Result<VerifiedDomain>> Operations::verify_domain(std::string account_name,
                                                       std::string domain) {
  auto name = access::claimable_domain(domain);
  if (!name) co_return fail(std::move(name.error()));
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  if (!options_.look_up_texts) {
    co_return fail(ErrorKind::unsupported,
                   "asking the DNS takes an engine that runs: start it, it looks by itself");
  }
  auto claim =
      co_await store_.read([key = owner->key, name = *name](store::ReadTransaction& reader) {
        return reader.domain(key, name);
      });
  if (!claim) co_return fail(std::move(claim.error()));
  const auto texts = co_await options_.look_up_texts(access::proof_name(*name));
  const auto finding = access::finding_of(texts, claim->token);
  VerifiedDomain verified;
  verified.answered = finding != access::Finding::unanswered;
  if (!verified.answered) verified.trouble = texts.error().detail;
  verified.found = finding == access::Finding::found;
  if (!verified.found) verified.instead = access::other_proof(texts, claim->token);
  auto looked = co_await store_.write(
      store::WritePriority::accept,
      [key = owner->key, name = *name, finding, now = store_.clock().now()](
          store::WriteTransaction& transaction) -> Result<std::pair<access::Looked, DomainView>> {
        auto recorded = access::record_finding(transaction, key, name, finding, now);
        if (!recorded) return fail(std::move(recorded.error()));
        auto view = one_view(transaction.read(), recorded->claim);
        if (!view) return fail(std::move(view.error()));
        return std::pair(std::move(*recorded), std::move(*view));
      });
  if (!looked) co_return fail(std::move(looked.error()));
  verified.view = std::move(looked->second);
  verified.needs_consent = std::move(looked->first.needs_consent);
  if (looked->first.changed) {
    log::info("domain looked at",
              {{"account", account_name}, {"domain", *name}, {"state", verified.view.state}});
    if (auto known = co_await changed(); !known) co_return fail(std::move(known.error()));
  }
  co_return verified;
}

Task<Result<DomainHistoryView>> Operations::domain_history(std::string account_name,
                                                           std::string domain) {
  auto name = access::claimable_domain(domain);
  if (!name) co_return fail(std::move(name.error()));
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  auto check = co_await store_.read([key = owner->key, name = *name](store::ReadTransaction& reader)
                                        -> Result<std::pair<store::DomainCheck, DomainState>> {
    const auto claim = reader.domain(key, name);
    if (!claim) return fail(claim.error());
    auto kept = reader.domain_check(key, name);
    if (!kept) return fail(std::move(kept.error()));
    return std::pair(std::move(*kept), claim->state);
  });
  if (!check) co_return fail(std::move(check.error()));
  auto history = unpack_history(check->first.found);
  if (!history) co_return fail(std::move(history.error()));
  DomainHistoryView view;
  view.account = std::move(account_name);
  view.domain = std::move(*name);
  view.history = std::move(*history);
  if (!options_.checks_domains) {
    view.not_checked = "switched_off";
  } else if (check->second != DomainState::proven) {
    view.not_checked = "not_proven";
  }
  // What was planned before does not come.
  if (view.not_checked.empty()) view.next = check->first.next;
  co_return view;
}

Task<Result<void>> Operations::remove_domain(std::string account_name, std::string domain) {
  auto name = access::claimable_domain(domain);
  if (!name) co_return fail(std::move(name.error()));
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  auto removed = co_await store_.write(store::WritePriority::accept,
                                       [key = owner->key, name = *name, now = store_.clock().now()](
                                           store::WriteTransaction& transaction) {
                                         auto done = transaction.remove_domain(key, name);
                                         if (!done) return done;
                                         return give_up_slots(transaction, key, name, now);
                                       });
  if (!removed) co_return fail(std::move(removed.error()));
  log::info("domain removed", {{"account", account_name}, {"domain", *name}});
  co_return co_await changed();
}

Task<Result<DomainView>> Operations::consent(std::string account_name, std::string domain,
                                             std::string to, bool withdrawn) {
  auto name = access::claimable_domain(domain);
  if (!name) co_return fail(std::move(name.error()));
  auto owner = co_await account(account_name);
  if (!owner) co_return fail(std::move(owner.error()));
  auto other = co_await account(to);
  if (!other) co_return fail(std::move(other.error()));
  if (other->key == owner->key) {
    co_return fail(ErrorKind::invalid_input, "an account needs no consent of its own");
  }
  const Consent consent{
      .account = owner->key, .domain = *name, .to = other->key, .withdrawn = withdrawn};
  auto view = co_await store_.write(
      store::WritePriority::accept,
      [consent, now = store_.clock().now()](store::WriteTransaction& transaction) {
        return write_consent(transaction, consent, now);
      });
  if (!view) co_return fail(std::move(view.error()));
  log::info(withdrawn ? "consent to a domain taken back" : "consent to a domain given",
            {{"account", account_name}, {"domain", *name}, {"to", to}});
  // What rested on it ended with it.
  if (auto known = co_await changed(); !known) co_return fail(std::move(known.error()));
  co_return view;
}

}  // namespace todoku::operate
