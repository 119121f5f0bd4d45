// SPDX-License-Identifier: Apache-2.0
// Writing the configuration out: effective values, an explained file of defaults, the reference.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "config/site_rules.h"
#include "config/table.h"
#include "delivery/policy/site_keys.h"

namespace todoku::config {
namespace {

std::size_t character_octets(char lead_octet) {
  const auto lead = static_cast<std::uint8_t>(lead_octet);
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// Everything from U+0800 counts as full width, which is true of what the explanations use.
std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); i += character_octets(text[i])) {
    columns += character_octets(text[i]) > 2 ? 2 : 1;
  }
  return columns;
}

// What must stay together on a line: a word with the space after it, or one full-width character
// with the punctuation that must not begin a line.
std::vector<std::string_view> pieces_of(std::string_view text) {
  std::vector<std::string_view> pieces;
  const auto is_wide = [&](std::size_t at) {
    return at < text.size() && character_octets(text[at]) > 2;
  };
  const auto stays_behind = [&](std::size_t at) {
    const std::string_view rest = text.substr(std::min(at, text.size()));
    return std::ranges::any_of(std::array{"。", "、", "）", "」"},
                               [&](const char* mark) { return rest.starts_with(mark); });
  };
  for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    if (is_wide(begin)) {
      end = begin + character_octets(text[begin]);
    } else {
      while (end < text.size() && !is_wide(end) && text[end] != ' ') ++end;
      if (end < text.size() && text[end] == ' ') ++end;
    }
    while (stays_behind(end)) end += character_octets(text[end]);
    pieces.push_back(text.substr(begin, end - begin));
  }
  return pieces;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t columns = 0;
  for (const std::string_view piece : pieces_of(text)) {
    if (columns > 0 && columns + columns_of(piece) > width) {
      lines.emplace_back();
      columns = 0;
    }
    lines.back() += piece;
    columns += columns_of(piece);
  }
  for (std::string& line : lines) {
    while (line.ends_with(' ')) line.pop_back();
  }
  return lines;
}

void append_comment(std::string& out, std::string_view text) {
  constexpr std::size_t kColumns = 94;
  for (const std::string& line : wrapped(text, kColumns)) out += fmt::format("# {}\n", line);
}

void append_header(std::string& out, const ConfigSection& section) {
  out += section.repeated ? fmt::format("[[{}]]\n", section.name)
                          : fmt::format("[{}]\n", section.name);
}

std::string escaped_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string show_config(const LoadedConfig& loaded) {
  std::string out;
  for (const ConfigSection& section : config_sections()) {
    for (std::size_t i = 0; i < section.size(loaded.config); ++i) {
      if (!out.empty()) out += '\n';
      append_header(out, section);
      for (const ConfigKey& key : section.keys) {
        const std::string name =
            i == 0 ? key.full_name() : fmt::format("{}#{}", key.full_name(), i);
        const auto origin = loaded.origins.find(name);
        const std::string from = origin == loaded.origins.end() ? "default" : origin->second;
        const ConfigValue value = key.get(loaded.config, i);
        if (key.secret) {
          const bool given = !std::get<std::string>(value).empty();
          out += fmt::format(
              "# {:<62} # {}\n",
              fmt::format("{} = {}", key.name, given ? "(set, not shown)" : "(not set)"), from);
        } else {
          out +=
              fmt::format("{:<64} # {}\n", fmt::format("{} = {}", key.name, to_toml(value)), from);
        }
      }
    }
  }
  return out;
}

namespace {

// Texts and lists that are empty are not set, and not shown.
bool is_unset(const ConfigValue& value) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.empty(); }) {
          return one.empty();
        } else {
          return false;
        }
      },
      value);
}

void append_site(std::string& out, std::string_view table, const delivery::policy::Site& site) {
  out += fmt::format("[sites.{}]\n", table);
  for (const delivery::policy::SiteKey& key : delivery::policy::site_keys()) {
    const ConfigValue value = key.value_in(site);
    if (!is_unset(value)) out += fmt::format("{} = {}\n", key.name, to_toml(value));
  }
}

}  // namespace

std::string show_sites(const delivery::policy::SiteRules& rules) {
  std::string out;
  append_site(out, "defaults", {.limits = rules.defaults()});
  for (const auto& [name, site] : rules.sites()) {
    out += '\n';
    append_site(out, to_toml(name), site);
  }
  return out;
}

