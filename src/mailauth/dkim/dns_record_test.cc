// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/dns_record.h"

#include <string>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/bytes.h"
#include "mailauth/dkim/key.h"
#include "mailauth/dkim/key_record.h"
#include "mailauth/dkim/openssl_ptr.h"
#include "mailauth/rsa/test_keys.h"

namespace todoku::mailauth::dkim {
namespace {

// RFC 8463 appendix A.2: the private key as 32 octets in base64.
constexpr std::string_view kRfc8463Seed = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

// PKCS#8 around an Ed25519 seed (RFC 8410 section 7).
std::string ed25519_pem(std::string_view seed_base64) {
  const std::string der =
      from_hex("302e020100300506032b657004220420").value() + from_base64(seed_base64).value();
  return "-----BEGIN PRIVATE KEY-----\n" + to_base64(der) + "\n-----END PRIVATE KEY-----\n";
}

std::string error_of(const Result<SigningKey>& result) {
  return result ? "no error" : result.error().detail;
}

TEST(SigningKey, TheEd25519KeyOfRfc8463HasThePublicKeyOfRfc8463) {
  const auto key = SigningKey::from_pem(ed25519_pem(kRfc8463Seed));
  ASSERT_TRUE(key) << error_of(key);
  EXPECT_EQ(key->algorithm(), KeyAlgorithm::ed25519);
  EXPECT_EQ(key_record_text(*key),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
}

TEST(SigningKey, SurvivesItsPem) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa, KeyAlgorithm::ed25519}) {
    const auto key = SigningKey::generate(algorithm);
    ASSERT_TRUE(key);
    EXPECT_EQ(key->bits(), algorithm == KeyAlgorithm::rsa ? 2048 : 256);
    const SecretText pem = key->to_pem();
    EXPECT_TRUE(pem.view().starts_with("-----BEGIN PRIVATE KEY-----\n"));
    const auto again = SigningKey::from_pem(pem);
    ASSERT_TRUE(again) << error_of(again);
    EXPECT_EQ(again->algorithm(), algorithm);
    EXPECT_EQ(again->public_octets(), key->public_octets());
    EXPECT_EQ(again->to_pem(), pem);
  }
}

TEST(SigningKey, ReadsTheOlderFormOfRsaKeys) {
  const auto key = SigningKey::generate(KeyAlgorithm::rsa);
  ASSERT_TRUE(key);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PrivateKey_traditional(bio.get(), key->native(), nullptr, nullptr, 0,
                                                 nullptr, nullptr),
            1);
  char* data = nullptr;
  const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
  const std::string_view pkcs1(data, size);
  ASSERT_TRUE(pkcs1.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  const auto again = SigningKey::from_pem(pkcs1);
  ASSERT_TRUE(again) << error_of(again);
  EXPECT_EQ(again->to_pem(), key->to_pem());
}

