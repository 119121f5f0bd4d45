// SPDX-License-Identifier: Apache-2.0
// man_page() of completion.h
#include <cctype>

#include <fmt/format.h>

#include "base/bytes.h"
#include "cli/completion.h"

namespace todoku::cli {
namespace {

// As man(7) wants text: backslashes and a control character at the begin of a line say something,
// and
// "-" is a hyphen unless escaped.
std::string roff(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    begins = c == '\n';
  }
  return out;
}

// "--subject TEXT", "ACCOUNT"
std::string written_option(const CLI::Option& option) {
  if (option.get_positional()) return "\\fI" + roff(option.get_name(true)) + "\\fR";
  std::string out;
  const auto add = [&](std::string_view dashes, const std::string& name) {
    if (!out.empty()) out += ", ";
    out += "\\fB" + roff(std::string(dashes) + name) + "\\fR";
  };
  for (const std::string& name : option.get_snames()) add("-", name);
  for (const std::string& name : option.get_lnames()) add("--", name);
  if (option.get_expected_min() > 0) {
    // "INT:INT in [1 - 3660]": the kind of value is enough.
    const std::string type = option.get_type_name();
    out += " \\fI" + roff(type.substr(0, type.find(':'))) + "\\fR";
  }
  return out;
}

// Every command has --help: once is enough.
void add_options(std::string& out, const CLI::App& command, bool with_help) {
  for (const CLI::Option* option : command.get_options()) {
    if (!with_help && option == command.get_help_ptr()) continue;
    out += fmt::format(".TP\n{}\n{}\n", written_option(*option), roff(option->get_description()));
  }
}

void add_commands(std::string& out, const CLI::App& command, const std::string& name) {
  for (const CLI::App* below : command.get_subcommands({})) {
    const std::string its_name = name + " " + below->get_name();
    out += fmt::format(".SS \"{}\"\n{}\n", roff(its_name), roff(below->get_description()));
    add_options(out, *below, false);
    add_commands(out, *below, its_name);
  }
}

}  // namespace

std::string man_page(const CLI::App& command, const std::string& name, std::string_view version,
                     Language language) {
  const auto heading = [&](const Sentence& words) {
    return fmt::format(".SH {}\n", words.in(language));
  };
  std::string title = name;
  for (char& c : title) c = c == ' ' ? '-' : static_cast<char>(std::toupper(c));
  std::string out =
      fmt::format(".TH {} 1 \"\" \"todoku {}\" \"todoku\"\n", roff(title), roff(version));
  out += heading({"NAME", "名前"});
  std::string page = name;
  for (char& c : page) c = c == ' ' ? '-' : c;
  std::string described = command.get_description();
  // Of the program: "todoku: what it is".
  if (described.starts_with(name + ": ")) described.erase(0, name.size() + 2);
  out += fmt::format("{} \\- {}\n", roff(page), roff(described));
  out += heading({"SYNOPSIS", "書式"});
  out += fmt::format("\\fB{}\\fR", roff(name));
  if (!command.get_subcommands({}).empty()) {
    out += fmt::format(" \\fI{}\\fR", language == Language::japanese ? "コマンド" : "COMMAND");
  }
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional()) out += " " + written_option(*option);
  }
  out += fmt::format(" [{}]\n", language == Language::japanese ? "オプション" : "OPTIONS");
  out += heading({"OPTIONS", "オプション"});
  add_options(out, command, true);
  if (!command.get_subcommands({}).empty()) {
    out += heading({"COMMANDS", "コマンド"});
    add_commands(out, command, name);
  }
  return out;
}

}  // namespace todoku::cli
