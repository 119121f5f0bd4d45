// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/verifier.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "mailauth/dkim/openssl_ptr.h"

namespace todoku::mailauth::dkim {
namespace {

// An order of names that their sizes tell most often.
bool is_before(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// The fields of a message by name, taken from the bottom up (RFC 6376 section 5.4.2), without the
// signature that is verified: h= may name others only (section 3.5). Sorted, in two pieces of
// memory: a message has a dozen fields, and a hostile one with thousands costs no more than to
// sort.
class FieldPicker {
 public:
  FieldPicker(const std::vector<HeaderField>& fields, std::size_t own) {
    std::size_t octets = 0;
    for (const HeaderField& field : fields) octets += field.name.size();
    names_.reserve(octets);  // so that views into it stay
    fields_.reserve(fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i == own || fields[i].name.empty()) continue;
      const std::size_t at = names_.size();
      for (const char c : fields[i].name) names_ += ascii_lower(c);
      fields_.push_back({.name = std::string_view(names_).substr(at), .field = &fields[i]});
    }
    // Of one name the last field comes first.
    std::ranges::sort(fields_, [](const Place& a, const Place& b) {
      return a.name == b.name ? a.field > b.field : is_before(a.name, b.name);
    });
  }
  FieldPicker(const FieldPicker&) = delete;
  FieldPicker& operator=(const FieldPicker&) = delete;

  // The next field of that name, or an empty view: more were signed than there are.
  std::string_view take(std::string_view lower_name) {
    const auto first = std::ranges::lower_bound(fields_, lower_name, &is_before, &Place::name);
    if (first == fields_.end() || first->name != lower_name) return {};
    const auto next = first + first->taken;
    if (next == fields_.end() || next->name != lower_name) return {};
    ++first->taken;
    return next->field->raw;
  }

 private:
  struct Place {
    std::string_view name;  // lower case
    const HeaderField* field;
    std::ptrdiff_t taken = 0;  // of the first of its name: how many of them
  };
  std::string names_;
  std::vector<Place> fields_;
};

void append_field(std::string& out, std::string_view field, Canonicalization form) {
  if (form == Canonicalization::relaxed) {
    append_relaxed_field(out, field);
  } else {
    out += field;
    // The last of a message that ends in its header.
    if (!field.ends_with("\r\n")) out += "\r\n";
  }
}

// Room for what is usually hashed of a header, so that it need not grow.
constexpr std::size_t kHashedHeaderOctets = 2048;

// RFC 6376 section 3.7: the signed fields, then the signature's own with an empty b= and no CRLF.
Sha256 header_hash(const MessageView& message, const Signature& signature) {
  std::string data;
  data.reserve(kHashedHeaderOctets);
  FieldPicker picker(message.fields, signature.field_index);
  for (const std::string& name : signature.signed_names) {
    const std::string_view field = picker.take(name);
    if (!field.empty()) append_field(data, field, signature.header_form);
  }
  const auto room_at =
      static_cast<std::size_t>(signature.signature_room.data() - signature.raw.data());
  std::string own(signature.raw);
  own.erase(room_at, signature.signature_room.size());
  append_field(data, own, signature.header_form);
  data.resize(data.size() - 2);
  return sha256(data);
}

bool signature_matches(const KeyRecord& record, const Sha256& hash, std::string_view octets) {
  const auto signature = as_octets(octets);
  bool good = false;
  if (record.algorithm == KeyAlgorithm::ed25519) {
    const DigestContextPtr context(EVP_MD_CTX_new());
    good = EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, record.key.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), hash.data(),
                            hash.size()) == 1;
  } else {
    const PkeyContextPtr context(
        record.rsa_verifying == nullptr ? nullptr : EVP_PKEY_CTX_dup(record.rsa_verifying.get()));
    good = context != nullptr && EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                                 hash.data(), hash.size()) == 1;
  }
  if (!good) (void)take_openssl_error();
  return good;
}

struct Finding {
  Verdict verdict = Verdict::pass;
  std::string reason;
};

// What RFC 6376 section 6.1.2 asks of a key before it is used; pass if nothing is wrong.
Finding judge_key(const KeyRecord& record, const Signature& signature,
                  const VerifyOptions& options) {
  const auto permerror = [](std::string reason) {
    return Finding{Verdict::permerror, std::move(reason)};
  };
  const std::optional<KeyFault> fault = fault_of(record, options.rsa_bits_min);
  if (fault == KeyFault::revoked) return permerror("the key is revoked");
  if (record.algorithm != signature.algorithm) {
    return permerror("the key is of another kind than a= says");
  }
  if (fault == KeyFault::not_for_email) return permerror("the key is not for e-mail");
  if (fault == KeyFault::no_sha256) return permerror("the key does not allow SHA-256");
  if (record.exact_identity && !signature.identity.ends_with("@" + signature.domain)) {
    return permerror("the key allows no subdomain in i=");
  }
  if (fault == KeyFault::too_short) {
    return {Verdict::policy, fmt::format("the RSA key has only {} bits", record.bits)};
  }
  if (fault == KeyFault::too_long) {
    return {Verdict::policy,
            fmt::format("the RSA key has {} bits, too many to check", record.bits)};
  }
  return {};
}

