// SPDX-License-Identifier: Apache-2.0
// Reading: TOML text, environment variables, and what is said about their mistakes.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/spelling.h"
#include "base/toml.h"
#include "config/site_rules.h"
#include "config/table.h"

namespace todoku::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileVariable = "TODOKU_CONFIG";

bool is_of_the_program(std::string_view variable) {
  return variable == kFileVariable || variable == kLanguageVariable ||
         std::ranges::find(kSenderVariables, variable) != kSenderVariables.end();
}

// The variable that is written almost like this one: with other underscores, another case, a slip
// of one letter. Empty: none.
std::string_view nearly(std::string_view unknown, const std::vector<std::string>& names) {
  constexpr std::size_t kLongest = 64;
  const auto letters = [](std::string_view name) {
    std::string text;
    for (const char c : name) {
      if (c != '_') text += ascii_lower(c);
    }
    return text;
  };
  const std::string wanted = letters(unknown.substr(0, kLongest));
  for (const std::string& name : names) {
    if (edit_distance(wanted, letters(name)) <= 1) return name;
  }
  return {};
}

std::vector<std::string> all_key_names() {
  std::vector<std::string> names;
  for (const ConfigSection& section : config_sections()) {
    for (const ConfigKey& key : section.keys) names.push_back(key.full_name());
  }
  return names;
}

