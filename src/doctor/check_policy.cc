// SPDX-License-Identifier: Apache-2.0
// DMARC (RFC 9989): the record that applies, and whether reports can be sent (RFC 9990).
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "doctor/domain_checks.h"
#include "doctor/domain_texts.h"
#include "mail/address.h"
#include "mailauth/dmarc/discovery.h"
#include "mailauth/dmarc/evaluation.h"
#include "mailauth/dmarc/record.h"
#include "mailauth/suffixes/public_suffix.h"

namespace todoku::doctor {
namespace {

namespace dmarc = mailauth::dmarc;
using mailauth::DnsFact;
using mailauth::FactType;

// "reports.example.com" of "mailto:dmarc@Reports.example.com?subject=x": schemes and hosts are in
// any case (RFC 3986 section 6.2.2.1).
std::string host_of_uri(std::string_view uri) {
  constexpr std::string_view kMailto = "mailto:";
  if (!equals_ignoring_case(uri.substr(0, kMailto.size()), kMailto)) return {};
  const std::string_view address = uri.substr(kMailto.size(), uri.find('?') - kMailto.size());
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string() : to_ascii_lower(address.substr(at + 1));
}

std::string policies_in_words(dmarc::Policy by_walk, dmarc::Policy by_list) {
  if (by_walk == by_list) return std::string(to_string(by_walk));
  return fmt::format("{} (RFC 9989), {} (RFC 7489)", to_string(by_walk), to_string(by_list));
}

struct Place {
  std::size_t begin = 0;
  std::size_t size = 0;
};

// Of what rua= has in a record. nullopt: nothing.
std::optional<Place> place_of_reports(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view tag = text.substr(begin, end - begin);
    const std::size_t sign = tag.find('=');
    if (sign != tag.npos && equals_ignoring_case(trim(tag.substr(0, sign)), "rua")) {
      const std::string_view value = trim(tag.substr(sign + 1));
      if (value.empty()) return std::nullopt;
      return Place{static_cast<std::size_t>(value.data() - text.data()), value.size()};
    }
    begin = end + 1;
  }
  return std::nullopt;
}

class PolicyCheck {
 public:
  PolicyCheck(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
              std::vector<Finding>& findings)
      : wish_(wish), view_(view), zone_(zone), findings_(findings) {}

  void check() {
    const auto here = zone_.evaluate(
        [this](mailauth::DnsFacts& facts) { return dmarc::look_up(wish_.domain, facts); });
    if (!here) return;
    texts_ = zone_.fact(FactType::txt, name_).values;
    switch (here->status) {
      case dmarc::Lookup::Status::failed:
        add(find("dmarc_undetermined", here->detail));
        return;
      case dmarc::Lookup::Status::several:
        add(with_line(find("dmarc_several"), texts_));
        return;
      case dmarc::Lookup::Status::none:
        none_here();
        return;
      case dmarc::Lookup::Status::found:
        break;
    }
    judge(here->record);
    note_negative_cache(name_, zone_, findings_);
  }

 private:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  [[nodiscard]] Finding find(std::string_view code, std::string first = {},
                             std::string second = {}) const {
    Finding finding = domain_finding(
        code, {.subject = wish_.domain, .first = std::move(first), .second = std::move(second)});
    finding.found = all_of(texts_);
    return finding;
  }
  // `there`: texts that were meant to be the record, whose addresses are kept.
  [[nodiscard]] Finding with_line(Finding finding, const std::vector<std::string>& there) const {
    return with_line_of(wish_, std::move(finding), there);
  }
  [[nodiscard]] Finding with_line_of(const DomainWish& wish, Finding finding,
                                     const std::vector<std::string>& there) const {
    ZoneNow now;
    now.dmarc_texts = there;
    const auto records = wanted_records(wish, now);
    if (!records) return finding;
    const auto wanted = std::ranges::find(*records, name_, &WantedRecord::name);
    if (wanted == records->end()) return finding;
    finding.expected = wanted->value;
    finding.paste = wanted->zone_entry();
    return finding;
  }

  // All of a record that is good where it stands belongs to the right name.
  [[nodiscard]] Finding misplaced(std::string_view code, const std::string& at) {
    DomainWish as_it_is = wish_;
    as_it_is.report_address.clear();
    return with_line_of(as_it_is, find(code, at), zone_.fact(FactType::txt, at).values);
  }

  // A wildcard puts other texts everywhere (RFC 4592).
  [[nodiscard]] bool has_policy(std::string_view name) const {
    const auto* const told = zone_.told(FactType::txt, name);
    return told != nullptr && std::ranges::any_of(told->values, [](const std::string& text) {
             return dmarc::parse_record(text).has_value();
           });
  }

  void none_here() {
    const std::string doubled = doubled_name(name_, view_.zone);
    const std::string plain = name_without_underscores(name_);
    const bool is_quoted_one = std::ranges::any_of(
        texts_, [](const std::string& text) { return text.find_first_of("\"\\") == 0; });
    if (is_quoted_one) {
      add(with_line(find("dmarc_quoted"), texts_));
    } else if (!texts_.empty()) {
      add(with_line(find("dmarc_unreadable"), texts_));
    } else if (has_policy(doubled)) {
      add(misplaced("dmarc_doubled", doubled));
    } else if (has_policy(plain)) {
      add(misplaced("dmarc_underscore_lost", plain));
    } else {
      above();
    }
  }

