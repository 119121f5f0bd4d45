// SPDX-License-Identifier: Apache-2.0
#include "intake/opt_outs.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "store/account_name.h"

namespace todoku::intake {
namespace {

constexpr std::string_view kPageActor = "unsubscribe page";

store::NewSuppression opt_out_of(const UnsubscribeToken& token, Leaves leaves) {
  const bool of_list = leaves == Leaves::list && !token.list_id.empty();
  return {.account = store::AccountKey{token.account},
          .subject = subject_of_address(token.address),
          .reason = StopReason::unsubscribe,
          .scope = of_list ? StopScope::list : StopScope::advertisements,
          .list_id = of_list ? token.list_id : std::string(),
          .note = {}};
}

// Of an account that has been removed nothing is sent.
Result<bool> has_account(store::ReadTransaction& reader, store::AccountKey account) {
  const auto found = reader.account(account);
  if (found) return true;
  if (found.error().kind == ErrorKind::not_found) return false;
  return fail(found.error());
}

// What stops mail to the address alone: not its domain's entries, and of the account.
Result<std::vector<store::Suppression>> entries_of(store::ReadTransaction& reader,
                                                   const store::NewSuppression& entry) {
  const std::array<std::string, 1> subjects{entry.subject};
  auto stops = reader.stops_of(entry.account, subjects);
  if (!stops) return fail(std::move(stops.error()));
  std::vector<store::Suppression> entries;
  for (store::StoppedSubject& found : *stops) {
    // Of an address that was erased the entry goes on under its hash (docs/personal-data.md).
    const bool is_its = !found.entry.subject.starts_with('@');
    if (is_its && found.entry.account == entry.account) entries.push_back(std::move(found.entry));
  }
  return entries;
}

const store::Suppression* find_same(const std::vector<store::Suppression>& entries,
                                    const store::NewSuppression& entry) {
  const auto found = std::ranges::find_if(entries, [&](const store::Suppression& there) {
    return there.reason == entry.reason && there.scope == entry.scope &&
           there.list_id == entry.list_id;
  });
  return found == entries.end() ? nullptr : &*found;
}

// Of the mail that the link was in, while it is stored.
Result<std::optional<store::Delivery>> delivery_of(store::ReadTransaction& reader,
                                                   const UnsubscribeToken& token) {
  auto delivery = reader.delivery_head(store::DeliveryKey{token.delivery});
  if (delivery && delivery->account == store::AccountKey{token.account}) {
    return std::optional(std::move(*delivery));
  }
  if (delivery || delivery.error().kind == ErrorKind::not_found) return std::nullopt;
  return fail(std::move(delivery.error()));
}

// The mail that the link was in, while it is stored and as long as it is that one: a store that was
// made anew gives the same numbers to other mail.
Result<std::optional<store::Story>> mail_of(store::ReadTransaction& reader,
                                            const UnsubscribeToken& token) {
  const auto delivery = delivery_of(reader, token);
  if (!delivery) return fail(delivery.error());
  if (!*delivery) return std::nullopt;
  auto story = reader.story({store::DeliveryKey{token.delivery}, token.batch, token.seq});
  if (!story && story.error().kind != ErrorKind::not_found) return fail(std::move(story.error()));
  if (!story || subject_of_address(story->address) != subject_of_address(token.address)) {
    return std::nullopt;
  }
  return std::optional(std::move(*story));
}

// Of those proven; where none is, those that its mail is signed for. Empty: too many, or none.
Result<std::vector<std::string>> domains_of(store::ReadTransaction& reader,
                                            store::AccountKey account) {
  constexpr auto kMost = OptOuts::kDomainsNamedMax;
  std::vector<std::string> names;
  const auto proven = reader.proven_domains({.account = account, .domain = {}}, kMost + 1);
  if (!proven) return fail(proven.error());
  for (const store::Domain& each : *proven) {
    if (each.account == account) names.push_back(each.domain);
  }
  if (names.empty()) {
    constexpr std::int64_t kKeysMax = 50;
    const auto keys =
        reader.dkim_keys({.account = account, .domain = {}, .selector = {}}, kKeysMax);
    if (!keys) return fail(keys.error());
    for (const store::DkimKey& each : *keys) {
      const bool is_new = names.empty() || names.back() != each.domain;
      if (each.account == account && is_new) names.push_back(each.domain);
    }
  }
  if (names.size() > kMost) names.clear();
  return names;
}

// With the event of who leaves now.
Result<store::PutSuppressions> put_opt_out(store::WriteTransaction& writer,
                                           store::NewSuppression entry,
                                           const UnsubscribeToken& token) {
  const auto mail = mail_of(writer.read(), token);
  if (!mail) return fail(mail.error());
  if (*mail) entry.cause.email_id = (*mail)->email_id;
  auto put = writer.put_suppressions({&entry, 1});
  if (put && put->made > 0 && *mail) {
    writer.tell_of_recipient(store::EventKind::unsubscribed, entry.account, (*mail)->key);
  }
  return put;
}

}  // namespace

std::optional<LeftAlready> left_already(std::span<const store::Suppression> entries,
                                        const UnsubscribeToken& token) {
  std::optional<LeftAlready> left;
  for (const store::Suppression& each : entries) {
    if (!stops(each.scope, each.list_id, Purpose::advertisement, token.list_id)) continue;
    const Leaves leaves = each.scope == StopScope::list ? Leaves::list : Leaves::advertisements;
    if (left && left->leaves == Leaves::advertisements && leaves == Leaves::list) continue;
    if (!left || left->leaves != leaves) left = LeftAlready{.leaves = leaves, .at = std::nullopt};
    if (each.reason != StopReason::unsubscribe) continue;
    left->at = std::max(each.updated, left->at.value_or(each.updated));
  }
  return left;
}

Task<Result<OptOuts::Left>> OptOuts::leave(UnsubscribeToken token, Leaves leaves) {
  store::NewSuppression entry = opt_out_of(token, leaves);
  std::string name;
  // A link that is called again and again costs no commit.
  const auto before = co_await store_.read([&](store::ReadTransaction& reader) -> Result<bool> {
    const auto account = has_account(reader, entry.account);
    if (!account) return fail(account.error());
    if (!*account) return true;
    name = store::account_name(reader, entry.account);
    auto delivery = delivery_of(reader, token);
    if (!delivery) return fail(std::move(delivery.error()));
    if (*delivery) entry.cause.delivery_id = (*delivery)->id;
    const auto entries = entries_of(reader, entry);
    if (!entries) return fail(entries.error());
    return find_same(*entries, entry) != nullptr;
  });
  if (!before) co_return fail(before.error());
  if (*before) co_return Left::before;
  entry.cause.at = store_.clock().now();
  const auto put = co_await store_.write(store::WritePriority::accept,
                                         [entry, &token](store::WriteTransaction& writer) {
                                           return put_opt_out(writer, entry, token);
                                         });
  if (!put) co_return fail(put.error());
  if (!put->refused.empty()) {
    if (leaves == Leaves::advertisements || token.list_id.empty()) {
      co_return fail(ErrorKind::limit_exceeded, "the address has as many entries as it may have");
    }
    co_return co_await leave(std::move(token), Leaves::advertisements);
  }
  if (put->made == 0) co_return Left::before;
  log::info("unsubscribed by the link", {{"account", name}, {"scope", to_string(entry.scope)}});
  co_return Left::now;
}

Task<Result<OptOuts::TakenBack>> OptOuts::take_back(UnsubscribeToken token, Leaves leaves,
                                                    Instant until) {
  const store::NewSuppression entry = opt_out_of(token, leaves);
  const Instant since = store_.clock().now() - std::chrono::hours(24);
  const Purpose purpose = Purpose::advertisement;
  std::string name;
  bool others_stop = false;
  const auto there = co_await store_.read([&](store::ReadTransaction& reader) -> Result<bool> {
    const auto entries = entries_of(reader, entry);
    if (!entries) return fail(entries.error());
    const store::Suppression* const own = find_same(*entries, entry);
    if (own == nullptr || own->updated > until) return false;
    others_stop = std::ranges::any_of(*entries, [&](const store::Suppression& each) {
      return &each != own && stops(each.scope, each.list_id, purpose, token.list_id);
    });
    const auto removals = reader.removals_of(entry.account, entry.subject);
    if (!removals) return fail(removals.error());
    const auto lately =
        std::ranges::count_if(*removals, [since](const store::SuppressionChange& change) {
          return change.actor == kPageActor && change.at > since;
        });
    if (lately >= static_cast<std::ptrdiff_t>(kTakenBackMax)) {
      return fail(ErrorKind::limit_exceeded, "it was taken back several times within a day");
    }
    name = store::account_name(reader, entry.account);
    return true;
  });
  if (!there) co_return fail(there.error());
  if (!*there) co_return TakenBack::nothing;
  const auto gone = co_await store_.write(
      store::WritePriority::accept,
      [entry](store::WriteTransaction& writer) -> Result<std::vector<store::Suppression>> {
        return writer.remove_suppressions(entry.account, entry.subject, entry.reason, entry.list_id,
                                          "its reader took it back on the page where the link led",
                                          kPageActor);
      });
  if (!gone) co_return fail(gone.error());
  if (gone->empty()) co_return TakenBack::nothing;
  log::info("opt-out taken back by its reader",
            {{"account", name}, {"scope", to_string(entry.scope)}});
  co_return others_stop ? TakenBack::not_all : TakenBack::now;
}

Task<Result<std::optional<LeftAlready>>> OptOuts::before(UnsubscribeToken token) {
  using Left = Result<std::optional<LeftAlready>>;
  co_return co_await store_.read([&token](store::ReadTransaction& reader) -> Left {
    const auto entries = entries_of(reader, opt_out_of(token, Leaves::list));
    if (!entries) return fail(entries.error());
    return left_already(*entries, token);
  });
}

Task<Result<OptOuts::Sender>> OptOuts::sender_of(UnsubscribeToken token) {
  co_return co_await store_.read([&token](store::ReadTransaction& reader) -> Result<Sender> {
    auto delivery = delivery_of(reader, token);
    if (!delivery) return fail(std::move(delivery.error()));
    if (!*delivery) {
      const auto domains = domains_of(reader, store::AccountKey{token.account});
      if (!domains) return fail(domains.error());
      return Sender{.name = {}, .address = fmt::format("{}", fmt::join(*domains, ", "))};
    }
    Mailbox& from = (*delivery)->content.from;
    return Sender{std::move(from.name), std::move(from.address)};
  });
}

}  // namespace todoku::intake
