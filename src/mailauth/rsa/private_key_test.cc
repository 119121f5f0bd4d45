// SPDX-License-Identifier: Apache-2.0
#include "mailauth/rsa/private_key.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "base/digest.h"
#include "base/random.h"
#include "mailauth/rsa/emulation.h"
#include "mailauth/rsa/test_keys.h"
#include "mailauth/rsa/test_seed.h"

namespace todoku::mailauth::rsa {
namespace {

using Octets = std::array<std::uint8_t, kOctets>;

// With the emulation, and with the processor's instructions where it has them.
class RsaPrivateKey : public testing::TestWithParam<Compute*> {
 protected:
  void SetUp() override {
    if (GetParam() == nullptr) GTEST_SKIP() << "this processor has no AVX-512 IFMA";
  }
};
INSTANTIATE_TEST_SUITE_P(Arithmetic, RsaPrivateKey,
                         testing::Values(&compute_with_emulation, fastest_arithmetic()),
                         [](const auto& info) { return info.index == 0 ? "emulated" : "fastest"; });

Octets public_operation(EVP_PKEY* key, const Octets& signature) {
  Octets out{};
  const std::unique_ptr<EVP_PKEY_CTX, TestDeleter> context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  std::size_t size = out.size();
  EXPECT_EQ(EVP_PKEY_encrypt_init(context.get()), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_encrypt(context.get(), out.data(), &size, signature.data(), signature.size()),
            1);
  return out;
}

Octets random_octets(SeededRandom& random) {
  Octets octets{};
  for (auto& octet : octets) octet = static_cast<std::uint8_t>(random.below(256));
  octets[0] = 0;  // below the modulus
  return octets;
}

Octets octets_of(const BIGNUM* number) {
  Octets octets{};
  EXPECT_EQ(BN_bn2binpad(number, octets.data(), kOctets), static_cast<int>(kOctets));
  return octets;
}

TEST_P(RsaPrivateKey, EightKeysAtOnceUndoTheirPublicOperation) {
  const std::uint64_t seed = test_seed();
  SCOPED_TRACE(seed);
  SeededRandom random(seed);
  std::vector<TestKey> keys;
  std::vector<PrivateKey> numbers;
  for (std::size_t i = 0; i < kTogether; ++i) {
    keys.emplace_back(EVP_RSA_gen(2048U));
    numbers.push_back(PrivateKey::of(keys.back().get()).value());
  }
  for (const std::size_t count : {std::size_t{1}, std::size_t{5}, kTogether}) {
    std::vector<Octets> inputs(count);
    std::vector<Octets> outputs(count);
    std::vector<PrivateOperation> operations;
    for (std::size_t i = 0; i < count; ++i) {
      inputs[i] = random_octets(random);
      if (i == 3) inputs[i].fill(0);
      operations.push_back({&numbers[i], inputs[i], outputs[i]});
    }
    ASSERT_TRUE(operate(operations, *GetParam()));
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(public_operation(keys[i].get(), outputs[i]), inputs[i]) << i + 1 << " of " << count;
    }
  }
}

// Again and again, because the blinding is another each time.
TEST_P(RsaPrivateKey, OneKeyInEverySlotAndTheLargestInput) {
  const TestKey key(EVP_RSA_gen(2048U));
  PrivateKey numbers = PrivateKey::of(key.get()).value();
  const Bignum input = part(key.get(), OSSL_PKEY_PARAM_RSA_N);
  for (int round = 0; round < 3; ++round) {
    std::vector<Octets> inputs(kTogether);
    std::vector<Octets> outputs(kTogether);
    std::vector<PrivateOperation> operations;
    for (std::size_t i = 0; i < kTogether; ++i) {
      BN_sub_word(input.get(), 1);
      inputs[i] = octets_of(input.get());
      operations.push_back({&numbers, inputs[i], outputs[i]});
    }
    ASSERT_TRUE(operate(operations, *GetParam()));
    for (std::size_t i = 0; i < kTogether; ++i) {
      EXPECT_EQ(public_operation(key.get(), outputs[i]), inputs[i]);
    }
  }
}

// What RSASP1 is not defined for (RFC 8017 section 5.2.1, step 1), beside what it is.
TEST_P(RsaPrivateKey, RefusesAnInputThatIsNotBelowTheModulus) {
  const TestKey key(EVP_RSA_gen(2048U));
  PrivateKey numbers = PrivateKey::of(key.get()).value();
  const Bignum modulus = part(key.get(), OSSL_PKEY_PARAM_RSA_N);
  const Octets small{};
  for (int above = 0; above < 2; ++above) {
    const Octets large = octets_of(modulus.get());
    Octets first{};
    Octets second{};
    first.fill(7);
    second.fill(7);
    const std::vector<PrivateOperation> operations{{&numbers, small, first},
                                                   {&numbers, large, second}};
    const auto done = operate(operations, *GetParam());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::invalid_input);
    EXPECT_EQ(first[100], 7) << "nothing was computed";
    EXPECT_EQ(second[100], 7);
    BN_add_word(modulus.get(), 1);
  }
}

