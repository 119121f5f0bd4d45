// SPDX-License-Identifier: Apache-2.0
#include "cli/parser_words.h"

#include <array>
#include <memory>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/facts.h"
#include "cli/session.h"

namespace todoku::cli {
namespace {

// CLI11 2.3's, '*' for what it puts in; "{0}" is the first of these. The most specific first.
constexpr std::array kSentences = std::to_array<Sentence>({
    {"A subcommand is required", "コマンドを指定してください"},
    {"Exactly 1 option from [*] is required and * were given",
     "次のうち 1 つだけを指定してください（{1} 個指定されています）: {0}"},
    {"Exactly 1 option from [*] is required", "次のうち 1 つを指定してください: {0}"},
    {"At least 1 option from [*] is required", "次のうち少なくとも 1 つを指定してください: {0}"},
    {"Requires at least * options used and only *were given from [*]",
     "次のうち {0} 個以上を指定してください（{1} 個指定されています）: {2}"},
    {"Requires at most * options be used and *were given from [*]",
     "次のうち指定できるのは {0} 個までです（{1} 個指定されています）: {2}"},
    {"Requires at most 1 options be given from [*]", "次のうち指定できるのは 1 つだけです: {0}"},
    {"* is required", "{0} を指定してください"},
    {"The following argument was not expected: *", "余分な引数があります: {0}"},
    {"The following arguments were not expected: *", "余分な引数があります: {0}"},
    {"*: Value * not in range * to *", "{0}: {1} は {2}～{3} の範囲にありません"},
    {"*: * not in {*}", "{0}: {1} は次のどれでもありません: {2}"},
    {"Could not convert: * = *", "{0}: {1} を読み取れません"},
    {"The value * is not an allowed value for *", "{1}: {0} は指定できません"},
    {"*: too many inputs for a flag", "{0}: 値を指定しすぎています"},
    {"*: Should be true/false or a number", "{0}: true、false または数値を指定してください"},
    {"*: * required * missing", "{0}: 値を指定してください"},
    {"*: At least * required but received *", "{0}: 値が {1} 個以上必要です（{2} 個指定）"},
    {"*: At Most * required but received *", "{0}: 値は {1} 個までです（{2} 個指定）"},
    {"Expected exactly * arguments to *, got *", "{1}: 値が {0} 個必要です（{2} 個指定）"},
    {"Expected at least * arguments to *, got *", "{1}: 値が {0} 個以上必要です（{2} 個指定）"},
    {"* was given a disallowed flag override", "{0} に値は指定できません"},
    {"* requires *", "{0} には {1} も必要です"},
    {"* excludes *", "{0} と {1} は同時に指定できません"},
});

std::string in_japanese(std::string_view what) {
  for (const Sentence& known : kSentences) {
    const auto facts = facts_of(what, known.en);
    if (!facts) continue;
    std::string out;
    for (std::size_t i = 0; i < known.ja.size(); ++i) {
      if (known.ja[i] != '{') {
        out += known.ja[i];
        continue;
      }
      out += (*facts)[static_cast<std::size_t>(known.ja[i + 1] - '0')];
      i += 2;
    }
    return out;
  }
  return std::string(what);
}

// Without CLI11's own sentences; and with descriptions in one column, whatever stands before them.
class Formatter final : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    return app->get_description() + "\n";
  }
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string line =
        "  " + make_option_name(option, is_positional) + make_option_opts(option) + " ";
    const std::size_t columns = columns_of(line);
    const std::size_t begin = get_column_width();
    line += columns <= begin ? std::string(begin - columns, ' ') : "\n" + std::string(begin, ' ');
    return line + make_option_desc(option) + "\n";
  }
};

}  // namespace

void speak_language(CLI::App& app, Language language) {
  if (language == Language::english) return;
  constexpr const char* kOptions = "オプション";
  const auto formatter = std::make_shared<Formatter>();
  formatter->label("Usage", "使い方");
  formatter->label("OPTIONS", kOptions);
  formatter->label("SUBCOMMAND", "コマンド");
  formatter->label("SUBCOMMANDS", "コマンド");
  formatter->label("Positionals", "引数");
  formatter->label("REQUIRED", "必須");
  formatter->label("Needs", "併せて必要");
  formatter->label("Excludes", "同時に指定不可");
  app.formatter(formatter);
  app.group("コマンド");
  app.option_defaults()->group(kOptions);
  app.set_help_flag("-h,--help", "この説明を表示して終了する");
}

std::string complaint(std::string_view what, Language language) {
  if (language == Language::english) {
    return fmt::format("{}\nRun with --help for more information.", what);
  }
  return fmt::format("{}\n詳しくは --help を付けて実行してください。", in_japanese(what));
}

}  // namespace todoku::cli
