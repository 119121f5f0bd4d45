// SPDX-License-Identifier: Apache-2.0
#include "explain/advice_book.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/in_force.h"
#include "base/toml_rules.h"
#include "explain/shipped_advice.h"
#include "feedback/classify/meaning.h"
#include "mail/stage_word.h"
#include "mail/states.h"

namespace todoku::explain {
namespace {

constexpr std::size_t kAdviceMost = 1'000;
constexpr std::size_t kTextOctets = 1'000;

template <class Word, class Names>
std::optional<Word> named(const Names& all, std::string_view name) {
  for (const Word word : all) {
    if (to_string(word) == name) return word;
  }
  return std::nullopt;
}

}  // namespace

class AdviceReader {
 public:
  explicit AdviceReader(delivery::policy::SiteRules sites, bool with_sites)
      : with_sites_(with_sites) {
    made_.sites_ = std::move(sites);
  }

  void read(const AdviceBook::Layer& layer) {
    const auto root = parse_rules(mistakes_, layer.name, layer.text);
    if (!root) return;
    for (const auto& [key, value] : *root) {
      if (key.str() == "advice" && value.is_array_of_tables()) continue;
      mistakes_.add(layer.name, key.source(), fmt::format("\"{}\" is not [[advice]]", key.str()));
    }
    const toml::array* tables = (*root)["advice"].as_array();
    if (tables == nullptr) return;
    if (tables->size() > kAdviceMost) {
      mistakes_.add(layer.name, tables->source(),
                    fmt::format("at most {} of [[advice]] in a file", kAdviceMost));
      return;
    }
    std::vector<AdviceRule> rules;
    for (const toml::node& each : *tables) {
      RuleTable table(mistakes_, layer.name, "advice", *each.as_table());
      AdviceRule rule = read_rule(table, layer.name);
      if (rule.site.empty() || with_sites_) rules.push_back(std::move(rule));
    }
    made_.rules_.insert(made_.rules_.begin(), std::make_move_iterator(rules.begin()),
                        std::make_move_iterator(rules.end()));
  }

  Result<AdviceBook> finish() {
    if (!mistakes_.none()) return fail(mistakes_.error());
    // There is always something to say.
    AdviceRule last;
    last.advice = {{"The attempt did not succeed.", "送信は成功しませんでした。"},
                   {"Read the words of the attempt for the reason.",
                    "試行の記録の文言で理由を確かめてください。"}};
    made_.rules_.push_back(std::move(last));
    return std::move(made_);
  }

 private:
  AdviceRule read_rule(RuleTable& table, std::string_view file) {
    AdviceRule rule;
    rule.place = table.place();
    rule.cause = word<Cause>(table, "cause", kCauses);
    if (const auto name = table.text("state", {})) {
      rule.state = recipient_state_of(*name);
      if (!rule.state) table.mistake("state", fmt::format("is \"{}\", which is none", *name));
    }
    if (const auto name = table.text("stage", {})) {
      rule.stage = stage_of(*name);
      if (!rule.stage) table.mistake("stage", fmt::format("is \"{}\", which is none", *name));
    }
    rule.is_signed = table.yes_or_no("signed");
    rule.site = table.text("site", {}).value_or("");
    const bool known = rule.site.empty() || rule.site.contains('.') || !with_sites_ ||
                       made_.sites_.sites().contains(rule.site);
    if (!known) {
      table.mistake("site", fmt::format("is \"{}\", which no rule of sites is called", rule.site));
    }
    rule.advice.meaning = sentence(table, file, "meaning", true);
    rule.advice.action = sentence(table, file, "action", true);
    rule.advice.comes = sentence(table, file, "comes", false);
    rule.advice.reader = sentence(table, file, "reader", false);
    rule.source = table.text("source", {.most = kTextOctets, .required = true}).value_or("");
    rule.date = table.date("date", true).value_or("");
    table.refuse_others();
    return rule;
  }

  template <class Word, class All>
  std::optional<Word> word(RuleTable& table, std::string_view key, const All& all) {
    const auto name = table.text(key, {});
    if (!name) return std::nullopt;
    const auto found = named<Word>(all, *name);
    if (!found) table.mistake(key, fmt::format("is \"{}\", which is none", *name));
    return found;
  }

  Sentence sentence(RuleTable& table, std::string_view file, std::string_view key, bool required) {
    const toml::table* words = table.table(key, required);
    if (words == nullptr) return {"", ""};
    const std::string name = fmt::format("advice.{}", key);
    RuleTable both(mistakes_, file, name, *words);
    const auto text = [&](std::string_view language) -> std::string_view {
      auto said = both.text(language, {.most = kTextOctets, .required = true});
      return said ? std::string_view(made_.texts_.emplace_back(*std::move(said))) : "";
    };
    const Sentence found{text("en"), text("ja")};
    both.refuse_others();
    return found;
  }

  const bool with_sites_;
  RuleMistakes mistakes_;
  AdviceBook made_;
};

namespace {

InForce<AdviceBook>& book_in_force() {
  static InForce<AdviceBook> book;
  return book;
}

}  // namespace

Result<AdviceBook> AdviceBook::parse(std::span<const Layer> layers,
                                     delivery::policy::SiteRules sites) {
  AdviceReader reader(std::move(sites), true);
  for (const Layer& layer : layers) reader.read(layer);
  return reader.finish();
}

AdviceBook::Layer AdviceBook::shipped_layer() {
  return {"rules/advice.toml", std::string(shipped_advice())};
}

const AdviceBook& AdviceBook::shipped() {
  static const AdviceBook book = [] {
    AdviceReader reader({}, false);
    reader.read(shipped_layer());
    auto made = reader.finish();
    check(made.has_value(), made ? "" : made.error().detail);
    return *std::move(made);
  }();
  return book;
}

std::string_view AdviceBook::site_of(const Where& where) const {
  if (!where.site.empty()) return where.site;
  std::string_view domain = where.address;
  if (const std::size_t at = domain.rfind('@'); at != std::string_view::npos) {
    domain.remove_prefix(at + 1);
  }
  if (domain.empty() && where.mx_host.empty()) return {};
  const std::string lower = to_ascii_lower(domain);
  const std::array hosts = {where.mx_host};
  const auto* site = sites_.find(
      lower, where.mx_host.empty() ? std::span<const std::string_view>() : std::span(hosts));
  return site == nullptr ? std::string_view() : std::string_view(site->name);
}

const Advice& AdviceBook::find(const Outcome& outcome, bool is_signed, const Where& where) const {
  const Cause cause = feedback::classify::cause_of(outcome);
  const std::string_view site = site_of(where);
  const auto found = std::ranges::find_if(rules_, [&](const AdviceRule& rule) {
    return (!rule.cause || *rule.cause == cause) && (!rule.state || *rule.state == outcome.state) &&
           (!rule.stage || *rule.stage == outcome.stage) &&
           (!rule.is_signed || *rule.is_signed == is_signed) &&
           (rule.site.empty() || rule.site == site);
  });
  return found == rules_.end() ? rules_.back().advice : found->advice;
}

const AdviceBook& advice_in_force() {
  const AdviceBook* book = book_in_force().get();
  return book == nullptr ? AdviceBook::shipped() : *book;
}

void put_in_force(AdviceBook book) {
  book_in_force().put(std::move(book));
}

}  // namespace todoku::explain