// NIST CAVP, component test vectors "RSASP1" (RSA2SP1testvectors.zip, RSASP1.fax), the first.
TEST_P(RsaPrivateKey, ComputesThePublishedRsasp1Vector) {
  KeyNumbers parts = numbers_from_primes(
      from_hex_digits("e7c9e4b3e5d7ac9e83be08328105356dfeefe222f26c95378effd2150fadf7ba"
                      "23f5b4705d82e4f1bc45057067c7def73e2100f756ee6d547965fa4f24b85d68"
                      "867f03d7c886d1dbcca4c589745701b362a1f1417f471d8475b6b7a16a4c48ef"
                      "1f556edc3f0ff6ba13d365d6e82751f207d91101c8eea1013ccdd9e1de4c387f"),
      from_hex_digits("ce58602e051f0f4647c4ec57f682e5737fc482a8a1ffac9043bba4fba3387d7d"
                      "d2154507af1e28bd81b61fcdfe35f9734e0d9b53682ec785f1f6e6224f63d10b"
                      "f78484b83a4254f333d0fb3f3e9e1834bede52e3078ac279a862fb90af266d75"
                      "91c81f20b718d07d51bfc221b66a25403b4ac1a68d673fdd959b01ecf3d0a7af"));
  PrivateKey numbers = PrivateKey::of(key_of(parts).get()).value();
  const Octets input =
      octets_of(from_hex_digits("70992c9d95a4908d2a94b3ab9fa1cd643f120e326f9d7808af50cac42c4b0b4e"
                                "eb7f0d4df303a568fbfb82b0f58300d25357645721bb71861caf81b27a56082c"
                                "80a146499fb4eab5bde4493f5d00f1a437bbc360dfcd8056fe6be10e608adb30"
                                "b6c2f7652428b8d32d362945982a46585d2102ef7995a8ba6e8ad8fd16bd7ae8"
                                "f53c3d7fcfba290b57ce7f8f09c828d6f2d3ce56f131bd9461e5667e5b73edac"
                                "77f504dac4f202a9570eb4515b2bf516407db831518db8a2083ec701e8fd387c"
                                "430bb1a72deca5b49d429cf9deb09cc4518dc5f57c089aa2d3420e567e732102"
                                "c2c92b88a07c69d70917140ab3823c63f312d3f11fa87ba29da3c7224b4fb4bc")
                    .get());
  const Octets expected =
      octets_of(from_hex_digits("7e65b998a05f626b028c75dc3fbf98963dce66d0f4c3ae4237cff304d84d8836"
                                "cb6bad9ac86f9d1b8a28dd70404788b869d2429f1ec0663e51b753f7451c6b46"
                                "45d99126e457c1dac49551d86a8a974a3131e9b371d5c214cc9ff240c299bd0e"
                                "62dbc7a9a2dad9fa5404adb00632d36332d5be6106e9e6ec81cac45cd339cc87"
                                "abbe7f89430800e16e032a66210b25e926eda243d9f09955496ddbc77ef74f17"
                                "fee41c4435e78b46965b713d72ce8a31af641538add387fedfd88bb22a42eb3b"
                                "da40f72ecad941dbffdd47b3e77737da741553a45b630d070bcc5205804bf80e"
                                "e2d51612875dbc4796960052f1687e0074007e6a33ab8b2085c033f9892b6f74")
                    .get());
  Octets output{};
  const std::vector<PrivateOperation> operations{{&numbers, input, output}};
  ASSERT_TRUE(operate(operations, *GetParam()));
  EXPECT_EQ(output, expected);
}

