// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/verifier.h"

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/openssl_ptr.h"

namespace todoku::mailauth::dkim {
namespace {

const Instant kNow = from_epoch_ms(1'767'225'600'000);

// RFC 8463 appendix A.3, the signed message, and A.2, the records of its keys.
constexpr std::string_view kRfc8463Message =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    " subject : date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=football.example.com; i=@football.example.com;\r\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    " date : message-id : from : subject : date;\r\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
    "From: Joe SixPack <joe@football.example.com>\r\n"
    "To: Suzie Q <suzie@shopping.example.net>\r\n"
    "Subject: Is dinner ready?\r\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    "\r\n"
    "Hi.\r\n"
    "\r\n"
    "We lost the game.  Are you hungry yet?\r\n"
    "\r\n"
    "Joe.\r\n";
constexpr std::string_view kRfc8463Ed25519Record =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
constexpr std::string_view kRfc8463RsaRecord =
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
    "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
    "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
    "Ip3G+2kryOTIKT+l/K4w3QIDAQAB";

KeyAnswer answer(std::string_view record) {
  return KeyAnswer::from_texts({std::string(record)});
}

const SigningKey& test_key() {
  static const SigningKey key = SigningKey::generate(KeyAlgorithm::ed25519).value();
  return key;
}
std::string test_record(const std::string& more = "") {
  return key_record_text(test_key()) + more;
}

constexpr std::string_view kHeaders =
    "From: a@example.jp\r\n"
    "Subject: one\r\n"
    "Subject:  two \r\n";
constexpr std::string_view kBody = "Hello  there \r\n\r\n";

struct Recipe {
  std::string tags;     // without bh= and b=
  std::string hashed;   // canonical header fields, in the order of h=
  std::string body;     // canonical, as far as it is signed
  bool relaxed = true;  // form of the signature's own field
};

// A signature made by hand, sharing nothing with the signer: field text, then kHeaders and kBody.
std::string signed_message(const Recipe& recipe) {
  const std::string own =
      "DKIM-Signature: " + recipe.tags + "; bh=" + to_base64(as_text(sha256(recipe.body))) + "; b=";
  std::string hashed = recipe.hashed + own;
  if (recipe.relaxed) hashed.replace(recipe.hashed.size(), 16, "dkim-signature:");
  const Sha256 hash = sha256(hashed);
  std::array<std::uint8_t, 64> octets{};
  std::size_t size = octets.size();
  const DigestContextPtr context(EVP_MD_CTX_new());
  EXPECT_EQ(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, test_key().native()), 1);
  EXPECT_EQ(EVP_DigestSign(context.get(), octets.data(), &size, hash.data(), hash.size()), 1);
  return own + to_base64(as_text(octets)) + "\r\n" + std::string(kHeaders) + "\r\n" +
         std::string(kBody);
}

const std::string kRelaxedBody = "Hello there\r\n";
const std::string kBase = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.jp; s=s1";

Recipe from_only(const std::string& tags) {
  return {.tags = tags + "; h=From", .hashed = "from:a@example.jp\r\n", .body = kRelaxedBody};
}

SignatureResult verify_first(std::string_view text, const KeyAnswer& key,
                             VerifyOptions options = {.now = kNow}) {
  const MessageView message = split_message(text);
  const auto signatures = parse_signatures(message);
  EXPECT_FALSE(signatures.empty());
  return verify(message, signatures.front(), key, options);
}

std::string told(const SignatureResult& result) {
  return std::string(to_string(result.verdict)) +
         (result.reason.empty() ? "" : ": " + result.reason);
}

TEST(Verifier, TheMessageOfRfc8463AppendixA) {
  const MessageView message = split_message(kRfc8463Message);
  const auto signatures = parse_signatures(message);
  ASSERT_EQ(signatures.size(), 2U);
  EXPECT_EQ(signatures[0].lookup_name(), "brisbane._domainkey.football.example.com");
  EXPECT_EQ(signatures[1].lookup_name(), "test._domainkey.football.example.com");
  EXPECT_EQ(told(verify(message, signatures[0], answer(kRfc8463Ed25519Record), {.now = kNow})),
            "pass");
  const auto rsa = verify(message, signatures[1], answer(kRfc8463RsaRecord), {.now = kNow});
  EXPECT_EQ(told(rsa), "pass");
  EXPECT_EQ(rsa.key_bits, 1024);
  EXPECT_EQ(
      verify(message, signatures[1], answer(kRfc8463RsaRecord), {.now = kNow, .rsa_bits_min = 2048})
          .verdict,
      Verdict::policy);
}

TEST(Verifier, RelaxedAndSimpleForms) {
  EXPECT_EQ(told(verify_first(signed_message(from_only(kBase)), answer(test_record()))), "pass");

  const std::string start = "v=1; a=ed25519-sha256; d=example.jp; s=s1; h=Subject:Subject:from";
  const Recipe simple{.tags = start,
                      .hashed = "Subject:  two \r\nSubject: one\r\nFrom: a@example.jp\r\n",
                      .body = "Hello  there \r\n",
                      .relaxed = false};
  EXPECT_EQ(told(verify_first(signed_message(simple), answer(test_record()))), "pass");
  const Recipe mixed{.tags = start + "; c=relaxed",
                     .hashed = "subject:two\r\nsubject:one\r\nfrom:a@example.jp\r\n",
                     .body = "Hello  there \r\n"};
  EXPECT_EQ(told(verify_first(signed_message(mixed), answer(test_record()))), "pass");
}

TEST(Verifier, PartialBodies) {
  Recipe recipe = from_only(kBase + "; l=5");
  recipe.body = "Hello";
  const auto accepted = verify_first(signed_message(recipe), answer(test_record()));
  EXPECT_EQ(told(accepted), "pass");
  EXPECT_EQ(accepted.unsigned_octets, 8U);
  EXPECT_EQ(told(verify_first(signed_message(recipe), answer(test_record()),
                              {.now = kNow, .accept_partial_body = false})),
            "policy: l= leaves 8 octets unsigned");
  EXPECT_EQ(told(verify_first(signed_message(from_only(kBase + "; l=14")), answer(test_record()))),
            "fail: the body is shorter than l= says");
  const Recipe whole = from_only(kBase + "; l=13");
  EXPECT_EQ(told(verify_first(signed_message(whole), answer(test_record()),
                              {.now = kNow, .accept_partial_body = false})),
            "pass");
}

TEST(Verifier, ExpiryIsJudgedAtTheGivenTime) {
  const std::string text = signed_message(from_only(kBase + "; t=1767225000; x=1767225600"));
  EXPECT_EQ(told(verify_first(text, answer(test_record()))), "pass");
  EXPECT_EQ(
      told(verify_first(text, answer(test_record()), {.now = kNow + std::chrono::seconds(2)})),
      "policy: the signature expired 2 s ago");
}

TEST(Verifier, WhatTheKeyRecordForbids) {
  const std::string text = signed_message(from_only(kBase + "; i=a@news.example.jp"));
  const auto with = [&](const std::string& record) {
    return told(verify_first(text, answer(record)));
  };
  EXPECT_EQ(with(test_record()), "pass");
  EXPECT_EQ(with(test_record("; t=s")), "permerror: the key allows no subdomain in i=");
  EXPECT_EQ(with(test_record("; s=tlsrpt")), "permerror: the key is not for e-mail");
  EXPECT_EQ(with(test_record("; h=sha1")), "permerror: the key does not allow SHA-256");
  EXPECT_EQ(with("v=DKIM1; k=ed25519; p="), "permerror: the key is revoked");
  EXPECT_EQ(with(std::string(kRfc8463RsaRecord)),
            "permerror: the key is of another kind than a= says");
  EXPECT_EQ(with("v=DKIM1; k=ed25519"), "permerror: key record: p= is missing");
  EXPECT_EQ(
      with(std::string(kRfc8463Ed25519Record)),
      "fail: the signature does not match: signed headers were changed, or another key signed");
  EXPECT_TRUE(verify_first(text, answer(test_record("; t=y"))).testing);
  EXPECT_EQ(told(verify_first(signed_message(from_only(kBase)), answer(test_record("; t=s")))),
            "pass");
}

TEST(Verifier, WhatTheDnsMaySay) {
  const std::string text = signed_message(from_only(kBase));
  EXPECT_EQ(told(verify_first(text, KeyAnswer::absent())), "permerror: there is no key record");
  EXPECT_EQ(told(verify_first(text, KeyAnswer::unavailable("SERVFAIL"))),
            "temperror: the key cannot be looked up: SERVFAIL");
  const std::string other(kRfc8463Ed25519Record);
  EXPECT_EQ(told(verify_first(text, KeyAnswer::from_texts({other, "junk", test_record()}))),
            "pass");
  EXPECT_EQ(verify_first(text, KeyAnswer::from_texts({"v=DKIM1; p=", other})).verdict,
            Verdict::fail);
}

TEST(Verifier, MoreNamesThanFieldsSealTheField) {
  const Recipe recipe{.tags = kBase + "; h=From:From:Subject:Subject:Subject",
                      .hashed = "from:a@example.jp\r\nsubject:two\r\nsubject:one\r\n",
                      .body = kRelaxedBody};
  const std::string text = signed_message(recipe);
  EXPECT_EQ(told(verify_first(text, answer(test_record()))), "pass");
  EXPECT_EQ(verify_first("From: b@example.jp\r\n" + text, answer(test_record())).verdict,
            Verdict::fail);
}

TEST(Verifier, FoldsAndSpacesAroundTheSignatureDoNotMatter) {
  std::string text = signed_message(from_only(kBase));
  const std::size_t b = text.find("; b=") + 4;
  text.replace(b, 0, "\r\n ");
  text.replace(b + 30, 0, "\r\n\t");
  EXPECT_EQ(told(verify_first(text, answer(test_record()))), "pass");
}

struct BadField {
  const char* tags;
  const char* expected;
};

TEST(Verifier, FieldsThatCannotVerifyNeedNoLookUp) {
  const std::string h = "; h=from; bh=AAAA; b=AAAA";
  const BadField cases[] = {
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; h=from; bh=AAAA", "neutral: b= is missing"},
      {"a=rsa-sha256; d=example.jp; s=s1; h=from; bh=AAAA; b=AAAA", "neutral: v= is missing"},
      {"v=2; a=rsa-sha256; d=example.jp; s=s1; h=from; bh=AAAA; b=AAAA", "neutral: v= is not 1"},
      {"v=1; a=rsa-sha256; s=s1; h=from; bh=AAAA; b=AAAA", "neutral: d= is not a domain"},
      {"v=1; a=rsa-sha256; d=a..jp; s=s1; h=from; bh=AAAA; b=AAAA", "neutral: d= is not a domain"},
      {"v=1; a=rsa-sha256; d=example.jp; s=; h=from; bh=AAAA; b=A",
       "neutral: s= is not a selector"},
      {"v=1; a=rsa-sha1; d=example.jp; s=s1; h=from; bh=AAAA; b=AAAA",
       "policy: rsa-sha1 is not acceptable"},
      {"v=1; a=x; d=example.jp; s=s1; h=from; bh=AAAA; b=AAAA",
       "neutral: a= names an unknown algorithm"},
      {"v=1; a=rsa-sha256; c=relaxed/x; d=example.jp; s=s1; h=from; bh=AAAA; b=AAAA",
       "neutral: c= names an unknown canonicalization"},
      {"v=1; a=rsa-sha256; q=x; d=example.jp; s=s1; h=from; bh=AAAA; b=AAAA",
       "neutral: q= names no known query method"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; h=to; bh=AAAA; b=AAAA",
       "permerror: From is not signed"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; h=from:; bh=AAAA; b=AAAA",
       "neutral: h= holds an empty name"},
      {"v=1; a=rsa-sha256; d=example.jp; i=@example.com; s=s1; h=from; bh=AAAA; b=AAAA",
       "permerror: i= is not within d="},
      {"v=1; a=rsa-sha256; d=example.jp; i=x; s=s1; h=from; bh=AAAA; b=AAAA",
       "neutral: i= has no @"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; h=from; bh=AAAA; b=!", "neutral: b= is not base64"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; l=-1; h=from; bh=AAAA; b=AAAA",
       "neutral: l= is not a number"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; l=; h=from; bh=AA; b=AAAA",
       "neutral: l= is not a number"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; x=1.5; h=from; bh=AA; b=AAAA",
       "neutral: x= is not a number"},
      {"v=1; a=rsa-sha256; c=relaxed/; d=example.jp; s=s1; h=from; bh=AA; b=AAAA",
       "neutral: c= names an unknown canonicalization"},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; i=a@badexample.jp; h=from; bh=AA==; b=AAAA",
       "permerror: i= is not within d="},
      {"v=1; a=rsa-sha256; d=example.jp; s=s1; t=5; x=5; h=from; bh=AAAA; b=AAAA",
       "neutral: x= is not later than t="},
      {"v=1; v=1; a=rsa-sha256", "neutral: tag v occurs twice"},
      {"v=1;; a=rsa-sha256", "neutral: \"\" is not a tag=value"},
      {"", "neutral: \"\" is not a tag=value"},
  };
  for (const BadField& bad : cases) {
    const std::string text =
        "DKIM-Signature: " + std::string(bad.tags) + "\r\n" + std::string(kHeaders) + "\r\nx\r\n";
    const auto signatures = parse_signatures(split_message(text));
    ASSERT_EQ(signatures.size(), 1U);
    EXPECT_TRUE(signatures[0].problem) << bad.tags;
    EXPECT_EQ(told(verify_first(text, answer(test_record()))), bad.expected) << bad.tags;
  }
}

