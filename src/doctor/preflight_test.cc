// SPDX-License-Identifier: Apache-2.0
// A delivery that is in order, and each way to spoil it, which has its own code.
#include "doctor/preflight.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/author_domains.h"
#include "doctor/preflight_refusal.h"
#include "doctor/preflight_texts.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/signer.h"
#include "mailauth/spf/address.h"

namespace todoku::doctor {
namespace {

namespace dkim = mailauth::dkim;
using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::DnsQuestion;
using mailauth::FactType;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Instant kNow = from_epoch_ms(1'767'225'600'000);

const dkim::SigningKey& test_key() {
  static const auto key = dkim::SigningKey::generate(dkim::KeyAlgorithm::rsa).value();
  return key;
}

std::string last_label_as_domain(std::string_view domain) {
  // Enough of a public suffix list for example.jp.
  const std::size_t last = domain.rfind('.');
  const std::size_t before = last == std::string_view::npos || last == 0
                                 ? std::string_view::npos
                                 : domain.rfind('.', last - 1);
  return std::string(before == std::string_view::npos ? domain : domain.substr(before + 1));
}

// What is sent and what is in the DNS.
struct World {
  std::string head =
      "From: =?UTF-8?B?44Go44Gp44GP?= <news@example.jp>\r\n"
      "To: taro@example.com\r\n"
      "Subject: sale\r\n"
      "Date: Thu, 01 Jan 2026 09:00:00 +0900\r\n"
      "Message-ID: <1@example.jp>\r\n"
      "MIME-Version: 1.0\r\n"
      "List-Unsubscribe: <https://example.jp/leave>\r\n"
      "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
  std::string body = "hello\r\n";
  bool is_signed = true;
  std::string added_after;  // to the header, when it was signed
  std::string mail_from = "b123@bounce.example.jp";
  SampleContent content{.is_bulk = true,
                        .is_advertisement = true,
                        .from_name = "とどく",
                        .text =
                            "株式会社とどく 東京都千代田区1-1\n配信停止 https://example.jp/leave\n"
                            "お問い合わせ info@example.jp\n"};
  std::map<DnsQuestion, std::vector<std::string>> records;
  std::vector<DnsQuestion> broken;
  std::vector<SourceIdentity> sources{
      {.name = "main",
       .hello = "mx.example.jp",
       .addresses = {{.octets = *mailauth::spf::octets_of_ip4("192.0.2.1"),
                      .text = "192.0.2.1",
                      .is_public = true}}}};
  std::vector<AudienceDomain> domains{
      {.domain = "example.com", .recipients = 100, .state = DomainState::takes_mail}};
  std::vector<MissingCode> missing;
  std::vector<NotMade> not_made;
  std::optional<SlowPace> slow_pace;
  std::size_t suppressed = 0;
  std::size_t malformed = 0;
  bool has_recipients = true;

  World() {
    txt("s1._domainkey.example.jp") = {dkim::key_record_text(test_key())};
    txt("bounce.example.jp") = {"v=spf1 ip4:192.0.2.1 -all"};
    txt("example.jp") = {"v=spf1 ip4:192.0.2.1 -all"};
    txt("_dmarc.example.jp") = {"v=DMARC1; p=quarantine"};
    records[{.type = FactType::mx, .name = "example.jp"}] = {"mx.example.jp"};
  }
  std::vector<std::string>& txt(const std::string& name) {
    return records[{.type = FactType::txt, .name = name}];
  }

  template <class Evaluate>
  auto known(Evaluate evaluate) const {
    DnsFacts facts;
    while (true) {
      auto value = evaluate(facts);
      const auto wanted = facts.take_wanted();
      if (wanted.empty()) return value;
      for (const DnsQuestion& question : wanted) facts.learn(question, answer(question));
    }
  }
  [[nodiscard]] DnsFact answer(const DnsQuestion& question) const {
    if (std::ranges::find(broken, question) != broken.end()) {
      return {.status = DnsFact::Status::failed, .values = {}, .reason = "no answer"};
    }
    const auto found = records.find(question);
    if (found == records.end() || found->second.empty()) {
      return {.status = DnsFact::Status::empty, .values = {}, .reason = {}};
    }
    return {.status = DnsFact::Status::found, .values = found->second, .reason = {}};
  }

