// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::mailauth::dkim {
namespace {

enum class Coverage : std::uint8_t {
  sealed,      // listed once more than it occurs: nobody can add one (RFC 6376 section 8.15)
  if_present,  // listed as often as it occurs
};

struct SignedName {
  std::string_view name;
  Coverage coverage;
};

// What recipients are shown or act on is sealed. Fields that receivers' own list software may add
// or that only describe the transport are signed where they stand (RFC 6376 section 5.4.1).
constexpr std::array<SignedName, 16> kSignedNames{{
    {"From", Coverage::sealed},
    {"To", Coverage::sealed},
    {"Cc", Coverage::sealed},
    {"Reply-To", Coverage::sealed},
    {"Subject", Coverage::sealed},
    {"Date", Coverage::sealed},
    {"Message-ID", Coverage::sealed},
    {"MIME-Version", Coverage::sealed},
    {"Content-Type", Coverage::sealed},
    {"List-Unsubscribe", Coverage::sealed},
    {"List-Unsubscribe-Post", Coverage::sealed},
    {"Content-Transfer-Encoding", Coverage::if_present},
    {"In-Reply-To", Coverage::if_present},
    {"References", Coverage::if_present},
    {"List-Id", Coverage::if_present},
    {"Feedback-ID", Coverage::if_present},
}};

constexpr std::size_t kLineOctetsMax = 76;
constexpr std::string_view kFold = "\r\n ";

// Writes one header field, folding where the caller allows it.
class FoldedWriter {
 public:
  // `out` ends with an unfinished field that begins at `field_start`.
  FoldedWriter(std::string& out, std::size_t field_start) : out_(out), line_start_(field_start) {
    const std::size_t fold = out.rfind(kFold);
    if (fold != std::string::npos && fold >= field_start) line_start_ = fold + 2;
  }

  // A token that a space separates from what stands before it.
  void spaced(std::string_view token) { put(token, " "); }
  // A token that follows directly, or after a fold.
  void joined(std::string_view token) { put(token, ""); }
  // A token that begins a line.
  void on_a_new_line(std::string_view token) {
    fold();
    out_ += token;
  }
  // Text that may be cut anywhere.
  void cut_anywhere(std::string_view text) {
    while (!text.empty()) {
      if (column() >= kLineOctetsMax) fold();
      const std::string_view part = text.substr(0, kLineOctetsMax - column());
      out_ += part;
      text.remove_prefix(part.size());
    }
  }

 private:
  [[nodiscard]] std::size_t column() const { return out_.size() - line_start_; }
  void fold() {
    out_ += kFold;
    line_start_ = out_.size() - 1;
  }
  void put(std::string_view token, std::string_view separator) {
    if (column() + separator.size() + token.size() > kLineOctetsMax) {
      fold();
    } else {
      out_ += separator;
    }
    out_ += token;
  }

  std::string& out_;
  std::size_t line_start_;
};

// The part of the field that all messages of an identity share.
std::string field_beginning(const SigningIdentity& identity) {
  std::string out = "DKIM-Signature: v=1;";
  FoldedWriter writer(out, 0);
  writer.spaced(fmt::format("a={};", signature_algorithm(identity.key.algorithm())));
  writer.spaced("c=relaxed/relaxed;");
  writer.spaced(fmt::format("d={};", identity.name.domain));
  writer.spaced(fmt::format("s={};", identity.name.selector));
  return out;
}

// Collects the signed fields in canonical form, and the value of h= with a ";" at its end. RFC 6376
// section 5.4.2: of fields with one name the last one in the message comes first.
void collect_signed(std::span<const HeaderField> headers, std::string& canonical,
                    std::string& names) {
  canonical.clear();
  names.clear();
  for (const SignedName& wanted : kSignedNames) {
    const auto list_name = [&] {
      names += wanted.name;
      names += ':';
    };
    for (auto field = headers.rbegin(); field != headers.rend(); ++field) {
      if (!equals_ignoring_case(field->name, wanted.name)) continue;
      append_relaxed_field(canonical, field->raw);
      list_name();
    }
    if (wanted.coverage == Coverage::sealed) list_name();
  }
  names.back() = ';';
}

void write_signed_names(FoldedWriter& writer, std::string_view names) {
  writer.spaced("h=");
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find_first_of(":;") + 1);
    writer.joined(name);
    names.remove_prefix(name.size());
  }
}

}  // namespace

// A key made ready for this thread. It is a copy of its own: OpenSSL guards a key's blinding values
// with a lock that threads sharing the key would contend for.
struct SigningContext::PreparedKey {
  SigningKey source;  // keeps source.native(), the key of the look-up, from being reused
  PkeyPtr copy;
  PkeyContextPtr rsa;        // RSA: initialised for PKCS#1 v1.5 with SHA-256
  DigestContextPtr ed25519;  // Ed25519
  std::uint64_t last_use = 0;
};

SigningContext::SigningContext() : header_digest_(EVP_MD_CTX_new()) {
  check(header_digest_ != nullptr, "there is memory for a digest context");
}
SigningContext::SigningContext(SigningContext&&) noexcept = default;
SigningContext& SigningContext::operator=(SigningContext&&) noexcept = default;
SigningContext::~SigningContext() = default;

