// SPDX-License-Identifier: Apache-2.0
#include "mailauth/rsa/private_key.h"

#include <bit>
#include <memory>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.h"

namespace todoku::mailauth::rsa {
namespace {

constexpr int kModulusBits = 2048;
constexpr int kPrimeBitsMax = 1024;
constexpr std::uint64_t kDigitMask = (std::uint64_t{1} << kDigitBits) - 1;

struct Wipe {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using BignumPtr = std::unique_ptr<BIGNUM, Wipe>;
using BignumContextPtr = std::unique_ptr<BN_CTX, Wipe>;

// Null: the key has no such part.
BignumPtr part(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return nullptr;
  BN_set_flags(number, BN_FLG_CONSTTIME);
  return BignumPtr(number);
}

// 64-bit words, the lowest first, -> digits.
template <std::size_t Words, std::size_t Digits>
void to_digits(const std::array<std::uint64_t, Words>& words,
               std::array<std::uint64_t, Digits>& digits) {
  for (std::size_t i = 0; i < Digits; ++i) {
    const std::size_t bit = i * kDigitBits;
    const std::size_t word = bit / 64;
    const std::size_t shift = bit % 64;
    std::uint64_t digit = word < Words ? words[word] >> shift : 0;
    if (shift != 0 && word + 1 < Words) digit |= words[word + 1] << (64 - shift);
    digits[i] = digit & kDigitMask;
  }
}

// False: more than 64 * Words bits.
template <std::size_t Words>
bool to_words(const BIGNUM* number, std::array<std::uint64_t, Words>& words) {
  static_assert(std::endian::native == std::endian::little);
  return BN_bn2lebinpad(number, reinterpret_cast<unsigned char*>(words.data()), 8 * Words) >= 0;
}

bool to_digits(const BIGNUM* number, std::array<std::uint64_t, kDigits>& digits) {
  std::array<std::uint64_t, kPrimeBitsMax / 64> words{};
  const bool fits = to_words(number, words);
  to_digits(words, digits);
  OPENSSL_cleanse(words.data(), sizeof words);
  return fits;
}

// -1 / odd modulo 2^52: every step doubles the number of right bits, and 3 are right at once.
std::uint64_t negative_inverse(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int right_bits = 3; right_bits < 64; right_bits *= 2) inverse *= 2 - odd * inverse;
  return (0 - inverse) & kDigitMask;
}

using OctetWords = std::array<std::uint64_t, kOctets / 8>;

OctetWords read(std::span<const std::uint8_t, kOctets> octets) {
  OctetWords words{};
  for (std::size_t i = 0; i < kOctets; ++i) {
    words[i / 8] |= std::uint64_t{octets[kOctets - 1 - i]} << (8 * (i % 8));
  }
  return words;
}

void write(const WideNumbers& numbers, std::size_t slot, std::span<std::uint8_t, kOctets> octets) {
  for (std::size_t i = 0; i < kOctets; ++i) {
    const std::size_t bit = 8 * i;
    const std::size_t digit = bit / kDigitBits;
    const std::size_t shift = bit % kDigitBits;
    std::uint64_t value = numbers[digit].of[slot] >> shift;
    if (shift + 8 > kDigitBits) value |= numbers[digit + 1].of[slot] << (kDigitBits - shift);
    octets[kOctets - 1 - i] = static_cast<std::uint8_t>(value);
  }
}

}  // namespace

bool PrivateKey::fill(Prime& prime, const BIGNUM* value, const BIGNUM* exponent) {
  if (BN_num_bits(value) > kPrimeBitsMax || BN_is_odd(value) == 0) return false;
  constexpr int kRSquaredBits = 2 * static_cast<int>(kDigits * kDigitBits);
  const BignumContextPtr context(BN_CTX_secure_new());
  const BignumPtr r_squared(BN_new());
  if (!context || !r_squared || BN_set_bit(r_squared.get(), kRSquaredBits) != 1 ||
      BN_nnmod(r_squared.get(), r_squared.get(), value, context.get()) != 1) {
    return false;
  }
  if (!to_digits(value, prime.value) || !to_digits(r_squared.get(), prime.r_squared)) return false;
  prime.inverse = negative_inverse(prime.value[0]);
  return to_words(exponent, prime.exponent);
}

std::optional<PrivateKey> PrivateKey::of(const EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) != kModulusBits ||
      part(key, OSSL_PKEY_PARAM_RSA_FACTOR3) != nullptr) {
    return std::nullopt;
  }
  const BignumPtr p = part(key, OSSL_PKEY_PARAM_RSA_FACTOR1);
  const BignumPtr q = part(key, OSSL_PKEY_PARAM_RSA_FACTOR2);
  const BignumPtr p_exponent = part(key, OSSL_PKEY_PARAM_RSA_EXPONENT1);
  const BignumPtr q_exponent = part(key, OSSL_PKEY_PARAM_RSA_EXPONENT2);
  const BignumPtr q_inverse = part(key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
  if (!p || !q || !p_exponent || !q_exponent || !q_inverse) return std::nullopt;
  PrivateKey numbers;
  if (!fill(numbers.p_, p.get(), p_exponent.get()) ||
      !fill(numbers.q_, q.get(), q_exponent.get()) ||
      !to_digits(q_inverse.get(), numbers.q_inverse_)) {
    return std::nullopt;
  }
  return numbers;
}

