// SPDX-License-Identifier: Apache-2.0
#include "operate/key_slots.h"

#include <deque>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "operate/key_zone.h"

namespace todoku::operate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr Instant kStart{std::chrono::days(20'000)};
constexpr SlotPace kPace{.settle = 1h, .every = std::chrono::days(90)};

std::vector<SlotKey> keys_named(std::string_view name) {
  return {{.algorithm = "rsa-sha256",
           .sealed_private_key = std::string("s\0", 2) + std::string(name),
           .dns_record = fmt::format("v=DKIM1; k=rsa; p={}", name)},
          {.algorithm = "ed25519-sha256",
           .sealed_private_key = "e",
           .dns_record = fmt::format("v=DKIM1; k=ed25519; p={}", name)}};
}

// A domain whose first keys sign since kStart + 1 h.
KeySlots signing_slots() {
  KeySlots slots;
  slots.zone = "dkim.example.com";
  keys_made(slots, 0, keys_named("one"), kStart);
  zone_told(slots);
  EXPECT_FALSE(seen(slots, 0, kPace, kStart));
  EXPECT_TRUE(seen(slots, 0, kPace, kStart + 1h));
  return slots;
}

TEST(KeySlots, KeysArePublishedSeenAndSettledBeforeTheySign) {
  KeySlots slots;
  SlotDue due = due_work(slots, kPace, kStart);
  EXPECT_EQ(due.work, SlotWork::make_keys);
  keys_made(slots, due.slot, keys_named("one"), kStart);
  due = due_work(slots, kPace, kStart);
  EXPECT_EQ(due.work, SlotWork::publish);
  EXPECT_EQ(due.at, kStart);
  zone_told(slots);
  EXPECT_EQ(due_work(slots, kPace, kStart).work, SlotWork::look);
  not_seen(slots, 0, SlotFault::alias_missing, "ns1.example.jp", kStart);
  EXPECT_EQ(due_work(slots, kPace, kStart).at, kStart + 5s);
  EXPECT_FALSE(seen(slots, 0, kPace, kStart + 10s));
  EXPECT_EQ(slots.fault, SlotFault::none);
  due = due_work(slots, kPace, kStart + 10s);
  EXPECT_EQ(due.work, SlotWork::look) << "once more, when nobody remembers anything else";
  EXPECT_EQ(due.at, kStart + 10s + 1h);
  EXPECT_FALSE(seen(slots, 0, kPace, kStart + 20s)) << "too early";
  EXPECT_TRUE(seen(slots, 0, kPace, kStart + 10s + 1h));
  EXPECT_EQ(slots.slots[0].stage, SlotStage::signing);
}

TEST(KeySlots, WhatIsGoneWhileItSettlesIsWaitedForAnew) {
  KeySlots slots;
  keys_made(slots, 0, keys_named("one"), kStart);
  zone_told(slots);
  (void)seen(slots, 0, kPace, kStart);
  not_seen(slots, 0, SlotFault::zone_lacks, "ns2.example.com", kStart + 1h);
  EXPECT_EQ(slots.slots[0].stage, SlotStage::published);
  EXPECT_FALSE(seen(slots, 0, kPace, kStart + 2h));
  EXPECT_EQ(due_work(slots, kPace, kStart + 2h).at, kStart + 3h);
}

TEST(KeySlots, AZoneThatHasLostWhatItWasToldIsToldAllAgain) {
  KeySlots slots = signing_slots();
  keys_made(slots, 1, keys_named("two"), kStart + 2h);
  zone_told(slots);
  not_seen(slots, 1, SlotFault::zone_lacks, "ns1.example.com", kStart + 2h);
  not_seen(slots, 1, SlotFault::zone_lacks, "ns1.example.com", kStart + 2h + 59s);
  EXPECT_EQ(due_work(slots, kPace, kStart + 3h).work, SlotWork::look) << "it may be on its way";
  not_seen(slots, 1, SlotFault::zone_lacks, "ns1.example.com", kStart + 2h + 60s);
  EXPECT_EQ(due_work(slots, kPace, kStart + 3h).work, SlotWork::publish);
  EXPECT_FALSE(slots.slots[0].in_zone) << "those that sign, too";
  EXPECT_EQ(slots.slots[0].stage, SlotStage::signing);
  zone_told(slots);
  EXPECT_EQ(due_work(slots, kPace, kStart + 3h).work, SlotWork::look);
}

TEST(KeySlots, ThoseThatSignAreLookedAtAgainAndAgain) {
  KeySlots slots = signing_slots();
  const Instant begun = kStart + 1h;
  EXPECT_EQ(due_watch(slots).work, SlotWork::watch);
  EXPECT_EQ(due_watch(slots).at, begun + kSlotWatchedEvery);
  watched(slots, 0, begun + 6h);
  EXPECT_EQ(due_watch(slots).at, begun + 12h);
  missed(slots, 0, SlotFault::alias_missing, "ns1.example.jp", begun + 12h);
  EXPECT_EQ(due_watch(slots).at, begun + 12h + 5s) << "soon: it may be a moment's";
  EXPECT_FALSE(is_gone(slots, begun + 12h + 9min));
  EXPECT_TRUE(is_gone(slots, begun + 12h + kSlotGone));
  EXPECT_EQ(slots.slots[0].stage, SlotStage::signing);
  missed(slots, 0, SlotFault::alias_silent, "ns1.example.jp", begun + 13h);
  EXPECT_FALSE(is_gone(slots, begun + 13h)) << "nobody has said so";
  EXPECT_EQ(due_watch(slots).at, begun + 13h + 450s);
  missed(slots, 0, SlotFault::alias_missing, "ns1.example.jp", begun + 14h);
  EXPECT_FALSE(is_gone(slots, begun + 14h)) << "hours of silence do not count";
  missed(slots, 0, SlotFault::not_through, "ns1.example.jp", begun + 14h + 5min);
  EXPECT_TRUE(is_gone(slots, begun + 14h + kSlotGone));
  watched(slots, 0, begun + 14h);
  EXPECT_EQ(slots.fault, SlotFault::none);
  EXPECT_EQ(due_watch(slots).at, begun + 20h);
}

TEST(KeySlots, ThoseThatSignAreToldAgainToAZoneThatHasLostThem) {
  KeySlots slots = signing_slots();
  missed(slots, 0, SlotFault::zone_lacks, "ns1.example.com", kStart + 7h);
  EXPECT_TRUE(slots.slots[0].in_zone) << "a server may be late";
  missed(slots, 0, SlotFault::zone_lacks, "ns1.example.com", kStart + 7h + 1min);
  EXPECT_EQ(due_watch(slots).work, SlotWork::none);
  EXPECT_EQ(due_work(slots, kPace, kStart + 8h).work, SlotWork::publish);
  zone_told(slots);
  EXPECT_EQ(due_watch(slots).work, SlotWork::watch);
}

// New ones may wait for years to be published.
TEST(KeySlots, ThoseThatSignAreLookedAtWhileNewOnesWait) {
  KeySlots slots = signing_slots();
  const Instant begun = kStart + 1h;
  keys_made(slots, 1, keys_named("two"), kStart + 2h);
  zone_told(slots);
  EXPECT_EQ(due_watch(slots).work, SlotWork::watch);
  EXPECT_EQ(due_watch(slots).at, begun + kSlotWatchedEvery);
  not_seen(slots, 1, SlotFault::alias_missing, "ns1.example.jp", kStart + 2h);
  EXPECT_FALSE(is_gone(slots, kStart + 3h)) << "those are the new ones";
  EXPECT_EQ(due_watch(slots).at, begun + kSlotWatchedEvery) << "nor are they looked at oftener";
  missed(slots, 0, SlotFault::not_through, "192.0.2.1", kStart + 7h);
  EXPECT_EQ(slots.fault, SlotFault::alias_missing) << "of the new ones";
  EXPECT_TRUE(is_gone(slots, kStart + 7h + kSlotGone));
  EXPECT_EQ(trouble_of_signing(slots).where, "192.0.2.1");
  const auto stored = unpack_slots(pack_slots(slots));
  ASSERT_TRUE(stored);
  EXPECT_EQ(pack_slots(*stored), pack_slots(slots));
  EXPECT_TRUE(is_gone(*stored, kStart + 7h + kSlotGone));
  EXPECT_FALSE(seen(slots, 1, kPace, kStart + 8h));
  EXPECT_TRUE(is_gone(slots, kStart + 8h)) << "those that settle do not sign yet";
  watched(slots, 0, kStart + 9h);
  EXPECT_FALSE(is_gone(slots, kStart + 10h));
  not_seen(slots, 1, SlotFault::zone_lacks, "ns1.example.com", kStart + 10h);
  watched(slots, 0, kStart + 10h);
  EXPECT_EQ(slots.fault, SlotFault::zone_lacks) << "the new ones are as they are";
}

TEST(KeySlots, WhatIsTheMatterWithThoseThatSignStaysTheirsWhenNewOnesAreMade) {
  KeySlots slots = signing_slots();
  missed(slots, 0, SlotFault::alias_missing, "ns1.example.jp", kStart + 7h);
  keys_made(slots, 1, keys_named("two"), kStart + 8h);
  EXPECT_EQ(slots.fault, SlotFault::none);
  EXPECT_TRUE(is_gone(slots, kStart + 8h));
  zone_told(slots);
  EXPECT_FALSE(seen(slots, 1, kPace, kStart + 8h));
  EXPECT_TRUE(seen(slots, 1, kPace, kStart + 8h + kPace.settle));
  EXPECT_FALSE(is_gone(slots, kStart + 9h)) << "they sign no more";
}

TEST(KeySlots, ThoseThatEndAreNotLookedAt) {
  KeySlots slots = signing_slots();
  end_slots(slots, kStart + 3h);
  EXPECT_EQ(due_watch(slots).work, SlotWork::none);
}

TEST(KeySlots, TheNextKeysComeByTimeOrWhenAskedForAndTheOldOnesStay) {
  KeySlots slots = signing_slots();
  const Instant begun = kStart + 1h;
  EXPECT_EQ(due_work(slots, kPace, begun).at, begun + std::chrono::days(90));
  const SlotPace never{.settle = 1h, .every = 0h};
  EXPECT_EQ(due_work(slots, never, begun).work, SlotWork::none);
  slots.asked = true;
  SlotDue due = due_work(slots, never, begun + 1h);
  EXPECT_EQ(due.work, SlotWork::make_keys);
  EXPECT_EQ(due.slot, 1U);
  const Instant made = begun + 1h;
  keys_made(slots, 1, keys_named("two"), made);
  EXPECT_FALSE(slots.asked);
  zone_told(slots);
  (void)seen(slots, 1, never, made);
  ASSERT_TRUE(seen(slots, 1, never, made + 1h));
  EXPECT_EQ(slots.slots[0].stage, SlotStage::leaving);
  due = due_work(slots, never, made + 1h);
  EXPECT_EQ(due.work, SlotWork::count);
  EXPECT_EQ(due.at, made + 2h) << "who has not heard of the new key begins with the old one";
  counted(slots, 0, true, made + 2h);
  EXPECT_EQ(due_work(slots, never, made + 2h).at, made + 3h);
  counted(slots, 0, false, made + 3h);
  due = due_work(slots, never, made + 3h);
  EXPECT_EQ(due.work, SlotWork::free_slot);
  EXPECT_EQ(due.at, made + 3h + kSlotOverlap);
  slots.asked = true;
  EXPECT_EQ(due_work(slots, never, made + 4h).work, SlotWork::free_slot) << "no slot is free";
  freed(slots, 0, due.at);
  EXPECT_EQ(due_work(slots, never, due.at).work, SlotWork::publish) << "the record goes first";
  zone_told(slots);
  EXPECT_EQ(due_work(slots, never, due.at).work, SlotWork::make_keys);
}

TEST(KeySlots, ADomainWhoseServersAreSilentIsLookedAtMoreAndMoreRarely) {
  for (const SlotFault fault : {SlotFault::alias_silent, SlotFault::alias_missing}) {
    const bool is_silent = fault == SlotFault::alias_silent;
    KeySlots slots;
    keys_made(slots, 0, keys_named("one"), kStart);
    zone_told(slots);
    not_seen(slots, 0, fault, "ns1.example.jp", kStart + 4h);
    EXPECT_EQ(due_work(slots, kPace, kStart + 4h).at, kStart + 4h + (is_silent ? 30min : 15min));
    not_seen(slots, 0, fault, "ns1.example.jp", kStart + 100h);
    EXPECT_EQ(due_work(slots, kPace, kStart + 100h).at, kStart + 100h + (is_silent ? 2h : 15min));
    KeySlots signing = signing_slots();
    missed(signing, 0, fault, "ns1.example.jp", kStart + 10h);
    missed(signing, 0, fault, "ns1.example.jp", kStart + 100h);
    EXPECT_EQ(due_watch(signing).at, kStart + 100h + (is_silent ? 2h : 15min));
  }
}

TEST(KeySlots, AnEndComesWhenOtherKeysSign) {
  KeySlots slots = signing_slots();
  slots.asked = true;
  keys_made(slots, 1, keys_named("two"), kStart + 2h);
  end_slots(slots, kStart + 3h);
  EXPECT_EQ(slots.slots[1].stage, SlotStage::free) << "it never signed";
  EXPECT_EQ(due_work(slots, kPace, kStart + 3h).work, SlotWork::look_for_others);
  no_others(slots, 0, kStart + 3h);
  others_sign(slots, 0, kStart + 4h);
  counted(slots, 0, false, kStart + 5h);
  freed(slots, 0, kStart + 5h + kSlotOverlap);
  EXPECT_EQ(due_work(slots, kPace, kStart + 5h + kSlotOverlap).work, SlotWork::publish);
  zone_told(slots);
  EXPECT_EQ(due_work(slots, kPace, kStart + 5h + kSlotOverlap).work, SlotWork::remove);
}

TEST(KeySlots, AFaultIsKeptSinceItBeganAndStallsAfterADay) {
  KeySlots slots = signing_slots();
  slots.asked = true;
  keys_made(slots, 1, keys_named("two"), kStart + 2h);
  zone_not_told(slots, SlotFault::not_written, "exit status 2", kStart + 2h);
  EXPECT_EQ(due_work(slots, kPace, kStart + 2h).at, kStart + 2h + 5s);
  zone_not_told(slots, SlotFault::not_written, "exit status 3", kStart + 20h);
  EXPECT_EQ(*slots.fault_since, kStart + 2h);
  EXPECT_EQ(due_work(slots, kPace, kStart + 20h).at, kStart + 20h + 15min);
  EXPECT_FALSE(is_stalled(slots, kStart + 25h));
  EXPECT_TRUE(is_stalled(slots, kStart + 26h));
  EXPECT_EQ(slots.slots[0].stage, SlotStage::signing) << "the old one signs meanwhile";
  zone_told(slots);
  EXPECT_FALSE(is_stalled(slots, kStart + 30h));
}

TEST(KeySlots, WhatAResolverSaidIsSaidInJapanese) {
  const std::string said =
      fault_words(SlotFault::alias_silent,
                  "a.example.jp: no answer for a.example.jp within 2000 ms", Language::japanese);
  EXPECT_NE(said.find("2000 ミリ秒以内に"), said.npos) << said;
}

TEST(KeySlots, AreTheSameFromTheStore) {
  KeySlots slots = signing_slots();
  slots.asked = true;
  slots.fault = SlotFault::alias_missing;
  slots.where = "ns1.example.jp (192.0.2.1) \n日本";
  slots.fault_since = kStart;
  slots.slots[1].tried = kStart + 5s;
  const std::string packed = pack_slots(slots);
  const auto read = unpack_slots(packed);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(pack_slots(*read), packed);
  EXPECT_EQ(read->where, slots.where);
  EXPECT_EQ(read->slots[0].keys[0].sealed_private_key, slots.slots[0].keys[0].sealed_private_key);
  EXPECT_EQ(read->slots[0].since, slots.slots[0].since);
  EXPECT_FALSE(unpack_slots("").has_value());
  EXPECT_FALSE(unpack_slots(packed + "more\n").has_value());
  EXPECT_FALSE(unpack_slots(packed.substr(0, packed.size() / 2)).has_value());
  EXPECT_FALSE(unpack_slots("2" + packed.substr(1)).has_value());
}

TEST(KeySlots, SelectorsStayTheSameAndAreAnAccountsOwn) {
  using enum mailauth::dkim::KeyAlgorithm;
  EXPECT_EQ(slot_selector(store::AccountKey{12}, rsa, 0), "td12ra");
  EXPECT_EQ(slot_selector(store::AccountKey{12}, ed25519, 1), "td12eb");
  EXPECT_TRUE(is_slot_selector("td12ra"));
  for (const char* other : {"r20260105", "tdra", "td12rc", "td12xa", "tdx2ra", "xtd12ra", ""}) {
    EXPECT_FALSE(is_slot_selector(other)) << other;
  }
  const auto names = slot_names(store::AccountKey{1}, "example.jp", "dkim.example.com", 1);
  ASSERT_TRUE(names.has_value());
  EXPECT_EQ((*names)[0].name, "td1rb._domainkey.example.jp");
  EXPECT_EQ((*names)[1].alias, "td1eb.example.jp.dkim.example.com");
  const std::string label(60, 'a');
  const auto too_long = slot_names(store::AccountKey{1}, fmt::format("{0}.{0}.{0}.jp", label),
                                   fmt::format("{0}.example.com", label), 0);
  ASSERT_FALSE(too_long.has_value());
  EXPECT_THAT(too_long.error().detail, HasSubstr("253"));
}

TEST(KeyZone, IsWrittenTheSameWhateverTheOrder) {
  const ZoneTerms terms{.zone = "dkim.example.com",
                        .name_servers = {"ns1.example.com", "ns2.example.com"},
                        .ttl = 60};
  const std::string text(300, 'k');
  const std::string body =
      zone_body({{"b.dkim.example.com", text}, {"a.dkim.example.com", "v=DKIM1"}}, 60);
  EXPECT_EQ(body, zone_body({{"a.dkim.example.com", "v=DKIM1"}, {"b.dkim.example.com", text}}, 60));
  EXPECT_EQ(zone_file(terms, 7, body),
            "; Written by todoku, which writes it anew with each change: nothing else is kept.\n"
            "dkim.example.com. 60 IN SOA ns1.example.com. hostmaster.dkim.example.com. 7 3600 600 "
            "1209600 60\n"
            "dkim.example.com. 60 IN NS ns1.example.com.\n"
            "dkim.example.com. 60 IN NS ns2.example.com.\n"
            "a.dkim.example.com. 60 IN TXT \"v=DKIM1\"\n"
            "b.dkim.example.com. 60 IN TXT \"" +
                std::string(255, 'k') + "\" \"" + std::string(45, 'k') + "\"\n");
}

TEST(KeyZone, ChangesAreOneUpdate) {
  const ZoneTerms terms{.zone = "dkim.example.com", .name_servers = {}, .ttl = 60};
  const std::vector<ZoneChange> changes{{"a.dkim.example.com", "v=DKIM1; p=x"},
                                        {"b.dkim.example.com", std::nullopt}};
  EXPECT_EQ(zone_update(terms, changes),
            "zone dkim.example.com.\n"
            "update delete a.dkim.example.com. TXT\n"
            "update add a.dkim.example.com. 60 TXT \"v=DKIM1; p=x\"\n"
            "update delete b.dkim.example.com. TXT\n"
            "send\n");
}

TEST(KeyZone, SerialsOnlyRise) {
  const Instant now = kStart;
  const auto seconds = static_cast<std::uint32_t>(20'000 * 86'400);
  EXPECT_EQ(next_serial(0, now), seconds);
  EXPECT_EQ(next_serial(seconds, now), seconds + 1) << "twice in a second";
  EXPECT_EQ(next_serial(seconds + 100, now), seconds + 101) << "a clock that was set back";
  EXPECT_EQ(next_serial(0xFFFF'FFFF, Instant(std::chrono::seconds(0xFFFF'FFFE))), 1U);
}

