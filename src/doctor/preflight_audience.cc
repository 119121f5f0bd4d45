// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_audience.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "doctor/null_mx.h"
#include "doctor/preflight_texts.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::FactType;

constexpr std::size_t kNamedMax = 5;  // domains that a finding names
// Below this many, one bad address is a large share and means nothing.
constexpr std::int64_t kCountedMin = 20;

struct Named {
  std::string_view domain;  // ".x.jp": those below it
  Receiver receiver;
};
// As rules/sites.toml has the carriers.
constexpr std::array kMailboxes{
    Named{"gmail.com", Receiver::gmail},         Named{"googlemail.com", Receiver::gmail},
    Named{"yahoo.com", Receiver::yahoo},         Named{"aol.com", Receiver::yahoo},
    Named{"ymail.com", Receiver::yahoo},         Named{"outlook.com", Receiver::microsoft},
    Named{"outlook.jp", Receiver::microsoft},    Named{"hotmail.com", Receiver::microsoft},
    Named{"hotmail.co.jp", Receiver::microsoft}, Named{"live.com", Receiver::microsoft},
    Named{"live.jp", Receiver::microsoft},       Named{"msn.com", Receiver::microsoft},
    Named{"docomo.ne.jp", Receiver::docomo},     Named{"ezweb.ne.jp", Receiver::au},
    Named{".ezweb.ne.jp", Receiver::au},         Named{"au.com", Receiver::au},
    Named{"uqmobile.jp", Receiver::au},          Named{"ido.ne.jp", Receiver::au},
    Named{"softbank.ne.jp", Receiver::softbank}, Named{".softbank.ne.jp", Receiver::softbank},
    Named{"i.softbank.jp", Receiver::softbank},  Named{".vodafone.ne.jp", Receiver::softbank},
    Named{"disney.ne.jp", Receiver::softbank},   Named{"ymobile.ne.jp", Receiver::softbank},
    Named{"ymobile1.ne.jp", Receiver::softbank}, Named{"willcom.com", Receiver::softbank},
};

struct Slip {
  std::string_view written;
  std::string_view meant;
};
// Slips of the finger at the largest domains. A table, and no distance between names: ymail.com is
// as near to gmail.com as gmial.com is.
constexpr std::array kSlips{
    Slip{"gmial.com", "gmail.com"},
    Slip{"gmai.com", "gmail.com"},
    Slip{"gamil.com", "gmail.com"},
    Slip{"gmali.com", "gmail.com"},
    Slip{"gmail.co", "gmail.com"},
    Slip{"gmail.con", "gmail.com"},
    Slip{"gmail.cm", "gmail.com"},
    Slip{"gmail.co.jp", "gmail.com"},
    Slip{"gmail.ne.jp", "gmail.com"},
    Slip{"gmail.jp", "gmail.com"},
    Slip{"gnail.com", "gmail.com"},
    Slip{"gmaill.com", "gmail.com"},
    Slip{"yaho.co.jp", "yahoo.co.jp"},
    Slip{"yahooo.co.jp", "yahoo.co.jp"},
    Slip{"yahoo.co.jo", "yahoo.co.jp"},
    Slip{"yahoo.co.jpp", "yahoo.co.jp"},
    Slip{"yhaoo.co.jp", "yahoo.co.jp"},
    Slip{"yahoo.cojp", "yahoo.co.jp"},
    Slip{"docomo.co.jp", "docomo.ne.jp"},
    Slip{"docomo.ne.jo", "docomo.ne.jp"},
    Slip{"docomo.ne.ip", "docomo.ne.jp"},
    Slip{"docomo.nejp", "docomo.ne.jp"},
    Slip{"docom.ne.jp", "docomo.ne.jp"},
    Slip{"docmo.ne.jp", "docomo.ne.jp"},
    Slip{"dokomo.ne.jp", "docomo.ne.jp"},
    Slip{"docomo.me.jp", "docomo.ne.jp"},
    Slip{"ezweb.co.jp", "ezweb.ne.jp"},
    Slip{"ezwev.ne.jp", "ezweb.ne.jp"},
    Slip{"ezwed.ne.jp", "ezweb.ne.jp"},
    Slip{"ezweb.ne.jo", "ezweb.ne.jp"},
    Slip{"softbnk.ne.jp", "softbank.ne.jp"},
    Slip{"sofbank.ne.jp", "softbank.ne.jp"},
    Slip{"softbank.ne.jo", "softbank.ne.jp"},
    Slip{"hotmial.com", "hotmail.com"},
    Slip{"hotmail.con", "hotmail.com"},
    Slip{"hotmai.com", "hotmail.com"},
    Slip{"iclod.com", "icloud.com"},
    Slip{"icoud.com", "icloud.com"},
    Slip{"icloud.con", "icloud.com"},
    Slip{"icloud.co.jp", "icloud.com"},
    Slip{"outlok.com", "outlook.com"},
    Slip{"outlook.con", "outlook.com"},
    Slip{"outlook.co.jp", "outlook.jp"},
};