// RFC 7515 appendix A.2: RSASSA-PKCS1-v1_5 with SHA-256, the signature of DKIM.
TEST_P(RsaPrivateKey, ComputesThePublishedSignatureOfRfc7515) {
  const std::unique_ptr<BIO, TestDeleter> pem(
      BIO_new_mem_buf(kPublishedPem.data(), static_cast<int>(kPublishedPem.size())));
  const TestKey key(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
  PrivateKey numbers = PrivateKey::of(key.get()).value();
  const std::string text =
      "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
      "LmNvbS9pc19yb290Ijp0cnVlfQ";
  // RFC 8017 section 9.2
  std::string encoded = "0001";
  for (int i = 0; i < 202; ++i) encoded += "ff";
  encoded += "003031300d060960864801650304020105000420" + sha256_hex(text);
  const Octets input = octets_of(from_hex_digits(encoded).get());
  const Octets expected =
      octets_of(from_hex_digits("702e218943e88fd11eb5d82dbf7845f34106ae1b81fff7731116add1717d8365"
                                "6d420afd3c96eedd73a2663e5166687b000b87226e0187ed1073f945e582adfc"
                                "ef16d85a798ee8c66ddb3db8975b17d09402beedd5d9d97007108db28160d5f8"
                                "040ca7445762b81fbe7ff9d92e0ae76f24f25b33bbe6f44ae61eb1040acb2004"
                                "4d3ef9128ed40130795bd4bd3b41eecad066ab651981fde48df77f372dc38b9f"
                                "afdd3befb18b5da3cc3c2eb02f9e3a41d612caad15911273a05f23b9e838faaf"
                                "849d698429ef5a1e88798236c3d40e604522a544c8f27a7a2db80663d16cf7ca"
                                "ea56de405cb2215a45b2c25566b55ac1a748a070dfc8a32a469543d019eefb47")
                    .get());
  Octets output{};
  const std::vector<PrivateOperation> operations{{&numbers, input, output}};
  ASSERT_TRUE(operate(operations, *GetParam()));
  EXPECT_EQ(output, expected);
}

// Both primes are of 1,024 bits or fewer, and not of one size.
TEST_P(RsaPrivateKey, TakesPrimesOfUnlikeSize) {
  for (const int bits : {1024, 1000}) {
    Bignum p(BN_new());
    Bignum q(BN_new());
    ASSERT_EQ(BN_generate_prime_ex(p.get(), 1024, 0, nullptr, nullptr, nullptr), 1);
    ASSERT_EQ(BN_generate_prime_ex(q.get(), bits, 0, nullptr, nullptr, nullptr), 1);
    if (BN_cmp(p.get(), q.get()) < 0) std::swap(p, q);
    const TestKey key = key_of(numbers_from_primes(std::move(p), std::move(q)));
    auto numbers = PrivateKey::of(key.get());
    ASSERT_EQ(numbers.has_value(), EVP_PKEY_get_bits(key.get()) == 2048);
    if (!numbers) continue;
    SeededRandom random(1);
    const Octets input = random_octets(random);
    Octets output{};
    const std::vector<PrivateOperation> operations{{&*numbers, input, output}};
    ASSERT_TRUE(operate(operations, *GetParam()));
    EXPECT_EQ(public_operation(key.get(), output), input);
  }
}

// ---- blinding ----------------------------------------------------------------------------------

using Digits = std::array<std::uint64_t, kDigits>;
std::array<Digits, 2> blinding_seen;

// Looks at what the first two inputs are multiplied with, and computes nothing.
void only_look(EightOperations& work) {
  for (std::size_t slot = 0; slot < blinding_seen.size(); ++slot) {
    for (std::size_t i = 0; i < kDigits; ++i) {
      blinding_seen[slot][i] = work.p.blind[i].of[slot];
    }
  }
}
void look_and_compute(EightOperations& work) {
  only_look(work);
  compute_with_emulation(work);
}
void compute_with_inputs_lost(EightOperations& work) {
  for (WordColumn& column : work.p.blind) column = {};
  compute_with_emulation(work);
}

TEST(RsaBlinding, EachPlaceHasItsOwnNumberAndAnotherEachTime) {
  const TestKey key(EVP_RSA_gen(2048U));
  PrivateKey numbers = PrivateKey::of(key.get()).value();
  const Octets input{};
  Octets output{};
  const std::vector<PrivateOperation> operations(2, {&numbers, input, output});
  std::vector<Digits> seen;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(operate(operations, look_and_compute));
    for (const Digits& digits : blinding_seen) {
      EXPECT_EQ(std::ranges::find(seen, digits), seen.end());
      EXPECT_NE(digits, Digits{});
      seen.push_back(digits);
    }
  }
}

