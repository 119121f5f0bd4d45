// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/key_record.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "mailauth/dkim/openssl_ptr.h"
#include "mailauth/dkim/tag_list.h"

namespace todoku::mailauth::dkim {
namespace {

constexpr std::size_t kEd25519Octets = 32;

bool lists(std::string_view colon_list, std::string_view word) {
  const auto words = split_colons(colon_list);
  return std::ranges::find(words, word) != words.end();
}

// The p= of RSA: SubjectPublicKeyInfo by custom, RSAPublicKey (PKCS#1) by the letter of RFC 6376
// section 3.6.1; receivers accept both.
PkeyPtr read_rsa(std::string_view der) {
  const auto* at = as_octets(der).data();
  const auto* const end = at + der.size();
  PkeyPtr key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key) {
    at = as_octets(der).data();
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
  }
  if (!key || at != end || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return nullptr;
  return key;
}

std::shared_ptr<const EVP_PKEY_CTX> ready_to_verify(EVP_PKEY* key) {
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const bool ready = context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context.get(), sha256_algorithm()) == 1;
  if (ready) return context;
  (void)take_openssl_error();
  return nullptr;
}

PkeyPtr read_ed25519(std::string_view raw) {
  if (raw.size() != kEd25519Octets) return nullptr;
  return PkeyPtr(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_octets(raw).data(), raw.size()));
}

Result<void> read_key(std::string_view base64, KeyRecord& record) {
  const auto octets = from_base64(base64);
  if (!octets) return fail(ErrorKind::invalid_input, "p= is not base64");
  const bool rsa = record.algorithm == KeyAlgorithm::rsa;
  PkeyPtr key = rsa ? read_rsa(*octets) : read_ed25519(*octets);
  if (!key) {
    (void)take_openssl_error();
    return fail(ErrorKind::invalid_input,
                fmt::format("p= is not a public key of kind {}", to_string(record.algorithm)));
  }
  record.bits = rsa ? EVP_PKEY_get_bits(key.get()) : 256;
  if (rsa) record.rsa_verifying = ready_to_verify(key.get());
  record.key = std::move(key);
  return {};
}

}  // namespace

Result<KeyRecord> parse_key_record(std::string_view text) {
  const auto list = TagList::parse(text);
  if (!list) return fail("key record", list.error());
  if (list->find("v") != nullptr) {
    // Section 3.6.1: if there, it is the first tag and says DKIM1.
    const Tag& first = list->tags().front();
    if (first.name != "v" || first.value != "DKIM1") {
      return fail(ErrorKind::invalid_input, "key record: v= is not DKIM1 or not the first tag");
    }
  }
  KeyRecord record;
  const std::string_view kind = list->value("k").value_or("rsa");
  if (kind == to_string(KeyAlgorithm::ed25519)) {
    record.algorithm = KeyAlgorithm::ed25519;
  } else if (kind != to_string(KeyAlgorithm::rsa)) {
    return fail(ErrorKind::unsupported, "key record: k= names an unknown kind of key");
  }
  if (const auto hashes = list->value("h")) record.accepts_sha256 = lists(*hashes, "sha256");
  if (const auto services = list->value("s")) {
    record.for_email = lists(*services, "*") || lists(*services, "email");
  }
  if (const auto flags = list->value("t")) {
    record.testing = lists(*flags, "y");
    record.exact_identity = lists(*flags, "s");
  }
  const auto key = list->value("p");
  if (!key) return fail(ErrorKind::invalid_input, "key record: p= is missing");
  if (key->empty()) return record;
  if (const auto read = read_key(*key, record); !read) return fail("key record", read.error());
  return record;
}

std::optional<KeyFault> fault_of(const KeyRecord& record, int rsa_bits_min) {
  if (record.revoked()) return KeyFault::revoked;
  if (!record.for_email) return KeyFault::not_for_email;
  if (!record.accepts_sha256) return KeyFault::no_sha256;
  if (record.algorithm != KeyAlgorithm::rsa) return std::nullopt;
  if (record.bits < rsa_bits_min) return KeyFault::too_short;
  if (record.bits > kRsaBitsMax) return KeyFault::too_long;
  return std::nullopt;
}

KeyAnswer KeyAnswer::from_texts(const std::vector<std::string>& texts) {
  if (texts.empty()) return absent();
  std::vector<KeyRecord> records;
  std::string reason;
  for (const std::string& text : texts) {
    if (records.size() == kRecordsMax) break;
    auto record = parse_key_record(text);
    if (record) {
      records.push_back(std::move(*record));
    } else if (reason.empty()) {
      reason = record.error().detail;
    }
  }
  KeyAnswer answer(Status::found, records.empty() ? reason : "");
  answer.records_ = std::make_shared<const std::vector<KeyRecord>>(std::move(records));
  return answer;
}

}  // namespace todoku::mailauth::dkim
