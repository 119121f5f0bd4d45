// SPDX-License-Identifier: Apache-2.0
// Reading site rules from TOML: every key is checked, every mistake is told with its line.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <array>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/spelling.h"
#include "base/toml.h"
#include "delivery/policy/site_keys.h"
#include "delivery/policy/site_mistakes.h"
#include "delivery/policy/site_rules.h"
#include "mail/address.h"

namespace todoku::delivery::policy {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kMistakesMax = 20;
constexpr std::string_view kDefaults = "defaults";

// Told in the order of the layers and their lines, whichever was found first.
struct Mistake {
  std::size_t layer = 0;
  std::size_t line = 0;
  std::string text;
};

std::vector<std::string> told(std::vector<Mistake> mistakes) {
  std::multimap<std::pair<std::size_t, std::size_t>, std::string> in_order;
  for (Mistake& mistake : mistakes) {
    in_order.emplace(std::pair(mistake.layer, mistake.line), std::move(mistake.text));
  }
  std::vector<std::string> texts;
  for (auto& [place, text] : in_order) {
    if (texts.size() < kMistakesMax) texts.push_back(std::move(text));
  }
  return texts;
}

// A site, or the defaults, as written: only the keys that are there.
struct SiteChanges {
  Site values;
  std::set<const SiteKey*> written;
  Mistake place;  // "sites.toml:12: google", the last one that speaks of the site
  // What it matches was written and cannot be read: nothing is said of that.
  bool patterns_unknown = false;

  void lay_over(const SiteChanges& later) {
    place = later.place;
    patterns_unknown |= later.patterns_unknown;
    for (const SiteKey* key : later.written) {
      key->copy(later.values, values);
      written.insert(key);
    }
    for (const auto& [key, where] : later.values.places) values.places[key] = where;
  }
  [[nodiscard]] Site over(Site site) const {
    for (const SiteKey* key : written) key->copy(values, site);
    for (const auto& [key, where] : values.places) site.places[key] = where;
    return site;
  }
  [[nodiscard]] bool has_patterns() const {
    return std::ranges::any_of(written, [](const SiteKey* key) {
      return std::holds_alternative<PatternsField>(key->field);
    });
  }
};

using ChangesBySite = std::map<std::string, SiteChanges, std::less<>>;

// Reads one layer and gathers its mistakes.
class Reader {
 public:
  Reader(const SiteRules::Layer& layer, std::size_t index) : layer_(layer), index_(index) {}

  void read(SiteChanges& defaults, ChangesBySite& sites);
  [[nodiscard]] const std::vector<Mistake>& mistakes() const { return mistakes_; }

 private:
  [[nodiscard]] Mistake at(const toml::source_region& where, std::string_view what) const {
    return {index_, where.begin.line,
            fmt::format("{}:{}: {}", layer_.name, where.begin.line, what)};
  }
  void mistake(const toml::source_region& where, std::string_view what) {
    mistakes_.push_back(at(where, what));
  }
  // "sites.google" where the rules stand in a table of that name, else "google".
  [[nodiscard]] std::string site(std::string_view name) const {
    return layer_.table.empty() ? std::string(name) : fmt::format("{}.{}", layer_.table, name);
  }
  // "google.connections_max"
  [[nodiscard]] std::string full(std::string_view key) const {
    return fmt::format("{}.{}", site(section_), key);
  }

  const toml::table* find_rules(const toml::table& root);
  void read_site(const toml::table& table, SiteChanges& changes);
  // Whether the value was one; else a mistake is told.
  bool read_value(const SiteKey& key, const toml::node& value, Site& into);
  void refuse_key(const toml::key& key);

  // The kinds of values, one overload for each; false: a mistake was told.
  bool read(const CountField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const PortField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const SecondsField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const RateField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const SwitchField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const TlsField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const WaitsField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const TextField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const DateField& field, std::string_view key, const toml::node& value, Site& into);
  bool read(const PatternsField& field, std::string_view key, const toml::node& value, Site& into);

