// SPDX-License-Identifier: Apache-2.0
// For tests of senders' commands: an API that answers as it is told, and a folder for their files.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fake_host.h"

namespace todoku::cli {

inline ApiAnswer answered(int status, std::string body) {
  return {.status = status, .headers = {}, .body = std::move(body)};
}
inline ApiAnswer answered_later(int status, std::string_view seconds) {
  ApiAnswer answer = answered(status, R"({"error_messages":{"main":["too many."]}})");
  answer.headers.add("Retry-After", seconds);
  return answer;
}

class SenderTest : public CommandLineTest {
 protected:
  SenderTest() {
    host.variables = {{"TODOKU_ACCOUNT", "shop"}, {"TODOKU_API_KEY", "k"}};
    folder = std::filesystem::temp_directory_path() /
             fmt::format("todoku-sender-{}-{}", ::getpid(),
                         testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directory(folder);
    host.profiles = (folder / "profile.toml").string();
  }
  ~SenderTest() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) {
    const std::string path = (folder / name).string();
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
    return path;
  }
  void answer(std::vector<ApiAnswer> answers) {
    host.requests.clear();
    host.waits.clear();
    host.api_answer = [answers, i = std::size_t{0}](const ApiRequest&) mutable {
      return answers[std::min(i++, answers.size() - 1)];
    };
  }
  // The same, where some are lost.
  void answer_or_lose(std::vector<Result<ApiAnswer>> answers) {
    host.requests.clear();
    host.waits.clear();
    host.api_answer = [answers, i = std::size_t{0}](const ApiRequest&) mutable {
      return answers[std::min(i++, answers.size() - 1)];
    };
  }
  int send(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"send", "--from",      "Shop <shop@example.jp>",
                                      "--to", "a@b.example", "--subject",
                                      "hi",   "--text",      "t"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }

  std::filesystem::path folder;
};

inline std::vector<std::string> bulk_words(const std::string& csv, std::string at) {
  return {"bulk", "send",  "--from", "a@example.jp", "--subject",  "s", "--text",
          "t",    "--csv", csv,      "--at",         std::move(at)};
}

}  // namespace todoku::cli
