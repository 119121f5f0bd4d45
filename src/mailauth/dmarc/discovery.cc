// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dmarc/discovery.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace todoku::mailauth::dmarc {
namespace {

std::string record_name(std::string_view domain) {
  return std::string("_dmarc.").append(domain);
}

// A plain record at a top-level domain is all that could still move the organisational domain away
// from what was registered right below it. Nobody publishes one, and resolvers of test zones often
// refuse to say so.
bool is_decided_without(std::string_view name, const TreeWalk& walk) {
  return label_count(name) == 1 && !walk.records.empty() &&
         label_count(walk.records.back().domain) == 2;
}

}  // namespace

std::size_t label_count(std::string_view domain) {
  return domain.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(domain, '.')) + 1;
}

std::string_view last_labels(std::string_view domain, std::size_t count) {
  for (std::size_t labels = label_count(domain); labels > count; --labels) {
    const std::size_t dot = domain.find('.');
    domain.remove_prefix(dot == std::string_view::npos ? domain.size() : dot + 1);
  }
  return domain;
}

Lookup look_up(std::string_view domain, DnsFacts& facts) {
  const DnsFact& fact = facts.ask(FactType::txt, record_name(domain));
  Lookup lookup;
  if (!fact.is_known() || fact.status == DnsFact::Status::failed) {
    lookup.status = Lookup::Status::failed;
    lookup.detail = fact.reason;
    return lookup;
  }
  for (const std::string& text : fact.values) {
    auto record = parse_record(text);
    if (!record) continue;
    if (lookup.status == Lookup::Status::found) {
      lookup.status = Lookup::Status::several;
      return lookup;
    }
    lookup.status = Lookup::Status::found;
    lookup.record = std::move(*record);
  }
  return lookup;
}

std::vector<std::string> walk_names(std::string_view domain) {
  std::vector<std::string> names;
  if (domain.empty()) return names;
  names.emplace_back(domain);
  // Of eight labels and more, seven are left at once.
  const std::size_t labels = std::min(label_count(domain), kWalkQueriesMax);
  for (std::size_t left = labels - 1; left > 0; --left) {
    names.emplace_back(last_labels(domain, left));
  }
  return names;
}

TreeWalk walk_tree(std::string_view domain, DnsFacts& facts) {
  TreeWalk walk{.start = std::string(domain), .records = {}, .several = {}, .failure = {}};
  const std::vector<std::string> names = walk_names(domain);
  // All at once: a walk then takes the time of one answer.
  for (const std::string& name : names) (void)facts.ask(FactType::txt, record_name(name));
  for (const std::string& name : names) {
    Lookup lookup = look_up(name, facts);
    if (lookup.status == Lookup::Status::failed) {
      if (is_decided_without(name, walk)) continue;
      walk.failure = fmt::format("{}: {}", record_name(name), lookup.detail);
      return walk;
    }
    if (lookup.status == Lookup::Status::several) walk.several.push_back(name);
    if (lookup.status != Lookup::Status::found) continue;
    const bool is_end = lookup.record.psd != SuffixFlag::unsaid;
    walk.records.push_back({.domain = name, .record = std::move(lookup.record)});
    if (is_end) break;
  }
  return walk;
}

std::string TreeWalk::organizational_domain() const {
  // Whether a record says psd=y or psd=n, it is the last of its walk.
  if (records.empty()) return start;
  const FoundRecord& last = records.back();
  if (last.record.psd == SuffixFlag::yes && last.domain != start) {
    return std::string(last_labels(start, label_count(last.domain) + 1));
  }
  return last.domain;
}

const FoundRecord* TreeWalk::at(std::string_view domain) const {
  const auto found = std::ranges::find(records, domain, &FoundRecord::domain);
  return found == records.end() ? nullptr : &*found;
}

const FoundRecord* TreeWalk::of_suffix() const {
  const bool is_found = !records.empty() && records.back().record.psd == SuffixFlag::yes;
  return is_found ? &records.back() : nullptr;
}

std::optional<bool> exists(std::string_view domain, DnsFacts& facts) {
  // One NXDOMAIN says it of all types. Three are asked as there are servers that say it of a type
  // that is not there.
  std::optional<bool> found = false;
  for (const FactType type : {FactType::a, FactType::aaaa, FactType::mx}) {
    const DnsFact& fact = facts.ask(type, domain);
    if (fact.status == DnsFact::Status::absent) continue;
    if (fact.status == DnsFact::Status::found || fact.status == DnsFact::Status::empty) {
      found = true;
    } else if (found == false) {
      found = std::nullopt;
    }
  }
  return found;
}

}  // namespace todoku::mailauth::dmarc
