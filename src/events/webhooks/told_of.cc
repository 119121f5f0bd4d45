// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/told_of.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "events/webhooks/foreign_bodies.h"
#include "mail/address.h"
#include "mail/labels.h"

namespace todoku::events::webhooks {
namespace {

using store::EventKind;

constexpr std::array kPairs = std::to_array<std::pair<EventKind, ToldKind>>({
    {EventKind::accepted, ToldKind::accepted},
    {EventKind::sent, ToldKind::sent},
    {EventKind::deferred, ToldKind::deferred},
    {EventKind::hard_error, ToldKind::hard_error},
    {EventKind::soft_error, ToldKind::soft_error},
    {EventKind::dropped, ToldKind::dropped},
    {EventKind::expired, ToldKind::expired},
    {EventKind::cancelled, ToldKind::cancelled},
    {EventKind::unknown, ToldKind::unknown},
    {EventKind::opened, ToldKind::opened},
    {EventKind::complained, ToldKind::complained},
    {EventKind::unsubscribed, ToldKind::unsubscribed},
    {EventKind::delivery_started, ToldKind::delivery_started},
    {EventKind::delivery_paused, ToldKind::delivery_paused},
    {EventKind::delivery_resumed, ToldKind::delivery_resumed},
    {EventKind::delivery_stopped, ToldKind::delivery_stopped},
    {EventKind::delivery_finished, ToldKind::delivery_finished},
    {EventKind::delivery_failed, ToldKind::delivery_failed},
    {EventKind::import_ended, ToldKind::import_ended},
    {EventKind::credential_held, ToldKind::credential_held},
    {EventKind::credential_released, ToldKind::credential_released},
    {EventKind::protection_warned, ToldKind::protection_warned},
    {EventKind::protection_paused, ToldKind::protection_paused},
    {EventKind::protection_resumed, ToldKind::protection_resumed},
    {EventKind::domain_broken, ToldKind::domain_broken},
    {EventKind::domain_whole, ToldKind::domain_whole},
    {EventKind::limit_near, ToldKind::limit_near},
    {EventKind::limit_reached, ToldKind::limit_reached},
});

// What the contract has a word for (contract_type()).
constexpr std::array kOfContract{EventKind::hard_error, EventKind::soft_error, EventKind::dropped,
                                 EventKind::expired};

// Whether a form that is not ours has a word for it.
bool has_word(store::WebhookForm form, EventKind kind) {
  if (form == store::WebhookForm::contract) return std::ranges::count(kOfContract, kind) > 0;
  return foreign_type(form, told_kind(kind)).has_value();
}

// Of the mail, with each of its events.
bool tells_sender(store::WebhookForm form) {
  return form == store::WebhookForm::postmark || form == store::WebhookForm::resend;
}

bool is_of_domain(std::string_view domain, std::string_view wanted) {
  if (!domain.ends_with(wanted)) return false;
  const std::size_t before = domain.size() - wanted.size();
  return before == 0 || domain[before - 1] == '.';
}

bool has_domain(const store::Delivery& head, const std::vector<std::string>& wanted) {
  const auto from = parse_address(head.content.from.address);
  return from && std::ranges::any_of(wanted, [&](const std::string& domain) {
           return is_of_domain(from->domain, domain);
         });
}

std::string_view purpose_of(const store::EventRecord& event) {
  return to_string(todoku::purpose_of(event.delivery->labels.purpose, event.delivery->type));
}

bool has_tag(const store::EventRecord& event, const std::vector<std::string>& wanted) {
  return std::ranges::any_of(event.delivery->labels.tags, [&](const std::string& tag) {
    return std::ranges::count(wanted, tag) > 0;
  });
}

}  // namespace

ToldKind told_kind(EventKind kind) {
  for (const auto& [stored, told] : kPairs) {
    if (stored == kind) return told;
  }
  return ToldKind::test;
}

std::optional<EventKind> stored_kind(ToldKind kind) {
  for (const auto& [stored, told] : kPairs) {
    if (told == kind) return stored;
  }
  return std::nullopt;
}

std::vector<EventKind> kinds_wanted(store::WebhookForm form, const store::WebhookWishes& wishes) {
  std::vector<EventKind> kinds;
  for (const std::string& word : wishes.kinds) {
    const auto told = kind_of(word);
    const auto stored = told ? stored_kind(*told) : std::nullopt;
    if (stored) kinds.push_back(*stored);
  }
  if (form == store::WebhookForm::standard) return kinds;
  if (wishes.kinds.empty()) {
    for (const auto& [stored, told] : kPairs) kinds.push_back(stored);
  }
  std::erase_if(kinds, [form](EventKind kind) { return !has_word(form, kind); });
  return kinds;
}

// No word of the list has a kind, and a question without kinds would be for all.
bool tells_any(store::WebhookForm form, const store::WebhookWishes& wishes) {
  return wishes.kinds.empty() || !kinds_wanted(form, wishes).empty();
}

bool asks_for_delivery(store::WebhookForm form, const store::WebhookWishes& wishes,
                       const store::EventRecord& event) {
  if (store::is_of_credential(event.entry.kind)) return false;
  return !event.is_gone &&
         (!wishes.domains.empty() || tells_sender(form) || store::is_of_many(event.entry.kind));
}

bool is_wanted(store::WebhookForm form, const store::WebhookWishes& wishes,
               const store::EventRecord& event, const store::Delivery* head) {
  if (event.is_gone) return false;  // there is nothing to tell of it
  if (form != store::WebhookForm::standard) {
    if (!has_word(form, event.entry.kind) || event.address.empty()) return false;
  }
  if (form == store::WebhookForm::contract && event.delivery->type == DeliveryType::smtp) {
    return false;
  }
  // About no mail: what is wished of mail does not keep the owner from hearing of it.
  if (store::is_of_credential(event.entry.kind)) return true;
  if (!wishes.domains.empty() && (head == nullptr || !has_domain(*head, wishes.domains))) {
    return false;
  }
  if (!wishes.purposes.empty() && std::ranges::count(wishes.purposes, purpose_of(event)) == 0) {
    return false;
  }
  return wishes.tags.empty() || has_tag(event, wishes.tags);
}

ToldEvent told_of(store::EventRecord event, const store::Delivery* head) {
  ToldEvent told{.id = store::event_id(event.place),
                 .kind = told_kind(event.entry.kind),
                 .at = event.entry.at,
                 .delivery = std::move(event.delivery)};
  if (const auto& credential = event.entry.credential) {
    const EventKind kind = event.entry.kind;
    (store::is_of_protection(kind)     ? told.rates_of
     : store::is_of_domain_check(kind) ? told.domain
     : store::is_of_limit(kind)        ? told.limit
                                       : told.credential) = credential->name;
    told.because = credential->because;
    return told;
  }
  if (store::is_of_many(event.entry.kind)) {
    if (head != nullptr) told.counts = head->counts;
    return told;
  }
  told.email = std::move(event.address);
  told.email_id = event.log_id;
  told.maillog_id = event.log_id;
  told.attached = std::move(event.attached);
  told.attempt = event.entry.attempt;
  told.code = event.entry.code;
  told.message = std::move(event.reply);
  told.cause = event.entry.cause;
  told.by_machine = event.entry.opened_by == store::OpenedBy::prefetch;
  if (head != nullptr) {
    told.from = head->content.from;
    told.created = head->created;
  }
  return told;
}

std::uint64_t order_key_of(const store::SheetEntry& entry) {
  if (store::is_of_many(entry.kind)) return 0;
  // Mixed, so that neighbours differ in every bit; that two recipients share one would only make
  // one of them wait for the other.
  std::uint64_t key = static_cast<std::uint64_t>(static_cast<std::int64_t>(entry.delivery));
  for (const std::uint64_t part : {std::uint64_t{entry.batch}, std::uint64_t{entry.seq}}) {
    key = (key ^ part) * 0x9E3779B97F4A7C15ULL;
    key ^= key >> 29U;
  }
  return key == 0 ? 1 : key;
}

}  // namespace todoku::events::webhooks
