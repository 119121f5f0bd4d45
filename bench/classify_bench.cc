// SPDX-License-Identifier: Apache-2.0
// What it costs to read what a receiver said, over the replies of tests/corpus/classify, beside one
// look for each phrase of the rules (what it would cost without one automaton for all).
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "feedback/classify/meaning.h"
#include "feedback/classify/reply_rules.h"
#include "feedback/classify/words.h"

namespace {

using Clock = std::chrono::steady_clock;
using todoku::Stage;
namespace classify = todoku::feedback::classify;

struct Row {
  Stage stage;
  int code;
  std::string text;
};

std::vector<Row> corpus() {
  std::ifstream file(TODOKU_SOURCE_DIR "/tests/corpus/classify/replies.tsv");
  std::vector<Row> rows;
  for (std::string row; std::getline(file, row);) {
    if (row.empty() || row.starts_with('#')) continue;
    const std::size_t first = row.find('\t');
    const std::size_t second = row.find('\t', first + 1);
    const std::string code = row.substr(first + 1, second - first - 1);
    if (code == "0") continue;
    const bool data = row.starts_with("data");
    rows.push_back({data ? Stage::data : Stage::rcpt_to, std::stoi(code),
                    row.substr(second + 1, row.find('\t', second + 1) - second - 1)});
  }
  return rows;
}

template <class Each>
double seconds_for(const std::vector<Row>& rows, int rounds, Each each) {
  const auto began = Clock::now();
  for (int round = 0; round < rounds; ++round) {
    for (const Row& row : rows) each(row);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return seconds / (static_cast<double>(rows.size()) * rounds);
}

}  // namespace

int main() {
  const std::vector<Row> rows = corpus();
  const auto began = Clock::now();
  const auto& rules = classify::ReplyRules::shipped();
  std::printf("read_rules\t%.1f\tms\n",
              std::chrono::duration<double, std::milli>(Clock::now() - began).count());
  std::size_t seen = 0;
  const auto judge = [&](const Row& row) {
    const auto meaning = classify::meaning_of({.stage = row.stage, .reply = {row.code, row.text}});
    seen += static_cast<std::size_t>(meaning.cause);
  };
  seconds_for(rows, 1, judge);
  const double one = seconds_for(rows, 200, judge);
  const double each = seconds_for(rows, 2, [&](const Row& row) {
    const std::string words = classify::readable(row.text);
    for (const auto& rule : rules.rules()) {
      for (const auto& said : rule.said) seen += classify::has_phrase(words, said.words) ? 1 : 0;
    }
  });
  std::printf("replies\t%.0f\t/s\n", 1 / one);
  std::printf("one_reply\t%.2f\tus\n", one * 1e6);
  std::printf("phrase_by_phrase\t%.2f\tus\n", each * 1e6);
  return seen == 0 ? 1 : 0;
}
