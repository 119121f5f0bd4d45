// SPDX-License-Identifier: Apache-2.0
// What is left of a private key in the memory of the process when all that held it is gone. The
// test looks as one does who has read the memory (a crash's dump, a page swapped out, another bug):
// through the stack, the heap and all else that can be written to, for any single digit of the
// key's numbers, and for a prime in whichever form, which it takes the modulus apart with.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include "mailauth/dkim/signing_test_world.h"
#include "mailauth/rsa/private_key.h"
#include "mailauth/rsa/test_keys.h"

namespace todoku::mailauth::dkim {
namespace {

using rsa::Bignum;
using rsa::kDigits;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TODOKU_OTHER_MEMORY 1
#endif
#endif

// Before any test uses OpenSSL, as the program does before all else.
const bool kOpensslWipes = wipe_what_openssl_frees();

struct Region {
  const std::uint64_t* begin;
  std::size_t words;
};

// All memory that can be written to.
std::vector<Region> writable_memory() {
  std::vector<Region> regions;
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return regions;
  std::array<char, 512> line{};
  while (std::fgets(line.data(), line.size(), maps) != nullptr) {
    unsigned long begin = 0;
    unsigned long end = 0;
    std::array<char, 5> rights{};
    if (std::sscanf(line.data(), "%lx-%lx %4s", &begin, &end, rights.data()) != 3) continue;
    if (rights[0] != 'r' || rights[1] != 'w') continue;
    regions.push_back({reinterpret_cast<const std::uint64_t*>(begin), (end - begin) / 8});
  }
  std::fclose(maps);
  return regions;
}

// Secret words, none of them in memory as it is: what looks for a secret must not be found.
class Secrets {
 public:
  void add(std::uint64_t word) {
    if (word >> 32U == 0) return;  // such words are everywhere
    words_.push_back(word ^ kCover);
    seen_[low(word)] = true;
  }
  // In words of 64 bits as OpenSSL's, and in digits of 52 as ours.
  void add(const BIGNUM* number) {
    for (const int width : {64, static_cast<int>(rsa::kDigitBits)}) {
      for (int at = 0; at < BN_num_bits(number); at += width) {
        std::uint64_t word = 0;
        for (int bit = 0; bit < width; ++bit) {
          word |= std::uint64_t(BN_is_bit_set(number, at + bit)) << bit;
        }
        add(word);
        OPENSSL_cleanse(&word, sizeof word);
      }
    }
  }
  void close() { std::ranges::sort(words_); }
  [[nodiscard]] bool has(std::uint64_t word) const {
    return seen_[low(word)] && std::ranges::binary_search(words_, word ^ kCover);
  }
  [[nodiscard]] std::size_t size() const { return words_.size(); }

