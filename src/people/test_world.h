// SPDX-License-Identifier: Apache-2.0
// What tests of people begin with: a store, an account, mails that are kept, and people by their
// roles.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "access/totp.h"
#include "base/secret_box.h"
#include "people/people.h"
#include "support/installation.h"

namespace todoku::people {

struct KeptMailer final : Mailer {
  struct Mail {
    std::string to;
    store::LinkPurpose purpose;
    std::string url;
  };
  Task<Result<void>> send(store::Person person, store::LinkPurpose purpose,
                          std::string url) override {
    if (broken) co_return fail(ErrorKind::unavailable, "deliberate");
    mails.push_back({person.email, purpose, std::move(url)});
    co_return Result<void>();
  }
  Task<Result<void>> tell_invited_elsewhere(store::Person person, std::string) override {
    if (broken) co_return fail(ErrorKind::unavailable, "deliberate");
    told_elsewhere.push_back(person.email);
    co_return Result<void>();
  }
  std::vector<std::string> told_elsewhere;
  [[nodiscard]] bool is_there() const override { return there; }
  bool there = true;
  bool broken = false;
  std::vector<Mail> mails;
};

inline SecretText secret(std::string_view text) {
  return SecretText(std::string(text));
}

inline SecretText token_of(std::string_view url) {
  return secret(url.substr(url.find('#') + 1));
}

constexpr std::string_view kPassword = "four words and a half";

class PeopleTest : public ::testing::Test {
 protected:
  PeopleTest()
      : box(MasterKey::generate()),
        people(*installation.store, installation.clock,
               {.secret_box = [this]() -> Result<const SecretBox*> { return &box; },
                .public_url = [] { return std::string("https://console.example.jp"); },
                .mailer = &mailer,
                .passwords = {.passes = 1, .memory_octets = 8192}}) {
    acme = account("acme");
  }

  store::AccountKey account(const char* name) {
    return installation.store
        ->write_and_wait(store::WritePriority::accept,
                         [&](store::WriteTransaction& t) { return t.create_account(name); })
        ->key;
  }
  static Visitor from(std::string_view address) {
    return {.from = *net::IpAddress::parse(address), .agent = "Firefox/1"};
  }

  // The first operator, signed in.
  Opened make_operator() {
    auto link = run(people.first_operator_link("operator", "admin socket"));
    EXPECT_TRUE(link);
    LinkUse use{.token = token_of(link->url), .password = secret(kPassword)};
    use.email = "op@example.jp";
    use.name = "Operator";
    auto used = run(people.use_link(std::move(use), here));
    EXPECT_TRUE(used && *used) << (used ? "" : used.error().reason.en);
    return std::move(**used);
  }
  // Somebody of acme, made by the operator who acts for it, or by `by`, signed in.
  Opened make(const std::string& email, store::Role role, Who by = nullptr) {
    if (by == nullptr) by = acting_operator();
    auto added = run(people.add(by, {email, "Somebody", role, "en"}, here));
    EXPECT_TRUE(added) << (added ? "" : added.error().reason.en);
    EXPECT_TRUE(added->mailed);
    auto used = run(people.use_link(
        {.token = token_of(mailer.mails.back().url), .password = secret(kPassword)}, here));
    EXPECT_TRUE(used && *used) << (used ? "" : used.error().reason.en);
    return std::move(**used);
  }
  Who acting_operator() {
    if (operator_ == nullptr) operator_ = make_operator().who;
    auto who = run(people.act_for(operator_, "acme", here));
    EXPECT_TRUE(who) << (who ? "" : who.error().reason.en);
    operator_ = *who;
    return operator_;
  }
  Answer<Opened> sign_in(const std::string& email, std::string_view password = kPassword) {
    return run(people.sign_in(email, secret(password), here));
  }
  Answer<Who> look(const SecretText& token) { return run(people.look_up(token, here.from)); }
  // The code of now of a secret as it was offered.
  SecretText code_of(std::string_view octets) {
    const auto step = to_epoch_ms(installation.clock.now()) / 30'000;
    return secret(access::hotp_code(octets, static_cast<std::uint64_t>(step)));
  }
  // Sets a second factor up; the sign-in is rotated.
  ConfirmedTotp with_totp(const Who& who) {
    auto offer = run(people.offer_totp(who, here));
    EXPECT_TRUE(offer) << (offer ? "" : offer.error().reason.en);
    totp_secret = from_base32(offer->secret);
    auto confirmed = run(people.confirm_totp(who, code_of(totp_secret), here));
    EXPECT_TRUE(confirmed) << (confirmed ? "" : confirmed.error().reason.en);
    return std::move(*confirmed);
  }
  static std::string from_base32(std::string_view text) {
    std::string octets;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
      bits = bits << 5U | static_cast<std::uint32_t>(c >= 'A' ? c - 'A' : c - '2' + 26);
      count += 5;
      if (count < 8) continue;
      count -= 8;
      octets += static_cast<char>(bits >> count & 255U);
    }
    return octets;
  }
  std::vector<std::string> audit() {
    auto entries = installation.store->read_and_wait(
        [](store::ReadTransaction& reader) { return reader.audit({.limit = 1'000}); });
    std::vector<std::string> lines;
    for (const store::AuditEntry& entry : *entries) {
      lines.push_back(entry.actor + ": " + entry.action + " from " + entry.origin);
    }
    return lines;
  }

  TestStore installation;
  SecretBox box;
  KeptMailer mailer;
  People people;
  store::AccountKey acme{};
  Visitor here = from("192.0.2.1");
  Who operator_;
  std::string totp_secret;
};

}  // namespace todoku::people
