// SPDX-License-Identifier: Apache-2.0
// Reading rules/automations.toml and what is laid over it.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/toml_rules.h"
#include "delivery/policy/automations.h"

namespace todoku::delivery::policy {
namespace {

constexpr std::size_t kAutomationsMost = 500;
constexpr std::size_t kNamesMost = 100;
constexpr std::size_t kSaidMost = 100;
constexpr std::size_t kSaidOctets = 200;
constexpr std::size_t kIdOctets = 60;
constexpr std::size_t kNoteOctets = 500;
constexpr std::int64_t kTimesMost = 1'000;
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kWeekSeconds = 7 * kDaySeconds;
constexpr double kSlowestPace = 0.01;
constexpr double kFastestPace = 100'000;

std::optional<Cause> cause_called(std::string_view name) {
  const auto found =
      std::ranges::find_if(kCauses, [&](Cause each) { return todoku::to_string(each) == name; });
  return found == kCauses.end() || *found == Cause::none ? std::nullopt : std::optional(*found);
}

bool is_automation_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

// Lays one layer after the other into `made_`.
class AutomationReader {
 public:
  void read(const Automations::Layer& layer);
  Result<Automations> finish();

 private:
  void read_off(const toml::table& root, std::string_view file);
  std::optional<Automation> read_one(RuleTable& table);
  void read_conditions(RuleTable& table, Automation& automation);
  static void read_actions(RuleTable& table, Automation& automation);
  void refuse_others(const toml::table& root, std::string_view file);

  RuleMistakes mistakes_;
  Automations made_;
};

void AutomationReader::read_conditions(RuleTable& table, Automation& automation) {
  automation.sites = table.texts("sites", kNamesMost, kSaidOctets);
  for (const std::string& name : table.texts("causes", kNamesMost, kIdOctets)) {
    const auto cause = cause_called(name);
    if (cause) {
      automation.causes.push_back(*cause);
    } else {
      table.mistake("causes", fmt::format("names \"{}\", which is no cause", name));
    }
  }
  for (const std::string& phrase : table.texts("phrases", kSaidMost, kSaidOctets)) {
    const std::string lower = to_ascii_lower(phrase);
    if (lower.contains('|') || lower == "*") {
      table.mistake("phrases", "has a phrase that is \"*\" alone, or has a '|'");
    } else {
      automation.said.push_back(made_.phrases_.add_phrase(lower));
    }
  }
  for (const std::string& pattern : table.texts("patterns", kSaidMost, kSaidOctets)) {
    const auto number = made_.phrases_.add_pattern(pattern);
    if (number) {
      automation.said.push_back(*number);
    } else {
      table.mistake("patterns", fmt::format("has one that is no regular expression: {}",
                                            number.error().detail));
    }
  }
  if (!table.has("causes") && !table.has("phrases") && !table.has("patterns")) {
    table.mistake("causes",
                  "is missing, and so are phrases and patterns: it would go by any answer");
  }
  automation.times = static_cast<std::uint32_t>(table.whole("times", 1, kTimesMost).value_or(1));
  const auto within = table.whole("within_seconds", 1, kDaySeconds);
  if (within) automation.within = std::chrono::seconds(*within);
}

void AutomationReader::read_actions(RuleTable& table, Automation& automation) {
  automation.slow_to = table.number("slow_to", kSlowestPace, kFastestPace).value_or(0);
  const auto slow_for = table.whole("slow_seconds", 1, kWeekSeconds);
  automation.slow_for = std::chrono::seconds(slow_for.value_or(0));
  automation.suspend_for =
      std::chrono::seconds(table.whole("suspend_seconds", 1, kWeekSeconds).value_or(0));
  automation.alarm = table.yes_or_no("alarm").value_or(false);
  if (table.has("slow_to") != table.has("slow_seconds")) {
    table.mistake(table.has("slow_to") ? "slow_seconds" : "slow_to",
                  "is missing: how slow and for how long belong together");
  }
  if (!table.has("slow_to") && !table.has("suspend_seconds") && !automation.alarm) {
    table.mistake("slow_to",
                  "is missing, and so are suspend_seconds and alarm: it would do nothing");
  }
}

std::optional<Automation> AutomationReader::read_one(RuleTable& table) {
  Automation automation;
  automation.place = table.place();
  automation.id = table.text("id", {.most = kIdOctets, .required = true}).value_or("");
  if (!is_automation_name(automation.id)) {
    table.mistake("id", "has other characters than a-z, 0-9, '-', '_' and '.'");
  }
  read_conditions(table, automation);
  read_actions(table, automation);
  automation.source = table.text("source", {.most = kNoteOctets, .required = true}).value_or("");
  automation.date = table.date("date", true).value_or("");
  automation.note = table.text("note", {.most = kNoteOctets}).value_or("");
  table.refuse_others();
  return automation.id.empty() ? std::nullopt : std::optional(std::move(automation));
}

void AutomationReader::read_off(const toml::table& root, std::string_view file) {
  RuleTable top(mistakes_, file, "automations", root);
  for (const std::string& id : top.texts("off", kAutomationsMost, kIdOctets)) {
    const auto named = [&](const Automation& each) { return each.id == id; };
    if (std::erase_if(made_.all_, named) == 0) {
      top.mistake("off", fmt::format("names \"{}\", which no automation below is called", id));
    }
  }
}

void AutomationReader::refuse_others(const toml::table& root, std::string_view file) {
  for (const auto& [key, value] : root) {
    const std::string_view name = key.str();
    if (name == "off" || (name == "automation" && value.is_array_of_tables())) continue;
    mistakes_.add(file, key.source(),
                  fmt::format("\"{}\" is neither off nor [[automation]]", name));
  }
}

void AutomationReader::read(const Automations::Layer& layer) {
  const auto root = parse_rules(mistakes_, layer.name, layer.text);
  if (!root) return;
  refuse_others(*root, layer.name);
  read_off(*root, layer.name);
  const toml::array* tables = (*root)["automation"].as_array();
  if (tables == nullptr) return;
  if (tables->size() > kAutomationsMost) {
    mistakes_.add(layer.name, tables->source(),
                  fmt::format("at most {} automations in a file", kAutomationsMost));
    return;
  }
  std::vector<Automation> read;
  for (const toml::node& node : *tables) {
    const toml::table* each = node.as_table();
    if (each == nullptr) continue;
    RuleTable table(mistakes_, layer.name, "automation", *each);
    auto automation = read_one(table);
    if (!automation) continue;
    const auto same = [&](const Automation& other) { return other.id == automation->id; };
    if (std::ranges::any_of(read, same)) {
      table.mistake("id", fmt::format("is \"{}\", which stands twice", automation->id));
    }
    std::erase_if(made_.all_, same);
    read.push_back(*std::move(automation));
  }
  std::ranges::move(read, std::back_inserter(made_.all_));
}

Result<Automations> AutomationReader::finish() {
  if (!mistakes_.none()) return fail(mistakes_.error());
  made_.phrases_.compile();
  return std::move(made_);
}

Result<Automations> Automations::parse(std::span<const Layer> layers) {
  AutomationReader reader;
  for (const Layer& layer : layers) reader.read(layer);
  return reader.finish();
}

}  // namespace todoku::delivery::policy
