// SPDX-License-Identifier: Apache-2.0
// What is erased of an address is not found any more, wherever it stood; what an opt-out stops
// stays stopped; and the audit tells who looked (store/personal_data.h).
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr std::string_view kTaro = "taro@example.jp";

RecipientKey key_in(const Accepted& mail, std::uint32_t seq) {
  const BatchKey batch = mail.batches[0].key;
  return {batch.delivery, batch.batch, seq};
}

Result<ErasedRecipient> erase(Store& store, const RecipientKey& key, std::string_view address) {
  return store.write_and_wait(WritePriority::retention,
                              [&](WriteTransaction& t) { return t.erase_recipient(key, address); });
}

ErasedStops erase_stops(Store& store, AccountKey account, std::string_view subject) {
  return must(store.write_and_wait(WritePriority::retention, [&](WriteTransaction& t) {
    return t.erase_suppressions(account, subject);
  }));
}

std::vector<StoppedSubject> stops_of_subject(Store& store, AccountKey account,
                                             std::string_view subject) {
  const std::vector<std::string> subjects{std::string(subject)};
  return must(
      store.read_and_wait([&](ReadTransaction& t) { return t.stops_of(account, subjects); }));
}

std::vector<AuditEntry> audited(Store& store, const AuditQuestion& question) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.audit(question); }));
}

void put_opt_out(Store& store, AccountKey account, std::string_view subject) {
  must(store.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
    const NewSuppression entry{.account = account,
                               .subject = std::string(subject),
                               .reason = StopReason::unsubscribe,
                               .scope = StopScope::advertisements,
                               .note = "by telephone"};
    return t.put_suppressions(std::span(&entry, 1));
  }));
}

TEST(WithoutAddress, TakesTheAddressAndItsLocalPartOutOfWords) {
  const auto erased = [](std::string_view text) { return without_address(text, kTaro); };
  EXPECT_EQ(erased("5.1.1 <Taro@EXAMPLE.jp>: no such user"), "5.1.1 <[erased]>: no such user");
  EXPECT_EQ(erased("to=taro@example.jp: \"taro\" (<taro>, 'Taro') is no user of taro@example.jp."),
            "to=[erased]: \"[erased]\" (<[erased]>, '[erased]') is no user of [erased].");
  EXPECT_EQ(erased("bounce+taro=example.jp@x"), "bounce+[erased]=example.jp@x");
  EXPECT_EQ(erased("taro@mx.example.com"), "[erased]@mx.example.com");
  for (const std::string_view others :
       {"kintaro and tarobe stay", "taro is a word", "kin.taro@example.jp", "kin+taro@example.jp",
        "o'taro@example.jp", "kin-taro@example.jp", "<taro unknown>", "kintaro=example.jp@x"}) {
    EXPECT_EQ(erased(others), others);
  }
  EXPECT_EQ(erased("2.0.0 Ok"), "2.0.0 Ok");
  EXPECT_EQ(erased(""), "");
}

TEST(WithoutAddress, NumbersAndWordsOfRepliesAreNoLocalParts) {
  EXPECT_EQ(without_address("5.1.1 <5@example.jp> is 5", "5@example.jp"), "5.1.1 <[erased]> is 5");
  EXPECT_EQ(without_address("5.1.1 User unknown", "user@example.jp"), "5.1.1 User unknown");
  EXPECT_EQ(without_address("2.0.0 Ok", "ok@example.jp"), "2.0.0 Ok");
}

TEST(WithoutAddress, OnlyTheWholeAddressIsQuoted) {
  EXPECT_TRUE(quotes_address("5.1.1 <TARO@example.jp>: no such user", kTaro));
  EXPECT_TRUE(quotes_address("no such user: taro@example.jp.", kTaro));
  for (const std::string_view others :
       {"5.1.1 <taro>", "taro@example.jp.example.com", "taro@example.jp-x", "kintaro@example.jp",
        "kin.taro@example.jp", "example.jp"}) {
    EXPECT_FALSE(quotes_address(others, kTaro)) << others;
  }
}

TEST(WithoutAddress, ASubjectThatWasErasedSaysItsOwnHash) {
  const AddressHash hash(1, 2);
  EXPECT_EQ(stop_hash(hash, kTaro), hash(kTaro));
  EXPECT_EQ(stop_hash(hash, erased_subject(hash(kTaro))), hash(kTaro));
  EXPECT_EQ(stop_hash(hash, erased_subject(~std::uint64_t{0})), ~std::uint64_t{0});
  EXPECT_EQ(stop_hash(hash, "erased:nothing"), hash("erased:nothing"));
}