TEST(RsaBlinding, ANewNumberIsDrawnAfter256Uses) {
  const TestKey key(EVP_RSA_gen(2048U));
  PrivateKey numbers = PrivateKey::of(key.get()).value();
  const Octets input{};
  Octets output{};
  const std::vector<PrivateOperation> operations{{&numbers, input, output}};
  ASSERT_TRUE(operate(operations, only_look));  // which does not square
  const Digits first = blinding_seen[0];
  for (int use = 2; use <= 256; ++use) {
    ASSERT_TRUE(operate(operations, only_look));
    ASSERT_EQ(blinding_seen[0], first) << use;
  }
  ASSERT_TRUE(operate(operations, only_look));
  EXPECT_NE(blinding_seen[0], first);
}

TEST(RsaBlinding, WhatIsRaisedIsTheInputTimesThatNumber) {
  const TestKey key(EVP_RSA_gen(2048U));
  PrivateKey numbers = PrivateKey::of(key.get()).value();
  SeededRandom random(3);
  const Octets input = random_octets(random);
  Octets output{};
  const std::vector<PrivateOperation> operations{{&numbers, input, output}};
  ASSERT_TRUE(operate(operations, compute_with_inputs_lost));
  EXPECT_NE(public_operation(key.get(), output), input);
}

TEST(RsaPrivateKeyOf, RefusesWhatItCannotDo) {
  const TestKey small(EVP_RSA_gen(1024U));
  const TestKey large(EVP_RSA_gen(3072U));
  const TestKey edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_FALSE(PrivateKey::of(small.get()));
  EXPECT_FALSE(PrivateKey::of(large.get()));
  EXPECT_FALSE(PrivateKey::of(edwards.get()));

  const TestKey right(EVP_RSA_gen(2048U));
  KeyNumbers numbers = numbers_of(right.get());
  BN_sub_word(numbers[OSSL_PKEY_PARAM_RSA_COEFFICIENT1].get(), 1);
  EXPECT_TRUE(PrivateKey::of(right.get()));
  EXPECT_FALSE(PrivateKey::of(key_of(numbers).get()));
}

}  // namespace
}  // namespace todoku::mailauth::rsa
