// SPDX-License-Identifier: Apache-2.0
#include "mailauth/rsa/private_key.h"

#include <algorithm>
#include <bit>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "base/wipe.h"
#include "mailauth/rsa/bignum.h"
#include "mailauth/rsa/ifma.h"
#include "mailauth/rsa/key_check.h"

namespace todoku::mailauth::rsa {
namespace {

constexpr int kModulusBits = 2048;
constexpr int kPrimeBitsMax = 1024;
constexpr int kRBits = static_cast<int>(kDigits * kDigitBits);
// A new random number after so many operations; between them it is squared. A new one costs half a
// signature.
constexpr unsigned kUsesOfABlinding = 256;

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

Bignum to_bignum(const std::array<std::uint64_t, kDigits>& digits) {
  std::array<std::uint64_t, kPrimeBitsMax / 64> words{};
  for (std::size_t i = 0; i < kDigits; ++i) {
    const std::size_t bit = i * kDigitBits;
    const std::size_t shift = bit % 64;
    if (bit / 64 < words.size()) words[bit / 64] |= digits[i] << shift;
    if (shift > 64 - kDigitBits && bit / 64 + 1 < words.size()) {
      words[bit / 64 + 1] |= digits[i] >> (64 - shift);
    }
  }
  Bignum number(
      BN_lebin2bn(reinterpret_cast<const unsigned char*>(words.data()), sizeof words, nullptr));
  OPENSSL_cleanse(words.data(), sizeof words);
  if (number) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

// number * R mod m
bool to_montgomery(const BIGNUM* number, const BIGNUM* m, BN_CTX* context,
                   std::array<std::uint64_t, kDigits>& digits) {
  const Bignum product(BN_new());
  return product && BN_lshift(product.get(), number, kRBits) == 1 &&
         BN_nnmod(product.get(), product.get(), m, context) == 1 &&
         to_digits(product.get(), digits);
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

void write(const WideNumbers<WordColumn>& numbers, std::size_t slot,
           std::span<std::uint8_t, kOctets> octets) {
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

// ---- a key -------------------------------------------------------------------------------------

bool PrivateKey::fill(Prime& prime, const BIGNUM* value, const BIGNUM* exponent) {
  if (BN_num_bits(value) > kPrimeBitsMax) return false;
  const BignumContext context(BN_CTX_secure_new());
  const Bignum r(BN_new());
  if (!context || !r || BN_set_bit(r.get(), kRBits) != 1 ||
      !to_montgomery(r.get(), value, context.get(), prime.r_squared) ||
      !to_digits(value, prime.value)) {
    return false;
  }
  prime.inverse = negative_inverse(prime.value[0]);
  return to_words(exponent, prime.exponent);
}

std::optional<PrivateKey> PrivateKey::of(const EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) != kModulusBits) {
    return std::nullopt;
  }
  const KeyParts parts = parts_of(key);
  if (wrong_part(parts)) return std::nullopt;
  PrivateKey numbers;
  std::array<std::uint64_t, 1> public_exponent{};
  const bool filled = BN_bn2binpad(parts.n.get(), numbers.modulus_.data(), kOctets) >= 0 &&
                      to_words(parts.e.get(), public_exponent) &&
                      fill(numbers.p_, parts.p.get(), parts.p_exponent.get()) &&
                      fill(numbers.q_, parts.q.get(), parts.q_exponent.get()) &&
                      to_digits(parts.q_inverse.get(), numbers.q_inverse_);
  wipe_stack();
  if (!filled) return std::nullopt;
  numbers.public_exponent_ = public_exponent[0];
  return numbers;
}

PrivateKey::~PrivateKey() {
  OPENSSL_cleanse(&p_, sizeof p_);
  OPENSSL_cleanse(&q_, sizeof q_);
  OPENSSL_cleanse(&q_inverse_, sizeof q_inverse_);
  OPENSSL_cleanse(&blinding_, sizeof blinding_);
}

bool PrivateKey::can_take(std::span<const std::uint8_t, kOctets> input) const {
  return std::ranges::lexicographical_compare(input, modulus_);
}

bool PrivateKey::make(Blinding& blinding) const {
  const BignumContext context(BN_CTX_secure_new());
  const Bignum n(BN_bin2bn(modulus_.data(), kOctets, nullptr));
  const Bignum e(BN_new());
  const Bignum p = to_bignum(p_.value);
  const Bignum q = to_bignum(q_.value);
  const Bignum r(BN_new());
  const Bignum cover(BN_new());
  const Bignum inverse(BN_new());
  const Bignum power(BN_new());
  if (!context || !n || !e || !p || !q || !r || !cover || !inverse || !power) return false;
  // The time that an inversion takes depends on the number: it is that of a random multiple.
  return BN_set_word(e.get(), public_exponent_) == 1 && BN_priv_rand_range(r.get(), n.get()) == 1 &&
         BN_priv_rand_range(cover.get(), n.get()) == 1 &&
         BN_mod_mul(inverse.get(), r.get(), cover.get(), n.get(), context.get()) == 1 &&
         BN_mod_inverse(inverse.get(), inverse.get(), n.get(), context.get()) != nullptr &&
         BN_mod_mul(inverse.get(), inverse.get(), cover.get(), n.get(), context.get()) == 1 &&
         BN_mod_exp(power.get(), r.get(), e.get(), n.get(), context.get()) == 1 &&
         to_montgomery(power.get(), p.get(), context.get(), blinding.p_blind) &&
         to_montgomery(inverse.get(), p.get(), context.get(), blinding.p_unblind) &&
         to_montgomery(power.get(), q.get(), context.get(), blinding.q_blind) &&
         to_montgomery(inverse.get(), q.get(), context.get(), blinding.q_unblind);
}

// ---- eight operations --------------------------------------------------------------------------

// Puts eight keys' numbers side by side, and takes away what has become of them.
class Together {
 public:
  // Slots that nobody needs repeat the first.
  explicit Together(std::span<const PrivateOperation> operations, EightOperations& work)
      : operations_(operations), work_(work) {}

  [[nodiscard]] Result<void> place() {
    for (const PrivateOperation& operation : operations_) {
      if (operation.key->can_take(operation.input)) continue;
      return fail(ErrorKind::invalid_input, "a message representative is not below the modulus");
    }
    for (std::size_t slot = 0; slot < operations_.size(); ++slot) {
      PrivateKey::Blinding& blinding = operations_[slot].key->blinding_[slot];
      if (blinding.uses_left > 0) continue;
      if (!operations_[slot].key->make(blinding)) {
        return fail(ErrorKind::unavailable, "no random numbers to blind a signature with");
      }
      blinding.uses_left = kUsesOfABlinding;
    }
    for (std::size_t slot = 0; slot < kTogether; ++slot) {
      const std::size_t from = slot < operations_.size() ? slot : 0;
      const PrivateKey& key = *operations_[from].key;
      const PrivateKey::Blinding& blinding = key.blinding_[from];
      place(slot, work_.p, key.p_, blinding.p_blind, blinding.p_unblind);
      place(slot, work_.q, key.q_, blinding.q_blind, blinding.q_unblind);
      place(slot, work_.q_inverse, key.q_inverse_);
      std::array<std::uint64_t, 2 * kDigits> digits{};
      to_digits(read(operations_[from].input), digits);
      place(slot, work_.input, digits);
    }
    return {};
  }

  void take() {
    for (std::size_t slot = 0; slot < operations_.size(); ++slot) {
      PrivateKey::Blinding& blinding = operations_[slot].key->blinding_[slot];
      take(slot, work_.p.blind, blinding.p_blind);
      take(slot, work_.p.unblind, blinding.p_unblind);
      take(slot, work_.q.blind, blinding.q_blind);
      take(slot, work_.q.unblind, blinding.q_unblind);
      --blinding.uses_left;
      write(work_.output, slot, operations_[slot].output);
    }
  }

 private:
  template <std::size_t Count>
  static void place(std::size_t slot, std::array<WordColumn, Count>& columns,
                    const std::array<std::uint64_t, Count>& values) {
    for (std::size_t i = 0; i < Count; ++i) columns[i].of[slot] = values[i];
  }
  static void place(std::size_t slot, EightOperations::Prime& to, const PrivateKey::Prime& prime,
                    const PrivateKey::Digits& blind, const PrivateKey::Digits& unblind) {
    place(slot, to.modulus.value, prime.value);
    place(slot, to.modulus.r_squared, prime.r_squared);
    to.modulus.inverse.of[slot] = prime.inverse;
    place(slot, to.exponents, prime.exponent);
    place(slot, to.blind, blind);
    place(slot, to.unblind, unblind);
  }
  static void take(std::size_t slot, const Numbers<WordColumn>& columns,
                   PrivateKey::Digits& values) {
    for (std::size_t i = 0; i < kDigits; ++i) values[i] = columns[i].of[slot];
  }

  std::span<const PrivateOperation> operations_;
  EightOperations& work_;
};

Compute* fastest_arithmetic() {
#if defined(__x86_64__)
  // Also asks whether the operating system keeps the registers.
  static const bool available =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512ifma") != 0;
  if (available) return &compute_with_ifma;
#endif
  return nullptr;
}

namespace {

// Its frame holds all that is secret and not below it.
[[gnu::noinline]] Result<void> operate_in(EightOperations& work,
                                          std::span<const PrivateOperation> operations,
                                          Compute& compute) {
  Together together(operations, work);
  auto placed = together.place();
  if (!placed) return placed;
  compute(work);
  together.take();
  return placed;
}

}  // namespace

Result<void> operate(std::span<const PrivateOperation> operations, Compute& compute,
                     Traces traces) {
  check(!operations.empty() && operations.size() <= kTogether, "one to eight operations");
  EightOperations work;
  auto done = operate_in(work, operations, compute);
  if (traces == Traces::kept) return done;
  OPENSSL_cleanse(&work, sizeof work);
  wipe_stack();
  return done;
}

}  // namespace todoku::mailauth::rsa
