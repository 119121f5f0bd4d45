// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace todoku::cli {
namespace {

// Of an option: "--subject", "-h".
std::vector<std::string> flags_of(const CLI::Option& option) {
  std::vector<std::string> flags;
  for (const std::string& name : option.get_snames()) flags.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) flags.push_back("--" + name);
  return flags;
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += word;
  }
  return out;
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> words;
  for (const CLI::Option* option : command.get_options()) {
    for (std::string& flag : flags_of(*option)) words.push_back(std::move(flag));
  }
  return words;
}

// In single quotes of every one of the three shells.
std::string in_single_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

// Calls take(path, command) for the program ("") and all below it ("bulk", "bulk send").
template <class Take>
void each_command(const CLI::App& command, const std::string& path, const Take& take) {
  take(path, command);
  for (const CLI::App* below : command.get_subcommands({})) {
    each_command(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), take);
  }
}

// bash has associative arrays from 4.0 on; zsh's bashcompinit runs the same script.
std::string bash_script(const CLI::App& app) {
  std::string cases;
  const std::string everywhere = joined_words(options_of(app));
  each_command(app, "", [&](const std::string& path, const CLI::App& command) {
    std::vector<std::string> words;
    for (const CLI::App* below : command.get_subcommands({})) words.push_back(below->get_name());
    std::string all = joined_words(words);
    if (!path.empty()) all += " " + joined_words(options_of(command));
    cases += fmt::format("    {}) echo {} ;;\n", in_single_quotes(path),
                         in_single_quotes(all + " " + everywhere));
  });
  // Not `path` and `words`, which are zsh's own.
  return "_todoku() {\n"
         "  local word at='' choices next\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case \"$word\" in -*) continue ;; esac\n"
         "    next=\"${at:+$at }$word\"\n"
         "    case \" $(_todoku_choices \"$at\") \" in *\" $word \"*) at=\"$next\" ;; esac\n"
         "  done\n"
         "  choices=\"$(_todoku_choices \"$at\")\"\n"
         "  COMPREPLY=($(compgen -W \"$choices\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "_todoku_choices() {\n"
         "  case \"$1\" in\n" +
         cases +
         "  esac\n"
         "}\n"
         "complete -o default -F _todoku todoku\n";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// fish quotes only \ and ' inside single quotes.
std::string for_fish(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_script(const CLI::App& app) {
  std::string out =
      "function __todoku_at\n"
      "  set -l given (commandline -opc | string match -rv '^-')[2..-1]\n"
      "  test (count $argv) -eq 0; and return 0\n"
      "  test (count $given) -ge (count $argv)\n"
      "  and test \"$given[1..(count $argv)]\" = \"$argv\"\n"
      "end\n";
  each_command(app, "", [&](const std::string& path, const CLI::App& command) {
    const std::string where =
        "-n " + for_fish(path.empty() ? "__todoku_at" : "__todoku_at " + path);
    for (const CLI::App* below : command.get_subcommands({})) {
      out += fmt::format("complete -c todoku {} -a {} -d {}\n", where, below->get_name(),
                         for_fish(first_line(below->get_description())));
    }
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) {
        out += fmt::format("complete -c todoku {} -l {}{} -d {}\n", where, name,
                           option->get_expected_min() > 0 ? " -r" : "",
                           for_fish(first_line(option->get_description())));
      }
    }
  });
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  if (shell == "fish") return fish_script(app);
  if (shell == "bash") return bash_script(app);
  return "autoload -U +X bashcompinit && bashcompinit\n" + bash_script(app);
}

}  // namespace todoku::cli
