// SPDX-License-Identifier: Apache-2.0
// What happens next with a mail, when, and what it waits for. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "explain/time_text.h"
#include "explain/way.h"
#include "store/recipients.h"

namespace todoku::explain {

// Of an SMTP credential that is held.
struct CredentialHold {
  Instant since{};
  std::string because;
};

// Why a bulk delivery waits for its bounces or complaints (store/rates.h).
struct RateHold {
  std::string site;     // at this receiver alone; empty: all of it
  std::string because;  // "hard bounces: 612 of 5000 (12.24 %); the limit is 10 %"
};

// What the sender of a bulk delivery wants of it (store/steering.h).
struct SteeredWay {
  std::optional<Instant> quiet_until;  // quiet hours go on now
  std::string pace;                    // "600/minute"; empty: none
  // At that pace so many of its mails, about, are not begun when its life ends (mail/pace.h).
  std::int64_t left_over = 0;
  std::int64_t of_all = 0;  // its mails
  Instant ends{};           // its life
};

struct StoryOptions {
  Language language = Language::english;
  Instant now;
  std::chrono::minutes offset = kJapan;  // of the times shown, east of UTC
  bool engine_running = true;            // else nothing will happen until it is started
  // The engines that run, where none of them is the one that says this: what only they know is not
  // told here. Names for people; empty: it is one that says this, or none runs.
  std::string elsewhere;
  // The engine is draining: it begins nothing more, and breaks off then what is not over.
  std::optional<Instant> drains_until;
  // Of what it takes to send, what no process on the store does: roles as engine.roles names them.
  std::vector<std::string> missing_roles;
  // How long after its start a mail is given up, for saying when.
  std::optional<Milliseconds> transactional_expiry;
  std::optional<Milliseconds> bulk_expiry;
  WayOf way_of;  // empty: nobody knows
  // By the name of the credential (Story::credential_held), as far as that is known.
  std::map<std::string, CredentialHold> holds = {};
  // By delivery, as far as that is known.
  std::map<store::DeliveryKey, std::vector<RateHold>> rate_holds = {};
  // Of those that go to a few at each receiver first: when the others follow.
  std::map<store::DeliveryKey, Instant> canaries = {};
  std::map<store::DeliveryKey, SteeredWay> steered = {};
  // Of those that wait for a second person's word: until when they do.
  std::map<store::DeliveryKey, Instant> approvals = {};
  // By delivery: the mail (email_id) that it says once more.
  std::map<store::DeliveryKey, store::PublicId> resend_of = {};
  // Deliveries that say this mail once more, the latest first.
  std::map<store::RecipientKey, std::vector<store::PublicId>> resends = {};
  // There are more mails than are told of; of so many if that is known, else 0.
  bool more = false;
  std::int64_t of_all = 0;
  bool of_address = true;  // mails to one address are told of
};

// It is not over and does not go on by itself: its account, its delivery, its receiver or its SMTP
// credential is held back, or it is set aside. What is being sent just now goes on.
[[nodiscard]] bool waits_for_a_person(const store::Story& story, const StoryOptions& options);

// That its pace is too slow for its life, with a space before it; empty: it is not.
[[nodiscard]] std::string too_slow(const SteeredWay& way, Language language,
                                   std::chrono::minutes offset);

// One line.
[[nodiscard]] std::string next_step(const store::Story& story, const StoryOptions& options);

}  // namespace todoku::explain
