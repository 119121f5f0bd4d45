// SPDX-License-Identifier: Apache-2.0
// DKIM keys in the zone (RFC 6376 section 3.6).
#include <algorithm>
#include <optional>
#include <ranges>

#include <fmt/format.h>

#include "base/bytes.h"
#include "doctor/domain_checks.h"
#include "doctor/domain_texts.h"
#include "mailauth/dkim/key.h"
#include "mailauth/dkim/key_record.h"

namespace todoku::doctor {
namespace {

namespace dkim = mailauth::dkim;
using mailauth::DnsFact;
using mailauth::FactType;

std::string without_spaces(std::string_view text) {
  std::string kept(text);
  std::erase_if(kept, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return kept;
}

// What p= holds. nullopt: there is no such tag.
std::optional<std::string> key_octets_of(std::string_view text) {
  const std::string record = without_spaces(text);
  for (const auto part : std::views::split(record, ';')) {
    const std::string_view tag(part.begin(), part.end());
    if (tag.starts_with("p=")) return std::string(tag.substr(2));
  }
  return std::nullopt;
}

// Whether `texts` are pieces of `expected` as records of their own, which a server tells in any
// order: together they are all of it.
bool is_split(const std::vector<std::string>& texts, std::string_view expected) {
  if (texts.size() < 2) return false;
  const std::string wanted = without_spaces(expected);
  std::size_t octets = 0;
  for (const std::string& text : texts) {
    const std::string piece = without_spaces(text);
    if (wanted.find(piece) == std::string::npos) return false;
    octets += piece.size();
  }
  return octets == wanted.size();
}

class KeyCheck {
 public:
  KeyCheck(const DomainKey& key, std::string name, const ZoneView& view, ZoneReading& zone)
      : key_(key), name_(std::move(name)), view_(view), zone_(zone) {}

  Finding check() {
    if (!key_.alias.empty()) return check_alias();
    fact_ = zone_.fact(FactType::txt, name_);
    if (fact_.status == DnsFact::Status::failed || !fact_.is_known()) {
      return domain_finding("dkim_undetermined",
                            {.subject = name_, .first = fact_.reason, .first_ja = fact_.reason_ja});
    }
    if (fact_.is_void()) return missing();
    if (is_split(fact_.values, key_.record)) return with_line(find("dkim_split"));
    const auto ours = own_record();
    return ours ? published(*ours) : wrong();
  }

 private:
  // Of a selector that leads into the platform's zone.
  Finding check_alias() {
    const auto* const told = zone_.told(FactType::txt, name_);
    const std::string alias = told == nullptr ? std::string() : to_ascii_lower(told->alias);
    if (alias.empty()) return without_alias();
    if (alias != key_.alias) return with_alias(find("dkim_cname_elsewhere", alias));
    if (key_.is_idle) return domain_finding("dkim_cname_ok", {.subject = name_, .first = alias});
    fact_ = zone_.fact(FactType::txt, name_);
    if (fact_.status == DnsFact::Status::failed || !fact_.is_known()) {
      return domain_finding("dkim_undetermined",
                            {.subject = name_, .first = fact_.reason, .first_ja = fact_.reason_ja});
    }
    if (fact_.is_void()) return find("dkim_cname_dangling", alias);
    const auto ours = own_record();
    return ours ? published(*ours) : find("dkim_cname_other_key", alias);
  }

  Finding without_alias() {
    fact_ = zone_.fact(FactType::txt, name_);
    if (fact_.status == DnsFact::Status::failed || !fact_.is_known()) {
      return domain_finding("dkim_undetermined",
                            {.subject = name_, .first = fact_.reason, .first_ja = fact_.reason_ja});
    }
    if (!fact_.is_void()) {
      // The provider has followed the CNAME, or somebody has copied what was there once.
      const bool is_now = !key_.is_idle && own_record().has_value();
      return with_alias(find(is_now ? "dkim_cname_flattened" : "dkim_cname_copied"));
    }
    const std::string doubled = doubled_name(name_, view_.zone);
    const auto* const told = zone_.told(FactType::txt, doubled);
    if (leads_to_ours(told)) return with_alias(find("dkim_doubled", doubled));
    const std::string plain = name_without_underscores(name_);
    if (leads_to_ours(zone_.told(FactType::txt, plain))) {
      return with_alias(find("dkim_underscore_lost", plain));
    }
    return with_alias(find("dkim_cname_missing"));
  }

  // A panel that appends the zone to a name may do so with the target, too.
  [[nodiscard]] bool leads_to_ours(const mailauth::ServerAnswer* told) const {
    return told != nullptr && to_ascii_lower(told->alias).starts_with(key_.alias);
  }

  // Of what is there, the record that has our key.
  [[nodiscard]] std::optional<dkim::KeyRecord> own_record() const {
    for (const std::string& text : fact_.values) {
      auto record = dkim::parse_key_record(text);
      if (record && is_ours(text)) return std::move(*record);
    }
    return std::nullopt;
  }
  [[nodiscard]] Finding with_alias(Finding finding) const {
    finding.expected = key_.alias;
    finding.paste = fmt::format("{}. IN CNAME {}.\n", name_, key_.alias);
    return finding;
  }

  [[nodiscard]] Finding find(std::string_view code, std::string first = {}) const {
    Finding finding = domain_finding(code, {.subject = name_, .first = std::move(first)});
    finding.found = all_of(fact_.values);
    return finding;
  }
  [[nodiscard]] Finding with_line(Finding finding) const {
    if (key_.record.empty()) return finding;
    finding.expected = key_.record;
    finding.paste = text_entry(name_, key_.record);
    return finding;
  }
  [[nodiscard]] bool is_ours(std::string_view text) const {
    if (key_.record.empty()) return true;
    return key_octets_of(text) == key_octets_of(key_.record);
  }

  // At another name than it should be. A wildcard puts other texts there (RFC 4592).
  [[nodiscard]] bool has_key(std::string_view name) const {
    const auto* const told = zone_.told(FactType::txt, name);
    return told != nullptr && std::ranges::any_of(told->values, [this](const std::string& text) {
             return key_octets_of(text).has_value() && is_ours(text);
           });
  }

  [[nodiscard]] Finding missing() const {
    const auto* const told = zone_.told(FactType::txt, name_);
    if (told != nullptr && !told->alias.empty()) {
      return with_line(find("dkim_alias_broken", told->alias));
    }
    const std::string doubled = doubled_name(name_, view_.zone);
    if (has_key(doubled)) return with_line(find("dkim_doubled", doubled));
    const std::string plain = name_without_underscores(name_);
    if (has_key(plain)) return with_line(find("dkim_underscore_lost", plain));
    return with_line(find("dkim_missing"));
  }

  // What our own verifier would mind, and so others.
  [[nodiscard]] std::optional<Finding> refused(const dkim::KeyRecord& record) const {
    const auto fault = dkim::fault_of(record);
    if (!fault) return std::nullopt;
    switch (*fault) {
      case dkim::KeyFault::revoked:
        return with_line(find("dkim_revoked"));
      case dkim::KeyFault::not_for_email:
        return with_line(find("dkim_restricted", "s="));
      case dkim::KeyFault::no_sha256:
        return with_line(find("dkim_restricted", "h="));
      case dkim::KeyFault::too_short:
      case dkim::KeyFault::too_long:
        return find("dkim_size_refused", fmt::format("{}", record.bits));
    }
    return std::nullopt;
  }

  [[nodiscard]] Finding published(const dkim::KeyRecord& record) const {
    if (auto finding = refused(record)) return std::move(*finding);
    // One that cannot be read counts, too: a receiver may take that one (RFC 6376 section 3.6.2.2).
    const std::size_t count = fact_.values.size();
    if (count > 1) return with_line(find("dkim_several", fmt::format("{}", count)));
    if (record.testing) return with_line(find("dkim_testing"));
    if (record.algorithm == dkim::KeyAlgorithm::rsa && record.bits < dkim::kRsaBitsRecommended) {
      return find("dkim_short", fmt::format("{}", record.bits));
    }
    Finding finding = domain_finding("dkim_ok", {.subject = name_});
    finding.found = all_of(fact_.values);
    return finding;
  }

  // There are records, and none has our key.
  [[nodiscard]] Finding wrong() const {
    const std::string& text = fact_.values.front();
    if (is_quoted(text)) return with_line(find("dkim_quoted"));
    const auto octets = key_octets_of(text);
    if (octets && octets->empty()) return with_line(find("dkim_revoked"));
    const auto wanted = key_octets_of(key_.record);
    if (octets && wanted && octets->size() < wanted->size() && wanted->starts_with(*octets)) {
      return with_line(find("dkim_cut", fmt::format("{}", text.size())));
    }
    const auto record = dkim::parse_key_record(text);
    if (!record) return with_line(find("dkim_unreadable", record.error().detail));
    return with_line(find("dkim_other_key"));
  }

  const DomainKey& key_;
  const std::string name_;
  const ZoneView& view_;
  ZoneReading& zone_;
  DnsFact fact_;
};

}  // namespace

void check_keys(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
                std::vector<Finding>& findings) {
  if (wish.keys.empty())
    findings.push_back(domain_finding("dkim_no_keys", {.subject = wish.domain}));
  for (const DomainKey& key : wish.keys) {
    const std::string name = wish.key_name(key);
    findings.push_back(KeyCheck(key, name, view, zone).check());
    note_negative_cache(name, zone, findings);
  }
}

}  // namespace todoku::doctor