  template <class T>
  std::optional<T> whole_number(std::string_view key, const toml::node& value, std::int64_t least,
                                std::int64_t most);
  std::optional<std::string> pattern(std::string_view key, const toml::node& value, bool wildcards);
  void claim(std::map<std::string, std::string>& owners, const Names& patterns,
             const toml::source_region& where);

  const SiteRules::Layer& layer_;
  const std::size_t index_;
  std::string section_;
  std::vector<Mistake> mistakes_;
  // Who has claimed a pattern within this layer.
  std::map<std::string, std::string> suffix_owners_;
  std::map<std::string, std::string> domain_owners_;
};

template <class T>
std::optional<T> Reader::whole_number(std::string_view key, const toml::node& value,
                                      std::int64_t least, std::int64_t most) {
  const auto number = value.value_exact<std::int64_t>();
  if (!number || *number < least || *number > most) {
    mistake(value.source(),
            fmt::format("{} must be a whole number from {} to {}", full(key), least, most));
    return std::nullopt;
  }
  return static_cast<T>(*number);
}

bool Reader::read(const CountField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  const auto number = whole_number<std::uint32_t>(key, value, field.least, field.most);
  if (number) into.limits.*field.member = *number;
  return number.has_value();
}

bool Reader::read(const PortField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  constexpr std::int64_t kPortMax = 65'535;
  const auto number = whole_number<std::uint16_t>(key, value, 1, kPortMax);
  if (number) into.limits.*field.member = *number;
  return number.has_value();
}

bool Reader::read(const SecondsField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  const auto seconds = whole_number<std::int64_t>(key, value, 0, field.most);
  if (seconds) into.limits.*field.member = std::chrono::seconds(*seconds);
  return seconds.has_value();
}

bool Reader::read(const RateField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  const auto number = value.is_number() ? value.value<double>() : std::nullopt;
  // One message a day is the slowest pace that still means sending.
  constexpr double kSlowest = 1.0 / 86'400;
  constexpr double kFastest = 1e6;
  if (!number || !(*number == 0 || (*number >= kSlowest && *number <= kFastest))) {
    mistake(value.source(),
            fmt::format("{} must be 0 (no limit) or a number up to 1000000", full(key)));
    return false;
  }
  into.limits.*field.member = *number;
  return true;
}

bool Reader::read(const SwitchField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  const auto on = value.value_exact<bool>();
  if (!on) {
    mistake(value.source(), fmt::format("{} must be true or false", full(key)));
    return false;
  }
  into.limits.*field.member = *on;
  return true;
}

bool Reader::read(const TlsField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  const auto word = value.value_exact<std::string_view>();
  for (const TlsPolicy policy : {TlsPolicy::opportunistic, TlsPolicy::required, TlsPolicy::none}) {
    if (word != to_string(policy)) continue;
    into.limits.*field.member = policy;
    return true;
  }
  mistake(value.source(),
          fmt::format("{} must be \"opportunistic\", \"required\" or \"none\"", full(key)));
  return false;
}

bool Reader::read(const TextField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  constexpr std::size_t kTextMax = 100;
  auto words = value.value_exact<std::string>();
  if (!words || words->size() > kTextMax) {
    mistake(value.source(), fmt::format("{} must be text of up to {} octets", full(key), kTextMax));
    return false;
  }
  into.*field.member = *std::move(words);
  return true;
}

// As a date of TOML, or as text, which is how it is shown.
bool Reader::read(const DateField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  std::string text;
  if (const auto date = value.value_exact<toml::date>()) {
    text = fmt::format("{:04}-{:02}-{:02}", date->year, date->month, date->day);
  } else if (const auto words = value.value_exact<std::string>()) {
    const auto parsed = toml::parse("date = " + *words);
    if (parsed && parsed.table()["date"].is_date()) text = *words;
  }
  if (text.empty()) {
    mistake(value.source(), fmt::format("{} must be a date such as 2026-01-31", full(key)));
    return false;
  }
  into.*field.member = std::move(text);
  return true;
}

bool Reader::read(const WaitsField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  constexpr std::int64_t kWaitMax = 7 * 86'400;
  constexpr std::size_t kWaitsMax = 50;
  const toml::array* items = value.as_array();
  std::vector<std::chrono::seconds> waits;
  bool good = items != nullptr && !items->empty() && items->size() <= kWaitsMax;
  if (good) {
    for (const toml::node& item : *items) {
      const auto seconds = item.value_exact<std::int64_t>();
      good = good && seconds && *seconds >= 1 && *seconds <= kWaitMax;
      if (good) waits.emplace_back(*seconds);
    }
  }
  if (!good) {
    mistake(value.source(),
            fmt::format("{} must be a list of 1 to {} whole numbers of seconds from 1 to {}",
                        full(key), kWaitsMax, kWaitMax));
    return false;
  }
  into.limits.*field.member = std::move(waits);
  return true;
}

std::optional<std::string> Reader::pattern(std::string_view key, const toml::node& value,
                                           bool wildcards) {
  const auto written = value.value_exact<std::string_view>();
  std::string_view name = written.value_or("");
  const bool wildcard = wildcards && name.starts_with("*.");
  if (wildcard) {
    name.remove_prefix(2);
  } else if (!wildcards && name.starts_with('.')) {
    name.remove_prefix(1);  // ".google.com", as many other programs write it
  }
  const auto ascii = to_ascii_domain(name);
  if (!written || !ascii) {
    mistake(value.source(), fmt::format("{} has {}, which is not a domain name", full(key),
                                        written ? fmt::format("\"{}\"", *written) : "a non-text"));
    return std::nullopt;
  }
  return (wildcard ? "*." : "") + *ascii;
}

bool Reader::read(const PatternsField& field, std::string_view key, const toml::node& value,
                  Site& into) {
  const toml::array* items = value.as_array();
  if (items == nullptr) {
    mistake(value.source(), fmt::format("{} must be a list of domain names", full(key)));
    return false;
  }
  Names patterns;
  for (const toml::node& item : *items) {
    if (auto name = pattern(key, item, field.wildcards)) patterns.push_back(std::move(*name));
  }
  claim(field.wildcards ? domain_owners_ : suffix_owners_, patterns, value.source());
  into.*field.member = std::move(patterns);
  return true;
}

void Reader::claim(std::map<std::string, std::string>& owners, const Names& patterns,
                   const toml::source_region& where) {
  for (const std::string& name : patterns) {
    const auto [owner, fresh] = owners.emplace(name, section_);
    if (fresh) continue;
    mistake(where, fmt::format("{} names \"{}\", which {} has named before", site(section_), name,
                               owner->second == section_ ? "it" : site(owner->second)));
  }
}

bool Reader::read_value(const SiteKey& key, const toml::node& value, Site& into) {
  return std::visit([&](const auto& field) { return read(field, key.name, value, into); },
                    key.field);
}

void Reader::refuse_key(const toml::key& key) {
  const auto removed = std::ranges::find(removed_site_keys(), key.str(), &RemovedSiteKey::name);
  if (removed != removed_site_keys().end()) {
    mistake(key.source(),
            fmt::format("{} does not exist any more: {}", full(key.str()), removed->reason));
  } else {
    const bool defaults = section_ == kDefaults;
    Names names;
    for (const SiteKey& known : site_keys()) {
      if (!defaults || known.for_everybody()) names.emplace_back(known.name);
    }
    mistake(key.source(),
            fmt::format("{} is not a key of {}{}", full(key.str()),
                        defaults ? "the defaults" : "a site", suggestion(key.str(), names)));
  }
}

void Reader::read_site(const toml::table& table, SiteChanges& changes) {
  const bool defaults = section_ == kDefaults;
  for (const auto& [name, value] : table) {
    const auto key = std::ranges::find(site_keys(), name.str(), &SiteKey::name);
    if (key == site_keys().end() || (defaults && !key->for_everybody())) {
      refuse_key(name);
      changes.patterns_unknown = true;
    } else if (read_value(*key, value, changes.values)) {
      changes.written.insert(&*key);
      changes.values.places[std::string(key->name)] =
          fmt::format("{}:{}", layer_.name, name.source().begin.line);
    } else if (std::holds_alternative<PatternsField>(key->field)) {
      changes.patterns_unknown = true;
    }
  }
}

// The name becomes a label of metrics. Letters for sites of ours; the rest of the set is for sites
// that are named by their hosts, e.g. "(mx1|mx2).example.jp".
bool is_site_name(std::string_view name) {
  constexpr std::size_t kNameMax = 100;
  constexpr std::string_view kMarks = "_-.()|+~";
  return !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || kMarks.contains(c);
  });
}

