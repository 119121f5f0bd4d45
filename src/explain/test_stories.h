// SPDX-License-Identifier: Apache-2.0
// Stories for the tests of this module.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "explain/next_step.h"
#include "store/recipients.h"

namespace todoku::explain {

using namespace std::chrono_literals;

// 2026-01-05 10:00:00 in Japan.
inline constexpr Instant kStart = from_epoch_ms(1'767'574'800'000);

inline store::Story base_story() {
  return {.account = "shop",
          .delivery_id = 12,
          .email_id = 34,
          .type = DeliveryType::transaction,
          .delivery_status = DeliveryStatus::sending,
          .subject = "ご注文の確認",
          .from = "shop@example.com",
          .address = "taro@example.jp",
          .created = kStart,
          .reservation = std::nullopt,
          .started = kStart,
          .state = RecipientState::pending,
          .due = std::nullopt,
          .attempts = {}};
}

inline store::Attempt attempt(std::uint16_t number, Milliseconds after, RecipientState state,
                              Stage stage, Reply reply) {
  return {.number = number,
          .at = kStart + after,
          .duration = 230ms,
          .outcome = {.state = state, .stage = stage, .reply = std::move(reply)},
          .path = {.mx_host = "mx1.example.jp",
                   .remote_ip = "192.0.2.25",
                   .egress_source = "tokyo-1",
                   .tls = TlsUse::verified,
                   .tls_detail = "TLSv1.3 TLS_AES_256_GCM_SHA384"}};
}

inline store::Story greylisted() {
  store::Story story = base_story();
  story.state = RecipientState::deferred;
  story.due = kStart + 6min;
  story.attempts = {
      attempt(1, 1s, RecipientState::deferred, Stage::rcpt_to,
              {450,
               "4.2.0 <taro@example.jp>: Recipient address rejected:\n"
               "Greylisted, see http://postgrey.example/"}),
      attempt(2, 61s, RecipientState::deferred, Stage::rcpt_to, {450, "4.2.0 Greylisted"})};
  return story;
}

inline store::Story delivered() {
  store::Story story = greylisted();
  story.state = RecipientState::delivered;
  story.due.reset();
  story.attempts.push_back(attempt(3, 361s, RecipientState::delivered, Stage::accepted,
                                   {250, "2.0.0 Ok: queued as 4Fk2"}));
  return story;
}

inline store::Story came_back() {
  store::Story story = delivered();
  story.state = RecipientState::bounced;
  auto back = attempt(4, 2h, RecipientState::bounced, Stage::rcpt_to, {550, "5.1.1 User unknown"});
  back.outcome.is_attempt = false;
  back.outcome.cause = Cause::mailbox;
  back.path = {};
  story.attempts.push_back(back);
  return story;
}

inline store::Story unreachable() {
  store::Story story = base_story();
  story.type = DeliveryType::bulk;
  story.state = RecipientState::expired;
  auto last = attempt(9, 24h, RecipientState::expired, Stage::connect,
                      {0, "connection timed out after 30 s"});
  last.path = {.mx_host = "mx.example.jp",
               .remote_ip = "",
               .egress_source = "tokyo-1",
               .tls = TlsUse::none,
               .tls_detail = ""};
  story.attempts = {last};
  return story;
}

inline store::Story reserved() {
  store::Story story = base_story();
  story.type = DeliveryType::bulk;
  story.delivery_status = DeliveryStatus::reserve;
  story.reservation = kStart + 3h;
  story.started.reset();
  return story;
}

inline store::Story set_aside() {
  store::Story story = base_story();
  story.due = story.expires = kStart + 20h;
  story.set_aside = true;
  auto put_by = attempt(1, 65s, RecipientState::deferred, Stage::none,
                        {0,
                         "4.3.0 set aside: 2 times a process died with this mail alone in hand; it "
                         "waits for an operator"});
  put_by.outcome.is_attempt = false;
  put_by.path = {};
  story.attempts = {put_by};
  return story;
}

inline store::Story cannot_be_made() {
  store::Story story = greylisted();
  auto unmade = attempt(3, 90s, RecipientState::deferred, Stage::none,
                        {0, "4.3.5 there is no DKIM key s1 of example.com"});
  unmade.outcome.is_attempt = false;
  unmade.path = {};
  story.attempts.push_back(unmade);
  story.due = kStart + 90s + 15min;
  return story;
}

inline store::Story too_large() {
  store::Story story = base_story();
  story.state = RecipientState::dropped;
  auto unmade = attempt(1, 2s, RecipientState::dropped, Stage::none,
                        {0,
                         "5.3.4 not made: its insert codes make it about 31457280 octets, the "
                         "limit is 26214400"});
  unmade.outcome.is_attempt = false;
  unmade.path = {};
  story.attempts = {unmade};
  return story;
}

inline StoryOptions options(Language language) {
  return {
      .language = language, .now = kStart + 2min, .transactional_expiry = 24h, .bulk_expiry = 24h};
}

}  // namespace todoku::explain
