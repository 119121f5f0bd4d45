// SPDX-License-Identifier: Apache-2.0
// What a record says (RFC 7208 sections 4, 5 and 6). What its mechanisms find is in matching.cc.
#include "mailauth/spf/evaluation.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/printable.h"
#include "mail/address.h"
#include "mailauth/spf/address.h"
#include "mailauth/spf/dns_name.h"
#include "mailauth/spf/macro.h"

namespace todoku::mailauth::spf {
namespace {

// Section 4.3: why a domain cannot be asked for; empty if it can.
std::string_view domain_problem(std::string_view domain) {
  const auto visible = [](char c) { return c > ' ' && c <= '~'; };
  if (!is_dns_name(domain) || !std::ranges::all_of(domain, visible)) return "is no domain name";
  if (domain.starts_with('[')) return "is an address literal";
  return domain.contains('.') ? "" : "is a single label";
}

// The domain as the DNS knows it, its case kept; what is no domain stays what it is.
std::string ascii_domain(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (is_ascii(domain)) return std::string(domain);
  return to_ascii_domain(domain).value_or(std::string(domain));
}

SpfResult result_of(Qualifier qualifier) {
  switch (qualifier) {
    case Qualifier::pass:
      return SpfResult::pass;
    case Qualifier::fail:
      return SpfResult::fail;
    case Qualifier::softfail:
      return SpfResult::softfail;
    case Qualifier::neutral:
      return SpfResult::neutral;
  }
  return SpfResult::neutral;
}

// "cafe::1" as "c.a.f.e.0. ... .1" (section 7.3).
std::string dotted(std::string_view ip) {
  if (ip.size() == 4) return address_text(ip);
  std::string out;
  for (const char nibble : to_hex(ip)) {
    if (!out.empty()) out += '.';
    out += nibble;
  }
  return out;
}

std::string shown(FactType type, const std::vector<std::string>& values) {
  const bool addresses = type == FactType::a || type == FactType::aaaa;
  std::string out;
  for (const std::string& value : values) {
    if (out.size() > kTraceColumnsMax) break;
    out += ' ';
    out += addresses ? address_text(value) : value.empty() ? "." : value;
  }
  return out;
}

}  // namespace

Evaluation::Evaluation(const Query& query, DnsFacts& facts, const Options& options)
    : query_(query),
      options_(options),
      facts_(facts),
      ip_(unmapped(query.ip)),
      address_type_(ip_.size() == 4 ? FactType::a : FactType::aaaa) {
  check(ip_.size() == 4 || ip_.size() == 16, "an address has 4 or 16 octets");
  // Section 2.4: an empty reverse-path is postmaster at the HELO domain.
  const bool is_of_helo = query.mail_from.empty();
  const std::string_view sender = is_of_helo ? query.helo : query.mail_from;
  const std::size_t at = is_of_helo ? std::string_view::npos : sender.rfind('@');
  const bool has_local = at != std::string_view::npos && at > 0;
  // Section 4.3.
  local_ = has_local ? sender.substr(0, at) : "postmaster";
  sender_domain_ = ascii_domain(at == std::string_view::npos ? sender : sender.substr(at + 1));
  verdict_.is_of_helo = is_of_helo;
  verdict_.domain = sender_domain_;
}

Verdict Evaluation::run() {
  verdict_.result = check_domain(sender_domain_);
  if (verdict_.result == SpfResult::fail && !stops_) explain();
  if (verdict_.result == SpfResult::fail && verdict_.explanation.empty()) {
    verdict_.explanation = options_.explanation;
  }
  return std::move(verdict_);
}

SpfResult Evaluation::check_domain(const std::string& domain) {
  place_ = domain;
  if (const auto problem = domain_problem(domain); !problem.empty()) {
    return broken(SpfResult::none, fmt::format("\"{}\" {}", domain, problem));
  }
  // What a record says of one address depends on its domain alone: where that comes again there is
  // no end, and section 4.6.4 makes a permanent error of it sooner or later.
  std::string name = dns_name(domain);
  const auto before = std::ranges::find(chain_, name);
  if (before != chain_.end()) {
    const std::vector<std::string> loop(before, chain_.end());
    return broken(SpfResult::permerror,
                  fmt::format("{} -> {} is a loop", fmt::join(loop, " -> "), name));
  }
  chain_.push_back(std::move(name));
  const SpfResult result = check_record_of(domain);
  chain_.pop_back();
  return result;
}

SpfResult Evaluation::check_record_of(const std::string& domain) {
  const DnsFact& texts = ask(FactType::txt, chain_.back());
  if (stops_) return SpfResult::temperror;
  if (texts.status == DnsFact::Status::failed) {
    return broken(SpfResult::temperror,
                  fmt::format("TXT {} cannot be asked: {}", domain, texts.reason));
  }
  // Section 4.5.
  const auto first = std::ranges::find_if(texts.values, is_record);
  if (first == texts.values.end()) {
    const bool absent = texts.status == DnsFact::Status::absent;
    return broken(SpfResult::none,
                  fmt::format("{} {}", domain, absent ? "does not exist" : "has no SPF record"));
  }
  if (std::find_if(first + 1, texts.values.end(), is_record) != texts.values.end()) {
    return broken(SpfResult::permerror, fmt::format("{} has several SPF records", domain));
  }
  note(fmt::format("record {}", *first));
  const auto record = parse_record(*first);
  if (!record) {
    return broken(SpfResult::permerror,
                  fmt::format("the record of {}: {}", domain, record.error().detail));
  }
  return evaluate(*record, domain);
}

SpfResult Evaluation::evaluate(const Record& record, const std::string& domain) {
  for (const Mechanism& mechanism : record.mechanisms) {
    place_ = fmt::format("{} {}", domain, mechanism.text);
    const Match match = this->match(mechanism, domain);
    if (stops_) return SpfResult::temperror;
    place_ = fmt::format("{} {}", domain, mechanism.text);
    switch (match) {
      case Match::no:
        note("no match");
        break;
      case Match::yes:
        return matched(mechanism, record, domain);
      case Match::temperror:
        return SpfResult::temperror;
      case Match::permerror:
        return SpfResult::permerror;
    }
  }
  if (record.redirect) return redirect(*record.redirect, domain);
  // Section 4.7.
  place_ = domain;
  note("nothing matches: neutral");
  return SpfResult::neutral;
}

SpfResult Evaluation::matched(const Mechanism& mechanism, const Record& record,
                              const std::string& domain) {
  const SpfResult result = result_of(mechanism.qualifier);
  note(fmt::format("match: {}", to_string(result)));
  if (includes_ > 0) return result;
  verdict_.mechanism = mechanism.text;
  verdict_.mechanism_domain = domain;
  // Section 6.2: of the record that failed, which is the target's after a redirect, and never
  // that of an include.
  exp_ = record.exp.value_or("");
  return result;
}

SpfResult Evaluation::redirect(std::string_view target_spec, const std::string& domain) {
  place_ = fmt::format("{} redirect={}", domain, target_spec);
  if (!count_lookup()) return SpfResult::permerror;
  if (!is_ascii(local_) && names_local_part(target_spec)) {
    note("the local part is not ASCII: neutral");
    return SpfResult::neutral;
  }
  const std::string target = expand(target_spec, domain);
  if (stops_) return SpfResult::temperror;
  if (over_void_limit_) return SpfResult::permerror;
  const SpfResult result = check_domain(target);
  if (result != SpfResult::none) return result;
  // Section 6.1.
  return broken(SpfResult::permerror,
                fmt::format("redirect={}: {}", target, std::exchange(verdict_.problem, {})));
}

// Section 6.2: whatever goes wrong here, there is no explanation of the domain's.
void Evaluation::explain() {
  if (exp_.empty()) return;
  const std::string domain = verdict_.mechanism_domain;
  place_ = fmt::format("{} exp={}", domain, exp_);
  counted_pointers_ = true;  // the limits are those of the result, which stands
  if (!is_ascii(local_) && names_local_part(exp_)) return;
  const std::string target = expand(exp_, domain);
  if (stops_ || !is_dns_name(target)) return;
  const DnsFact& texts = ask(FactType::txt, dns_name(target));
  if (stops_) return;
  note_answer(FactType::txt, target, texts);
  if (texts.values.size() != 1) return;
  const std::string& text = texts.values.front();
  if (const auto checked = check_macro_string(text, MacroPlace::explanation); !checked) {
    note(checked.error().detail);
    return;
  }
  auto explanation = expand_explanation(
      text, [this, &domain](char letter) { return macro_value(letter, domain); });
  if (explanation) {
    verdict_.explanation = std::move(*explanation);
  } else {
    note(explanation.error().detail);
  }
}

std::string Evaluation::expand(std::string_view domain_spec, const std::string& domain) {
  return expand_domain(domain_spec,
                       [this, &domain](char letter) { return macro_value(letter, domain); });
}

std::string Evaluation::macro_value(char letter, const std::string& domain) {
  switch (letter) {
    case 's':
      return fmt::format("{}@{}", local_, sender_domain_);
    case 'l':
      return local_;
    case 'o':
      return sender_domain_;
    case 'd':
      return domain;
    case 'i':
      return dotted(ip_);
    case 'p':
      return validated_name(domain);
    case 'v':
      return ip_.size() == 4 ? "in-addr" : "ip6";
    case 'h':
      return query_.helo;
    case 'c':
      return address_text(ip_);
    case 'r':
      return query_.receiver;
    case 't':
      return std::to_string(to_epoch_ms(query_.now) / 1000);
    default:
      return {};
  }
}

const DnsFact& Evaluation::ask(FactType type, const std::string& name) {
  const DnsFact& fact = facts_.ask(type, name);
  stops_ = stops_ || !fact.is_known();
  return fact;
}

Evaluation::Match Evaluation::count_void(const DnsFact& fact) {
  if (!fact.is_void() || ++verdict_.void_lookups <= options_.limits.void_lookups) return Match::no;
  over_void_limit_ = true;
  return broken(Match::permerror,
                fmt::format("more than {} answers without a record", options_.limits.void_lookups));
}

bool Evaluation::count_lookup() {
  if (verdict_.lookups < options_.limits.lookups) {
    ++verdict_.lookups;
    return true;
  }
  broken(SpfResult::permerror,
         fmt::format("more than {} terms that ask the DNS", options_.limits.lookups));
  return false;
}

Evaluation::Match Evaluation::broken(Match match, std::string problem) {
  broken(match == Match::temperror ? SpfResult::temperror : SpfResult::permerror,
         std::move(problem));
  return match;
}

SpfResult Evaluation::broken(SpfResult result, std::string problem) {
  note(fmt::format("{}: {}", to_string(result), problem));
  verdict_.problem = printable(problem);
  return result;
}

void Evaluation::note(std::string_view step) {
  if (verdict_.trace.size() == kTraceLinesMax) return;
  if (verdict_.trace.size() + 1 == kTraceLinesMax) {
    verdict_.trace.emplace_back("more steps are not shown");
    return;
  }
  std::string line = printable(fmt::format("{}: {}", place_, step));
  if (line.size() > kTraceColumnsMax) line.resize(kTraceColumnsMax);
  verdict_.trace.push_back(std::move(line));
}

void Evaluation::note_answer(FactType type, std::string_view name, const DnsFact& fact) {
  std::string answer;
  switch (fact.status) {
    case DnsFact::Status::unknown:
      return;
    case DnsFact::Status::found:
      answer = shown(type, fact.values);
      break;
    case DnsFact::Status::empty:
      answer = " no such record";
      break;
    case DnsFact::Status::absent:
      answer = " no such name";
      break;
    case DnsFact::Status::failed:
      answer = fmt::format(" failed: {}", fact.reason);
      break;
  }
  note(fmt::format("{} {}:{} (look-ups {}, void {})", to_string(type), name, answer,
                   verdict_.lookups, verdict_.void_lookups));
}

}  // namespace todoku::mailauth::spf