TEST(SigningKey, RefusesWhatDkimCannotUse) {
  EXPECT_FALSE(SigningKey::from_pem(""));
  EXPECT_FALSE(
      SigningKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"));
  EXPECT_FALSE(SigningKey::from_pem(std::string(100'000, 'x')));
  const auto encrypted = SigningKey::from_pem(
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
  ASSERT_FALSE(encrypted);
  EXPECT_NE(error_of(encrypted).find("pass phrase"), std::string::npos);
  // NIST P-256, PKCS#8 of the private scalar 1.
  const auto elliptic = SigningKey::from_pem(
      "-----BEGIN PRIVATE KEY-----\n" +
      to_base64(from_hex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420"
                         "0000000000000000000000000000000000000000000000000000000000000001")
                    .value()) +
      "\n-----END PRIVATE KEY-----\n");
  ASSERT_FALSE(elliptic);
  EXPECT_EQ(elliptic.error().kind, ErrorKind::unsupported) << error_of(elliptic);
}

TEST(SigningKey, RefusesAPrivateKeyWhoseHalvesDiffer) {
  std::string pem(SigningKey::generate(KeyAlgorithm::rsa)->to_pem().view());
  // One digit of the fourth line, which is in the middle of the modulus.
  const std::size_t at = pem.find('\n') + 200;
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(SigningKey::from_pem(pem));
}

// OpenSSL signs with such a key, the long way; by eight it would look like a fault of the
// processor.
TEST(SigningKey, RefusesAnRsaKeyWhosePartsDoNotBelongTogetherAndSaysWhich) {
  const SigningKey key = SigningKey::generate(KeyAlgorithm::rsa).value();
  struct Case {
    const char* part;
    std::string_view told;
  };
  for (const Case& wrong :
       {Case{OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qInv times q is not 1 modulo p"},
        Case{OSSL_PKEY_PARAM_RSA_EXPONENT1, "dP times e is not 1 modulo p - 1"},
        Case{OSSL_PKEY_PARAM_RSA_FACTOR2, "p times q is not the modulus n"}}) {
    rsa::KeyNumbers numbers = rsa::numbers_of(key.native());
    BN_add_word(numbers[wrong.part].get(), 2);
    const auto read = SigningKey::from_pem(rsa::pem_of(rsa::key_of(numbers).get()));
    ASSERT_FALSE(read) << wrong.part;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid_input);
    EXPECT_EQ(read.error().detail, "the RSA private key is damaged: " + std::string(wrong.told));
  }
}

TEST(KeyName, IsNormalisedForTheDns) {
  const auto name = KeyName::parse("Example.JP.", "S1.News");
  ASSERT_TRUE(name) << name.error().detail;
  EXPECT_EQ(name->domain, "example.jp");
  EXPECT_EQ(name->selector, "s1.news");
  EXPECT_EQ(name->lookup_name(), "s1.news._domainkey.example.jp");
  const auto japanese = KeyName::parse("例え.jp", "s");
  ASSERT_TRUE(japanese) << japanese.error().detail;
  EXPECT_EQ(japanese->domain, "xn--r8jz45g.jp");
}

TEST(KeyName, RefusesWhatReceiversRefuse) {
  for (const char* selector : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a_b", "a b", "a;b"}) {
    EXPECT_FALSE(KeyName::parse("example.jp", selector)) << selector;
  }
  EXPECT_FALSE(KeyName::parse("example.jp", std::string(64, 'a')));
  for (const char* domain : {"", "jp", "a_b.example.jp", "exa mple.jp", "[192.0.2.1]"}) {
    EXPECT_FALSE(KeyName::parse(domain, "s1")) << domain;
  }
  const std::string label(60, 'a');
  const std::string long_domain = label + "." + label + "." + label + ".example.jp";
  EXPECT_TRUE(KeyName::parse(long_domain, "s1"));
  EXPECT_FALSE(KeyName::parse(long_domain, label));
}

TEST(DnsRecord, LongTextsAreCutIntoStringsOf255Octets) {
  EXPECT_EQ(split_txt_strings(""), std::vector<std::string_view>{""});
  const std::string text(600, 'x');
  const auto strings = split_txt_strings(text);
  ASSERT_EQ(strings.size(), 3U);
  EXPECT_EQ(strings[0].size(), 255U);
  EXPECT_EQ(strings[2].size(), 90U);
}

TEST(DnsRecord, ZoneFileEntries) {
  EXPECT_EQ(zone_file_entry("s1._domainkey.example.jp", "v=DKIM1; p="),
            "s1._domainkey.example.jp. IN TXT \"v=DKIM1; p=\"\n");
  EXPECT_EQ(zone_file_entry("a.example.jp", std::string(256, 'x')),
            "a.example.jp. IN TXT ( \"" + std::string(255, 'x') + "\"\n  \"x\" )\n");
  EXPECT_EQ(zone_file_entry("a.example.jp", "\"\\\x01"),
            "a.example.jp. IN TXT \"\\\"\\\\\\001\"\n");
}

TEST(KeyRecord, ReadsWhatWePublish) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::rsa, KeyAlgorithm::ed25519}) {
    const auto key = SigningKey::generate(algorithm);
    ASSERT_TRUE(key);
    const auto record = parse_key_record(key_record_text(*key));
    ASSERT_TRUE(record) << record.error().detail;
    EXPECT_EQ(record->algorithm, algorithm);
    EXPECT_EQ(record->bits, key->bits());
    EXPECT_FALSE(record->revoked());
    EXPECT_FALSE(record->testing);
    EXPECT_FALSE(record->exact_identity);
    EXPECT_TRUE(record->for_email);
    EXPECT_TRUE(record->accepts_sha256);
  }
}

TEST(KeyRecord, FlagsServicesAndHashes) {
  const std::string key = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=; k=ed25519";
  const auto record = [&](const std::string& more) {
    return parse_key_record(key + "; " + more).value();
  };
  EXPECT_TRUE(record("t= y : s").testing);
  EXPECT_TRUE(record("t=y:s").exact_identity);
  EXPECT_FALSE(record("t=x").testing);
  EXPECT_TRUE(record("s=email").for_email);
  EXPECT_TRUE(record("s=tlsrpt:*").for_email);
  EXPECT_FALSE(record("s=tlsrpt").for_email);
  EXPECT_TRUE(record("h=sha1:sha256").accepts_sha256);
  EXPECT_FALSE(record("h=sha1").accepts_sha256);
  EXPECT_TRUE(parse_key_record("v=DKIM1; p=")->revoked());
}

TEST(KeyRecord, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", "v=spf1 -all", "v=DKIM2; p=", "k=rsa; v=DKIM1; p=", "v=DKIM1", "v=DKIM1; p=!!",
        "v=DKIM1; p=AAAA", "v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; k=x; p=AAAA",
        "p=;p=", "v=DKIM1; k=rsa; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}) {
    EXPECT_FALSE(parse_key_record(text)) << text;
  }
}

TEST(KeyRecord, AnAnswerKeepsTheReadableRecords) {
  const auto answer = KeyAnswer::from_texts({"v=spf1 -all", "v=DKIM1; p="});
  EXPECT_EQ(answer.status(), KeyAnswer::Status::found);
  EXPECT_EQ(answer.records().size(), 1U);
  EXPECT_EQ(KeyAnswer::from_texts({}).status(), KeyAnswer::Status::absent);
  const auto broken = KeyAnswer::from_texts({"nothing"});
  EXPECT_TRUE(broken.records().empty());
  EXPECT_NE(broken.reason(), "");
}

}  // namespace
}  // namespace todoku::mailauth::dkim