  // What receivers make of a mail of the domain that nobody has authenticated.
  [[nodiscard]] std::optional<dmarc::Verdict> verdict() {
    const dmarc::Query query{.author_domains = {wish_.domain}, .from_fault = {}};
    return zone_.evaluate([&query](mailauth::DnsFacts& facts) {
      return dmarc::evaluate(query, &mailauth::registered_domain, facts);
    });
  }

  // The record of a domain above applies, too (section 4.10.1).
  void above() {
    const auto its = verdict();
    if (!its) return;
    const dmarc::Answer& answer = its->by_walk;
    if (answer.result == dmarc::Result::temperror) {
      add(find("dmarc_undetermined", answer.reason));
      return;
    }
    if (answer.domain.empty()) {
      add(with_line(find("dmarc_missing"), {}));
      return;
    }
    const auto found = zone_.evaluate(
        [&answer](mailauth::DnsFacts& facts) { return dmarc::look_up(answer.domain, facts); });
    if (!found) return;
    const dmarc::Record& record = found->record;
    tell_applied(record, record.sp.value ? record.sp.value : record.p.value, *its);
  }

  // `said`: of p= and sp= the one that is meant for the domain.
  void tell_applied(const dmarc::Record& record, std::optional<dmarc::Policy> said,
                    const dmarc::Verdict& its) {
    const dmarc::Policy by_walk = its.by_walk.policy;
    const std::string applied = policies_in_words(by_walk, its.by_list.policy);
    if (record.p.is_broken() || record.sp.is_broken() || record.np.is_broken()) {
      add(find("dmarc_broken_policy", applied, its.by_walk.domain));
      return;
    }
    const dmarc::Policy meant = said.value_or(dmarc::Policy::none);
    if (by_walk == meant && its.by_list.policy == meant) {
      add(find("dmarc_ok", std::string(to_string(meant)), its.by_walk.domain));
    } else {
      add(find("dmarc_applied_otherwise", std::string(to_string(meant)), applied));
    }
    std::vector<std::string> warnings = record.warnings;
    // That no report comes was said.
    if (record.rua.empty()) {
      std::erase_if(warnings, [](const std::string& each) { return each.starts_with("rua="); });
    }
    if (!warnings.empty()) {
      add(find("dmarc_passed_over", fmt::format("{}", fmt::join(warnings, "; "))));
    }
  }

  // Addresses without "mailto:" are none (RFC 9989 section 4.7): the line gives it to them.
  void no_reports() {
    const auto text = std::ranges::find_if(
        texts_, [](const std::string& each) { return dmarc::parse_record(each).has_value(); });
    const auto place = text == texts_.end() ? std::nullopt : place_of_reports(*text);
    if (!place) {
      add(find("dmarc_no_reports"));
      return;
    }
    std::string mended = *text;
    const std::string value = mended.substr(place->begin, place->size);
    Finding finding = find("dmarc_reports_no_scheme", value);
    if (const auto address = parse_address(value)) {
      finding.expected =
          mended.replace(place->begin, place->size, report_uri(address->to_string()));
      finding.paste = text_entry(name_, finding.expected);
    }
    add(std::move(finding));
  }

  void judge(const dmarc::Record& record) {
    if (!record.p.value) {
      add(with_line(find("dmarc_no_policy"), texts_));
      return;
    }
    if (record.rua.empty()) no_reports();
    for (const std::string& uri : record.rua) check_report(uri);
    const std::string& path = wish_.platform.return_path;
    if (record.spf == dmarc::Alignment::strict && !path.empty() && path != wish_.domain) {
      add(find("dmarc_strict_spf", path));
    }
    if (const auto its = verdict()) tell_applied(record, record.p.value, *its);
  }

  // RFC 9990 section 4: of another organisation it has to say that it takes them.
  void check_report(const std::string& uri) {
    const std::string host = host_of_uri(uri);
    if (host.empty() || is_at_or_below(host, wish_.domain)) return;
    const auto walk = zone_.evaluate(
        [this](mailauth::DnsFacts& facts) { return dmarc::walk_tree(wish_.domain, facts); });
    if (!walk || !walk->failure.empty() || is_at_or_below(host, walk->organizational_domain())) {
      return;
    }
    const std::string name = wish_.domain + "._report._dmarc." + host;
    const DnsFact fact = zone_.fact(FactType::txt, name);
    if (fact.status == DnsFact::Status::failed || !fact.is_known()) return;
    if (std::ranges::any_of(fact.values, [](const std::string& text) {
          return dmarc::parse_record(text).has_value();
        })) {
      return;
    }
    Finding finding = find("dmarc_report_unauthorised", host);
    finding.found = all_of(fact.values);
    finding.expected = "v=DMARC1";
    finding.paste = text_entry(name, "v=DMARC1");
    add(std::move(finding));
  }

  const DomainWish& wish_;
  const ZoneView& view_;
  ZoneReading& zone_;
  std::vector<Finding>& findings_;
  const std::string name_ = "_dmarc." + wish_.domain;
  std::vector<std::string> texts_;
};

}  // namespace

void check_policy(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
                  std::vector<Finding>& findings) {
  PolicyCheck(wish, view, zone, findings).check();
}

}  // namespace todoku::doctor
