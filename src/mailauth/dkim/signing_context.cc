// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signing_context.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/wipe.h"
#include "mailauth/rsa/private_key.h"

namespace todoku::mailauth::dkim {

// Eight together cost almost as much as five one after the other.
static_assert(SigningContext::kTogetherMax == rsa::kTogether &&
              SigningContext::kTogetherWorthwhile <= rsa::kTogether);

namespace {

// RFC 8017 section 9.2: EMSA-PKCS1-v1_5 of a SHA-256 hash in as many octets as the modulus has.
std::array<std::uint8_t, rsa::kOctets> encoded(std::span<const std::uint8_t, 32> hash) {
  constexpr std::array<std::uint8_t, 19> kSha256{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                                 0x01, 0x05, 0x00, 0x04, 0x20};
  std::array<std::uint8_t, rsa::kOctets> octets;
  octets.fill(0xff);
  octets[0] = 0x00;
  octets[1] = 0x01;
  auto end = octets.end() - static_cast<std::ptrdiff_t>(kSha256.size() + hash.size());
  end[-1] = 0x00;
  end = std::ranges::copy(kSha256, end).out;
  std::ranges::copy(hash, end);
  return octets;
}

PkeyContextPtr pkcs1_context(EVP_PKEY* key, int (*initialise)(EVP_PKEY_CTX*)) {
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context != nullptr && initialise(context.get()) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
      EVP_PKEY_CTX_set_signature_md(context.get(), sha256_algorithm()) == 1) {
    return context;
  }
  return nullptr;
}

}  // namespace

// A key made ready for this thread. It is a copy of its own: OpenSSL guards a key's blinding values
// with a lock that threads sharing the key would contend for.
struct SigningContext::PreparedKey {
  SigningKey source;  // keeps source.native(), the key of the look-up, from being reused
  PkeyPtr copy;
  PkeyContextPtr rsa_sign;
  PkeyContextPtr rsa_verify;                  // if by_eight
  std::unique_ptr<rsa::PrivateKey> by_eight;  // null: not possible for this key
  DigestContextPtr ed25519;
  std::uint64_t last_use = 0;
};

SigningContext::SigningContext(std::shared_ptr<RsaByEight> by_eight)
    : by_eight_(std::move(by_eight)), header_digest_(EVP_MD_CTX_new()) {
  check(header_digest_ != nullptr, "there is memory for a digest context");
  keys_.reserve(kKeysMax);  // pointers into it stay good
}
SigningContext::~SigningContext() = default;

bool SigningContext::computes_together(const SigningKey& key) const {
  return by_eight_ && by_eight_->is_on() && key.algorithm() == KeyAlgorithm::rsa &&
         key.bits() == kRsaBitsRecommended;
}

SigningContext::PreparedKey* SigningContext::prepared(Request& request) {
  const SigningKey& key = request.key;
  ++uses_;
  for (PreparedKey& known : keys_) {
    if (known.source.native() != key.native()) continue;
    known.last_use = uses_;
    return &known;
  }
  PreparedKey fresh{.source = key, .copy = PkeyPtr(EVP_PKEY_dup(key.native())), .last_use = uses_};
  bool ready = fresh.copy != nullptr;
  if (ready && key.algorithm() == KeyAlgorithm::rsa) {
    fresh.rsa_sign = pkcs1_context(fresh.copy.get(), EVP_PKEY_sign_init);
    ready = fresh.rsa_sign != nullptr;
    if (by_eight_) fresh.rsa_verify = pkcs1_context(fresh.copy.get(), EVP_PKEY_verify_init);
    if (fresh.rsa_verify) {
      if (auto numbers = rsa::PrivateKey::of(fresh.copy.get())) {
        fresh.by_eight = std::make_unique<rsa::PrivateKey>(std::move(*numbers));
      }
    }
  } else if (ready) {
    fresh.ed25519.reset(EVP_MD_CTX_new());
    ready = fresh.ed25519 != nullptr;
  }
  if (!ready) {
    request.error = "a signing key cannot be prepared: " + take_openssl_error();
    return nullptr;
  }
  if (keys_.size() < kKeysMax) return &keys_.emplace_back(std::move(fresh));
  PreparedKey& oldest = *std::ranges::min_element(keys_, {}, &PreparedKey::last_use);
  oldest = std::move(fresh);
  return &oldest;
}

// ---- rounds ------------------------------------------------------------------------------------