TEST(KeyZone, WhoWritesIsRemembered) {
  ZoneState state{.serial = 7, .digest = "abc", .holder = "node-3", .until = kStart};
  const auto read = unpack_zone(pack_zone(state));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(pack_zone(*read), pack_zone(state));
  EXPECT_EQ(read->until, state.until);
  EXPECT_EQ(pack_zone(*unpack_zone(pack_zone({}))), pack_zone({}));
  for (const char* wrong : {"", "2 0 - - -", "1 x - - -", "1 0 - - -  more", "1 0 - - x"}) {
    EXPECT_FALSE(unpack_zone(wrong).has_value()) << wrong;
  }
}

// A world in which the zone is told late or not at all, its servers are apart, resolvers remember,
// processes hear late of what signs, and die at any moment. In it no receiver may ever look up the
// key of a signature and get anything but that key.
class RotatingWorld {
 public:
  explicit RotatingWorld(unsigned seed) : random_(seed) { row_.zone = "dkim.example.com"; }

  void run(std::chrono::days long_enough) {
    const Instant end = kStart + long_enough;
    while (now_ < end) {
      step();
      now_ += std::chrono::minutes(1 + random_() % 40);
      serve();
      send();
      receive();
    }
  }
  [[nodiscard]] int changes() const { return changes_; }
  [[nodiscard]] int signatures() const { return signatures_; }