// nullptr without a mistake if the table is not there.
const toml::table* Reader::find_rules(const toml::table& root) {
  if (layer_.table.empty()) return &root;
  const auto node = root.at_path(layer_.table);
  if (!node) return nullptr;
  const toml::table* table = node.as_table();
  if (table == nullptr) {
    mistake(node.node()->source(), fmt::format("{} must be a table of sites", layer_.table));
  }
  return table;
}

void Reader::read(SiteChanges& defaults, ChangesBySite& sites) {
  const toml::parse_result parsed = toml::parse(layer_.text, layer_.name);
  if (!parsed) {
    mistake(parsed.error().source(), parsed.error().description());
    return;
  }
  const toml::table* rules = find_rules(parsed.table());
  if (rules == nullptr) return;
  for (const auto& [key, value] : *rules) {
    section_ = key.str();
    const toml::table* table = value.as_table();
    if (table == nullptr || !is_site_name(section_)) {
      mistake(key.source(), fmt::format("\"{}\" must be a table whose name has only a-z, 0-9 and "
                                        "_-.()|+~",
                                        section_));
      continue;
    }
    SiteChanges changes;
    changes.place = at(key.source(), site(section_));
    read_site(*table, changes);
    if (section_ == kDefaults) {
      defaults.lay_over(changes);
    } else {
      sites[section_].lay_over(changes);
    }
  }
}