TEST_P(StoreSuite, WhoIsErasedIsFoundNoMoreAndHisContentGoes) {
  const Account acme = account();
  const auto mail = accept(acme.key, {recipient("taro")});
  const RecipientKey key = key_in(mail, 0);
  EXPECT_EQ(error_of(erase(*store_, key, kTaro)), "conflict") << "it is on its way";
  record({outcome(mail.batches[0].key, 0, RecipientState::bounced, 550,
                  "5.1.1 <taro@example.jp>: no such user")});
  ASSERT_THAT(stories(kTaro), SizeIs(1));

  const auto erased = must(erase(*store_, key, "Taro@example.jp"));
  EXPECT_TRUE(erased.content_erased);
  EXPECT_FALSE(erased.content_stays);
  EXPECT_THAT(stories(kTaro), IsEmpty());
  EXPECT_EQ(error_of(erase(*store_, key, kTaro)), "not_found") << "a second time";

  const Story story = must(read([&](ReadTransaction& t) { return t.story(key); }));
  EXPECT_EQ(story.address, kErasedAddress);
  EXPECT_EQ(story.state, RecipientState::bounced);
  EXPECT_EQ(story.subject, kErasedText);
  ASSERT_THAT(story.attempts, SizeIs(1));
  EXPECT_EQ(story.attempts[0].outcome.reply.code, 550);
  EXPECT_EQ(story.attempts[0].outcome.reply.text, "5.1.1 <[erased]>: no such user");
  const Delivery delivery = get(mail.delivery.key);
  EXPECT_EQ(delivery.counts.bounced, 1);
  EXPECT_EQ(delivery.content.text_part, kErasedText);
  EXPECT_THAT(delivery.content.header_to, IsEmpty());
  EXPECT_THAT(delivery.attachments, IsEmpty());
  const auto known =
      must(read([&](ReadTransaction& t) { return t.recipient(acme.key, story.email_id); }));
  EXPECT_THAT(known.insert_codes, IsEmpty());
}

TEST_P(StoreSuite, ContentStaysAsLongAsSomebodyElseGotIt) {
  const Account acme = account();
  Accept wanted = acceptance(acme.key, {recipient("taro"), recipient("hanako")});
  wanted.delivery.content.header_to = {"taro@example.jp", "hanako@example.jp"};
  const auto mail = must(store_->perform_and_wait(std::move(wanted)));
  record({outcome(mail.batches[0].key, 0, RecipientState::delivered),
          outcome(mail.batches[0].key, 1, RecipientState::delivered)});
  const auto first = must(erase(*store_, key_in(mail, 0), kTaro));
  EXPECT_TRUE(first.content_stays);
  const Delivery between = get(mail.delivery.key);
  EXPECT_NE(between.content.text_part, kErasedText);
  EXPECT_THAT(between.content.header_to, ElementsAre(kErasedAddress, "hanako@example.jp"));
  EXPECT_THAT(stories("hanako@example.jp"), SizeIs(1));
  EXPECT_TRUE(must(erase(*store_, key_in(mail, 1), "hanako@example.jp")).content_erased);
  EXPECT_EQ(get(mail.delivery.key).content.text_part, kErasedText);
}

TEST_P(StoreSuite, TheHeaderOfMailOnItsWayIsNotChanged) {
  const Account acme = account();
  Accept wanted = acceptance(acme.key, {recipient("taro"), recipient("hanako"), recipient("jiro")});
  wanted.delivery.content.header_to = {"taro@example.jp"};
  wanted.delivery.content.header_cc = {"hanako@example.jp"};
  const auto mail = must(store_->perform_and_wait(std::move(wanted)));
  const BatchKey batch = mail.batches[0].key;
  record(
      {outcome(batch, 0, RecipientState::delivered), outcome(batch, 2, RecipientState::delivered)});

  EXPECT_EQ(error_of(erase(*store_, key_in(mail, 0), kTaro)), "conflict");
  EXPECT_THAT(get(mail.delivery.key).content.header_to, ElementsAre(kTaro));
  EXPECT_THAT(stories(kTaro), SizeIs(1)) << "a later run has to find it";
  const auto hidden = must(erase(*store_, key_in(mail, 2), "jiro@example.jp"));
  EXPECT_TRUE(hidden.content_stays) << "no header names who got a blind copy";

  record({outcome(batch, 1, RecipientState::delivered)});
  EXPECT_TRUE(must(erase(*store_, key_in(mail, 0), kTaro)).content_stays);
  EXPECT_THAT(get(mail.delivery.key).content.header_to, ElementsAre(kErasedAddress));
  EXPECT_THAT(stories(kTaro), IsEmpty());
}