  [[nodiscard]] std::string octets() const {
    std::string text = head + "\r\n" + body;
    if (is_signed) {
      const auto signer =
          dkim::Signer::create(
              {{.name = dkim::KeyName::parse("example.jp", "s1").value(), .key = test_key()}})
              .value();
      const dkim::MessageView view = dkim::split_message(text);
      dkim::SigningContext context;
      std::string signature;
      const auto done = signer.sign(context,
                                    {.headers = view.fields,
                                     .body_hash = context.body_hash({&view.body, 1}),
                                     .signed_at = kNow},
                                    signature);
      EXPECT_TRUE(done);
      text = signature + head + added_after + "\r\n" + body;
    }
    return text;
  }

  [[nodiscard]] PreflightReport report() const {
    PreflightInput input;
    input.is_bulk = content.is_bulk;
    input.not_made = not_made;
    input.slow_pace = slow_pace;
    if (has_recipients) {
      input.samples = {
          {.recipient = "taro@example.com", .octets = octets(), .mail_from = mail_from}};
      input.contents = {content};
    }
    Authentication& found = input.authentication;
    if (has_recipients) {
      const auto view = dkim::split_message(input.samples.front().octets);
      if (auto authors = author_domains(view)) found.author_domains = *authors;
    } else {
      found.author_domains = {"example.jp"};
    }
    const bool to_docomo = receivers_of(domains).docomo;
    found.signatures =
        known([&](DnsFacts& facts) { return check_signatures(input.samples, kNow, facts); });
    found.sources = known([&](DnsFacts& facts) {
      return check_sources({.mail_from = mail_from,
                            .from_domain = to_docomo ? "example.jp" : "",
                            .sources = sources,
                            .now = kNow},
                           facts);
    });
    if (!found.author_domains.empty()) {
      found.from_host = known(
          [&](DnsFacts& facts) { return check_from_host(found.author_domains.front(), facts); });
    }
    found.dmarc = known([&](DnsFacts& facts) {
      return judge_author({.author_domains = found.author_domains,
                           .signatures = found.signatures,
                           .sources = found.sources,
                           .registered_domain = &last_label_as_domain},
                          facts);
    });
    input.audience = {.domains = domains,
                      .sampled = 100,
                      .suppressed = suppressed,
                      .malformed = malformed,
                      .malformed_such_as = malformed > 0 ? "no address" : ""};
    input.missing_codes = missing;
    return preflight_report(input, "7");
  }
};

std::vector<std::string_view> not_passed(const PreflightReport& report) {
  std::vector<std::string_view> codes;
  for (const Finding& finding : report.findings) {
    if (finding.outcome != Outcome::pass) codes.push_back(finding.code);
  }
  return codes;
}

std::vector<std::string_view> spoilt(const std::function<void(World&)>& spoil) {
  World world;
  spoil(world);
  return not_passed(world.report());
}

void replace(std::string& text, std::string_view what, std::string_view by) {
  const std::size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << what;
  text.replace(at, what.size(), by);
}

std::string large(std::size_t octets) {
  std::string text;
  while (text.size() < octets) text += std::string(70, 'x') + "\r\n";
  return text;
}

TEST(Preflight, ADeliveryThatIsInOrderPasses) {
  const PreflightReport report = World().report();
  std::vector<std::string_view> codes;
  for (const Finding& finding : report.findings) codes.push_back(finding.code);
  EXPECT_THAT(codes, ElementsAre("signature_passes", "spf_passes", "dmarc_passes", "from_is_there",
                                 "one_click_ready", "header_in_order", "audience_reachable",
                                 "law_complete"));
  EXPECT_THAT(report.broken_bulk_rules(), IsEmpty());
  EXPECT_EQ(worst_of(report.findings), Outcome::pass);
}

TEST(Preflight, SignaturesAreVerifiedAsReceiversDo) {
  EXPECT_THAT(spoilt([](World& w) { w.is_signed = false; }), Contains("signature_missing"));
  EXPECT_THAT(spoilt([](World& w) { w.txt("s1._domainkey.example.jp") = {}; }),
              Contains("signature_fails"));
  EXPECT_THAT(spoilt([](World& w) { w.txt("s1._domainkey.example.jp") = {"v=DKIM1; p="}; }),
              Contains("signature_fails"));
  EXPECT_THAT(spoilt([](World& w) { w.txt("s1._domainkey.example.jp").front() += "; t=y"; }),
              ElementsAre("signature_key_is_tried"));
  EXPECT_THAT(spoilt([](World& w) {
                w.broken = {{.type = FactType::txt, .name = "s1._domainkey.example.jp"}};
              }),
              ElementsAre("signature_undetermined"))
      << "DMARC passes by SPF, and of one-click nothing is concluded";
}

TEST(Preflight, SpfIsOfTheReturnPathFromEachSource) {
  EXPECT_THAT(spoilt([](World& w) { w.txt("bounce.example.jp") = {"v=spf1 -all"}; }),
              ElementsAre("spf_fails"))
      << "DMARC passes by DKIM";
  EXPECT_THAT(spoilt([](World& w) { w.txt("bounce.example.jp") = {"v=spf1 ~all"}; }),
              ElementsAre("spf_fails"));
  EXPECT_THAT(spoilt([](World& w) { w.txt("bounce.example.jp") = {}; }), ElementsAre("spf_fails"));
  EXPECT_THAT(
      spoilt([](World& w) { w.broken = {{.type = FactType::txt, .name = "bounce.example.jp"}}; }),
      ElementsAre("spf_open"));
  EXPECT_THAT(spoilt([](World& w) { w.sources.front().addresses.front().is_public = false; }),
              ElementsAre("source_unseen"));
  EXPECT_THAT(spoilt([](World& w) {
                w.sources.push_back(w.sources.front());
                w.sources.back().name = "other";
                w.sources.back().addresses.front().octets =
                    *mailauth::spf::octets_of_ip4("192.0.2.9");
                w.sources.back().addresses.front().text = "192.0.2.9";
              }),
              ElementsAre("spf_fails"));
}

TEST(Preflight, DmarcIsOfThisVeryMessage) {
  EXPECT_THAT(spoilt([](World& w) { w.txt("_dmarc.example.jp") = {}; }),
              ElementsAre("dmarc_missing"));
  EXPECT_THAT(spoilt([](World& w) {
                w.txt("_dmarc.example.jp") = {"v=DMARC1; p=none", "v=DMARC1; p=reject"};
              }),
              Not(IsEmpty()));
  EXPECT_THAT(spoilt([](World& w) {
                replace(w.head, "news@example.jp", "news@example.net");
                w.txt("_dmarc.example.net") = {"v=DMARC1; p=reject"};
                w.records[{.type = FactType::mx, .name = "example.net"}] = {"mx.example.net"};
              }),
              ElementsAre("dmarc_fails"));
  EXPECT_THAT(
      spoilt([](World& w) { w.broken = {{.type = FactType::txt, .name = "_dmarc.example.jp"}}; }),
      ElementsAre("dmarc_open"));
}

TEST(Preflight, TheFromDomainIsOnesOwnAndThere) {
  EXPECT_THAT(
      spoilt([](World& w) { w.records.erase({.type = FactType::mx, .name = "example.jp"}); }),
      ElementsAre("from_is_nowhere"));
  EXPECT_THAT(spoilt([](World& w) {
                w.records.erase({.type = FactType::mx, .name = "example.jp"});
                w.records[{.type = FactType::a, .name = "example.jp"}] = {"\xC0\x00\x02\x05"};
              }),
              IsEmpty());
  EXPECT_THAT(
      spoilt([](World& w) { w.records[{.type = FactType::mx, .name = "example.jp"}] = {""}; }),
      ElementsAre("from_takes_no_mail"));
  EXPECT_THAT(spoilt([](World& w) { w.broken = {{.type = FactType::mx, .name = "example.jp"}}; }),
              ElementsAre("from_is_open"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "news@example.jp", "news@gmail.com"); }),
              Contains("from_is_freemail"));
}

