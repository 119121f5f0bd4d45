// SPDX-License-Identifier: Apache-2.0
// Reading rules/replies.toml and what is laid over it.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/toml_rules.h"
#include "feedback/classify/reply_rules.h"
#include "feedback/classify/words.h"
#include "mail/stage_word.h"

namespace todoku::feedback::classify {
namespace {

constexpr std::size_t kRulesMost = 2'000;
constexpr std::size_t kPhrasesMost = 500;
constexpr std::size_t kPhraseOctets = 200;

std::optional<int> number_of(std::string_view digits, int least, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool good = error == std::errc() && end == digits.data() + digits.size();
  if (!good || number < least || number > most) return std::nullopt;
  return number;
}

// "4xx", "552", "500-504"
std::optional<Codes> codes_of(std::string_view text) {
  constexpr int kLeast = 200;
  constexpr int kMost = 599;
  if (text == "4xx") return Codes{400, 499};
  if (text == "5xx") return Codes{500, 599};
  const std::size_t dash = text.find('-');
  const auto low = number_of(text.substr(0, dash), kLeast, kMost);
  const auto high =
      dash == std::string_view::npos ? low : number_of(text.substr(dash + 1), kLeast, kMost);
  if (!low || !high || *low > *high) return std::nullopt;
  return Codes{*low, *high};
}

struct StatusPattern {
  int subject = -1;
  int detail = -1;
};

// "7" or "7.25" (RFC 3463 section 2: up to three digits each)
std::optional<StatusPattern> status_of(std::string_view text) {
  constexpr int kMost = 999;
  const std::size_t dot = text.find('.');
  const auto subject = number_of(text.substr(0, dot), 0, kMost);
  if (!subject) return std::nullopt;
  if (dot == std::string_view::npos) return StatusPattern{*subject, -1};
  const auto detail = number_of(text.substr(dot + 1), 0, kMost);
  if (!detail) return std::nullopt;
  return StatusPattern{*subject, *detail};
}

std::optional<Cause> cause_named(std::string_view name) {
  const auto found =
      std::ranges::find_if(kCauses, [&](Cause each) { return todoku::to_string(each) == name; });
  return found == kCauses.end() || *found == Cause::none ? std::nullopt : std::optional(*found);
}

std::optional<Party> party_named(std::string_view name) {
  if (name == "recipient") return Party::recipient;
  if (name == "sender") return Party::sender;
  if (name == "us") return Party::us;
  if (name == "content") return Party::content;
  return std::nullopt;
}

// Names of rules and of lists: what stands in stories and after `rules explain`.
bool is_rule_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

// Lays one layer after the other into `rules_`.
class ReplyRuleReader {
 public:
  void read(const ReplyRules::Layer& layer);
  Result<ReplyRules> finish();

 private:
  void read_lists(const toml::table& root, std::string_view file);
  void read_parties(const toml::table& root, std::string_view file);
  void read_off(const toml::table& root, std::string_view file);
  std::optional<ReplyRule> read_rule(RuleTable& table);
  void read_conditions(RuleTable& table, ReplyRule& rule);
  void read_words(RuleTable& table, ReplyRule& rule);
  void read_other_words(RuleTable& table, ReplyRule& rule);
  // nullptr: there is no such list, which is told as a mistake.
  const std::vector<std::string>* list_named(RuleTable& table, std::string_view field,
                                             const std::string& name);
  void refuse_others(const toml::table& root, std::string_view file);