Finding judge_body(const MessageView& message, const Signature& signature,
                   const VerifyOptions& options, SignatureResult& result) {
  BodyHasher hasher(signature.body_form, signature.body_octets.value_or(BodyHasher::kWhole));
  hasher.update(message.body);
  const BodyHash hash = hasher.finish();
  result.body_hash = as_text(hash);
  // RFC 6376 section 3.5: l= must not be larger than the canonical body.
  const bool too_short =
      signature.body_octets && *signature.body_octets > hasher.canonical_octets();
  result.body_matches = !too_short && result.body_hash == signature.body_hash;
  if (too_short) return {Verdict::fail, "the body is shorter than l= says"};
  if (signature.body_octets) {
    result.unsigned_octets = hasher.canonical_octets() - *signature.body_octets;
  }
  if (!*result.body_matches) {
    return {Verdict::fail, "the body hash does not match: the body was changed"};
  }
  if (result.unsigned_octets > 0 && !options.accept_partial_body) {
    return {Verdict::policy, fmt::format("l= leaves {} octets unsigned", result.unsigned_octets)};
  }
  return {};
}

// x= and t=
Finding judge_times(const Signature& signature, const VerifyOptions& options) {
  const std::int64_t now =
      std::chrono::floor<std::chrono::seconds>(options.now).time_since_epoch().count();
  if (signature.expires_at && *signature.expires_at < now) {
    return {Verdict::policy,
            fmt::format("the signature expired {} s ago", now - *signature.expires_at)};
  }
  if (signature.signed_at && *signature.signed_at > now &&
      *signature.signed_at - now > options.ahead_max.count()) {
    return {Verdict::policy,
            fmt::format("the signature is dated {} s ahead", *signature.signed_at - now)};
  }
  return {};
}

Finding judge_answer(const KeyAnswer& key) {
  switch (key.status()) {
    case KeyAnswer::Status::unavailable:
      return {Verdict::temperror, fmt::format("the key cannot be looked up: {}", key.reason())};
    case KeyAnswer::Status::absent:
      return {Verdict::permerror, "there is no key record"};
    case KeyAnswer::Status::found:
      if (key.records().empty()) return {Verdict::permerror, key.reason()};
      return {};
  }
  return {};
}

Finding judge_record(const KeyRecord& record, const Signature& signature, const Sha256& hash,
                     const VerifyOptions& options) {
  Finding finding = judge_key(record, signature, options);
  if (finding.verdict == Verdict::pass && !signature_matches(record, hash, signature.octets)) {
    finding = {Verdict::fail,
               "the signature does not match: signed headers were changed, or another key signed"};
  }
  return finding;
}

// Tries each key record: pass if one verifies, else fail if one could be used, else what is wrong
// with the first.
Finding judge_signature(const MessageView& message, const Signature& signature,
                        const KeyAnswer& key, const VerifyOptions& options,
                        SignatureResult& result) {
  const Sha256 hash = header_hash(message, signature);
  result.header_hash = as_text(hash);
  std::optional<Finding> best;
  for (const KeyRecord& record : key.records()) {
    const Finding finding = judge_record(record, signature, hash, options);
    const bool passes = finding.verdict == Verdict::pass;
    const bool was_used = passes || finding.verdict == Verdict::fail;
    if (was_used) result.signature_matches = passes;
    if (best && !passes && (!was_used || best->verdict == Verdict::fail)) continue;
    best = finding;
    result.key_bits = record.bits;
    result.testing = record.testing;
    if (passes) break;
  }
  check(best.has_value(), "an answer with records was judged");
  return *best;
}

Finding judge(const MessageView& message, const Signature& signature, const KeyAnswer& key,
              const VerifyOptions& options, SignatureResult& result) {
  if (signature.problem) return {signature.problem->verdict, signature.problem->reason};
  if (auto finding = judge_answer(key); finding.verdict != Verdict::pass) return finding;
  Finding header = judge_signature(message, signature, key, options, result);
  if (!result.signature_matches) return header;
  Finding body = judge_body(message, signature, options, result);
  if (!*result.signature_matches && !*result.body_matches) {
    return {Verdict::fail,
            "neither the signature nor the body hash matches: the whole message was changed"};
  }
  if (header.verdict != Verdict::pass) return header;
  if (body.verdict != Verdict::pass) return body;
  return judge_times(signature, options);
}

}  // namespace

SignatureResult verify(const MessageView& message, const Signature& signature, const KeyAnswer& key,
                       const VerifyOptions& options) {
  SignatureResult result{.domain = signature.domain,
                         .selector = signature.selector,
                         .identity = signature.identity,
                         .algorithm = signature.algorithm};
  Finding finding = judge(message, signature, key, options, result);
  result.verdict = finding.verdict;
  result.reason = std::move(finding.reason);
  return result;
}

}  // namespace todoku::mailauth::dkim
