// SPDX-License-Identifier: Apache-2.0
#include "operate/domain_history.h"

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "store/codec.h"

namespace todoku::operate {
namespace {

constexpr std::string_view kFails = "fail";
constexpr std::string_view kWarns = "warning";
constexpr std::string_view kUnknown = "not_determined";

// Of what is packed; a later version that packs more says so here.
constexpr std::uint8_t kForm = 1;

// What it is about: "dkim_missing" and "dkim_undetermined" are of one family.
std::string_view family_of(std::string_view code) {
  const std::string_view family = code.substr(0, code.find('_'));
  return family == "servers" ? "server" : family;
}

bool is_fault(const DomainFinding& finding) {
  return finding.outcome == kFails || finding.outcome == kWarns;
}

bool is_same(const DomainFinding& a, const DomainFinding& b) {
  return a.code == b.code && a.subject == b.subject;
}

// Whether a check that does not name a fault has seen that it is gone.
bool is_judged(const DomainFinding& fault, std::span<const DomainFinding> findings) {
  return std::ranges::none_of(findings, [&](const DomainFinding& finding) {
    if (finding.outcome != kUnknown) return false;
    // Nobody answered, or nobody knows whom to ask: nothing was judged.
    if (finding.code == "zone_undetermined" || finding.code == "servers_silent") return true;
    return finding.subject == fault.subject || family_of(finding.code) == family_of(fault.code);
  });
}

DomainFinding cut(const DomainFinding& finding) {
  const auto words = [](const std::string& text) {
    return std::string(utf8_prefix(text, kDomainWordsMax));
  };
  return {.code = words(finding.code),
          .outcome = finding.outcome,
          .subject = words(finding.subject),
          .sentence = {.en = words(finding.sentence.en), .ja = words(finding.sentence.ja)}};
}

void put_finding(std::string& out, const DomainFinding& finding) {
  store::put_text(out, finding.code);
  store::put_text(out, finding.outcome);
  store::put_text(out, finding.subject);
  store::put_text(out, finding.sentence.en);
  store::put_text(out, finding.sentence.ja);
}

DomainFinding take_finding(store::BlobReader& reader) {
  DomainFinding finding;
  finding.code = reader.text();
  finding.outcome = reader.text();
  finding.subject = reader.text();
  finding.sentence.en = reader.text();
  finding.sentence.ja = reader.text();
  return finding;
}

// What is said of a record beside its words.
enum RecordFlag : std::uint8_t { optional_flag = 1, later_flag = 2, elsewhere_flag = 4 };

void put_record(std::string& out, const DomainRecord& record) {
  store::put_text(out, record.name);
  store::put_text(out, record.type);
  store::put_text(out, record.value);
  for (const BilingualText* text : {&record.purpose, &record.problem}) {
    store::put_text(out, text->en);
    store::put_text(out, text->ja);
  }
  out.push_back(static_cast<char>(record.state));
  out.push_back(static_cast<char>((record.is_optional ? optional_flag : 0) |
                                  (record.is_for_later ? later_flag : 0) |
                                  (record.is_elsewhere ? elsewhere_flag : 0)));
}

DomainRecord take_record(store::BlobReader& reader) {
  DomainRecord record;
  record.name = reader.text();
  record.type = reader.text();
  record.value = reader.text();
  for (BilingualText* text : {&record.purpose, &record.problem}) {
    text->en = reader.text();
    text->ja = reader.text();
  }
  const auto state = static_cast<std::uint8_t>(reader.octet());
  // One of a later version is as good as none.
  record.state = state <= static_cast<std::uint8_t>(RecordState::different)
                     ? static_cast<RecordState>(state)
                     : RecordState::not_checked;
  const auto flags = static_cast<std::uint8_t>(reader.octet());
  record.is_optional = (flags & optional_flag) != 0;
  record.is_for_later = (flags & later_flag) != 0;
  record.is_elsewhere = (flags & elsewhere_flag) != 0;
  return record;
}

Instant take_instant(store::BlobReader& reader) {
  return from_epoch_ms(reader.zigzag());
}

}  // namespace

std::string_view to_string(RecordState state) {
  switch (state) {
    case RecordState::not_checked:
      return "not_checked";
    case RecordState::published:
      return "published";
    case RecordState::missing:
      return "missing";
    case RecordState::different:
      return "different";
  }
  return "not_checked";
}

void note_records(DomainHistory& history, std::vector<DomainRecord> records) {
  if (records.empty()) return;
  if (records.size() > kDomainRecordsMax) records.resize(kDomainRecordsMax);
  history.records = std::move(records);
}

bool DomainHistory::fails() const {
  return std::ranges::any_of(
      faults, [](const DomainFault& fault) { return fault.finding.outcome == kFails; });
}

std::vector<DomainChange> note_check(DomainHistory& history,
                                     std::span<const DomainFinding> findings, Instant now) {
  const bool is_first = !history.checked.has_value();
  std::vector<DomainChange> changes;
  std::vector<DomainFault> faults;
  for (DomainFault& fault : history.faults) {
    const auto found = std::ranges::find_if(findings, [&](const DomainFinding& finding) {
      return is_fault(finding) && is_same(finding, fault.finding);
    });
    if (found != findings.end()) {
      faults.push_back({.finding = cut(*found), .since = fault.since});
    } else if (!is_judged(fault.finding, findings)) {
      faults.push_back(std::move(fault));
    } else {
      changes.push_back({.at = now, .is_fault = false, .finding = std::move(fault.finding)});
    }
  }
  for (const DomainFinding& finding : findings) {
    if (!is_fault(finding) || faults.size() >= kDomainFaultsMax) continue;
    DomainFinding kept = cut(finding);
    const bool is_known = std::ranges::any_of(
        faults, [&](const DomainFault& fault) { return is_same(fault.finding, kept); });
    if (is_known) continue;
    if (!is_first) changes.push_back({.at = now, .is_fault = true, .finding = kept});
    faults.push_back({.finding = std::move(kept), .since = now});
  }
  history.faults = std::move(faults);
  history.checked = now;
  history.is_determined = std::ranges::none_of(
      findings, [](const DomainFinding& finding) { return finding.outcome == kUnknown; });
  history.changes.insert(history.changes.begin(), changes.begin(), changes.end());
  if (history.changes.size() > kDomainChangesMax) history.changes.resize(kDomainChangesMax);
  return changes;
}

std::string pack_history(const DomainHistory& history) {
  std::string out;
  if (!history.checked) return out;
  out.push_back(static_cast<char>(kForm));
  store::put_zigzag(out, to_epoch_ms(*history.checked));
  store::put_varint(out, history.is_determined ? 1 : 0);
  store::put_varint(out, history.faults.size());
  for (const DomainFault& fault : history.faults) {
    store::put_zigzag(out, to_epoch_ms(fault.since));
    put_finding(out, fault.finding);
  }
  store::put_varint(out, history.changes.size());
  for (const DomainChange& change : history.changes) {
    store::put_zigzag(out, to_epoch_ms(change.at));
    store::put_varint(out, change.is_fault ? 1 : 0);
    put_finding(out, change.finding);
  }
  // Behind what an earlier version reads, which stops there.
  store::put_varint(out, history.records.size());
  for (const DomainRecord& record : history.records) put_record(out, record);
  return out;
}

Result<DomainHistory> unpack_history(std::string_view packed) {
  DomainHistory history;
  if (packed.empty()) return history;
  store::BlobReader reader(packed);
  const bool is_known = reader.octet() == kForm;
  history.checked = take_instant(reader);
  history.is_determined = reader.varint() != 0;
  for (std::uint64_t left = reader.varint(); is_known && left > 0 && !reader.failed(); --left) {
    DomainFault& fault = history.faults.emplace_back();
    fault.since = take_instant(reader);
    fault.finding = take_finding(reader);
  }
  for (std::uint64_t left = reader.varint(); is_known && left > 0 && !reader.failed(); --left) {
    DomainChange& change = history.changes.emplace_back();
    change.at = take_instant(reader);
    change.is_fault = reader.varint() != 0;
    change.finding = take_finding(reader);
  }
  const bool has_records = is_known && !reader.failed() && !reader.at_end();
  for (std::uint64_t left = has_records ? reader.varint() : 0; left > 0 && !reader.failed();
       --left) {
    history.records.push_back(take_record(reader));
  }
  if (!is_known || reader.failed()) {
    return fail(ErrorKind::corrupt, "the stored history of a domain cannot be read");
  }
  return history;
}

}  // namespace todoku::operate