TEST(Preflight, DocomoEvaluatesSpfOfFrom) {
  const auto to_docomo = [](World& w) {
    w.txt("example.jp") = {"v=spf1 -all"};
    w.domains.push_back(
        {.domain = "docomo.ne.jp", .recipients = 3, .state = DomainState::takes_mail});
  };
  EXPECT_THAT(spoilt(to_docomo), ElementsAre("spf_of_from_fails"));
  EXPECT_THAT(spoilt([](World& w) { w.txt("example.jp") = {"v=spf1 -all"}; }), IsEmpty())
      << "nobody of docomo is in the list";
}

TEST(Preflight, OneClickUnsubscribes) {
  constexpr std::string_view kLink = "List-Unsubscribe: <https://example.jp/leave>\r\n";
  constexpr std::string_view kPost = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
  EXPECT_THAT(spoilt([&](World& w) { replace(w.head, kLink, ""); }),
              ElementsAre("one_click_missing"));
  EXPECT_THAT(spoilt([&](World& w) {
                replace(w.head, kLink, "List-Unsubscribe: <mailto:leave@example.jp>\r\n");
              }),
              ElementsAre("one_click_missing"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "<https:", "<http:"); }),
              ElementsAre("one_click_not_https"));
  EXPECT_THAT(spoilt([&](World& w) { replace(w.head, kPost, ""); }),
              ElementsAre("one_click_not_declared"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "=One-Click", "=yes"); }),
              ElementsAre("one_click_not_declared"));
  EXPECT_THAT(spoilt([&](World& w) {
                replace(w.head, kPost, "");
                w.added_after = kPost;
              }),
              Contains("signature_fails"))
      << "the signature seals fields that are not there";
  EXPECT_THAT(spoilt([&](World& w) {
                replace(w.head, kLink, "");
                w.content.is_advertisement = false;
              }),
              IsEmpty())
      << "a notice needs none";
}