SigningContext::Ticket SigningContext::request(const SigningKey& key, std::string_view key_name,
                                               std::span<const std::uint8_t, 32> hash) {
  if (computed_) {
    computed_ = false;
    request_count_ = 0;
    ++round_;
  }
  if (request_count_ == requests_.size()) requests_.push_back({.key = key, .key_name = {}});
  Request& request = requests_[request_count_];
  request.key = key;
  request.key_name = key_name;
  std::ranges::copy(hash, request.hash.begin());
  request.size = 0;
  request.error.clear();
  return {.round = round_, .index = request_count_++};
}

Result<std::string_view> SigningContext::signature(Ticket ticket) {
  check(ticket.round == round_, "signatures are fetched before the next round begins");
  if (!computed_) compute();
  const Request& request = requests_[ticket.index];
  if (request.size == 0) return fail(ErrorKind::unavailable, request.error);
  return as_text(std::span(request.signature).first(request.size));
}

void SigningContext::compute() {
  computed_ = true;
  if (by_eight_ && by_eight_->is_on()) compute_by_eight();
  for (std::size_t i = 0; i < request_count_; ++i) {
    if (requests_[i].size == 0) compute_with_openssl(requests_[i]);
  }
}

void SigningContext::compute_by_eight() {
  std::array<Request*, kTogetherMax> together;
  std::size_t count = 0;
  for (std::size_t i = 0; i < request_count_; ++i) {
    if (computes_together(requests_[i].key)) together[count++] = &requests_[i];
    const bool last = i + 1 == request_count_;
    if (count < together.size() && !last) continue;
    compute_eight(std::span(together).first(count));
    count = 0;
  }
}

// No signature leaves unless OpenSSL, which had no part in making it, finds that it fits the public
// key; see mailauth/rsa/private_key.h. Where one does not, the others computed with it are dropped
// too.
void SigningContext::compute_eight(std::span<Request* const> requests) {
  struct Making {
    Request* request;
    PreparedKey* key;
    std::array<std::uint8_t, rsa::kOctets> input;
    std::array<std::uint8_t, rsa::kOctets> output;
    bool right;
  };
  std::array<Making, kTogetherMax> making;
  std::vector<rsa::PrivateOperation> operations;
  for (Request* const request : requests) {
    PreparedKey* const key = prepared(*request);
    if (key == nullptr || !key->by_eight) continue;
    Making& made = making[operations.size()];
    made.request = request;
    made.key = key;
    made.input = encoded(request->hash);
    operations.push_back({key->by_eight.get(), made.input, made.output});
  }
  if (operations.size() < kTogetherWorthwhile) return;
  if (!rsa::operate(operations, by_eight_->arithmetic())) return;  // OpenSSL will say why not
  const auto all = std::span(making).first(operations.size());
  for (Making& made : all) {
    made.right = EVP_PKEY_verify(made.key->rsa_verify.get(), made.output.data(), made.output.size(),
                                 made.request->hash.data(), made.request->hash.size()) == 1;
  }
  const auto wrong = std::ranges::find(all, false, &Making::right);
  if (wrong == all.end()) {
    for (const Making& made : all) {
      std::ranges::copy(made.output, made.request->signature.begin());
      made.request->size = made.output.size();
    }
    return;
  }
  // With the key's public half a wrong signature gives the private one away: it goes first.
  for (Making& made : all) OPENSSL_cleanse(made.output.data(), made.output.size());
  wipe_stack();
  by_eight_->turn_off(wrong->request->key_name, take_openssl_error());
}

void SigningContext::compute_with_openssl(Request& request) {
  PreparedKey* const with = prepared(request);
  if (with == nullptr) return;
  std::size_t size = request.signature.size();
  bool done = false;
  if (with->rsa_sign) {
    done = EVP_PKEY_sign(with->rsa_sign.get(), request.signature.data(), &size, request.hash.data(),
                         request.hash.size()) == 1;
  } else {
    // RFC 8463 section 3: PureEdDSA over the SHA-256 hash.
    EVP_MD_CTX* const digest = with->ed25519.get();
    EVP_MD_CTX_reset(digest);
    done = EVP_DigestSignInit(digest, nullptr, nullptr, nullptr, with->copy.get()) == 1 &&
           EVP_DigestSign(digest, request.signature.data(), &size, request.hash.data(),
                          request.hash.size()) == 1;
  }
  if (done) {
    request.size = size;
  } else {
    request.error = "signing failed: " + take_openssl_error();
  }
}

}  // namespace todoku::mailauth::dkim