 private:
  static constexpr std::size_t kServers = 2;
  struct Served {
    Instant since;
    std::string text;
  };
  using History = std::deque<Served>;  // what a server says of a name, the latest last
  struct Mail {
    std::size_t slot;
    std::string text;  // of the key that signed it
    Instant arrives;
  };
  struct Delivery {
    std::size_t slot;
    Instant until;
  };

  bool happens(unsigned in) { return random_() % in == 0; }

  [[nodiscard]] static std::string text_of(const KeySlot& slot) {
    return slot.stage == SlotStage::free ? std::string() : slot.keys[0].dns_record;
  }

  // One step of whoever rotates. What it finds is stored, or dies with it.
  void step() {
    KeySlots next = row_;
    const SlotDue due = due_work(next, pace_, now_);
    if (due.work == SlotWork::none || due.at > now_) return;
    switch (due.work) {
      case SlotWork::make_keys:
        keys_made(next, due.slot, keys_named(fmt::format("k{}", ++made_)), now_);
        break;
      case SlotWork::publish:
        if (happens(4)) {
          zone_not_told(next, SlotFault::not_written, "hook", now_);
          break;
        }
        for (std::size_t i = 0; i < kSlots; ++i) wanted_[i] = text_of(next.slots[i]);
        zone_told(next);
        break;
      case SlotWork::look:
        if (!is_everywhere(due.slot, text_of(next.slots[due.slot])) || happens(10)) {
          not_seen(next, due.slot, SlotFault::zone_lacks, "ns", now_);
        } else if (seen(next, due.slot, pace_, now_) && !happens(3)) {
          ++changes_;
          was_signing_ = signing_;
          signing_ = due.slot;
          signing_since_ = now_;
        } else if (next.slots[due.slot].stage == SlotStage::signing) {
          return;  // it died before that was stored
        }
        break;
      case SlotWork::count:
        counted(next, due.slot, is_pinned(due.slot), now_);
        break;
      case SlotWork::free_slot:
        EXPECT_FALSE(is_pinned(due.slot));
        freed(next, due.slot, now_);
        break;
      default:
        FAIL() << "nothing else is due";
    }
    if (due.work != SlotWork::look && happens(5)) return;  // as above
    row_ = std::move(next);
    if (happens(20)) row_.asked = true;
  }