TEST(Preflight, TheHeaderIsInOrder) {
  EXPECT_THAT(
      spoilt([](World& w) { replace(w.head, "Date: Thu, 01 Jan 2026 09:00:00 +0900\r\n", ""); }),
      ElementsAre("header_field_missing"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "Message-ID: <1@example.jp>\r\n", ""); }),
              ElementsAre("header_field_missing"));
  EXPECT_THAT(spoilt([](World& w) { w.head += "Subject: again\r\n"; }),
              ElementsAre("header_field_repeated"));
  EXPECT_THAT(spoilt([](World& w) { w.head += "From: other@example.jp\r\n"; }),
              Contains("header_from_unreadable"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "<1@example.jp>", "1"); }),
              ElementsAre("header_message_id_odd"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "sale", "\xE3\x81\x82"); }),
              ElementsAre("header_eight_bit"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "sale", ""); }),
              ElementsAre("header_subject_empty"));
  EXPECT_THAT(spoilt([](World& w) { w.body = std::string(999, 'x') + "\r\n"; }),
              ElementsAre("header_line_long"));
  EXPECT_THAT(spoilt([](World& w) { w.body = std::string(998, 'x') + "\r\n"; }), IsEmpty());
  EXPECT_THAT(spoilt([](World& w) { w.body = "a\nb\r\n"; }), ElementsAre("header_bare_line_end"));
}

TEST(Preflight, ABulkFeignsNothing) {
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "sale", "Re: sale"); }),
              ElementsAre("header_subject_feigns"));
  EXPECT_THAT(spoilt([](World& w) { replace(w.head, "sale", "Reduced"); }), IsEmpty());
  for (const std::string_view field :
       {"X-Priority: 1\r\n", "Importance: High\r\n", "Priority: urgent\r\n"}) {
    EXPECT_THAT(spoilt([&](World& w) { w.head += field; }), ElementsAre("header_urgent")) << field;
  }
  EXPECT_THAT(spoilt([](World& w) { w.head += "Precedence: junk\r\n"; }),
              ElementsAre("header_precedence_junk"));
  EXPECT_THAT(spoilt([](World& w) { w.head += "Precedence: bulk\r\n"; }), IsEmpty());
  EXPECT_THAT(spoilt([](World& w) {
                w.head += "X-Priority: 1\r\n";
                replace(w.head, "sale", "Re: sale");
                w.content.is_bulk = false;
                w.content.is_advertisement = false;
              }),
              IsEmpty())
      << "a transaction may answer, and be urgent";
}

