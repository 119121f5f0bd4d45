// SPDX-License-Identifier: Apache-2.0
// SPF (RFC 7208), of the return path and, as docomo looks at it, of the From domain.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/domain_checks.h"
#include "doctor/domain_texts.h"
#include "doctor/spf_merge.h"
#include "doctor/spf_whole.h"
#include "mailauth/dmarc/discovery.h"
#include "mailauth/spf/address.h"
#include "mailauth/spf/check_host.h"
#include "mailauth/spf/record.h"

namespace todoku::doctor {
namespace {

namespace spf = mailauth::spf;
using mailauth::DnsFact;
using mailauth::FactType;

constexpr int kNearLimit = 9;

std::optional<std::string> octets_of(std::string_view address) {
  if (auto v4 = spf::octets_of_ip4(address)) return v4;
  return spf::octets_of_ip6(address);
}

class SpfCheck {
 public:
  SpfCheck(const DomainWish& wish, std::string domain, const ZoneView& view, ZoneReading& zone,
           std::vector<Finding>& findings)
      : wish_(wish), domain_(std::move(domain)), view_(view), zone_(zone), findings_(findings) {}

  void check() {
    const DnsFact fact = zone_.fact(FactType::txt, domain_);
    if (fact.status == DnsFact::Status::failed || !fact.is_known()) {
      add(domain_finding("spf_undetermined",
                         {.subject = domain_, .first = fact.reason, .first_ja = fact.reason_ja}));
      return;
    }
    texts_ = fact.values;
    const auto count = std::ranges::count_if(texts_, &spf::is_record);
    if (count == 0) {
      missing();
      return;
    }
    if (count > 1) {
      add(with_line(find("spf_several", fmt::format("{}", count))));
      return;
    }
    const std::string& text = *std::ranges::find_if(texts_, &spf::is_record);
    const auto record = spf::parse_record(text);
    if (!record) {
      const std::string& reason = record.error().detail;
      add(with_line(is_quoted(text) ? find("spf_quoted") : find("spf_unreadable", reason)));
      return;
    }
    const auto open = open_terms(*record);
    if (!open.empty()) add(find("spf_allows_all", fmt::format("{}", fmt::join(open, ", "))));
    evaluate(text, open.empty());
    note_negative_cache(domain_, zone_, findings_);
  }

 private:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  [[nodiscard]] Finding find(std::string_view code, std::string first = {},
                             std::string second = {}) const {
    Finding finding = domain_finding(
        code, {.subject = domain_, .first = std::move(first), .second = std::move(second)});
    std::vector<std::string> records;
    for (const std::string& text : texts_) {
      if (text.find("v=spf1") != std::string::npos) records.push_back(text);
    }
    finding.found = all_of(records);
    return finding;
  }
  [[nodiscard]] Finding with_line(Finding finding) {
    const bool is_from = domain_ == wish_.domain;
    const auto merged = merge_spf(texts_, spf_mechanisms(wish_.platform),
                                  is_from ? kFromSpfEnd : kReturnPathSpfEnd);
    if (!merged || spf_mechanisms(wish_.platform).empty()) return finding;
    const std::string fault = fault_if_put(wish_, domain_, merged->text, zone_);
    if (!fault.empty()) {
      finding.advice = no_room_text(fault);
      return finding;
    }
    finding.expected = merged->text;
    finding.paste = text_entry(domain_, merged->text);
    return finding;
  }

  // A record that lets us send. A wildcard puts another one everywhere (RFC 4592).
  [[nodiscard]] bool is_for_us(const std::vector<std::string>& texts) const {
    const auto merged = merge_spf(texts, spf_mechanisms(wish_.platform), "~all");
    return merged && merged->replaced > 0 && !merged->is_changed;
  }

  void missing() {
    const bool is_quoted_one = std::ranges::any_of(texts_, [](const std::string& text) {
      return is_quoted(text) && text.find("v=spf1") != std::string::npos;
    });
    const std::string doubled = doubled_name(domain_, view_.zone);
    const DnsFact below = zone_.fact(FactType::txt, doubled);
    if (is_quoted_one) {
      add(with_line(find("spf_quoted")));
    } else if (zone_.told(FactType::txt, doubled) != nullptr && is_for_us(below.values)) {
      add(with_line(find("spf_doubled", doubled)));
    } else {
      const bool is_from_only = domain_ == wish_.domain && domain_ != wish_.platform.return_path;
      add(with_line(find(is_from_only ? "spf_from_missing" : "spf_missing")));
    }
  }