TEST_P(StoreSuite, WordsThatManyRepeatAreErasedWhereTheyAreKept) {
  const Account acme = account();
  std::vector<Accepted> mails;
  for (int i = 0; i < 4; ++i) {
    mails.push_back(accept(acme.key, {recipient("taro")}));
    record({outcome(mails.back().batches[0].key, 0, RecipientState::bounced, 550,
                    "5.7.1 taro@example.jp is not wanted here")});
  }
  for (const Accepted& mail : mails) must(erase(*store_, key_in(mail, 0), kTaro));
  reopen();
  for (const Accepted& mail : mails) {
    const Story story = must(read([&](ReadTransaction& t) { return t.story(key_in(mail, 0)); }));
    EXPECT_EQ(story.attempts.at(0).outcome.reply.text, "5.7.1 [erased] is not wanted here");
  }
}

TEST_P(StoreSuite, WhatOthersWereToldStaysWhenSomebodyIsErased) {
  const Account acme = account();
  const Account other = account("other");
  for (const auto& [local, words] : {std::pair{"5", "5.1.1 User <unknown>"},
                                     {"user", "5.1.1 User <user> unknown"},
                                     {"ok", "2.0.0 Ok: \"ok\""}}) {
    std::vector<Accepted> theirs;
    for (int i = 0; i < 3; ++i) {  // from the second on it may be kept once for all
      theirs.push_back(accept(other.key, {recipient("hanako")}));
      record({outcome(theirs.back().batches[0].key, 0, RecipientState::bounced, 550, words)});
    }
    const auto mail = accept(acme.key, {recipient(local)});
    record({outcome(mail.batches[0].key, 0, RecipientState::bounced, 550, words)});
    must(erase(*store_, key_in(mail, 0), std::string(local) + "@example.jp"));
    reopen();
    for (const Accepted& each : theirs) {
      const Story story = must(read([&](ReadTransaction& t) { return t.story(key_in(each, 0)); }));
      EXPECT_EQ(story.attempts.at(0).outcome.reply.text, words);
    }
    const Story story = must(read([&](ReadTransaction& t) { return t.story(key_in(mail, 0)); }));
    EXPECT_EQ(story.attempts.at(0).outcome.reply.text,
              without_address(words, std::string(local) + "@example.jp"));
  }
}

TEST_P(StoreSuite, NobodyReadsWhatWasErasedFromACache) {
  const Account acme = account();
  const Account other = account("other");
  std::vector<Accepted> theirs;
  std::vector<Accepted> ours;
  const auto bounce = [&](AccountKey of, std::vector<Accepted>& mails) {
    mails.push_back(accept(of, {recipient("taro")}));
    record({outcome(mails.back().batches[0].key, 0, RecipientState::bounced, 550,
                    "5.7.1 taro@example.jp is not wanted here")});
  };
  for (int i = 0; i < 3; ++i) {
    bounce(other.key, theirs);
    bounce(acme.key, ours);
  }
  const auto words = [&] {
    const Story story =
        must(read([&](ReadTransaction& t) { return t.story(key_in(theirs.back(), 0)); }));
    return story.attempts.at(0).outcome.reply.text;
  };
  for (int i = 0; i < 20; ++i) EXPECT_THAT(words(), HasSubstr("taro@example.jp"));
  for (const Accepted& mail : ours) must(erase(*store_, key_in(mail, 0), kTaro));
  std::set<std::string> told;
  for (int i = 0; i < 20; ++i) told.insert(words());
  reopen();
  EXPECT_THAT(told, ElementsAre(words())) << "what is stored, whoever read it before";
}