TEST(Verifier, NumbersThatDoNotFitAreAsLargeAsFits) {
  // RFC 6376 section 3.5: times of more than 12 digits may be infinite.
  const auto expires = signed_message(from_only(kBase + "; x=99999999999999999999999999"));
  EXPECT_EQ(told(verify_first(expires, answer(test_record()))), "pass");
  const auto dated = signed_message(from_only(kBase + "; t=99999999999999999999999999"));
  EXPECT_EQ(verify_first(dated, answer(test_record())).verdict, Verdict::policy);
  const auto length = signed_message(from_only(kBase + "; l=99999999999999999999999999"));
  EXPECT_EQ(told(verify_first(length, answer(test_record()))),
            "fail: the body is shorter than l= says");
}

TEST(Verifier, SignaturesAreNotFromTheFuture) {
  const auto at = [](int hours) {
    return signed_message(from_only(kBase + "; t=" + std::to_string(1'767'225'600 + hours * 3600)));
  };
  EXPECT_EQ(told(verify_first(at(9), answer(test_record()))), "pass");
  EXPECT_EQ(told(verify_first(at(11), answer(test_record()))),
            "policy: the signature is dated 39600 s ahead");
}

TEST(Verifier, ASignatureDoesNotCoverItself) {
  // RFC 6376 section 3.5: h= names other DKIM-Signature fields only.
  Recipe recipe = from_only(kBase);
  recipe.tags = kBase + "; h=DKIM-Signature:From:DKIM-Signature";
  recipe.hashed = "dkim-signature:x=1\r\nfrom:a@example.jp\r\n";
  std::string text = signed_message(recipe);
  text.insert(text.find("\r\nFrom:") + 2, "DKIM-Signature: x=1\r\n");
  EXPECT_EQ(told(verify_first(text, answer(test_record()))), "pass");
}

TEST(Verifier, IdentitiesMayBeFoldedAnywhere) {
  // RFC 6376 section 2.11: white space in dkim-quoted-printable means nothing.
  const auto text = signed_message(from_only(kBase + "; i=a @news. example.jp"));
  const auto result = verify_first(text, answer(test_record()));
  EXPECT_EQ(told(result), "pass");
  EXPECT_EQ(result.identity, "a@news.example.jp");
}

TEST(Verifier, DomainsOfULabelsAreAskedForAsALabels) {
  // RFC 8616 section 4
  const auto text = signed_message(from_only(
      "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=日本.example; s=鍵; i=届く@xn--wgv71a.example"));
  const auto signatures = parse_signatures(split_message(text));
  ASSERT_FALSE(signatures.front().problem);
  EXPECT_EQ(signatures.front().lookup_name(), "xn--5y4a._domainkey.xn--wgv71a.example");
  const auto result = verify_first(text, answer(test_record("; t=s")));
  EXPECT_EQ(told(result), "pass");
  EXPECT_EQ(result.domain, "xn--wgv71a.example");
}

TEST(Verifier, SaysWhichPartWasChanged) {
  const std::string good = signed_message(from_only(kBase));
  const auto with = [&](std::string_view from, std::string_view to, std::string text) {
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const std::string header = with("a@example.jp", "b@example.jp", good);
  const auto of_header = verify_first(header, answer(test_record()));
  EXPECT_EQ(of_header.signature_matches, false);
  EXPECT_EQ(of_header.body_matches, true);
  const auto of_body = verify_first(with("there", "where", good), answer(test_record()));
  EXPECT_EQ(of_body.signature_matches, true);
  EXPECT_EQ(of_body.body_matches, false);
  EXPECT_EQ(of_body.body_hash, as_text(sha256("Hello where\r\n")));
  EXPECT_EQ(told(verify_first(with("there", "where", header), answer(test_record()))),
            "fail: neither the signature nor the body hash matches: the whole message was changed");
  EXPECT_FALSE(verify_first(good, KeyAnswer::absent()).body_matches);
}

TEST(Verifier, TheLastFieldMayEndTheMessage) {
  // c=simple: each field ends with CRLF, which a message that is all header may lack.
  Recipe recipe{.tags = "v=1; a=ed25519-sha256; d=example.jp; s=s1; h=From",
                .hashed = "From: a@example.jp\r\n",
                .body = "\r\n",
                .relaxed = false};
  std::string text = signed_message(recipe);
  text.resize(text.find("\r\nSubject:"));
  EXPECT_EQ(told(verify_first(text, answer(test_record()))), "pass");
}

TEST(Verifier, LooksAtALimitedNumberOfSignatures) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "DKIM-Signature: x=1\r\n";
  EXPECT_EQ(parse_signatures(split_message(text + "\r\n")).size(), kSignaturesMax);
  EXPECT_EQ(count_signatures(split_message(text + "\r\n")), 100U);
}

TEST(Message, IsCutIntoFieldsAndBody) {
  const auto message = split_message("A: 1\r\n 2\r\nB : x:y\r\nno field\r\n\r\n\r\nbody\r\n");
  ASSERT_EQ(message.fields.size(), 3U);
  EXPECT_EQ(message.fields[0].name, "A");
  EXPECT_EQ(message.fields[0].raw, "A: 1\r\n 2\r\n");
  EXPECT_EQ(message.fields[1].name, "B");
  EXPECT_EQ(message.fields[2].name, "");
  EXPECT_EQ(message.body, "\r\nbody\r\n");
  EXPECT_EQ(split_message("A: 1").fields.size(), 1U);
  EXPECT_TRUE(split_message("").fields.empty());
  EXPECT_EQ(split_message("\r\nx").body, "x");
}

}  // namespace
}  // namespace todoku::mailauth::dkim