std::vector<std::string> all_section_names() {
  std::vector<std::string> names{std::string(kSitesTable)};
  for (const ConfigSection& section : config_sections()) names.emplace_back(section.name);
  return names;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return std::string(text);
  std::size_t end = kShown;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

// The value of a node in the type of the key; nullopt if it is of another type.
template <class T>
std::optional<std::vector<T>> list_of(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return std::nullopt;
  std::vector<T> items;
  for (const toml::node& item : *array) {
    const auto value = item.value_exact<T>();
    if (!value) return std::nullopt;
    items.push_back(*value);
  }
  return items;
}

struct NodeReader {
  const toml::node& node;
  std::optional<ConfigValue> operator()(bool) const { return exact<bool>(); }
  std::optional<ConfigValue> operator()(std::int64_t) const { return exact<std::int64_t>(); }
  std::optional<ConfigValue> operator()(double) const {
    if (const auto whole = node.value_exact<std::int64_t>()) return static_cast<double>(*whole);
    return exact<double>();
  }
  std::optional<ConfigValue> operator()(const std::string&) const { return exact<std::string>(); }
  template <class T>
  std::optional<ConfigValue> operator()(const std::vector<T>&) const {
    if (auto items = list_of<T>(node)) return ConfigValue(std::move(*items));
    return std::nullopt;
  }

 private:
  template <class T>
  [[nodiscard]] std::optional<ConfigValue> exact() const {
    if (auto value = node.value_exact<T>()) return ConfigValue(std::move(*value));
    return std::nullopt;
  }
};

std::string found_text(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return fmt::format("the text {}", to_toml(shortened(**node.as_string())));
    case toml::node_type::integer:
      return fmt::format("the number {}", **node.as_integer());
    case toml::node_type::floating_point:
      return fmt::format("the number {}", **node.as_floating_point());
    case toml::node_type::boolean:
      return **node.as_boolean() ? "true" : "false";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a section";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

// Why a node is not of the type of a key's value: "is the text "x"", and of a list whose items are
// not: "item 2 is the text "x"".
struct FaultFinder {
  const toml::node& node;
  template <class T>
  std::string operator()(const T&) const {
    return fmt::format("is {}", found_text(node));
  }
  template <class T>
  std::string operator()(const std::vector<T>&) const {
    constexpr std::size_t kToldMax = 5;
    const toml::array* array = node.as_array();
    if (array == nullptr) return fmt::format("is {}", found_text(node));
    std::string text;
    std::size_t found = 0;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const toml::node& item = *array->get(i);
      if (item.value_exact<T>() || ++found > kToldMax) continue;
      text += fmt::format("{}item {} is {}", found == 1 ? "" : ", ", i + 1, found_text(item));
    }
    return found > kToldMax ? fmt::format("{} and {} more", text, found - kToldMax) : text;
  }
};

template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> items;
  while (!trim(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    items.push_back(trim(text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

// The value of an environment variable in the type of the key. Lists are separated by commas.
struct VariableReader {
  std::string_view text;
  std::optional<ConfigValue> operator()(bool) const {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  }
  std::optional<ConfigValue> operator()(std::int64_t) const {
    if (auto number = parse_number<std::int64_t>(text)) return *number;
    return std::nullopt;
  }
  std::optional<ConfigValue> operator()(double) const {
    if (auto number = parse_number<double>(text)) return *number;
    return std::nullopt;
  }
  std::optional<ConfigValue> operator()(const std::string&) const { return std::string(text); }
  std::optional<ConfigValue> operator()(const std::vector<std::int64_t>&) const {
    std::vector<std::int64_t> numbers;
    for (const std::string_view item : split_list(text)) {
      const auto number = parse_number<std::int64_t>(item);
      if (!number) return std::nullopt;
      numbers.push_back(*number);
    }
    return numbers;
  }
  std::optional<ConfigValue> operator()(const std::vector<std::string>&) const {
    std::vector<std::string> items;
    for (const std::string_view item : split_list(text)) items.emplace_back(item);
    return items;
  }
};

class Reader {
 public:
  Reader(std::string_view file_name, std::string_view directory)
      : file_name_(file_name), directory_(directory) {
    loaded_.config = default_config();
    loaded_.file = file_name;
  }

  void read_toml(std::string_view text) {
    loaded_.text = text;
    const toml::parse_result parsed = toml::parse(text, file_name_);
    if (!parsed) {
      unknown_.add_all();
      problem(at(parsed.error().source()),
              fmt::format("this is not TOML: {}", parsed.error().description()));
      return;
    }
    is_toml_ = true;
    for (const auto& [name, node] : parsed.table()) {
      // Rules of receiving sites have their own reader: delivery/policy/site_rules.h.
      if (name != kSitesTable) read_section(name.str(), node);
    }
  }

  void read_environment(const Environment& environment) {
    std::set<std::string_view> known;
    for (const ConfigSection& section : config_sections()) {
      if (section.repeated) {
        known.insert(section.environment);
        const auto found = environment.find(section.environment);
        if (found != environment.end()) read_variable(section, found->second);
      }
      for (const ConfigKey& key : section.keys) {
        if (key.environment.empty()) continue;
        known.insert(key.environment);
        const auto found = environment.find(key.environment);
        if (found != environment.end()) read_variable(key, found->second);
      }
    }
    std::vector<std::string> names(known.begin(), known.end());
    names.emplace_back(kFileVariable);
    names.emplace_back(kLanguageVariable);
    for (const auto& [name, value] : environment) {
      if (known.contains(name) || is_of_the_program(name)) continue;
      if (name.starts_with(kAwsVariables)) continue;  // there are many, for others
      if (const std::string_view meant = nearly(name, names); !meant.empty()) {
        unknown_.add_all();
        problem(name, fmt::format("there is no such key (did you mean {}?)", meant));
      } else if (name.find("__") != std::string::npos) {
        unknown_.add_all();
        problem(name, fmt::format("there is no such key{}", suggestion(name, names)));
      } else {
        // Perhaps somebody else's: Kubernetes makes TODOKU_PORT of a service called todoku.
        loaded_.warnings.push_back({name, "todoku knows no such variable: it changes nothing"});
      }
    }
  }

  ConfigResult finish() && {
    resolve_paths();
    check_together(loaded_.config, unknown_, problems_);
    if (!problems_.empty()) add_mistakes_of_sites();
    if (problems_.empty()) {
      warn_of_smtp_in(loaded_.config, loaded_.warnings);
      warn_of_inbound(loaded_.config, loaded_.warnings);
      warn_of_pools(loaded_.config, loaded_.warnings);
      warn_of_alarms(loaded_.config, loaded_.warnings);
      return std::move(loaded_);
    }
    put_in_order();
    return std::unexpected(ConfigMistakes{.problems = std::move(problems_),
                                          .rest = std::move(loaded_.config),
                                          .unknown = std::move(unknown_)});
  }

 private:
  [[nodiscard]] std::string at(const toml::source_region& region) const {
    if (!variable_.empty()) return variable_;
    return region.begin.line == 0 ? file_name_
                                  : fmt::format("{}:{}", file_name_, region.begin.line);
  }

  // Of "todoku.toml:12"; of any other place the last there is.
  [[nodiscard]] std::size_t line_of(std::string_view where) const {
    constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
    if (!where.starts_with(file_name_)) return kNone;
    where.remove_prefix(file_name_.size());
    if (!where.starts_with(':')) return kNone;
    return parse_number<std::size_t>(where.substr(1)).value_or(kNone);
  }

  // In the order of the file; then what stands at no line of it.
  void put_in_order() {
    std::multimap<std::size_t, ConfigProblem> in_order;
    for (ConfigProblem& each : problems_) {
      const std::size_t line = line_of(each.where);
      in_order.emplace(line, std::move(each));
    }
    problems_.clear();
    for (auto& [line, each] : in_order) problems_.push_back(std::move(each));
  }

  // Who has one mistake to mend wants to know of the others.
  void add_mistakes_of_sites() {
    if (!is_toml_) return;
    for (const std::string& mistake : mistakes_of_sites(loaded_, unknown_.spare({"rules"}))) {
      // "todoku.toml:12: sites.google.port must be ...", or of another file.
      const std::size_t end = mistake.find(": ");
      const std::string_view where = std::string_view(mistake).substr(0, end);
      if (end != std::string::npos && line_of(where) != line_of("")) {
        problem(std::string(where), mistake.substr(end + 2));
      } else {
        problem("", mistake);
      }
    }
  }

  void problem(std::string where, std::string message) {
    problems_.push_back({std::move(where), std::move(message)});
  }

  void read_section(std::string_view name, const toml::node& node) {
    const auto& sections = config_sections();
    const auto section = std::ranges::find(sections, name, &ConfigSection::name);
    if (section == sections.end()) {
      unknown_.add_all();
      const auto names = node.is_table() ? all_section_names() : all_key_names();
      problem(at(node.source()),
              fmt::format("there is no {} {}{}", node.is_table() ? "section" : "key",
                          shortened(name), suggestion(name, names)));
      return;
    }
    if (section->repeated) {
      read_repeated(*section, node);
    } else if (const toml::table* table = node.as_table()) {
      read_keys(*section, *table, 0);
    } else {
      unknown_.add(section->name);
      problem(at(node.source()), fmt::format("{} must be a section, written as [{}]", name, name));
    }
  }

  void read_repeated(const ConfigSection& section, const toml::node& node) {
    const toml::array* array = node.as_array();
    for (std::size_t i = 0; array != nullptr && i < array->size(); ++i) {
      const toml::table* table = array->get(i)->as_table();
      if (table == nullptr) {
        array = nullptr;
        break;
      }
      section.append(loaded_.config);
      for (const ConfigKey& key : section.keys) key.set(loaded_.config, i, key.fallback);
      read_keys(section, *table, i);
      require_keys(section, *table, i);
    }
    if (array != nullptr) return;
    unknown_.add(section.name);
    problem(at(node.source()), fmt::format("{} must be a list of sections, each written as [[{}]]",
                                           section.name, section.name));
  }

  // What has no default in a repeated section has to be written.
  void require_keys(const ConfigSection& section, const toml::table& table, std::size_t element) {
    for (const ConfigKey& key : section.keys) {
      if (!key.required || table.contains(key.name)) continue;
      std::string missing = problem_with(key, key.get(loaded_.config, element));
      if (missing.empty()) continue;
      unknown_.add(key.full_name());
      problem(at(table.source()), std::move(missing));
    }
  }

  void read_keys(const ConfigSection& section, const toml::table& table, std::size_t element) {
    for (const auto& [name, node] : table) {
      const auto key = std::ranges::find(section.keys, name.str(), &ConfigKey::name);
      if (key != section.keys.end()) {
        read_key(*key, node, element);
        continue;
      }
      // [queue.sqs] stands in [queue].
      const std::string inner = fmt::format("{}.{}", section.name, name.str());
      if (std::ranges::find(config_sections(), inner, &ConfigSection::name) !=
          config_sections().end()) {
        read_section(inner, node);
        continue;
      }
      unknown_.add(section.name);
      const std::string unknown = fmt::format("{}.{}", section.name, shortened(name.str()));
      problem(at(name.source()),
              fmt::format("there is no key {}{}", unknown, suggestion(unknown, all_key_names())));
    }
  }

  void read_key(const ConfigKey& key, const toml::node& node, std::size_t element) {
    const std::string where = at(node.source());
    if (key.secret) {
      unknown_.add(key.full_name());
      problem(where, fmt::format("{} does not belong into this file: use the variable {}",
                                 key.full_name(), key.environment));
      return;
    }
    auto value = std::visit(NodeReader{node}, key.fallback);
    if (!value) {
      unknown_.add(key.full_name());
      problem(where, fmt::format("{} must be {}, but {}", key.full_name(), expectation(key),
                                 std::visit(FaultFinder{node}, key.fallback)));
      return;
    }
    take(key, std::move(*value), where, element);
  }

  void read_variable(const ConfigKey& key, std::string_view text) {
    if (!is_utf8(text)) {  // as all of a TOML file is
      unknown_.add(key.full_name());
      problem(key.environment, fmt::format("{} must be UTF-8", key.full_name()));
      return;
    }
    auto value = std::visit(VariableReader{text}, key.fallback);
    if (!value) {
      unknown_.add(key.full_name());
      problem(key.environment, fmt::format("{} must be {}, but is {}", key.full_name(),
                                           expectation(key), to_toml(shortened(text))));
      return;
    }
    take(key, std::move(*value), key.environment, 0);
  }

  // The elements of a repeated section as one TOML list; what the file has of them is gone.
  void read_variable(const ConfigSection& section, std::string_view text) {
    const toml::parse_result parsed = toml::parse(fmt::format("list = {}", text));
    // What ends the list and goes on is no list.
    if (!is_utf8(text) || !parsed || parsed.table().size() != 1) {
      unknown_.add(section.name);
      problem(section.environment,
              fmt::format("{} must be a list of sections as TOML writes it on one line, such as "
                          "[{{{} = \"…\"}}, {{…}}]{}{}",
                          section.name, section.keys.front().name, parsed ? "" : ": ",
                          parsed ? "" : parsed.error().description()));
      return;
    }
    section.clear(loaded_.config);
    variable_ = section.environment;
    read_repeated(section, *parsed.table().get("list"));
    variable_.clear();
  }

  void take(const ConfigKey& key, ConfigValue value, const std::string& where,
            std::size_t element) {
    if (auto message = problem_with(key, value); !message.empty()) {
      unknown_.add(key.full_name());
      problem(where, std::move(message));
      return;
    }
    key.set(loaded_.config, element, std::move(value));
    loaded_.origins[origin_name(key, element)] = where;
  }

  static std::string origin_name(const ConfigKey& key, std::size_t element) {
    return element == 0 ? key.full_name() : fmt::format("{}#{}", key.full_name(), element);
  }

  [[nodiscard]] std::string absolute(const std::string& path) const {
    if (path.empty()) return path;
    return (fs::path(directory_) / path).lexically_normal().string();
  }

  void resolve_paths() {
    for (const ConfigSection& section : config_sections()) {
      for (const ConfigKey& key : section.keys) {
        if (key.form != TextForm::path) continue;
        for (std::size_t i = 0; i < section.size(loaded_.config); ++i) {
          ConfigValue value = key.get(loaded_.config, i);
          if (auto* path = std::get_if<std::string>(&value)) *path = absolute(*path);
          if (auto* paths = std::get_if<std::vector<std::string>>(&value)) {
            for (std::string& path : *paths) path = absolute(path);
          }
          key.set(loaded_.config, i, std::move(value));
        }
      }
    }
  }

  std::string file_name_;
  std::string directory_;
  std::string variable_;  // whose value is read as TOML at the moment
  LoadedConfig loaded_;
  bool is_toml_ = false;
  std::vector<ConfigProblem> problems_;
  UnknownKeys unknown_;
};

std::unexpected<ConfigMistakes> unreadable(std::string where, std::string message) {
  ConfigMistakes mistakes{
      .problems = {{std::move(where), std::move(message)}}, .rest = {}, .unknown = {}};
  mistakes.unknown.add_all();
  mistakes.unread = true;
  return std::unexpected(std::move(mistakes));
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    if (!text.starts_with("TODOKU_") && !text.starts_with(kAwsVariables)) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Environment watchdog_environment() {
  Environment environment;
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    if (const char* value = std::getenv(name); value != nullptr) environment.emplace(name, value);
  }
  return environment;
}

std::string profile_file(const Environment& environment) {
  const auto named = environment.find("TODOKU_PROFILE_FILE");
  if (named != environment.end() && !named->second.empty()) return named->second;
  const char* configuration = std::getenv("XDG_CONFIG_HOME");
  // One that is no absolute path does not count.
  if (configuration != nullptr && *configuration == '/') {
    return std::string(configuration) + "/todoku/profile.toml";
  }
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : std::string(home) + "/.config/todoku/profile.toml";
}

Language environment_language(const Environment& environment) {
  const auto named = environment.find(kLanguageVariable);
  if (named != environment.end()) {
    if (const auto known = parse_language(named->second)) return *known;
  }
  // The first that is set decides (POSIX.1-2017 section 8.2).
  for (const char* variable : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    return parse_language(value).value_or(Language::english);
  }
  return Language::english;
}

ConfigResult read_config(std::string_view toml, std::string_view file_name,
                         std::string_view directory, const Environment& environment) {
  Reader reader(file_name, directory);
  reader.read_toml(toml);
  reader.read_environment(environment);
  return std::move(reader).finish();
}

ConfigResult load_config(const std::optional<std::string>& file, const Environment& environment) {
  std::string path;
  if (file) {
    path = *file;
  } else if (const auto named = environment.find(kFileVariable); named != environment.end()) {
    path = named->second;
  } else {
    std::error_code ignored;
    for (const char* usual : {"todoku.toml", "/etc/todoku/todoku.toml"}) {
      if (path.empty() && fs::exists(usual, ignored)) path = usual;
    }
    if (path.empty()) return read_config("", "", "", environment);
  }
  std::error_code error;
  if (fs::is_directory(path, error)) return unreadable(path, "this is a folder, not a file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return unreadable(path,
                      fmt::format("cannot read it: {}", std::generic_category().message(errno)));
  }
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  return read_config(text, path, fs::path(path).parent_path().string(), environment);
}

}  // namespace todoku::config