 private:
  static constexpr std::uint64_t kCover = 0x5bd1e995c0ffee37ULL;
  static std::size_t low(std::uint64_t word) { return word & 0xffffU; }
  std::vector<std::uint64_t> words_;
  std::vector<bool> seen_ = std::vector<bool>(0x10000);
};

std::size_t count(const Secrets& secrets) {
  std::size_t found = 0;
  for (const Region& region : writable_memory()) {
    for (std::size_t i = 0; i < region.words; ++i) found += secrets.has(region.begin[i]) ? 1 : 0;
  }
  return found;
}

// A prime in words of 64 bits, in digits of 52 beside each other, or in one lane of eight.
enum class Form : std::uint8_t { words, digits, lane };

// The number that stands there; null: nothing there looks like one of 1,024 random bits.
Bignum number_at(const std::uint64_t* at, std::size_t words_left, Form form) {
  const std::size_t stride = form == Form::lane ? rsa::kTogether : 1;
  const std::size_t length = form == Form::words ? 16 : kDigits;
  const int width = form == Form::words ? 64 : static_cast<int>(rsa::kDigitBits);
  if (words_left < (length - 1) * stride + 1) return nullptr;
  // Random words, not addresses and counts: of most the highest bits are not all zeros.
  std::size_t full = 0;
  for (std::size_t i = 0; i < length; ++i) {
    const std::uint64_t word = at[i * stride];
    if (word >> 24U == 0 || (form != Form::words && word > rsa::kDigitMask)) return nullptr;
    full += word >> (form == Form::words ? 60U : 48U) != 0 ? 1 : 0;
  }
  if (full < length / 2) return nullptr;
  Bignum number(BN_new());
  for (std::size_t i = length; i-- > 0;) {
    BN_lshift(number.get(), number.get(), width);
    BN_add_word(number.get(), at[i * stride]);
  }
  return number;
}

// Whether what stands in memory takes the modulus apart.
bool gives_the_key_away(const BIGNUM* modulus) {
  const std::unique_ptr<BN_CTX, rsa::BignumDeleter> context(BN_CTX_new());
  const Bignum divisor(BN_new());
  for (const Region& region : writable_memory()) {
    for (std::size_t i = 0; i < region.words; ++i) {
      for (const Form form : {Form::words, Form::digits, Form::lane}) {
        const Bignum number = number_at(region.begin + i, region.words - i, form);
        if (!number) continue;
        BN_gcd(divisor.get(), number.get(), modulus, context.get());
        if (BN_is_one(divisor.get()) == 0 && BN_cmp(divisor.get(), modulus) != 0) return true;
      }
    }
  }
  return false;
}

// The numbers of the published key, and the modulus beside them, which is no secret.
class ResidueTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef TODOKU_OTHER_MEMORY
    GTEST_SKIP() << "this sanitizer keeps memory that was given back";
#endif
    ASSERT_TRUE(kOpensslWipes);
    const Bignum p = prime(kP);
    const Bignum q = prime(kQ);
    rsa::KeyNumbers numbers =
        rsa::numbers_from_primes(Bignum(BN_dup(p.get())), Bignum(BN_dup(q.get())));
    modulus_ = std::move(numbers[OSSL_PKEY_PARAM_RSA_N]);
    for (const char* name : {OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
                             OSSL_PKEY_PARAM_RSA_FACTOR2, OSSL_PKEY_PARAM_RSA_EXPONENT1,
                             OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1}) {
      secrets_.add(numbers[name].get());
    }
    numbers.clear();
    secrets_.close();
    wipe_stack();
  }
  // Constants stand where nothing can be written, and there is not searched.
  static Bignum prime(std::string_view digits) { return rsa::from_hex_digits(digits); }
  static constexpr std::string_view kP =
      "e01cc410eb48a6655d54464d0aa4bb6da0b872b774a6a9d11ffe480778f0ddb7"
      "311a7e902ef9c4b5f75476262ba8176cb35979f014372a1a2829e4136bd001d0"
      "7c3f3f2e4f25d4c934f63c7109fba2e67628a0dc9a73c6058e6def22dcd50950"
      "e711ddc16d5586f2a7fa75ea8494c18083e0b65742f8a0d5e73fb2d970f01947";
  static constexpr std::string_view kQ =
      "b903c47e0995b632f4532cb1f3c199145d5f3ae9c7dfeedc7a92a6b47e29c61b"
      "42a07aa95a64fc600999c5a7b01e01c08cb62ca756527bbcc56078fb0baba5ed"
      "38de2d07990ff6300faeadeb6c039a97bf1e507e4e7040fa78db8257c8b112ed"
      "5e59c3cd092fe5d4e5b51275d41281072a5e785ebaf3dae3709203133f5159d7";

  // What Garner's recombination will have in its hands: input ^ dQ mod q.
  template <std::size_t Count>
  static Secrets halves_of(
      const std::array<std::array<std::uint8_t, rsa::kOctets>, Count>& inputs) {
    Secrets halves;
    {
      const std::unique_ptr<BN_CTX, rsa::BignumDeleter> context(BN_CTX_new());
      const rsa::KeyNumbers numbers = rsa::numbers_from_primes(prime(kP), prime(kQ));
      const BIGNUM* const q = numbers.find(OSSL_PKEY_PARAM_RSA_FACTOR2)->second.get();
      for (const auto& input : inputs) {
        const Bignum half(BN_bin2bn(input.data(), static_cast<int>(input.size()), nullptr));
        BN_nnmod(half.get(), half.get(), q, context.get());
        BN_mod_exp(half.get(), half.get(),
                   numbers.find(OSSL_PKEY_PARAM_RSA_EXPONENT2)->second.get(), q, context.get());
        halves.add(half.get());
      }
    }
    halves.close();
    wipe_stack();
    return halves;
  }