TEST_P(StoreSuite, BulkKeepsItsTemplateAndLosesWhoGotIt) {
  const Account acme = account();
  NewRecipient taro = recipient("taro");
  taro.insert_codes = {{"__name__", "Taro Yamada"}};
  const Delivery delivery = started(acme.key, {taro, recipient("hanako")});
  for (const LeasedBatch& lease : claim_all(delivery.key)) {
    for (const auto& each : lease.recipients) {
      record({outcome(lease.key, each.seq, RecipientState::delivered)});
    }
  }
  const auto found = stories(kTaro);
  ASSERT_THAT(found, SizeIs(1));
  const auto erased = must(erase(*store_, found[0].key, kTaro));
  EXPECT_FALSE(erased.content_erased);
  EXPECT_FALSE(erased.content_stays);
  EXPECT_EQ(get(delivery.key).content.text_part, bulk(acme.key).content.text_part);
  const auto known =
      must(read([&](ReadTransaction& t) { return t.recipient(acme.key, found[0].email_id); }));
  EXPECT_EQ(known.address, kErasedAddress);
  EXPECT_THAT(known.insert_codes, IsEmpty());
  EXPECT_THAT(stories("hanako@example.jp"), SizeIs(1));
}

TEST_P(StoreSuite, AnOptOutGoesOnWhenItsSubjectIsErased) {
  const Account acme = account();
  put_opt_out(*store_, acme.key, kTaro);
  fail_for_good(acme.key, "taro", true, {.errors = 1});
  EXPECT_THAT(stops_of_subject(*store_, acme.key, kTaro), SizeIs(2));

  const ErasedStops erased = erase_stops(*store_, acme.key, kTaro);
  EXPECT_EQ(erased.hashed, 1);
  EXPECT_EQ(erased.removed, 1) << "the hard error";
  EXPECT_EQ(erase_stops(*store_, acme.key, kTaro).hashed, 0) << "a second time";
  reopen();
  const auto left = stops_of_subject(*store_, acme.key, kTaro);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_THAT(left[0].entry.subject, Not(HasSubstr("taro")));
  EXPECT_EQ(left[0].entry.note, "");
  EXPECT_THAT(stops_of_subject(*store_, acme.key, left[0].entry.subject), SizeIs(1))
      << "by what it is now";
  EXPECT_THAT(stops_of_subject(*store_, acme.key, "jiro@example.jp"), IsEmpty());

  const Delivery advertisement = started(acme.key, {recipient("taro"), recipient("jiro")});
  std::vector<std::uint32_t> leased;
  for (const LeasedBatch& lease : claim_all(advertisement.key)) {
    for (const auto& each : lease.recipients) leased.push_back(each.seq);
  }
  EXPECT_THAT(leased, SizeIs(1)) << "the one who did not opt out";
  EXPECT_EQ(get(advertisement.key).counts.dropped, 1);
  Accept mail = acceptance(acme.key, {recipient("taro")});
  mail.delivery.labels.purpose = Purpose::advertisement;
  EXPECT_EQ(must(store_->perform_and_wait(std::move(mail))).delivery.counts.dropped, 1);
  EXPECT_EQ(accept(acme.key, {recipient("taro")}).delivery.counts.dropped, 0) << "a password";
}

TEST_P(StoreSuite, AnErasedOptOutCanBeGivenAgainErasedAgainAndTakenBack) {
  const Account acme = account();
  put_opt_out(*store_, acme.key, kTaro);
  erase_stops(*store_, acme.key, kTaro);
  put_opt_out(*store_, acme.key, kTaro);
  EXPECT_EQ(erase_stops(*store_, acme.key, kTaro).hashed, 1);
  EXPECT_THAT(stops_of_subject(*store_, acme.key, kTaro), SizeIs(1));
  const auto removed = must(write([&](WriteTransaction& t) {
    return t.remove_suppressions(acme.key, kTaro, std::nullopt, std::nullopt, "he asked for it",
                                 "an operator");
  }));
  EXPECT_THAT(removed, SizeIs(1));
  EXPECT_THAT(stops_of_subject(*store_, acme.key, kTaro), IsEmpty());
  EXPECT_EQ(erase_stops(*store_, acme.key, kTaro).removals, 1);
}

