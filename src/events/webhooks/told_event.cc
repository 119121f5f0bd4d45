// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/told_event.h"

#include <array>

namespace todoku::events::webhooks {
namespace {

struct Word {
  ToldKind kind;
  std::string_view type;
};

// Dotted as the Standard Webhooks specification advises ("Event types"); the kind's own name, less
// what the first word says.
constexpr std::array kWords = std::to_array<Word>({
    {ToldKind::accepted, "recipient.accepted"},
    {ToldKind::sent, "recipient.sent"},
    {ToldKind::deferred, "recipient.deferred"},
    {ToldKind::hard_error, "recipient.hard_error"},
    {ToldKind::soft_error, "recipient.soft_error"},
    {ToldKind::dropped, "recipient.dropped"},
    {ToldKind::expired, "recipient.expired"},
    {ToldKind::cancelled, "recipient.cancelled"},
    {ToldKind::unknown, "recipient.unknown"},
    {ToldKind::opened, "recipient.opened"},
    {ToldKind::complained, "recipient.complained"},
    {ToldKind::unsubscribed, "recipient.unsubscribed"},
    {ToldKind::delivery_started, "delivery.started"},
    {ToldKind::delivery_paused, "delivery.paused"},
    {ToldKind::delivery_resumed, "delivery.resumed"},
    {ToldKind::delivery_stopped, "delivery.stopped"},
    {ToldKind::delivery_finished, "delivery.finished"},
    {ToldKind::delivery_failed, "delivery.failed"},
    {ToldKind::import_ended, "import.ended"},
    {ToldKind::credential_held, "credential.held"},
    {ToldKind::credential_released, "credential.released"},
    {ToldKind::protection_warned, "protection.warned"},
    {ToldKind::protection_paused, "protection.paused"},
    {ToldKind::protection_resumed, "protection.resumed"},
    {ToldKind::domain_broken, "domain.broken"},
    {ToldKind::domain_whole, "domain.whole"},
    {ToldKind::limit_near, "limit.near"},
    {ToldKind::limit_reached, "limit.reached"},
    {ToldKind::test, "endpoint.test"},
});

}  // namespace

std::string_view type_of(ToldKind kind) {
  for (const Word& word : kWords) {
    if (word.kind == kind) return word.type;
  }
  return "endpoint.test";
}

std::string type_words() {
  std::string words;
  for (const Word& word : kWords) {
    if (word.kind == ToldKind::test) continue;
    if (!words.empty()) words += ", ";
    words += word.type;
  }
  return words;
}

std::optional<ToldKind> kind_of(std::string_view type) {
  for (const Word& word : kWords) {
    if (word.type == type) return word.kind;
  }
  return std::nullopt;
}

}  // namespace todoku::events::webhooks