PrivateKey::~PrivateKey() {
  OPENSSL_cleanse(&p_, sizeof p_);
  OPENSSL_cleanse(&q_, sizeof q_);
  OPENSSL_cleanse(&q_inverse_, sizeof q_inverse_);
}

// Eight keys' numbers side by side.
class Together {
 public:
  explicit Together(std::span<const PrivateOperation> operations) {
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      // Slots that nobody needs repeat the first.
      const auto& operation = operations[slot < operations.size() ? slot : 0];
      place(slot, p_, p_exponents_, operation.key->p_);
      place(slot, q_, q_exponents_, operation.key->q_);
      place(slot, q_inverse_, operation.key->q_inverse_);
      std::array<std::uint64_t, 2 * kDigits> digits{};
      to_digits(read(operation.input), digits);
      place(slot, input_, digits);
    }
  }
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;
  ~Together() { OPENSSL_cleanse(this, sizeof *this); }

  void operate(WideNumbers& output) {
    to_residue(x_p_, input_, p_);
    exponentiate(x_p_, x_p_, p_exponents_, p_);
    to_residue(x_q_, input_, q_);
    exponentiate(x_q_, x_q_, q_exponents_, q_);
    from_residue(x_q_, x_q_, q_);
    recombine(output, x_p_, x_q_, q_inverse_, p_, q_);
  }

 private:
  template <std::size_t Count>
  static void place(std::size_t slot, std::array<Column, Count>& columns,
                    const std::array<std::uint64_t, Count>& values) {
    for (std::size_t i = 0; i < Count; ++i) columns[i].of[slot] = values[i];
  }
  static void place(std::size_t slot, Moduli& moduli, Exponents& exponents,
                    const PrivateKey::Prime& prime) {
    place(slot, moduli.value, prime.value);
    place(slot, moduli.r_squared, prime.r_squared);
    moduli.inverse.of[slot] = prime.inverse;
    place(slot, exponents, prime.exponent);
  }

  Moduli p_;
  Moduli q_;
  Exponents p_exponents_;
  Exponents q_exponents_;
  Numbers q_inverse_;
  WideNumbers input_;
  Numbers x_p_;
  Numbers x_q_;
};

void operate(std::span<const PrivateOperation> operations) {
  check(vectors_available(), "vectors_available() was asked first");
  check(!operations.empty() && operations.size() <= kTogether, "one to eight operations");
  WideNumbers output;
  Together(operations).operate(output);
  for (std::size_t i = 0; i < operations.size(); ++i) write(output, i, operations[i].output);
}

}  // namespace todoku::mailauth::rsa
