// SPDX-License-Identifier: Apache-2.0
// The bodies of webhooks, in two forms of ours (those of other services: foreign_bodies.h): the
// contract's batch, as clients of blastengine read it (blastengine-api.md section 5.4), and the
// signed form, whose payload is the one that the Standard Webhooks specification recommends. An
// event is written once, when it is read, and bodies are made of what was written, however often it
// is told. Pure; every body is bounded.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/webhooks/told_event.h"
#include "http/json.h"
#include "store/webhooks.h"

namespace todoku::events::webhooks {

// Texts of others are cut there, between characters.
inline constexpr std::size_t kMessageOctetsMax = 1'000;
inline constexpr std::size_t kSubjectOctetsMax = 1'000;
// Insert codes beyond it are left out, all of them: half a set would be read as a whole one.
inline constexpr std::size_t kInsertCodesOctetsMax = 8'192;
inline constexpr std::size_t kTagsMax = 32;

// At most so much is one event in either form, JSON's own characters and escapes included.
inline constexpr std::size_t kEventOctetsMax = std::size_t{128} << 10U;
// The contract's word of an event: "HARDERROR", "SOFTERROR", "DROP"; nullopt for what it does not
// tell: every other kind, events about many, and whatever was sent over SMTP.
[[nodiscard]] std::optional<std::string_view> contract_type(const ToldEvent& event);

// An event as bodies of one form hold it.
struct WrittenEvent {
  std::string id;
  ToldKind kind = ToldKind::test;
  Instant at;
  bool has_codes = false;  // insert codes are in it
  // JSON: the contract's object, or the service's; of the signed form the object's members.
  std::string text;
};
// What batches are measured by: about what it adds to a body.
[[nodiscard]] std::size_t octets_of(const WrittenEvent& event);

// Writes the events of a page.
class EventWriter {
 public:
  explicit EventWriter(store::WebhookForm form) : form_(form) {}
  // Of the contract's form it must have a contract_type(), of a service's a foreign_type().
  [[nodiscard]] WrittenEvent write(ToldEvent event);

 private:
  void write_signed(http::JsonWriter& json, const ToldEvent& event);
  // All before what is the recipient's.
  void begin_signed(http::JsonWriter& json, const ToldEvent& event);
  [[nodiscard]] const std::string& shared_text(const ToldEvent& event);
  // What of an event's members is its delivery's; empty: nothing.
  [[nodiscard]] const std::string& members_of(
      const std::shared_ptr<const store::EventDelivery>& delivery);

  store::WebhookForm form_;
  // Neighbours are often of one delivery.
  std::shared_ptr<const store::EventDelivery> last_;
  std::string last_members_;
  // And of one commit: what begin_signed() wrote of `last_` and these.
  std::string shared_;
  ToldKind shared_kind_ = ToldKind::test;
  Instant shared_at_;
};

// {"events":[{"event":{...}}]}.
[[nodiscard]] std::string contract_body(std::span<const WrittenEvent* const> events);

// Of one event {"type","timestamp","data"}; of several the same with type "events.batch", whose
// data is {"events":[...]}, each with its `id` beside the three.
[[nodiscard]] std::string signed_body(std::span<const WrittenEvent* const> events);

// The id of the call that tells these events: of one, its own; of several, one that follows from
// theirs, so that the same events in the same order are the same call, also after a restart.
[[nodiscard]] std::string call_id(std::span<const WrittenEvent* const> events);

}  // namespace todoku::events::webhooks