std::string share_of(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return "0 %";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

bool is_much(std::int64_t part, std::int64_t whole, double share) {
  return whole >= kCountedMin && static_cast<double>(part) > share * static_cast<double>(whole);
}

struct Count {
  std::int64_t domains = 0;
  std::int64_t recipients = 0;     // of these domains
  std::int64_t estimated = 0;      // with those whom sampled ones stand for
  std::vector<std::string> names;  // the first of them
};

// How many recipients at smaller domains one at a sampled domain stands for.
double weight_of_sampled(const Audience& audience) {
  std::int64_t sampled = 0;
  for (const AudienceDomain& each : audience.domains) {
    if (each.is_sampled) sampled += each.recipients;
  }
  if (sampled <= 0 || audience.smaller_recipients <= sampled) return 1.0;
  return static_cast<double>(audience.smaller_recipients) / static_cast<double>(sampled);
}

Count count_of(const Audience& audience, DomainState state) {
  const double weight = weight_of_sampled(audience);
  Count count;
  std::int64_t sampled = 0;
  for (const AudienceDomain& each : audience.domains) {
    if (each.state != state) continue;
    ++count.domains;
    count.recipients += each.recipients;
    if (each.is_sampled) sampled += each.recipients;
    if (count.names.size() < kNamedMax) count.names.push_back(each.domain);
  }
  count.estimated =
      count.recipients - sampled + std::llround(weight * static_cast<double>(sampled));
  return count;
}

// `part` of `whole`, which are estimated where a sample stands for more than itself.
PreflightFacts lost_facts(std::int64_t part, std::int64_t whole, bool is_estimated) {
  const std::string share = share_of(part, whole);
  PreflightFacts facts{.subject = fmt::format("{}", part), .first = share};
  if (is_estimated) {
    facts.first = "about " + share;
    facts.first_ja = "約 " + share;
  }
  return facts;
}

void tell_unreachable(std::string_view code, const Count& count, std::int64_t known,
                      bool is_estimated, std::vector<Finding>& findings) {
  if (count.domains == 0) return;
  findings.push_back(preflight_finding(code, lost_facts(count.estimated, known, is_estimated)));
  findings.back().found = shown(fmt::format("{}", fmt::join(count.names, " ")));
}

void tell_domains(const Audience& audience, std::vector<Finding>& findings) {
  const Count good = count_of(audience, DomainState::takes_mail);
  const Count gone = count_of(audience, DomainState::no_such_domain);
  const Count none = count_of(audience, DomainState::takes_none);
  const Count open = count_of(audience, DomainState::open);
  const std::int64_t known = good.estimated + gone.estimated + none.estimated;
  const bool is_estimated = known != good.recipients + gone.recipients + none.recipients;
  if (good.domains > 0) {
    findings.push_back(
        preflight_finding("audience_reachable", {.subject = fmt::format("{}", good.domains)}));
  }
  tell_unreachable("audience_no_such_domain", gone, known, is_estimated, findings);
  tell_unreachable("audience_takes_no_mail", none, known, is_estimated, findings);
  const std::int64_t lost = gone.estimated + none.estimated;
  if (is_much(lost, known, kMuchUnreachable)) {
    findings.push_back(
        preflight_finding("audience_much_unreachable", lost_facts(lost, known, is_estimated)));
  }
  if (open.domains > 0) {
    findings.push_back(preflight_finding(
        "audience_open",
        {.subject = fmt::format("{}", open.domains), .first = fmt::format("{}", open.recipients)}));
    findings.back().found = shown(fmt::format("{}", fmt::join(open.names, " ")));
  }
}

void tell_slips(std::span<const AudienceDomain> domains, std::vector<Finding>& findings) {
  for (const AudienceDomain& each : domains) {
    const auto slip = std::ranges::find(kSlips, each.domain, &Slip::written);
    if (slip == kSlips.end()) continue;
    findings.push_back(
        preflight_finding("audience_mistyped", {.subject = fmt::format("{}", each.recipients),
                                                .first = each.domain,
                                                .second = std::string(slip->meant)}));
  }
}

}  // namespace