  RuleMistakes mistakes_;
  ReplyRules made_;
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
};

void ReplyRuleReader::read_words(RuleTable& table, ReplyRule& rule) {
  const auto add = [&](std::string words, std::size_t number) {
    rule.said.push_back({std::move(words), number});
  };
  const auto add_phrase = [&](std::string_view phrase) {
    const std::string lower = plain(phrase);
    if (lower.contains('|') || lower == "*") {
      table.mistake("phrases", "has a phrase that is \"*\" alone, or has a '|'");
    } else {
      add(lower, made_.phrases_.add_phrase(lower));
    }
  };
  for (const std::string& each : table.texts("phrases", kPhrasesMost, kPhraseOctets)) {
    add_phrase(each);
  }
  for (const std::string& each : table.texts("begins", kPhrasesMost, kPhraseOctets)) {
    const std::string lower = plain(each);
    add(lower, made_.phrases_.add_beginning(lower));
  }
  for (const std::string& each : table.texts("patterns", kPhrasesMost, kPhraseOctets)) {
    auto number = made_.phrases_.add_pattern(each);
    if (number) {
      add(each, *number);
    } else {
      table.mistake("patterns", fmt::format("has one that is no regular expression: {}",
                                            number.error().detail));
    }
  }
  const auto list = table.text("list", {});
  if (!list) return;
  const auto* phrases = list_named(table, "list", *list);
  if (phrases == nullptr) return;
  for (const std::string& each : *phrases) add_phrase(each);
}

const std::vector<std::string>* ReplyRuleReader::list_named(RuleTable& table,
                                                            std::string_view field,
                                                            const std::string& name) {
  const auto known = lists_.find(name);
  if (known != lists_.end()) return &known->second;
  table.mistake(field, fmt::format("names \"{}\", which is not one of [lists]", name));
  return nullptr;
}

void ReplyRuleReader::read_other_words(RuleTable& table, ReplyRule& rule) {
  constexpr std::size_t kListsMost = 10;
  constexpr std::size_t kNameOctets = 60;
  const auto numbers_of = [&](std::string_view field, const std::string& name) {
    std::vector<std::size_t> numbers;
    const auto* phrases = list_named(table, field, name);
    if (phrases == nullptr) return numbers;
    for (const std::string& each : *phrases) {
      numbers.push_back(made_.phrases_.add_phrase(plain(each)));
    }
    return numbers;
  };
  for (const std::string& name : table.texts("with", kListsMost, kNameOctets)) {
    rule.with.push_back(numbers_of("with", name));
  }
  for (const std::string& name : table.texts("without", kListsMost, kNameOctets)) {
    const auto numbers = numbers_of("without", name);
    rule.without.insert(rule.without.end(), numbers.begin(), numbers.end());
  }
}

void ReplyRuleReader::read_conditions(RuleTable& table, ReplyRule& rule) {
  constexpr std::size_t kStages = 11;
  for (const std::string& name : table.texts("stages", kStages, 20)) {
    if (const auto stage = stage_of(name)) {
      rule.stages.add(*stage);
    } else {
      table.mistake("stages", fmt::format("has \"{}\", which is no stage of a dialogue", name));
    }
  }
  if (const auto text = table.text("codes", {})) {
    if (const auto codes = codes_of(*text)) {
      rule.codes = *codes;
    } else {
      table.mistake("codes", "must be \"4xx\", \"5xx\", \"552\" or \"500-504\"");
    }
  }
  if (const auto text = table.text("status", {})) {
    if (const auto status = status_of(*text)) {
      rule.subject = status->subject;
      rule.detail = status->detail;
    } else {
      table.mistake("status", "must be \"7\" or \"7.25\"");
    }
  }
  if (const auto text = table.text("unless_status", {})) {
    const auto status = status_of(*text);
    if (status && status->detail < 0) {
      rule.unless = status->subject;
    } else {
      table.mistake("unless_status", "must be a subject: \"7\"");
    }
  }
  if (const auto text = table.text("party", {})) {
    rule.party = party_named(*text);
    if (!rule.party) {
      table.mistake("party", R"(must be "recipient", "sender", "us" or "content")");
    }
  }
}

std::optional<ReplyRule> ReplyRuleReader::read_rule(RuleTable& table) {
  constexpr std::size_t kNoteMost = 500;
  ReplyRule rule;
  rule.place = table.place();
  rule.id = table.text("id", {.most = 60, .required = true}).value_or("");
  if (!is_rule_name(rule.id)) {
    table.mistake("id", "must be of small letters, digits, '-', '_' and '.'");
  }
  const std::string name = table.text("cause", {.required = true}).value_or("");
  if (const auto cause = cause_named(name)) {
    rule.cause = *cause;
  } else if (!name.empty()) {
    table.mistake("cause", fmt::format("is \"{}\", which is no cause", name));
  }
  rule.site = table.text("site", {}).value_or("");
  rule.of_smarthost = table.yes_or_no("smarthost").value_or(false);
  read_conditions(table, rule);
  read_words(table, rule);
  rule.of_our_address = table.yes_or_no("our_address").value_or(false);
  read_other_words(table, rule);
  rule.leaves_the_reason_open = table.yes_or_no("leaves_the_reason_open").value_or(false);
  rule.source = table.text("source", {.most = kNoteMost, .required = true}).value_or("");
  rule.date = table.date("date", true).value_or("");
  rule.note = table.text("note", {.most = kNoteMost}).value_or("");
  table.refuse_others();
  const bool known =
      std::ranges::any_of(made_.rules_, [&](const ReplyRule& each) { return each.id == rule.id; });
  if (known) table.mistake("id", fmt::format("is \"{}\", which another rule has", rule.id));
  return rule;
}

void ReplyRuleReader::read_lists(const toml::table& root, std::string_view file) {
  const toml::table* table = root["lists"].as_table();
  if (table == nullptr) return;
  RuleTable lists(mistakes_, file, "lists", *table);
  for (const auto& [key, value] : *table) {
    auto phrases = lists.texts(key.str(), kPhrasesMost, kPhraseOctets);
    auto& known = lists_[std::string(key.str())];
    known.insert(known.end(), phrases.begin(), phrases.end());
  }
}

void ReplyRuleReader::read_parties(const toml::table& root, std::string_view file) {
  static constexpr std::array<std::string_view, ReplyRules::kWordLists> kNames = {
      "sender_named", "sender",          "returned", "verified", "recipient_verified",
      "host",         "let_in",          "how_much", "many",     "many_in_mailbox",
      "blocked",      "blocked_mailbox", "content"};
  const toml::table* table = root["parties"].as_table();
  if (table == nullptr) return;
  RuleTable parties(mistakes_, file, "parties", *table);
  for (std::size_t list = 0; list < kNames.size(); ++list) {
    for (const std::string& each : parties.texts(kNames[list], kPhrasesMost, kPhraseOctets)) {
      made_.party_words_[list].push_back(made_.party_phrases_.add_phrase(plain(each)));
    }
  }
  parties.refuse_others();
}

void ReplyRuleReader::read_off(const toml::table& root, std::string_view file) {
  RuleTable top(mistakes_, file, "rules", root);
  for (const std::string& id : top.texts("off", kRulesMost, 60)) {
    const auto gone =
        std::ranges::remove_if(made_.rules_, [&](const ReplyRule& each) { return each.id == id; });
    if (gone.empty()) {
      top.mistake("off", fmt::format("names \"{}\", which no rule below is called", id));
    }
    made_.rules_.erase(gone.begin(), gone.end());
  }
}

void ReplyRuleReader::refuse_others(const toml::table& root, std::string_view file) {
  for (const auto& [key, value] : root) {
    const std::string_view name = key.str();
    const bool list = name == "reply" && value.is_array_of_tables();
    const bool table = (name == "lists" || name == "parties") && value.is_table();
    if (list || table || name == "off") continue;
    mistakes_.add(file, key.source(),
                  fmt::format("\"{}\" is not one of off, [lists], [parties] and [[reply]]", name));
  }
}

void ReplyRuleReader::read(const ReplyRules::Layer& layer) {
  const auto root = parse_rules(mistakes_, layer.name, layer.text);
  if (!root) return;
  refuse_others(*root, layer.name);
  read_lists(*root, layer.name);
  read_parties(*root, layer.name);
  read_off(*root, layer.name);
  std::vector<ReplyRule> rules;
  const toml::array* tables = (*root)["reply"].as_array();
  if (tables != nullptr && tables->size() > kRulesMost) {
    mistakes_.add(layer.name, tables->source(),
                  fmt::format("at most {} rules in a file", kRulesMost));
    return;
  }
  for (std::size_t i = 0; tables != nullptr && i < tables->size(); ++i) {
    const toml::table* each = (*tables)[i].as_table();
    if (each == nullptr) continue;
    RuleTable table(mistakes_, layer.name, "reply", *each);
    if (auto rule = read_rule(table)) {
      const bool twice =
          std::ranges::any_of(rules, [&](const ReplyRule& other) { return other.id == rule->id; });
      if (twice) table.mistake("id", fmt::format("is \"{}\", which stands twice", rule->id));
      rules.push_back(*std::move(rule));
    }
  }
  // In front of those of the layers below.
  made_.rules_.insert(made_.rules_.begin(), std::make_move_iterator(rules.begin()),
                      std::make_move_iterator(rules.end()));
}

Result<ReplyRules> ReplyRuleReader::finish() {
  if (!mistakes_.none()) return fail(mistakes_.error());
  if (const auto list = lists_.find("not_our_address"); list != lists_.end()) {
    for (const std::string& each : list->second) {
      made_.not_our_address_.push_back(made_.phrases_.add_phrase(plain(each)));
    }
  }
  made_.phrases_.compile();
  made_.party_phrases_.compile();
  made_.otherwise_.id = "nothing-known";
  made_.otherwise_.cause = Cause::unclear;
  return std::move(made_);
}

Result<ReplyRules> ReplyRules::parse(std::span<const Layer> layers) {
  ReplyRuleReader reader;
  for (const Layer& layer : layers) reader.read(layer);
  return reader.finish();
}

}  // namespace todoku::feedback::classify