  [[nodiscard]] bool is_everywhere(std::size_t slot, const std::string& text) const {
    return std::ranges::all_of(servers_, [&](const auto& server) {
      return !server[slot].empty() && server[slot].back().text == text;
    });
  }
  [[nodiscard]] bool is_pinned(std::size_t slot) const {
    return std::ranges::any_of(deliveries_,
                               [&](const Delivery& each) { return each.slot == slot; });
  }

  // Each server takes over what it was told when it likes.
  void serve() {
    for (auto& server : servers_) {
      if (!happens(3)) continue;
      for (std::size_t i = 0; i < kSlots; ++i) {
        if (!server[i].empty() && server[i].back().text == wanted_[i]) continue;
        server[i].push_back({now_, wanted_[i]});
      }
    }
  }

  void send() {
    std::erase_if(deliveries_, [this](const Delivery& each) { return each.until < now_; });
    if (signing_ && happens(20)) {
      const bool is_heard = now_ >= signing_since_ + kSlotHeardWithin || happens(2);
      const std::size_t slot = is_heard ? *signing_ : was_signing_.value_or(*signing_);
      deliveries_.push_back({slot, now_ + std::chrono::minutes(random_() % (10 * 24 * 60))});
    }
    if (deliveries_.size() > 40) deliveries_.erase(deliveries_.begin());
    if (deliveries_.empty()) return;
    const Delivery& some = deliveries_[random_() % deliveries_.size()];
    const KeySlot& slot = row_.slots[some.slot];
    ASSERT_NE(slot.stage, SlotStage::free) << "its key is gone";
    ASSERT_NE(slot.stage, SlotStage::published);
    ASSERT_NE(slot.stage, SlotStage::settling);
    ++signatures_;
    const auto on_its_way = std::chrono::minutes(happens(2) ? 0 : random_() % (6 * 24 * 60));
    mails_.push_back({some.slot, text_of(slot), now_ + on_its_way});
  }

