// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

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
    key_names_.push_back(identity.name.lookup_name());
  }
}

bool Signer::gains_from_company(const SigningContext& context) const {
  return std::ranges::any_of(identities_, [&](const SigningIdentity& identity) {
    return context.computes_together(identity.key);
  });
}

Result<void> Signer::sign(SigningContext& context, const SigningInput& input,
                          std::string& out) const {
  BegunSignatures begun;
  if (auto started = begin(context, input, begun); !started) return started;
  return finish(context, begun, out);
}

Result<void> Signer::begin(SigningContext& context, const SigningInput& input,
                           BegunSignatures& begun) const {
  begun.count_ = 0;
  collect_signed(input.headers, context.canonical_, context.signed_names_);
  if (!context.signed_names_.starts_with("From:From:")) {
    return fail(ErrorKind::invalid_input, "a message without a From field cannot be signed");
  }
  for (std::size_t which = 0; which < identities_.size(); ++which) {
    begin_field(context, input, which, begun.fields_[which]);
  }
  begun.count_ = identities_.size();
  return {};
}

void Signer::begin_field(SigningContext& context, const SigningInput& input, std::size_t which,
                         BegunSignatures::Field& field) const {
  std::string& out = field.beginning;
  out = beginnings_[which];
  FoldedWriter writer(out, 0);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(input.signed_at);
  writer.spaced(fmt::format("t={};", seconds.time_since_epoch().count()));
  write_signed_names(writer, context.signed_names_);
  writer.spaced(fmt::format("bh={};", to_base64(as_text(input.body_hash))));
  writer.on_a_new_line("b=");

  context.own_.clear();
  append_relaxed_field(context.own_, out);
  context.own_.resize(context.own_.size() - 2);  // RFC 6376 section 3.7: without its CRLF
  std::array<std::uint8_t, 32> hash{};
  EVP_MD_CTX* const digest = context.header_digest_.get();
  check(EVP_DigestInit_ex2(digest, sha256_algorithm(), nullptr) == 1 &&
            EVP_DigestUpdate(digest, context.canonical_.data(), context.canonical_.size()) == 1 &&
            EVP_DigestUpdate(digest, context.own_.data(), context.own_.size()) == 1 &&
            EVP_DigestFinal_ex(digest, hash.data(), nullptr) == 1,
        "SHA-256 hashes what is in memory");
  field.ticket = context.request(identities_[which].key, key_names_[which], hash);
}

Result<void> Signer::finish(SigningContext& context, const BegunSignatures& begun,
                            std::string& out) {
  const std::size_t before = out.size();
  for (std::size_t which = 0; which < begun.count_; ++which) {
    const BegunSignatures::Field& field = begun.fields_[which];
    const auto signature = context.signature(field.ticket);
    if (!signature) {
      out.resize(before);
      return fail(signature.error());
    }
    const std::size_t start = out.size();
    out += field.beginning;
    FoldedWriter(out, start).cut_anywhere(to_base64(*signature));
    out += "\r\n";
  }
  return {};
}

}  // namespace todoku::mailauth::dkim