std::string show_defaults(Language language) {
  std::string out;
  for (const ConfigSection& section : config_sections()) {
    if (!out.empty()) out += '\n';
    append_comment(out, section.explanation.in(language));
    // A repeated section has no element by default: it is shown as comments.
    std::string body;
    append_header(body, section);
    for (const ConfigKey& key : section.keys) {
      if (&key != &section.keys.front()) body += '\n';
      append_comment(body, key.explanation.in(language));
      if (key.secret) {
        append_comment(
            body, fmt::format("{}: {}", language == Language::japanese ? "環境変数" : "Variable",
                              key.environment));
      } else {
        append_comment(body, fmt::format("({})", expectation(key)));
        body += fmt::format("{} = {}\n", key.name, to_toml(key.fallback));
      }
    }
    if (!section.repeated) {
      out += body;
      continue;
    }
    while (!body.empty()) {
      const std::size_t end = body.find('\n');
      const std::string_view line = std::string_view(body).substr(0, end);
      out += line.empty()            ? "#\n"
             : line.starts_with('#') ? fmt::format("{}\n", line)
                                     : fmt::format("# {}\n", line);
      body.erase(0, end + 1);
    }
  }
  return out;
}

std::string configuration_reference() {
  std::string out =
      "# Configuration / 設定\n\n"
      "Made by `todoku config reference` from the table that the engine itself reads "
      "(`src/config/keys_*.cc`): do not edit.\n\n"
      "One TOML file: the one given by `--config`, else `TODOKU_CONFIG`, else `todoku.toml` in the "
      "working directory, else `/etc/todoku/todoku.toml`. Relative paths are taken from the file's "
      "folder. Every key of a single section can be overridden by a variable "
      "`TODOKU_<SECTION>__<KEY>` (lists separated by commas), and all of a repeated section by "
      "`TODOKU_<SECTION>` with a TOML list, such as `TODOKU_EGRESS='[{name = \"a\", bind_ipv4 = "
      "\"192.0.2.1\"}]'`. `todoku config check` finds every mistake, `todoku config show` tells "
      "the effective values and where each came from, "
      "`todoku config show --defaults` prints a complete file to start from.\n\n"
      "設定は 1 つの TOML ファイルに書く。`--config` "
      "で指定したもの、`TODOKU_CONFIG`、作業フォルダー"
      "の `todoku.toml`、`/etc/todoku/todoku.toml` の順に探す。相対パスはファイルのあるフォルダーか"
      "ら。どのキーも環境変数 `TODOKU_<セクション>__<キー>` "
      "で上書きできる（リストはカンマ区切り）。くり返し書けるセクションは、`TODOKU_<セクション>` "
      "に "
      "TOML のリスト（例: `TODOKU_EGRESS='[{name = \"a\", bind_ipv4 = \"192.0.2.1\"}]'`）を"
      "与えると、全体が置き換わる。"
      "`todoku config check` は誤りをすべて示し、`todoku config show` は有効な値とその出どころを、"
      "`todoku config show --defaults --lang ja` は説明つきの既定値一式を表示する。\n";
  for (const ConfigSection& section : config_sections()) {
    out += fmt::format(
        "\n## `{}`\n\n{}\n\n{}\n\n",
        section.repeated ? fmt::format("[[{}]]", section.name) : fmt::format("[{}]", section.name),
        section.explanation.en, section.explanation.ja);
    out += "| key | value | default | meaning | 説明 |\n| --- | --- | --- | --- | --- |\n";
    for (const ConfigKey& key : section.keys) {
      const std::string fallback = key.secret ? fmt::format("variable `{}` only", key.environment)
                                              : fmt::format("`{}`", to_toml(key.fallback));
      out += fmt::format("| `{}` | {}{} | {} | {} | {} |\n", key.name,
                         escaped_cell(expectation(key)), key.required ? "; required" : "",
                         section.repeated && key.required ? "" : escaped_cell(fallback),
                         escaped_cell(key.explanation.en), escaped_cell(key.explanation.ja));
    }
  }
  out +=
      "\n## `[sites.NAME]`\n\n"
      "Limits of one receiving site; `[sites.defaults]` for all. They go over the shipped rules "
      "(`rules/sites.toml`) and over `rules.file`. A name of the shipped rules changes that "
      "site.\n\n"
      "受信サイトごとの制限。`[sites.defaults]` はすべてのサイトに効く。同梱のルール"
      "（`rules/sites.toml`）と `rules.file` に重なる。同梱のルールにある名前を書けば、そのサイト"
      "の値を変えられる。\n\n"
      "| key | example | meaning | 説明 |\n| --- | --- | --- | --- |\n";
  for (const delivery::policy::SiteKey& key : delivery::policy::site_keys()) {
    out += fmt::format("| `{}` | `{}` | {} | {} |\n", key.name, key.example, key.english,
                       key.japanese);
  }
  return out;
}

}  // namespace todoku::config