TEST_P(StoreSuite, OfTwoOptOutsTheLongerOneGoesOn) {
  const Account acme = account();
  const auto put_for = [&](std::string_view subject, std::optional<Milliseconds> lasts) {
    const NewSuppression entry{.account = acme.key,
                               .subject = std::string(subject),
                               .reason = StopReason::unsubscribe,
                               .scope = StopScope::advertisements,
                               .lasts = lasts};
    must(write([&](WriteTransaction& t) { return t.put_suppressions(std::span(&entry, 1)); }));
  };
  const Instant begin = now();
  const auto erased_twice = [&](std::string_view subject, std::optional<Milliseconds> first,
                                std::optional<Milliseconds> second) {
    put_for(subject, first);
    erase_stops(*store_, acme.key, subject);
    put_for(subject, second);
    erase_stops(*store_, acme.key, subject);
    const auto left = stops_of_subject(*store_, acme.key, subject);
    EXPECT_THAT(left, SizeIs(1)) << subject;
    return left.empty() ? std::optional<Instant>() : left[0].entry.expires;
  };
  EXPECT_EQ(erased_twice("a@example.jp", std::nullopt, 1h), std::nullopt);
  EXPECT_EQ(erased_twice("b@example.jp", 1h, std::nullopt), std::nullopt);
  EXPECT_EQ(erased_twice("c@example.jp", 2h, 1h), begin + 2h);
  EXPECT_EQ(erased_twice("d@example.jp", 1h, 2h), begin + 2h);

  put_for(kTaro, std::nullopt);
  erase_stops(*store_, acme.key, kTaro);
  put_for(kTaro, 1h);
  clock_.advance(2h);
  EXPECT_EQ(erase_stops(*store_, acme.key, kTaro).removed, 1) << "what has expired";
  const auto left = stops_of_subject(*store_, acme.key, kTaro);
  ASSERT_THAT(left, SizeIs(1)) << "what was erased before goes on";
  EXPECT_EQ(left[0].entry.expires, std::nullopt);
}

TEST_P(StoreSuite, ExportsUnderWayBeginAnewAndThoseThatEndedGo) {
  const Account acme = account();
  const Account other = account("other");
  const auto begun = [&](AccountKey owner) {
    const ExportJob job = must(write([&](WriteTransaction& t) {
      return t.create_export({.account = owner, .kind = ExportKind::error_list, .parameters = ""});
    }));
    must(write([&](WriteTransaction& t) { return t.take_export(owner, job.id, me_); }));
    return job.id;
  };
  const auto end = [&](AccountKey owner, PublicId id) {
    return error_of(write([&](WriteTransaction& t) {
      return t.end_export(owner, id, me_, {.status = ExportStatus::failed});
    }));
  };
  const PublicId ended = begun(acme.key);
  EXPECT_EQ(end(acme.key, ended), "none");
  const PublicId under_way = begun(acme.key);
  const PublicId of_another = begun(other.key);
  EXPECT_EQ(must(write([&](WriteTransaction& t) { return t.expire_copies(acme.key); })), 1);

  EXPECT_EQ(error_of(write(
                [&](WriteTransaction& t) { return t.tell_export(acme.key, under_way, me_, 50); })),
            "conflict");
  EXPECT_EQ(end(acme.key, under_way), "conflict");
  EXPECT_EQ(end(other.key, of_another), "none") << "another account's";
  const auto running =
      must(read([&](ReadTransaction& t) { return t.running_exports(other_, 10); }));
  ASSERT_THAT(running, SizeIs(1)) << "anybody may take it";
  EXPECT_EQ(running[0].id, under_way);
  must(write([&](WriteTransaction& t) { return t.take_export(acme.key, under_way, me_); }));
  EXPECT_EQ(end(acme.key, under_way), "none");
}

TEST_P(StoreSuite, WhoLookedIsAuditedInOrder) {
  const Account acme = account();
  const Instant begin = now();
  const auto add = [&](std::string_view actor, std::string_view address) {
    must(write([&](WriteTransaction& t) {
      return t.add_audit({.actor = std::string(actor),
                          .action = "content",
                          .account = acme.key,
                          .delivery = 4,
                          .origin = "192.0.2.7"},
                         address);
    }));
    clock_.advance(1min);
  };
  add("api key 1", "");
  add("operator", kTaro);
  const Instant third = now();
  add("api key 2", kTaro);

  const auto all = audited(*store_, {});
  ASSERT_THAT(all, SizeIs(3));
  EXPECT_EQ(all[0].actor, "api key 1");
  EXPECT_EQ(all[0].at, begin);
  EXPECT_EQ(all[0].account, acme.key);
  EXPECT_EQ(all[0].delivery, 4);
  EXPECT_EQ(all[0].origin, "192.0.2.7");
  EXPECT_EQ(all[0].address_hash, 0U);
  EXPECT_THAT(audited(*store_, {.limit = 2}), SizeIs(2));
  EXPECT_THAT(audited(*store_, {.after = all[1].number}), SizeIs(1));
  EXPECT_THAT(audited(*store_, {.since = third}), SizeIs(1));
  EXPECT_THAT(audited(*store_, {.since = now()}), IsEmpty());
  EXPECT_THAT(audited(*store_, {.address = "TARO@example.jp"}), SizeIs(2));
  EXPECT_THAT(audited(*store_, {.since = third, .address = std::string(kTaro)}), SizeIs(1));
  EXPECT_THAT(audited(*store_, {.address = "jiro@example.jp"}), IsEmpty());

  const auto drop = [&](std::int64_t rows) {
    return must(write([&](WriteTransaction& t) { return t.drop_audit(third, rows); }));
  };
  EXPECT_TRUE(drop(1));
  EXPECT_FALSE(drop(10));
  EXPECT_THAT(audited(*store_, {}), SizeIs(1));
}