  std::optional<spf::Verdict> verdict_of(std::string octets) {
    const spf::Query query{.ip = std::move(octets),
                           .mail_from = "postmaster@" + domain_,
                           .helo = wish_.platform.mail_host};
    return zone_.evaluate(
        [&query](mailauth::DnsFacts& facts) { return spf::check_host(query, facts); });
  }

  // One address. False: it does not pass.
  bool passes(const std::string& address) {
    const auto octets = octets_of(address);
    if (!octets) return true;
    const auto verdict = verdict_of(*octets);
    if (!verdict) return false;
    if (verdict->result == spf::SpfResult::pass) return true;
    if (verdict->result == spf::SpfResult::temperror) {
      add(find("spf_undetermined", verdict->problem));
    } else if (verdict->result == spf::SpfResult::permerror) {
      add(permanent_error(*verdict));
    } else {
      add(with_line(
          find("spf_source_missing", address, std::string(spf::to_string(verdict->result)))));
    }
    return false;
  }

  [[nodiscard]] Finding permanent_error(const spf::Verdict& verdict) const {
    return find(is_past_limit(verdict) ? "spf_lookups" : "spf_permerror", verdict.problem);
  }

  void evaluate(std::string_view record, bool is_closed) {
    // One finding says enough where all fail alike.
    for (const std::string& address : wish_.platform.addresses) {
      if (!passes(address)) return;
    }
    const auto whole = verdict_on_nobody(wish_, domain_, zone_);
    if (!whole) return;
    // By what it includes, or where it leads.
    if (whole->result == spf::SpfResult::pass && is_closed) {
      add(find("spf_allows_all", whole->mechanism));
    }
    const bool ours_pass = !wish_.platform.addresses.empty();
    if (whole->result == spf::SpfResult::temperror) {
      add(find("spf_undetermined", whole->problem));
      return;
    }
    if (const std::string fault = fault_of_all(record, *whole); !fault.empty()) {
      add(ours_pass ? find("spf_permerror_beyond", fault) : permanent_error(*whole));
      return;
    }
    const std::string lookups = fmt::format("{}", whole->lookups);
    if (whole->lookups >= kNearLimit) add(find("spf_near_limit", lookups));
    if (!ours_pass) return;
    add(find("spf_ok", fmt::format("{}", wish_.platform.addresses.size()), lookups));
  }

  const DomainWish& wish_;
  const std::string domain_;
  const ZoneView& view_;
  ZoneReading& zone_;
  std::vector<Finding>& findings_;
  std::vector<std::string> texts_;
};

// RFC 9989 section 4.4.2, relaxed.
bool is_aligned(const DomainWish& wish, ZoneReading& zone) {
  const std::string& path = wish.platform.return_path;
  if (is_at_or_below(path, wish.domain)) return true;
  const auto organisation = [&zone](const std::string& domain) {
    const auto walk = zone.evaluate(
        [&domain](mailauth::DnsFacts& facts) { return mailauth::dmarc::walk_tree(domain, facts); });
    return walk && walk->failure.empty() ? walk->organizational_domain() : domain;
  };
  return organisation(path) == organisation(wish.domain);
}

}  // namespace

void check_senders(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
                   std::vector<Finding>& findings) {
  if (!wish.platform.unknown_sources.empty()) {
    findings.push_back(
        domain_finding("sources_unknown", {.subject = all_of(wish.platform.unknown_sources)}));
  }
  SpfCheck(wish, wish.domain, view, zone, findings).check();
  const std::string& path = wish.platform.return_path;
  if (path.empty() || path == wish.domain) return;
  SpfCheck(wish, path, view, zone, findings).check();
  if (!is_aligned(wish, zone)) {
    findings.push_back(domain_finding("spf_not_aligned", {.subject = wish.domain, .first = path}));
  }
}

}  // namespace todoku::doctor
