// SPDX-License-Identifier: Apache-2.0
// An event as outsiders are told of it: everything that a body of a webhook can hold, in one plain
// value. Whoever reads events fills it in; nothing here looks anything up. It lasts until it is
// written (bodies.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "mail/address.h"
#include "mail/cause.h"
#include "store/deliveries.h"
#include "store/events.h"

namespace todoku::events::webhooks {

enum class ToldKind : std::uint8_t {
  accepted,
  sent,  // a receiver's 250: accepted there, not read
  deferred,
  hard_error,
  soft_error,  // temporary failures until it was given up
  dropped,
  expired,
  cancelled,
  unknown,
  opened,
  complained,    // calls it spam
  unsubscribed,  // leaves its list, or all advertisements
  delivery_started,
  delivery_paused,
  delivery_resumed,
  delivery_stopped,
  delivery_finished,
  delivery_failed,
  import_ended,
  credential_held,
  credential_released,
  protection_warned,
  protection_paused,
  protection_resumed,
  domain_broken,
  domain_whole,
  limit_near,
  limit_reached,
  test,  // asked for by the endpoint's owner
};

struct ToldEvent {
  std::string id;  // stable; letters, digits, "_" and "-"
  ToldKind kind = ToldKind::test;
  Instant at;
  // Never null; of no delivery, one whose id is 0.
  std::shared_ptr<const store::EventDelivery> delivery = store::EventRecord::no_delivery();

  // Of one recipient's event; the address is empty in others.
  std::string email;
  std::optional<std::int64_t> email_id;
  std::optional<std::int64_t> maillog_id;
  std::vector<std::pair<std::string, std::string>> insert_codes;  // where they may be told
  Attached attached;
  int attempt = 0;          // from 1; 0: none
  int code = 0;             // of the reply; 0: no reply
  std::string message;      // the receiver's words, or ours if there was no reply
  std::string explanation;  // Japanese: what it means; empty: nothing more than the message
  Cause cause = Cause::none;
  bool by_machine = false;  // of `opened`: before anybody read it
  // Of the mail, where its form tells it (told_of.h); else empty.
  Mailbox from;
  std::optional<Instant> created;

  // Of an event about a credential of the SMTP relay; else empty.
  std::string credential;
  // Of one about rates of bounces and complaints: whose they are; else empty.
  std::string rates_of;
  // Of one about the check of a domain; else empty.
  std::string domain;
  // Of one about a limit of mail: "mails_per_day"; else empty.
  std::string limit;
  std::string because;  // of all four

  // Of an event about many.
  std::optional<store::DeliveryCounts> counts;
};

// "recipient.hard_error", "delivery.finished", "import.ended": the type of the signed form, and the
// word by which an endpoint asks for it.
[[nodiscard]] std::string_view type_of(ToldKind kind);
[[nodiscard]] std::optional<ToldKind> kind_of(std::string_view type);
// All that may be asked for, with commas between, for who gave another word.
[[nodiscard]] std::string type_words();

}  // namespace todoku::events::webhooks