DomainState state_of_domain(const std::string& domain, DnsFacts& facts) {
  const DnsFact& mx = facts.ask(FactType::mx, domain);
  switch (mx.status) {
    case DnsFact::Status::found:
      return is_null_mx(mx) ? DomainState::takes_none : DomainState::takes_mail;
    case DnsFact::Status::absent:
      return DomainState::no_such_domain;
    case DnsFact::Status::unknown:
    case DnsFact::Status::failed:
      return DomainState::open;
    case DnsFact::Status::empty:
      break;
  }
  // RFC 5321 section 5.1: the domain itself is the host.
  const DnsFact& ipv4 = facts.ask(FactType::a, domain);
  if (ipv4.status == DnsFact::Status::found) return DomainState::takes_mail;
  const DnsFact& ipv6 = facts.ask(FactType::aaaa, domain);
  if (ipv6.status == DnsFact::Status::found) return DomainState::takes_mail;
  return ipv4.is_void() && ipv6.is_void() ? DomainState::takes_none : DomainState::open;
}

std::vector<Finding> audience_findings(const Audience& audience) {
  std::vector<Finding> findings;
  tell_domains(audience, findings);
  tell_slips(audience.domains, findings);
  if (audience.suppressed > 0) {
    const bool is_many = is_much(static_cast<std::int64_t>(audience.suppressed),
                                 static_cast<std::int64_t>(audience.sampled), kMuchSuppressed);
    findings.push_back(
        preflight_finding(is_many ? "audience_much_suppressed" : "audience_suppressed",
                          {.subject = fmt::format("{}", audience.suppressed),
                           .first = fmt::format("{}", audience.sampled)}));
  }
  if (audience.malformed > 0) {
    findings.push_back(
        preflight_finding("audience_malformed", {.subject = fmt::format("{}", audience.malformed),
                                                 .first = fmt::format("{}", audience.sampled),
                                                 .second = audience.malformed_such_as}));
  }
  return findings;
}

std::optional<Receiver> receiver_of(std::string_view domain) {
  for (const Named& each : kMailboxes) {
    const bool is_it =
        each.domain.starts_with('.') ? domain.ends_with(each.domain) : domain == each.domain;
    if (is_it) return each.receiver;
  }
  return std::nullopt;
}

AudienceReceivers receivers_of(std::span<const AudienceDomain> domains) {
  AudienceReceivers receivers;
  for (const AudienceDomain& each : domains) {
    const auto receiver = receiver_of(each.domain);
    if (!receiver) continue;
    if (*receiver == Receiver::docomo) receivers.docomo = true;
    if (*receiver == Receiver::docomo || *receiver == Receiver::au ||
        *receiver == Receiver::softbank) {
      receivers.carriers = true;
    }
  }
  return receivers;
}

}  // namespace todoku::doctor