std::vector<std::string> actors(const std::vector<AuditEntry>& entries) {
  std::vector<std::string> names;
  for (const AuditEntry& entry : entries) names.push_back(entry.actor);
  return names;
}

TEST_P(StoreSuite, TheAuditOfAnAccountIsReadFromTheNewestBack) {
  const AccountKey acme = account().key;
  const AccountKey club =
      must(write([](WriteTransaction& t) { return t.create_account("club"); })).key;
  const auto add = [&](WriteTransaction& t, AccountKey owner, int first, int last) {
    for (int i = first; i <= last; ++i) {
      must(t.add_audit({.actor = fmt::format("{}", i), .action = "content", .account = owner}, ""));
    }
    return Result<void>();
  };
  // Two accounts by turns, several of an instant each.
  must(write([&](WriteTransaction& t) {
    must(add(t, acme, 1, 3));
    must(add(t, club, 90, 95));
    return add(t, acme, 4, 4);
  }));
  clock_.advance(1h);
  const Instant second = now();
  must(write([&](WriteTransaction& t) {
    must(add(t, kInstallation, 70, 71));
    return add(t, acme, 5, 7);
  }));

  const auto page = [&](std::int64_t after, std::int64_t limit) {
    return audited(*store_,
                   {.after = after, .limit = limit, .account = acme, .newest_first = true});
  };
  std::vector<std::string> seen;
  std::int64_t after = 0;
  for (int i = 0; i < 4; ++i) {
    const auto some = page(after, 2);
    if (some.empty()) break;
    for (const AuditEntry& entry : some) EXPECT_EQ(entry.account, acme);
    for (std::string& actor : actors(some)) seen.push_back(std::move(actor));
    after = some.back().number;
    // What comes meanwhile is before the first page, and moves no other.
    if (i == 0) must(write([&](WriteTransaction& t) { return add(t, acme, 8, 8); }));
  }
  EXPECT_THAT(seen, ElementsAre("7", "6", "5", "4", "3", "2", "1"));
  EXPECT_THAT(page(after, 2), IsEmpty());
  EXPECT_THAT(actors(page(0, 1)), ElementsAre("8"));

  EXPECT_THAT(actors(audited(*store_, {.since = second, .account = acme, .newest_first = true})),
              ElementsAre("8", "7", "6", "5"));
  EXPECT_THAT(actors(audited(*store_, {.limit = 3, .account = acme})), ElementsAre("1", "2", "3"))
      << "or on from the oldest";
  EXPECT_THAT(actors(audited(*store_, {.limit = 5, .newest_first = true})),
              ElementsAre("8", "7", "6", "5", "71"))
      << "of all";
  EXPECT_THAT(actors(audited(*store_, {.account = kInstallation})), ElementsAre("70", "71"));
  const AuditQuestion both{.address = std::string(kTaro), .account = acme};
  EXPECT_EQ(error_of(read([&](ReadTransaction& t) { return t.audit(both); })), "invalid_input");

  EXPECT_FALSE(must(write([&](WriteTransaction& t) { return t.drop_audit(second, 1'000); })));
  EXPECT_THAT(actors(page(0, 100)), ElementsAre("8", "7", "6", "5")) << "the old ones are gone";
  EXPECT_THAT(audited(*store_, {.account = club, .newest_first = true}), IsEmpty());
}

}  // namespace
}  // namespace todoku::store