  // A receiver gets what any server has said within a TTL.
  void receive() {
    for (const Mail& mail : mails_) {
      if (mail.arrives > now_) continue;
      for (const auto& server : servers_) {
        const History& said = server[mail.slot];
        for (std::size_t i = 0; i < said.size(); ++i) {
          const bool is_over = i + 1 < said.size() && said[i + 1].since + pace_.settle < now_;
          if (!is_over) ASSERT_EQ(said[i].text, mail.text) << "seen by a receiver";
        }
      }
    }
    std::erase_if(mails_, [this](const Mail& each) { return each.arrives <= now_; });
  }

  std::mt19937 random_;
  const SlotPace pace_{.settle = 1h, .every = std::chrono::days(20)};
  Instant now_ = kStart;
  KeySlots row_;
  int made_ = 0;
  int changes_ = 0;
  int signatures_ = 0;
  std::array<std::string, kSlots> wanted_;
  std::array<std::array<History, kSlots>, kServers> servers_;
  std::optional<std::size_t> signing_;
  std::optional<std::size_t> was_signing_;
  Instant signing_since_{};
  std::vector<Delivery> deliveries_;
  std::vector<Mail> mails_;
};

TEST(KeySlots, AtNoInstantASignatureIsMadeWithAKeyThatReceiversDoNotGet) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    RotatingWorld world(seed);
    world.run(std::chrono::days(150));
    EXPECT_GT(world.changes(), 3);
    EXPECT_GT(world.signatures(), 1'000);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace todoku::operate
