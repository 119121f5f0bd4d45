// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signing_context.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "mailauth/dkim/signer.h"
#include "mailauth/dkim/verifier.h"

namespace todoku::mailauth::dkim {
namespace {

const Instant kStart = from_epoch_ms(1'767'225'600'999);

Signer signer_with(const SigningKey& key, const std::string& selector) {
  return Signer::create({{.name = KeyName::parse("example.jp", selector).value(), .key = key}})
      .value();
}

std::string message(std::size_t number) {
  return "From: news@example.jp\r\nSubject: " + std::to_string(number) + "\r\n\r\nhello\r\n";
}

SigningInput input_of(const MessageView& view, SigningContext& context) {
  return {
      .headers = view.fields, .body_hash = context.body_hash({&view.body, 1}), .signed_at = kStart};
}

// Message `i` is signed by signer `i` modulo their number.
std::vector<std::string> together(SigningContext& context, const std::vector<Signer>& signers,
                                  std::size_t count) {
  std::vector<BegunSignatures> begun(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = message(i);
    const MessageView view = split_message(text);
    EXPECT_TRUE(signers[i % signers.size()].begin(context, input_of(view, context), begun[i]));
  }
  std::vector<std::string> fields(count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_TRUE(Signer::finish(context, begun[i], fields[i]));
  }
  return fields;
}

std::vector<std::string> one_by_one(SigningContext& context, const std::vector<Signer>& signers,
                                    std::size_t count) {
  std::vector<std::string> fields(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = message(i);
    const MessageView view = split_message(text);
    EXPECT_TRUE(signers[i % signers.size()].sign(context, input_of(view, context), fields[i]));
  }
  return fields;
}

TEST(SigningContext, TogetherGivesTheOctetsOfOpensslAlone) {
  const SigningKey rsa = SigningKey::generate(KeyAlgorithm::rsa).value();
  const std::vector<Signer> signers{
      signer_with(rsa, "r1"), signer_with(SigningKey::generate(KeyAlgorithm::rsa).value(), "r2"),
      Signer::create({{.name = KeyName::parse("example.jp", "r1").value(), .key = rsa},
                      {.name = KeyName::parse("example.jp", "e1").value(),
                       .key = SigningKey::generate(KeyAlgorithm::ed25519).value()}})
          .value()};
  SigningContext context;
  SigningContext openssl(RsaArithmetic::openssl);
  EXPECT_FALSE(openssl.computes_together(rsa));
  EXPECT_FALSE(signers[0].gains_from_company(openssl));
  EXPECT_EQ(signers[0].gains_from_company(context), context.computes_together(rsa));
  EXPECT_EQ(signers[2].gains_from_company(context), context.computes_together(rsa));
  const Signer curve_alone = signer_with(SigningKey::generate(KeyAlgorithm::ed25519).value(), "e1");
  EXPECT_FALSE(curve_alone.gains_from_company(context));
  // Beside whole eights: too few for eight, just enough, two eights and a rest of each kind.
  for (const std::size_t count : {1U, 4U, 5U, 8U, 12U, 13U, 16U, 19U, 22U}) {
    EXPECT_EQ(together(context, signers, count), one_by_one(openssl, signers, count)) << count;
  }
}

TEST(SigningContext, WhatWasBegunAndNotFinishedIsForgotten) {
  const std::vector<Signer> signers{
      signer_with(SigningKey::generate(KeyAlgorithm::rsa).value(), "r1")};
  SigningContext context;
  const auto expected = one_by_one(context, signers, 8);
  const std::string text = message(99);
  const MessageView view = split_message(text);
  BegunSignatures dropped;
  ASSERT_TRUE(signers[0].begin(context, input_of(view, context), dropped));
  EXPECT_EQ(together(context, signers, 8), expected);
  EXPECT_EQ(together(context, signers, 8), expected);
}

// The key with 1/q mod p off by one: whoever takes the short way through p and q computes wrong
// signatures, the long way is still right.
SigningKey key_with_a_wrong_part() {
  struct Free {
    void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
    void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
    void operator()(BIGNUM* number) const { BN_free(number); }
  };
  const SigningKey key = SigningKey::generate(KeyAlgorithm::rsa).value();
  const std::unique_ptr<OSSL_PARAM_BLD, Free> builder(OSSL_PARAM_BLD_new());
  std::vector<std::unique_ptr<BIGNUM, Free>> numbers;
  for (const char* name :
       {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E, OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key.native(), name, &number), 1);
    numbers.emplace_back(number);
    if (name == std::string_view(OSSL_PKEY_PARAM_RSA_COEFFICIENT1)) BN_sub_word(number, 1);
    EXPECT_EQ(OSSL_PARAM_BLD_push_BN(builder.get(), name, number), 1);
  }
  const std::unique_ptr<OSSL_PARAM, Free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, parameters.get()), 1);
  const PkeyPtr wrong(made);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  EXPECT_EQ(PEM_write_bio_PKCS8PrivateKey(bio.get(), made, nullptr, nullptr, 0, nullptr, nullptr),
            1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return SigningKey::from_pem({data, static_cast<std::size_t>(size)}).value();
}

TEST(SigningContext, AWrongSignatureDoesNotLeave) {
  const SigningKey key = key_with_a_wrong_part();
  const std::vector<Signer> signers{signer_with(key, "r1")};
  SigningContext context;
  const auto fields = together(context, signers, 8);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::string text = fields[i] + message(i);
    const MessageView view = split_message(text);
    const auto signature = parse_signatures(view).front();
    EXPECT_EQ(verify(view, signature, KeyAnswer::from_texts({key_record_text(key)}),
                     {.now = kStart, .accept_partial_body = false})
                  .verdict,
              Verdict::pass)
        << i;
  }
}

}  // namespace
}  // namespace todoku::mailauth::dkim