TEST(Preflight, BodiesAreNotTooLargeAndCanBeRead) {
  const std::string notices =
      "<p>株式会社とどく 東京都千代田区1-1</p><p>配信停止 <a href='https://example.jp/leave'>こちら"
      "</a></p><p>お問い合わせ info@example.jp</p>";
  EXPECT_THAT(
      spoilt([&](World& w) { w.content.html = notices + std::string(kGmailHtmlOctets, ' '); }),
      ElementsAre("html_clipped"));
  EXPECT_THAT(spoilt([&](World& w) {
                w.content.html = notices;
                w.content.text.clear();
              }),
              ElementsAre("html_without_text"));
  EXPECT_THAT(spoilt([&](World& w) {
                w.content.html = notices;
                w.content.text.clear();
                w.content.text_is_made = true;
              }),
              IsEmpty());
  EXPECT_THAT(spoilt([](World& w) {
                w.content.html = "<img src='https://example.jp/a.png' alt=''>";
                w.content.is_advertisement = false;
              }),
              ElementsAre("html_only_pictures"));
  EXPECT_THAT(spoilt([](World& w) {
                w.content.html = "<h1>冬のセール</h1><p>始めました。</p>";
                w.content.is_advertisement = false;
              }),
              IsEmpty())
      << "a short text is no picture";
  EXPECT_THAT(spoilt([](World& w) { w.content.charset_fell_back = true; }),
              ElementsAre("charset_fell_back"));
  EXPECT_THAT(spoilt([](World& w) { w.body = large(kMessageOctetsUsual); }),
              ElementsAre("message_large"));
  const auto for_phones = [](World& w) {
    w.body = large(kMessageOctetsForPhones);
    w.domains.push_back({.domain = "au.com", .recipients = 1, .state = DomainState::takes_mail});
  };
  EXPECT_THAT(spoilt(for_phones), ElementsAre("message_large_for_phones"));
  EXPECT_THAT(spoilt([](World& w) { w.body = large(kMessageOctetsForPhones); }), IsEmpty());
  EXPECT_THAT(spoilt([](World& w) { w.missing = {{.key = "__name__", .without = 3}}; }),
              ElementsAre("insert_code_missing"));
  EXPECT_THAT(spoilt([](World& w) { w.missing = {{.key = "__nmae__", .without = 100}}; }),
              ElementsAre("insert_code_unknown"));
  EXPECT_THAT(spoilt([](World& w) {
                w.missing = {{.key = "{{number}}", .without = 100, .required = true}};
              }),
              ElementsAre("insert_code_required"));
  World misspelt;
  misspelt.missing = {{.key = "__nmae__", .without = 100, .known = "__name__ __shop__"}};
  const PreflightReport told = misspelt.report();
  const auto unknown = std::ranges::find(told.findings, "insert_code_unknown", &Finding::code);
  ASSERT_NE(unknown, told.findings.end());
  EXPECT_NE(unknown->sentence.en.find("the list has: __name__ __shop__"), std::string::npos);
  EXPECT_NE(unknown->sentence.ja.find("__nmae__"), std::string::npos);
}

TEST(Preflight, AMailThatCannotBeMadeFailsAndItsRecipientIsNamed) {
  const auto large = [](World& w) {
    w.not_made = {{.recipient = "a@example.com", .is_too_large = true},
                  {.recipient = "b@example.com", .is_too_large = true}};
  };
  EXPECT_THAT(spoilt(large), ElementsAre("message_too_large")) << "beside one that is good";
  EXPECT_THAT(spoilt([](World& w) { w.not_made = {{.recipient = "a@example.com"}}; }),
              ElementsAre("message_not_made"));
  PreflightInput none;
  none.not_made = {{.recipient = "a@example.com", .is_too_large = true}};
  World nobody;
  nobody.has_recipients = false;
  nobody.not_made = none.not_made;
  for (const PreflightReport& report : {lint_report(none), nobody.report()}) {
    EXPECT_EQ(worst_of(report.findings), Outcome::fail);
    const auto told = std::ranges::find(report.findings, "message_too_large", &Finding::code);
    ASSERT_NE(told, report.findings.end());
    EXPECT_THAT(told->sentence.en, HasSubstr("The mail to a@example.com cannot be made"));
    EXPECT_EQ(std::ranges::find(report.findings, "audience_empty", &Finding::code),
              report.findings.end());
  }
}

TEST(Preflight, APaceThatLeavesMailsOverIsWarnedOf) {
  const auto slow = [](World& w) { w.slow_pace = SlowPace{"1/hour", 376, kNow}; };
  EXPECT_THAT(spoilt(slow), ElementsAre("pace_too_slow"));
  World world;
  slow(world);
  const PreflightReport report = world.report();
  const auto told = std::ranges::find(report.findings, "pace_too_slow", &Finding::code);
  ASSERT_NE(told, report.findings.end());
  EXPECT_EQ(told->outcome, Outcome::warning);
  EXPECT_THAT(told->sentence.en, HasSubstr("(1/hour) about 376 mails are not begun before"));
  EXPECT_TRUE(report.broken_bulk_rules().empty());
}