// A pattern belongs to the last layer that claims it.
void take_from_others(ChangesBySite& sites, const ChangesBySite& later) {
  for (const SiteKey& key : site_keys()) {
    const auto* field = std::get_if<PatternsField>(&key.field);
    if (field == nullptr) continue;
    for (const auto& [name, claimant] : later) {
      const Names& claimed = claimant.values.*field->member;
      for (auto& [other, changes] : sites) {
        if (other == name) continue;
        std::erase_if(changes.values.*field->member, [&](const std::string& pattern) {
          return std::ranges::find(claimed, pattern) != claimed.end();
        });
      }
    }
  }
}

}  // namespace

std::vector<std::string> mistakes_of_layer(const SiteRules::Layer& layer) {
  Reader reader(layer, 0);
  SiteChanges defaults;
  ChangesBySite sites;
  reader.read(defaults, sites);
  return told(reader.mistakes());
}

Result<SiteRules> SiteRules::parse(std::span<const Layer> layers) {
  SiteChanges defaults;
  ChangesBySite sites;
  std::vector<Mistake> mistakes;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Reader reader(layers[i], i);
    ChangesBySite changes;
    reader.read(defaults, changes);
    mistakes.insert(mistakes.end(), reader.mistakes().begin(), reader.mistakes().end());
    take_from_others(sites, changes);
    for (const auto& [name, change] : changes) sites[name].lay_over(change);
  }
  for (const auto& [name, change] : sites) {
    // A name with a dot is that of a site named by its hosts; any other needs a pattern.
    if (change.has_patterns() || change.patterns_unknown || name.contains('.')) continue;
    Mistake mistake = change.place;
    mistake.text += " has neither mx_suffixes nor domains, so it matches nothing";
    mistakes.push_back(std::move(mistake));
  }
  if (!mistakes.empty()) {
    return fail(ErrorKind::invalid_input, fmt::format("{}", fmt::join(told(mistakes), "\n")));
  }
  SiteRules rules;
  Site everybody = defaults.over({});
  rules.defaults_ = everybody.limits;
  rules.default_places_ = std::move(everybody.places);
  for (const auto& [name, change] : sites) {
    Site site{.name = name,
              .provider = {},
              .mx_suffixes = {},
              .domains = {},
              .source = {},
              .date = {},
              .limits = rules.defaults_};
    rules.sites_.emplace(name, change.over(std::move(site)));
  }
  rules.build_index();
  return rules;
}

}  // namespace todoku::delivery::policy
