// SPDX-License-Identifier: Apache-2.0
// Reading site rules from TOML: every key is checked, every mistake is told with its line.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/toml.h"
#include "delivery/policy/site_rules.h"
#include "mail/address.h"

namespace todoku::delivery::policy {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kMistakesMax = 20;
constexpr std::string_view kDefaults = "defaults";

// Limits as written in one table: only the keys that are there.
struct LimitChanges {
  std::optional<std::uint32_t> connections_max;
  std::optional<std::uint32_t> messages_per_connection;
  std::optional<double> messages_per_second;
  std::optional<std::uint32_t> recipients_per_message;
  std::optional<std::chrono::seconds> idle;
  std::optional<TlsPolicy> tls;
  std::optional<std::uint16_t> port;
  std::optional<std::vector<std::chrono::seconds>> retry_waits;

  void lay_over(const LimitChanges& later) {
    const auto take = [](auto& mine, const auto& theirs) {
      if (theirs) mine = theirs;
    };
    take(connections_max, later.connections_max);
    take(messages_per_connection, later.messages_per_connection);
    take(messages_per_second, later.messages_per_second);
    take(recipients_per_message, later.recipients_per_message);
    take(idle, later.idle);
    take(tls, later.tls);
    take(port, later.port);
    take(retry_waits, later.retry_waits);
  }

  [[nodiscard]] SiteLimits over(SiteLimits limits) const {
    const auto put = [](auto& limit, const auto& change) {
      if (change) limit = *change;
    };
    put(limits.connections_max, connections_max);
    put(limits.messages_per_connection, messages_per_connection);
    put(limits.messages_per_second, messages_per_second);
    put(limits.recipients_per_message, recipients_per_message);
    put(limits.idle, idle);
    put(limits.tls, tls);
    put(limits.port, port);
    put(limits.retry_waits, retry_waits);
    return limits;
  }
};

struct SiteChanges {
  std::optional<std::string> provider;
  std::optional<Names> mx_suffixes;
  std::optional<Names> domains;
  LimitChanges limits;
  std::string where;  // "sites.toml:12", the last place that speaks of the site

  void lay_over(const SiteChanges& later) {
    where = later.where;
    if (later.provider) provider = later.provider;
    if (later.mx_suffixes) mx_suffixes = later.mx_suffixes;
    if (later.domains) domains = later.domains;
    limits.lay_over(later.limits);
  }
};

using ChangesBySite = std::map<std::string, SiteChanges, std::less<>>;

// Reads one layer and gathers its mistakes.
class Reader {
 public:
  explicit Reader(const SiteRules::Layer& layer) : layer_(layer) {}

  void read(LimitChanges& defaults, ChangesBySite& sites);
  [[nodiscard]] const std::vector<std::string>& mistakes() const { return mistakes_; }

 private:
  void mistake(const toml::source_region& where, std::string_view what) {
    mistakes_.push_back(fmt::format("{}:{}: {}", layer_.name, where.begin.line, what));
  }
  // "google.connections_max"
  [[nodiscard]] std::string full(std::string_view key) const {
    return fmt::format("{}.{}", section_, key);
  }

  const toml::table* find_rules(const toml::table& root);
  void read_site(const toml::table& table, SiteChanges& changes);
  bool read_limit(std::string_view key, const toml::node& value, LimitChanges& limits);
  bool read_number(std::string_view key, const toml::node& value, LimitChanges& limits);

  template <class T>
  std::optional<T> whole_number(std::string_view key, const toml::node& value, std::int64_t least,
                                std::int64_t most);
  std::optional<double> rate(std::string_view key, const toml::node& value);
  std::optional<TlsPolicy> tls(std::string_view key, const toml::node& value);
  std::optional<std::string> text(std::string_view key, const toml::node& value);
  std::optional<std::vector<std::chrono::seconds>> waits(std::string_view key,
                                                         const toml::node& value);
  std::optional<Names> names(std::string_view key, const toml::node& value, bool wildcards);
  std::optional<std::string> pattern(std::string_view key, const toml::node& value, bool wildcards);
  void claim(std::map<std::string, std::string>& owners, const Names& patterns,
             const toml::source_region& where);