TEST(Preflight, AListIsOneThatCanBeReached) {
  const auto with = [](DomainState state, std::int64_t recipients) {
    return [state, recipients](World& w) {
      w.domains.push_back({.domain = "gone.example", .recipients = recipients, .state = state});
    };
  };
  EXPECT_THAT(spoilt(with(DomainState::no_such_domain, 5)), ElementsAre("audience_no_such_domain"));
  EXPECT_THAT(spoilt(with(DomainState::takes_none, 5)), ElementsAre("audience_takes_no_mail"));
  EXPECT_THAT(spoilt(with(DomainState::no_such_domain, 50)),
              ElementsAre("audience_no_such_domain", "audience_much_unreachable"));
  EXPECT_THAT(spoilt(with(DomainState::open, 50)), ElementsAre("audience_open"));
  EXPECT_THAT(spoilt([](World& w) { w.suppressed = 11; }), ElementsAre("audience_much_suppressed"));
  EXPECT_THAT(spoilt([](World& w) { w.suppressed = 10; }), IsEmpty());
  EXPECT_THAT(spoilt([](World& w) { w.malformed = 1; }), ElementsAre("audience_malformed"));
  EXPECT_THAT(spoilt([](World& w) {
                w.domains.push_back(
                    {.domain = "gmial.com", .recipients = 2, .state = DomainState::takes_mail});
              }),
              ElementsAre("audience_mistyped"));
  EXPECT_THAT(spoilt([](World& w) { w.has_recipients = false; }), Contains("audience_empty"));
}

TEST(Preflight, WhatSpfFoundIsSaidInBothLanguages) {
  World world;
  world.txt("bounce.example.jp") = {"something else"};
  const PreflightReport report = world.report();
  const auto told = std::ranges::find(report.findings, "spf_fails", &Finding::code);
  ASSERT_NE(told, report.findings.end());
  EXPECT_THAT(told->sentence.en, HasSubstr("none (bounce.example.jp has no SPF record)"));
  EXPECT_THAT(told->sentence.ja,
              HasSubstr("none（bounce.example.jp に SPF レコードがありません）"));
}