  Bignum modulus_;
  Secrets secrets_;
};

TEST_F(ResidueTest, NothingIsLeftOfAKeyThatWasReadAndSignedEightMails) {
  ASSERT_GT(secrets_.size(), 150U);
  ASSERT_EQ(count(secrets_), 0U) << "the test itself left something";
  std::vector<std::string> fields;
  {
    const ByEight by_eight;
    SigningContext context(by_eight.made());
    const std::vector<Signer> signers{
        signer_with(SigningKey::from_pem(rsa::kPublishedPem).value(), "r1")};
    fields = together(context, signers, 8);
    EXPECT_GT(count(secrets_), 0U) << "a key in use is there, and found";
    EXPECT_TRUE(gives_the_key_away(modulus_.get()));
  }
  EXPECT_EQ(fields.size(), 8U);
  EXPECT_EQ(count(secrets_), 0U);
  EXPECT_FALSE(gives_the_key_away(modulus_.get()));
}

// Between operations the key is there, in its object; of the operation nothing is.
TEST_F(ResidueTest, AnOperationLeavesNothingAndWithoutWipingItWould) {
  for (const rsa::Traces traces : {rsa::Traces::wiped, rsa::Traces::kept}) {
    const SigningKey key = SigningKey::from_pem(rsa::kPublishedPem).value();
    rsa::PrivateKey numbers = rsa::PrivateKey::of(key.native()).value();
    const std::size_t before = count(secrets_);
    std::array<std::array<std::uint8_t, rsa::kOctets>, 8> inputs{};
    std::array<std::array<std::uint8_t, rsa::kOctets>, 8> outputs{};
    std::vector<rsa::PrivateOperation> operations;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i].fill(static_cast<std::uint8_t>(i + 1));
      operations.push_back({&numbers, inputs[i], outputs[i]});
    }
    const Secrets halves = halves_of(inputs);
    ASSERT_EQ(count(halves), 0U);
    ASSERT_TRUE(rsa::operate(operations, rsa::compute_with_emulation, traces));
    if (traces == rsa::Traces::wiped) {
      EXPECT_EQ(count(secrets_), before);
      EXPECT_EQ(count(halves), 0U);
    } else {
      EXPECT_GT(count(secrets_), before);
      EXPECT_GT(count(halves), 0U);
    }
  }
  wipe_stack();
}

// Sixteen octets from the middle of p, the highest first, as in DER; made by the compiler.
constexpr auto octets_in_hex(std::string_view digits) {
  std::array<char, 16> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) {
    int octet = 0;
    for (const char digit : digits.substr(2 * i, 2)) {
      octet = 16 * octet + (digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    octets[i] = static_cast<char>(octet);
  }
  return octets;
}

TEST_F(ResidueTest, TheTextOfAKeyIsWiped) {
  static constexpr auto kInDer = octets_in_hex(kP.substr(100, 32));
  const auto places = [](std::string_view wanted) {
    std::size_t found = 0;
    for (const Region& region : writable_memory()) {
      const std::string_view text(reinterpret_cast<const char*>(region.begin), region.words * 8);
      for (std::size_t at = text.find(wanted); at != std::string_view::npos;
           at = text.find(wanted, at + 1)) {
        ++found;
      }
    }
    return found;
  };
  // A line from the text's middle.
  const std::string_view line = rsa::kPublishedPem.substr(28 + 65 * 10, 48);
  const std::string_view der(kInDer.data(), kInDer.size());
  ASSERT_EQ(places(line), 0U);
  ASSERT_EQ(places(der), 0U);
  {
    const SigningKey key = SigningKey::from_pem(rsa::kPublishedPem).value();
    EXPECT_EQ(places(line), 0U) << "reading copied it";
    EXPECT_EQ(places(der), 0U) << "reading left what it decoded";
    const SecretText text = key.to_pem();
    EXPECT_EQ(places(line), 1U);
  }
  EXPECT_EQ(places(line), 0U);
  EXPECT_EQ(places(der), 0U);
}

}  // namespace
}  // namespace todoku::mailauth::dkim
