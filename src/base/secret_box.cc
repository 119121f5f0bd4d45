// SPDX-License-Identifier: Apache-2.0
#include "base/secret_box.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <sodium.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"

namespace todoku {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kNonceOctets = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagOctets = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kOverhead = 1 + kNonceOctets + kTagOctets;

// The use of each derived key; never renumber, sealed data depends on it.
constexpr std::uint64_t kSealingKeyId = 1;
constexpr std::uint64_t kCheckKeyId = 2;
constexpr std::uint64_t kDerivingKeyId = 3;
constexpr char kDerivation[] = "todokuSB";  // exactly crypto_kdf_CONTEXTBYTES
static_assert(sizeof(kDerivation) - 1 == crypto_kdf_CONTEXTBYTES);
static_assert(MasterKey::kOctets == crypto_kdf_KEYBYTES);
static_assert(MasterKey::kOctets == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

void initialise_sodium() {
  static const bool ready = sodium_init() >= 0;
  check(ready, "libsodium initialises");
}

std::optional<std::string> decode_key(std::string_view text) {
  if (text.size() == MasterKey::kOctets * 2) return from_hex(text);
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string url_safe(text);
  std::ranges::replace(url_safe, '+', '-');
  std::ranges::replace(url_safe, '/', '_');
  auto octets = from_base64url(url_safe);
  wipe(url_safe);
  return octets;
}

}  // namespace

Result<MasterKey> MasterKey::parse(std::string_view text) {
  auto decoded = decode_key(trim(text));
  if (!decoded || decoded->size() != kOctets) {
    return fail(ErrorKind::invalid_input,
                "a master key is 32 octets, written as 64 hexadecimal digits or in base64");
  }
  const SecretText octets(std::move(*decoded));
  MasterKey key;
  std::ranges::copy(as_octets(octets.view()), key.octets_.begin());
  return key;
}

MasterKey MasterKey::generate() {
  initialise_sodium();
  MasterKey key;
  randombytes_buf(key.octets_.data(), key.octets_.size());
  return key;
}

MasterKey::MasterKey(MasterKey&& other) noexcept : octets_(other.octets_) {
  sodium_memzero(other.octets_.data(), other.octets_.size());
}

MasterKey& MasterKey::operator=(MasterKey&& other) noexcept {
  if (this != &other) {
    octets_ = other.octets_;
    sodium_memzero(other.octets_.data(), other.octets_.size());
  }
  return *this;
}

MasterKey::~MasterKey() {
  sodium_memzero(octets_.data(), octets_.size());
}

SecretText MasterKey::to_base64() const {
  return SecretText(todoku::to_base64(as_text(octets_)));
}

SecretBox::SecretBox(const MasterKey& key) {
  initialise_sodium();
  Subkey check_key{};
  check(crypto_kdf_derive_from_key(sealing_.data(), sealing_.size(), kSealingKeyId, kDerivation,
                                   key.octets_.data()) == 0 &&
            crypto_kdf_derive_from_key(check_key.data(), check_key.size(), kCheckKeyId, kDerivation,
                                       key.octets_.data()) == 0 &&
            crypto_kdf_derive_from_key(deriving_.data(), deriving_.size(), kDerivingKeyId,
                                       kDerivation, key.octets_.data()) == 0,
        "keys are derived from the master key");
  std::copy_n(check_key.begin(), check_.size(), check_.begin());
  sodium_memzero(check_key.data(), check_key.size());
}

SecretBox::SecretBox(SecretBox&& other) noexcept
    : sealing_(other.sealing_), deriving_(other.deriving_), check_(other.check_) {
  sodium_memzero(other.sealing_.data(), other.sealing_.size());
  sodium_memzero(other.deriving_.data(), other.deriving_.size());
}

SecretBox::~SecretBox() {
  sodium_memzero(sealing_.data(), sealing_.size());
  sodium_memzero(deriving_.data(), deriving_.size());
}

SecretText SecretBox::derive(std::string_view purpose) const {
  Sha256 octets = hmac_sha256(as_text(deriving_), purpose);
  SecretText secret{std::string(as_text(octets))};
  sodium_memzero(octets.data(), octets.size());
  return secret;
}

std::string SecretBox::seal(std::string_view plaintext, std::string_view context) const {
  std::string sealed(plaintext.size() + kOverhead, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(sealed.data());
  sealed.front() = kVersion;
  randombytes_buf(out + 1, kNonceOctets);
  check(crypto_aead_xchacha20poly1305_ietf_encrypt(
            out + 1 + kNonceOctets, nullptr, as_octets(plaintext).data(), plaintext.size(),
            as_octets(context).data(), context.size(), nullptr, out + 1, sealing_.data()) == 0,
        "a secret can be sealed");
  return sealed;
}

Result<SecretText> SecretBox::open(std::string_view sealed, std::string_view context) const {
  if (sealed.size() < kOverhead) {
    return fail(ErrorKind::corrupt, "the stored secret is too short to be one");
  }
  if (sealed.front() != kVersion) {
    return fail(ErrorKind::corrupt, "the stored secret has an unknown format version");
  }
  const auto octets = as_octets(sealed);
  std::string plaintext(sealed.size() - kOverhead, '\0');
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plaintext.data()), nullptr, nullptr,
      octets.data() + 1 + kNonceOctets, octets.size() - 1 - kNonceOctets, as_octets(context).data(),
      context.size(), octets.data() + 1, sealing_.data());
  if (opened != 0) {
    return fail(ErrorKind::unauthorized,
                "the stored secret does not open: it was sealed under another master key, belongs "
                "elsewhere, or was changed");
  }
  return SecretText(std::move(plaintext));
}

std::string SecretBox::key_check_value() const {
  return to_hex(as_text(check_));
}

Result<void> SecretBox::verify_key(std::string_view stored_check_value) const {
  if (equal_in_constant_time(key_check_value(), stored_check_value)) return {};
  return fail(ErrorKind::unauthorized,
              "the master key is not the one that this data was sealed under; give the right key "
              "or restore the data that belongs to this one");
}

}  // namespace todoku