TEST(Preflight, ASampleOfTheSmallerDomainsStandsForAllOfThem) {
  const auto told = [](std::int64_t large, std::int64_t smaller, std::string_view code) {
    Audience audience;
    audience.domains = {
        {.domain = "example.com", .recipients = large, .state = DomainState::takes_mail}};
    for (int i = 0; i < 100; ++i) {
      audience.domains.push_back({.domain = "gone" + std::to_string(i) + ".example",
                                  .recipients = 1,
                                  .state = DomainState::no_such_domain,
                                  .is_sampled = true});
    }
    audience.smaller_recipients = smaller;
    const auto findings = audience_findings(audience);
    const auto found = std::ranges::find(findings, code, &Finding::code);
    return found == findings.end() ? BilingualText() : found->sentence;
  };
  // One of five, of which 100 were asked about.
  EXPECT_THAT(told(20'000, 5'000, "audience_no_such_domain").en,
              HasSubstr("5000 recipients (about 20.0 %)"));
  EXPECT_THAT(told(20'000, 5'000, "audience_no_such_domain").ja, HasSubstr("5000 件（約 20.0 %）"));
  EXPECT_THAT(told(20'000, 5'000, "audience_much_unreachable").en, HasSubstr("about 20.0 %"));
  EXPECT_THAT(told(2'000, 3'000, "audience_much_unreachable").en, HasSubstr("about 60.0 %"));
  // All of the smaller ones were asked about: nothing is estimated.
  EXPECT_THAT(told(20'000, 100, "audience_no_such_domain").en, HasSubstr("100 recipients (0.5 %)"));
  EXPECT_THAT(told(20'000, 100, "audience_much_unreachable").en, IsEmpty());
}

TEST(Preflight, TheStateOfADomainIsWhatTheDnsSays) {
  World world;
  const auto state = [&](const std::string& name) {
    return world.known([&](DnsFacts& facts) { return state_of_domain(name, facts); });
  };
  world.records[{.type = FactType::mx, .name = "null.example"}] = {""};
  world.records[{.type = FactType::aaaa, .name = "six.example"}] = {std::string(16, 'x')};
  world.broken = {{.type = FactType::mx, .name = "dead.example"},
                  {.type = FactType::a, .name = "half.example"}};
  EXPECT_EQ(state("example.jp"), DomainState::takes_mail);
  EXPECT_EQ(state("null.example"), DomainState::takes_none);
  EXPECT_EQ(state("six.example"), DomainState::takes_mail);
  EXPECT_EQ(state("empty.example"), DomainState::takes_none);
  EXPECT_EQ(state("dead.example"), DomainState::open);
  EXPECT_EQ(state("half.example"), DomainState::open) << "it may have an address";
}

TEST(Preflight, OnlyWhatBreaksTheRulesOfBulkIsRefused) {
  World world;
  world.is_signed = false;
  world.txt("bounce.example.jp") = {"v=spf1 -all"};
  replace(world.head, "List-Unsubscribe: <https://example.jp/leave>\r\n", "");
  world.content.text = "sale";
  world.suppressed = 50;
  EXPECT_THAT(world.report().broken_bulk_rules(),
              ElementsAre("signature_missing", "spf_fails", "dmarc_fails", "one_click_missing"));
  // A resolver that is broken proves nothing.
  World silent;
  for (const char* name : {"s1._domainkey.example.jp", "bounce.example.jp", "_dmarc.example.jp"}) {
    silent.broken.push_back({.type = FactType::txt, .name = name});
  }
  EXPECT_THAT(silent.report().broken_bulk_rules(), IsEmpty());
  EXPECT_EQ(worst_of(silent.report().findings), Outcome::not_determined);
}

TEST(Preflight, ARefusalIsInWholeSentencesAndNamesTheRemedyOnce) {
  World world;
  world.txt("bounce.example.jp") = {};
  world.sources.push_back(world.sources.front());
  world.sources.back().name = "other";
  world.sources.back().addresses.front().octets = *mailauth::spf::octets_of_ip4("192.0.2.9");
  world.sources.back().addresses.front().text = "192.0.2.9";
  const auto reasons = refusal_reasons(world.report());
  ASSERT_EQ(reasons.size(), 1U);
  EXPECT_EQ(reasons.front().code, "spf_fails");
  for (const std::string& text : {reasons.front().text.en, reasons.front().text.ja}) {
    EXPECT_THAT(text, HasSubstr("192.0.2.1"));
    EXPECT_THAT(text, HasSubstr("192.0.2.9"));
    EXPECT_THAT(text, HasSubstr("`todoku domain setup example.jp`"));
    EXPECT_THAT(text, Not(HasSubstr("DOMAIN")));
    EXPECT_THAT(text, Not(HasSubstr("..")));
    EXPECT_THAT(text, Not(HasSubstr("。。")));
    EXPECT_EQ(text.find("domain setup"), text.rfind("domain setup")) << text;
  }
  EXPECT_THAT(reasons.front().text.en, HasSubstr(". Microsoft refuses"));
  EXPECT_THAT(reasons.front().text.ja, HasSubstr("。Microsoft"));
}

TEST(Preflight, EveryCodeHasItsWordsInBothLanguagesOnce) {
  std::vector<std::string_view> codes;
  for (const PreflightText& text : preflight_texts()) {
    EXPECT_FALSE(text.sentence.en.empty() || text.sentence.ja.empty()) << text.code;
    EXPECT_EQ(text.advice.en.empty(), text.advice.ja.empty()) << text.code;
    EXPECT_EQ(text.why.en.empty(), text.why.ja.empty()) << text.code;
    const bool says_why = text.outcome == Outcome::warning || text.outcome == Outcome::fail;
    EXPECT_EQ(!text.why.en.empty(), says_why) << text.code;
    EXPECT_TRUE(!text.breaks_bulk_rules || text.outcome == Outcome::fail) << text.code;
    if (text.kind == PreflightKind::law) EXPECT_NE(text.outcome, Outcome::fail) << text.code;
    EXPECT_THAT(codes, Not(Contains(text.code)));
    codes.push_back(text.code);
    const Finding finding = preflight_finding(
        text.code, {.subject = "SUBJECT\x1b", .first = "FIRST", .second = "SECOND"});
    EXPECT_THAT(finding.sentence.en, Not(HasSubstr("\x1b")));
    EXPECT_THAT(finding.sentence.ja, Not(HasSubstr("{")));
  }
  EXPECT_GT(codes.size(), 50U);
}

}  // namespace
}  // namespace todoku::doctor