Result<SigningContext::PreparedKey*> SigningContext::prepared(const SigningKey& key) {
  ++uses_;
  for (PreparedKey& known : keys_) {
    if (known.source.native() != key.native()) continue;
    known.last_use = uses_;
    return &known;
  }
  PreparedKey fresh{.source = key, .copy = PkeyPtr(EVP_PKEY_dup(key.native())), .last_use = uses_};
  bool ready = fresh.copy != nullptr;
  if (ready && key.algorithm() == KeyAlgorithm::rsa) {
    fresh.rsa.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, fresh.copy.get(), nullptr));
    ready = fresh.rsa != nullptr && EVP_PKEY_sign_init(fresh.rsa.get()) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(fresh.rsa.get(), RSA_PKCS1_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(fresh.rsa.get(), sha256_algorithm()) == 1;
  } else if (ready) {
    fresh.ed25519.reset(EVP_MD_CTX_new());
    ready = fresh.ed25519 != nullptr;
  }
  if (!ready) {
    return fail(ErrorKind::unavailable,
                "a signing key cannot be prepared: " + take_openssl_error());
  }
  if (keys_.size() < kKeysMax) return &keys_.emplace_back(std::move(fresh));
  PreparedKey& oldest = *std::ranges::min_element(keys_, {}, &PreparedKey::last_use);
  oldest = std::move(fresh);
  return &oldest;
}

Result<std::string_view> SigningContext::sign_hash(const SigningKey& key,
                                                   std::span<const std::uint8_t> hash) {
  auto ready = prepared(key);
  if (!ready) return fail(ready.error());
  PreparedKey& with = **ready;
  std::size_t size = signature_.size();
  bool done = false;
  if (with.rsa) {
    done = EVP_PKEY_sign(with.rsa.get(), signature_.data(), &size, hash.data(), hash.size()) == 1;
  } else {
    // RFC 8463 section 3: PureEdDSA over the SHA-256 hash.
    EVP_MD_CTX_reset(with.ed25519.get());
    done =
        EVP_DigestSignInit(with.ed25519.get(), nullptr, nullptr, nullptr, with.copy.get()) == 1 &&
        EVP_DigestSign(with.ed25519.get(), signature_.data(), &size, hash.data(), hash.size()) == 1;
  }
  if (!done) return fail(ErrorKind::unavailable, "signing failed: " + take_openssl_error());
  return as_text(std::span(signature_).first(size));
}

Result<Signer> Signer::create(std::vector<SigningIdentity> identities) {
  if (identities.empty() || identities.size() > kIdentitiesMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} DKIM keys for one sender; 1 to {} are possible", identities.size(),
                            kIdentitiesMax));
  }
  for (std::size_t i = 0; i < identities.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (identities[i].name != identities[j].name) continue;
      return fail(ErrorKind::invalid_input,
                  fmt::format("two DKIM keys share the name {}; each needs a selector of its own",
                              identities[i].name.lookup_name()));
    }
  }
  return Signer(std::move(identities));
}

Signer::Signer(std::vector<SigningIdentity> identities) : identities_(std::move(identities)) {
  for (const SigningIdentity& identity : identities_) {
    beginnings_.push_back(field_beginning(identity));
  }
}

Result<void> Signer::sign(SigningContext& context, const SigningInput& input,
                          std::string& out) const {
  collect_signed(input.headers, context.canonical_, context.signed_names_);
  if (!context.signed_names_.starts_with("From:From:")) {
    return fail(ErrorKind::invalid_input, "a message without a From field cannot be signed");
  }
  const std::size_t before = out.size();
  for (std::size_t which = 0; which < identities_.size(); ++which) {
    auto appended = append_signature(context, input, which, out);
    if (!appended) {
      out.resize(before);
      return appended;
    }
  }
  return {};
}

Result<void> Signer::append_signature(SigningContext& context, const SigningInput& input,
                                      std::size_t which, std::string& out) const {
  const std::size_t start = out.size();
  out += beginnings_[which];
  FoldedWriter writer(out, start);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(input.signed_at);
  writer.spaced(fmt::format("t={};", seconds.time_since_epoch().count()));
  write_signed_names(writer, context.signed_names_);
  writer.spaced(fmt::format("bh={};", to_base64(as_text(input.body_hash))));
  writer.on_a_new_line("b=");

  context.own_.clear();
  append_relaxed_field(context.own_, std::string_view(out).substr(start));
  context.own_.resize(context.own_.size() - 2);  // RFC 6376 section 3.7: without its CRLF
  std::array<std::uint8_t, 32> hash{};
  EVP_MD_CTX* const digest = context.header_digest_.get();
  check(EVP_DigestInit_ex2(digest, sha256_algorithm(), nullptr) == 1 &&
            EVP_DigestUpdate(digest, context.canonical_.data(), context.canonical_.size()) == 1 &&
            EVP_DigestUpdate(digest, context.own_.data(), context.own_.size()) == 1 &&
            EVP_DigestFinal_ex(digest, hash.data(), nullptr) == 1,
        "SHA-256 hashes what is in memory");
  const auto signature = context.sign_hash(identities_[which].key, hash);
  if (!signature) return fail(signature.error());
  writer.cut_anywhere(to_base64(*signature));
  out += "\r\n";
  return {};
}

}  // namespace todoku::mailauth::dkim
