// SPDX-License-Identifier: Apache-2.0
#include "doctor/spf_merge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "mailauth/spf/address.h"
#include "mailauth/spf/record.h"

namespace todoku::doctor {
namespace {

namespace spf = mailauth::spf;
using spf::Mechanism;
using spf::MechanismKind;
using spf::Qualifier;

constexpr std::string_view kVersion = "v=spf1";
// RFC 7208 section 4.7: what a record without an end says of those that it does not name.
constexpr std::string_view kNeutralEnd = "?all";

unsigned bits_of(const Mechanism& mechanism) {
  return mechanism.kind == MechanismKind::ip6 ? mechanism.ip6_bits : mechanism.ip4_bits;
}

bool is_network(const Mechanism& mechanism) {
  return mechanism.kind == MechanismKind::ip4 || mechanism.kind == MechanismKind::ip6;
}

std::string_view without_plus(std::string_view text) {
  return text.starts_with('+') ? text.substr(1) : text;
}

// Whether `there` lets all pass that `wanted` does.
bool covers(const Mechanism& there, const Mechanism& wanted) {
  if (there.qualifier != Qualifier::pass || there.kind != wanted.kind) return false;
  if (is_network(there)) {
    return bits_of(there) <= bits_of(wanted) &&
           spf::in_network(wanted.network, there.network, bits_of(there));
  }
  return equals_ignoring_case(without_plus(there.text), without_plus(wanted.text));
}

// The record in pieces: what decides, and what says where else to look.
struct Terms {
  std::vector<Mechanism> mechanisms;   // without an `all`
  std::string end;                     // "-all", "redirect=..." or empty
  std::string exp;                     // "exp=..."
  std::vector<std::string> modifiers;  // others, whole
};

std::string without_quotes(std::string_view text) {
  std::string plain(text);
  std::erase_if(plain, [](char c) { return c == '"' || c == '\\'; });
  return std::string(trim(plain));
}

// The record `text` without the terms that cannot be read, each of which goes to `left_out`.
std::string readable_part(std::string_view text, std::vector<std::string>& left_out) {
  std::string part(kVersion);
  std::vector<std::string_view> once;  // modifiers that may be there once (section 6)
  text.remove_prefix(kVersion.size());
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return part;
    const std::string_view term = text.substr(0, text.find(' '));
    text.remove_prefix(term.size());
    const std::string alone = fmt::format("{} {}", kVersion, term);
    const auto read = spf::parse_record(alone);
    std::string fault = read ? std::string() : read.error().detail;
    if (read && (read->redirect || read->exp)) {
      const std::string_view name = read->redirect ? "redirect" : "exp";
      if (std::ranges::find(once, name) != once.end()) {
        fault = fmt::format("\"{}=\": occurs twice", name);
      }
      once.push_back(name);
    }
    if (fault.empty()) {
      part.append(" ").append(term);
    } else if (left_out.size() < kSpfTermsNamedMax) {
      left_out.push_back(std::move(fault));
    }
  }
}

// What of `texts` is a record, or was meant to be one, as it can be read.
Result<std::vector<std::string>> records_of(const std::vector<std::string>& texts,
                                            std::vector<std::string>& left_out) {
  std::vector<std::string> records;
  std::ranges::copy_if(texts, std::back_inserter(records), &spf::is_record);
  if (records.empty()) {
    for (const std::string& text : texts) {
      std::string plain = without_quotes(text);
      if (spf::is_record(plain)) records.push_back(std::move(plain));
    }
  }
  for (std::string& record : records) {
    if (record.size() > spf::kRecordOctetsMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("the SPF record that is there has {} octets", record.size()));
    }
    if (spf::parse_record(record)) continue;
    if (const std::string plain = without_quotes(record); spf::parse_record(plain)) {
      record = plain;
    } else {
      record = readable_part(plain, left_out);
    }
  }
  return records;
}

Result<Terms> terms_of(std::string_view text) {
  auto record = spf::parse_record(text);
  if (!record) return fail("the SPF record that is there", record.error());
  Terms terms;
  for (const Mechanism& each : record->mechanisms) {
    if (each.kind == MechanismKind::all) {
      terms.end = std::string(each.text);
      break;  // what follows is never looked at (section 5.1)
    }
    terms.mechanisms.push_back(each);
  }
  if (terms.end.empty() && record->redirect)
    terms.end = fmt::format("redirect={}", *record->redirect);
  if (record->exp) terms.exp = fmt::format("exp={}", *record->exp);
  terms.modifiers.assign(record->other_modifiers.begin(), record->other_modifiers.end());
  return terms;
}

// Whether `there` decides otherwise of something that `wanted` lets pass.
bool forbids(const Mechanism& there, const Mechanism& wanted) {
  if (there.qualifier == Qualifier::pass || there.kind != wanted.kind || !is_network(there)) {
    return false;
  }
  return spf::in_network(wanted.network, there.network, std::min(bits_of(there), bits_of(wanted)));
}

// The first one that matches decides (RFC 7208 section 4.6.2).
bool is_covered(const std::vector<Mechanism>& by, const Mechanism& wanted) {
  for (const Mechanism& each : by) {
    if (forbids(each, wanted)) return false;
    if (covers(each, wanted)) return true;
  }
  return false;
}

}  // namespace

Result<SpfMerge> merge_spf(const std::vector<std::string>& texts,
                           const std::vector<std::string>& mechanisms, std::string_view end) {
  SpfMerge merge;
  Terms all;
  std::string_view first;
  const auto records = records_of(texts, merge.left_out);
  if (!records) return fail(records.error());
  for (const std::string& record : *records) {
    auto terms = terms_of(record);
    if (!terms) return fail(std::move(terms.error()));
    if (merge.replaced++ == 0) {
      first = record;
      all = std::move(*terms);
      continue;
    }
    for (const Mechanism& each : terms->mechanisms) {
      if (!is_covered(all.mechanisms, each)) all.mechanisms.push_back(each);
    }
    if (all.end.empty()) all.end = terms->end;
    if (all.exp.empty()) all.exp = terms->exp;
    for (std::string& each : terms->modifiers) {
      if (std::ranges::find(all.modifiers, each) == all.modifiers.end()) {
        all.modifiers.push_back(std::move(each));
      }
    }
  }
  const std::string ours = fmt::format("{} {}", kVersion, fmt::join(mechanisms, " "));
  auto wanted = spf::parse_record(ours);
  if (!wanted) return fail("what is to be put into the SPF record", wanted.error());
  std::vector<Mechanism> whole;
  for (const Mechanism& each : wanted->mechanisms) {
    if (!is_covered(all.mechanisms, each) && !is_covered(whole, each)) whole.push_back(each);
  }
  const bool is_as_there = std::ranges::find(texts, first) != texts.end();
  merge.is_changed = merge.replaced != 1 || !is_as_there || !whole.empty();
  whole.insert(whole.end(), all.mechanisms.begin(), all.mechanisms.end());
  if (all.end.empty()) all.end = merge.replaced == 0 ? end : kNeutralEnd;
  if (!merge.is_changed) {
    merge.text = first;
    return merge;
  }
  merge.text = kVersion;
  for (const Mechanism& each : whole) merge.text.append(" ").append(each.text);
  merge.text.append(" ").append(all.end);
  if (!all.exp.empty()) merge.text.append(" ").append(all.exp);
  for (const std::string& each : all.modifiers) merge.text.append(" ").append(each);
  return merge;
}

}  // namespace todoku::doctor