  const SiteRules::Layer& layer_;
  std::string section_;
  std::vector<std::string> mistakes_;
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

std::optional<double> Reader::rate(std::string_view key, const toml::node& value) {
  const auto number = value.is_number() ? value.value<double>() : std::nullopt;
  // One message a day is the slowest pace that still means sending.
  constexpr double kSlowest = 1.0 / 86'400;
  constexpr double kFastest = 1e6;
  if (!number || !(*number == 0 || (*number >= kSlowest && *number <= kFastest))) {
    mistake(value.source(),
            fmt::format("{} must be 0 (no limit) or a number up to 1000000", full(key)));
    return std::nullopt;
  }
  return number;
}

std::optional<TlsPolicy> Reader::tls(std::string_view key, const toml::node& value) {
  const auto word = value.value_exact<std::string_view>();
  for (const TlsPolicy policy : {TlsPolicy::opportunistic, TlsPolicy::required, TlsPolicy::none}) {
    if (word == to_string(policy)) return policy;
  }
  mistake(value.source(),
          fmt::format("{} must be \"opportunistic\", \"required\" or \"none\"", full(key)));
  return std::nullopt;
}

std::optional<std::string> Reader::text(std::string_view key, const toml::node& value) {
  constexpr std::size_t kTextMax = 100;
  auto words = value.value_exact<std::string>();
  if (!words || words->size() > kTextMax) {
    mistake(value.source(), fmt::format("{} must be text of up to {} octets", full(key), kTextMax));
    return std::nullopt;
  }
  return words;
}

std::optional<std::vector<std::chrono::seconds>> Reader::waits(std::string_view key,
                                                               const toml::node& value) {
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
  if (good) return waits;
  mistake(value.source(), fmt::format("{} must be a list of 1 to {} whole numbers of seconds from "
                                      "1 to {}",
                                      full(key), kWaitsMax, kWaitMax));
  return std::nullopt;
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

std::optional<Names> Reader::names(std::string_view key, const toml::node& value, bool wildcards) {
  const toml::array* items = value.as_array();
  if (items == nullptr) {
    mistake(value.source(), fmt::format("{} must be a list of domain names", full(key)));
    return std::nullopt;
  }
  Names patterns;
  for (const toml::node& item : *items) {
    if (auto name = pattern(key, item, wildcards)) patterns.push_back(std::move(*name));
  }
  claim(wildcards ? domain_owners_ : suffix_owners_, patterns, value.source());
  return patterns;
}

void Reader::claim(std::map<std::string, std::string>& owners, const Names& patterns,
                   const toml::source_region& where) {
  for (const std::string& name : patterns) {
    const auto [owner, fresh] = owners.emplace(name, section_);
    if (fresh) continue;
    mistake(where, fmt::format("{} names \"{}\", which {} has named before", section_, name,
                               owner->second == section_ ? "it" : owner->second));
  }
}

bool Reader::read_number(std::string_view key, const toml::node& value, LimitChanges& limits) {
  constexpr std::int64_t kConnectionsMax = 10'000;
  constexpr std::int64_t kMessagesMax = 1'000'000;
  constexpr std::int64_t kRecipientsMax = 1'000;
  constexpr std::int64_t kIdleMax = 3'600;
  constexpr std::int64_t kPortMax = 65'535;
  if (key == "connections_max") {
    limits.connections_max = whole_number<std::uint32_t>(key, value, 1, kConnectionsMax);
  } else if (key == "messages_per_connection") {
    limits.messages_per_connection = whole_number<std::uint32_t>(key, value, 1, kMessagesMax);
  } else if (key == "recipients_per_message") {
    limits.recipients_per_message = whole_number<std::uint32_t>(key, value, 1, kRecipientsMax);
  } else if (key == "port") {
    limits.port = whole_number<std::uint16_t>(key, value, 1, kPortMax);
  } else if (key == "idle_seconds") {
    const auto seconds = whole_number<std::int64_t>(key, value, 0, kIdleMax);
    if (seconds) limits.idle = std::chrono::seconds(*seconds);
  } else {
    return false;
  }
  return true;
}

bool Reader::read_limit(std::string_view key, const toml::node& value, LimitChanges& limits) {
  if (key == "messages_per_second") {
    limits.messages_per_second = rate(key, value);
  } else if (key == "tls") {
    limits.tls = tls(key, value);
  } else if (key == "retry_seconds") {
    limits.retry_waits = waits(key, value);
  } else {
    return read_number(key, value, limits);
  }
  return true;
}

void Reader::read_site(const toml::table& table, SiteChanges& changes) {
  const bool defaults = section_ == kDefaults;
  for (const auto& [key, value] : table) {
    if (read_limit(key.str(), value, changes.limits)) continue;
    if (!defaults && key == "provider") {
      changes.provider = text(key.str(), value);
    } else if (!defaults && key == "mx_suffixes") {
      changes.mx_suffixes = names(key.str(), value, false);
    } else if (!defaults && key == "domains") {
      changes.domains = names(key.str(), value, true);
    } else {
      mistake(key.source(), fmt::format("{} is not a key of {}", full(key.str()),
                                        defaults ? "the defaults" : "a site"));
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

void Reader::read(LimitChanges& defaults, ChangesBySite& sites) {
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
    changes.where = fmt::format("{}:{}", layer_.name, key.source().begin.line);
    read_site(*table, changes);
    if (section_ == kDefaults) {
      defaults.lay_over(changes.limits);
    } else {
      sites[section_].lay_over(changes);
    }
  }
}

// A pattern belongs to the last layer that claims it.
void take_from_others(ChangesBySite& sites, const ChangesBySite& later) {
  const auto remove = [](std::optional<Names>& from, const std::optional<Names>& claimed) {
    if (!from || !claimed) return;
    std::erase_if(*from, [&](const std::string& pattern) {
      return std::ranges::find(*claimed, pattern) != claimed->end();
    });
  };
  for (const auto& [name, claimant] : later) {
    for (auto& [other, changes] : sites) {
      if (other == name) continue;
      remove(changes.mx_suffixes, claimant.mx_suffixes);
      remove(changes.domains, claimant.domains);
    }
  }
}

}  // namespace

Result<SiteRules> SiteRules::parse(std::span<const Layer> layers) {
  LimitChanges defaults;
  ChangesBySite sites;
  std::vector<std::string> mistakes;
  for (const Layer& layer : layers) {
    Reader reader(layer);
    ChangesBySite changes;
    reader.read(defaults, changes);
    mistakes.insert(mistakes.end(), reader.mistakes().begin(), reader.mistakes().end());
    take_from_others(sites, changes);
    for (const auto& [name, change] : changes) sites[name].lay_over(change);
  }
  for (const auto& [name, change] : sites) {
    // A name with a dot is that of a site named by its hosts; any other needs a pattern.
    if (change.mx_suffixes || change.domains || name.contains('.')) continue;
    mistakes.push_back(
        fmt::format("{}: {} has neither mx_suffixes nor domains, so it matches "
                    "nothing",
                    change.where, name));
  }
  if (!mistakes.empty()) {
    if (mistakes.size() > kMistakesMax) mistakes.resize(kMistakesMax);
    return fail(ErrorKind::invalid_input, fmt::format("{}", fmt::join(mistakes, "\n")));
  }
  SiteRules rules;
  rules.defaults_ = defaults.over({});
  for (auto& [name, change] : sites) {
    rules.sites_.emplace(name, Site{.name = name,
                                    .provider = change.provider.value_or(""),
                                    .mx_suffixes = change.mx_suffixes.value_or(Names()),
                                    .domains = change.domains.value_or(Names()),
                                    .limits = change.limits.over(rules.defaults_)});
  }
  rules.build_index();
  return rules;
}

}  // namespace todoku::delivery::policy
