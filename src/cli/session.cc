// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "base/utf8.h"
#include "cli/doubt.h"
#include "cli/failure_words.h"
#include "cli/printable_stream.h"
#include "cli/remote_port.h"
#include "http/json.h"

namespace todoku::cli {
namespace {

// Answers come from ourselves; this only keeps a mistake from eating the memory.
constexpr http::JsonLimits kAnswerLimits{.octets_max = std::size_t{256} << 20U, .depth_max = 64};

const boost::json::value* member(const boost::json::value& object, std::string_view name) {
  return object.is_object() ? object.get_object().if_contains(name) : nullptr;
}

// What an operation says of its failure is English, with names and figures in it; who reads
// Japanese is told its kind first, where it is not known in it.
std::string said_of_failure(std::string sentence, int status, Language language) {
  if (language == Language::english) return sentence;
  sentence = failure_in_japanese(sentence);
  const bool is_ascii = std::ranges::all_of(sentence, [](char c) { return c > 0; });
  if (!is_ascii) return sentence;
  switch (status) {
    case 400:
      return fmt::format("指定に誤りがあります: {}", sentence);
    case 404:
      return fmt::format("見つかりません: {}", sentence);
    case 409:
      return fmt::format("今の状態では実行できません: {}", sentence);
    case 503:
      return fmt::format("今は実行できません。後でもう一度試してください: {}", sentence);
    default:
      return fmt::format("エンジンの中で失敗しました: {}", sentence);
  }
}

}  // namespace

Language wanted_language(const Host& host, const Common& common) {
  return parse_language(common.language).value_or(host.language());
}

AdminPort* Session::port(bool may_begin) {
  if (port_) return port_.get();
  if (is_remote()) {
    port_ = make_remote_port(*this, remote_status_);
    return port_.get();
  }
  auto opened =
      host_.admin(common_.config,
                  {.begin_new = common_.begin_new, .may_begin = may_begin, .language = language_});
  if (!opened) {
    (void)fail(opened.error().detail);
    return nullptr;
  }
  port_ = std::move(*opened);
  return port_.get();
}

int Session::exit_status(int status) const {
  return status == 1 && remote_status_ != 0 ? remote_status_ : status;
}

struct Session::Answer {
  std::string body;
  http::JsonArena arena;
  boost::json::value value;
};

std::unique_ptr<Session::Answer> Session::ask(AdminRequest request) {
  // Nothing else can be done to an installation that does not exist.
  const bool begins = request.method == "POST" && request.target == "/accounts";
  AdminPort* operations = port(begins);
  if (operations == nullptr) return nullptr;
  const bool changes = !changes_nothing(request.method);
  auto answer = operations->call(std::move(request));
  if (!answer) {
    (void)fail(answer.error().detail);
    if (changes && may_be_done(answer.error().kind)) (void)fail(words(kDoubt));
    return nullptr;
  }
  auto read = std::make_unique<Answer>();
  read->body = std::move(answer->body);
  auto parsed = http::parse_json(read->body, read->arena, kAnswerLimits);
  if (!answer->ok()) {
    (void)fail(parsed ? said_of_failure(text_of(*parsed, "error"), answer->status, language_)
                      : words({"the engine answered with status {}",
                               "エンジンがステータス {} で応答しました"},
                              answer->status));
    return nullptr;
  }
  if (!parsed) {
    (void)fail(words({"the engine's answer cannot be read: {}", "エンジンの応答を読めません: {}"},
                     parsed.error().detail));
    return nullptr;
  }
  read->value = std::move(*parsed);
  return read;
}

int Session::call(AdminRequest request, const std::function<void(const boost::json::value&)>& show,
                  const std::function<bool(const boost::json::value&)>& good) {
  const auto answer = ask(std::move(request));
  if (answer == nullptr) return 1;
  if (common_.json) {
    out_ << printable_json(answer->body) << '\n';
  } else {
    show(answer->value);
  }
  return good && !good(answer->value) ? 1 : 0;
}

int Session::ask_for(const operate::Given& given,
                     const std::function<void(const boost::json::value&)>& take) {
  const auto answer = ask(request_of(given));
  if (answer == nullptr) return 1;
  take(answer->value);
  return 0;
}

int Session::list(operate::Given given, std::string_view name,
                  const std::function<void(const boost::json::value&)>& show) {
  boost::json::array all;
  std::string after;
  do {
    if (!after.empty()) given.with("after", after);
    const auto page = ask(request_of(given));
    if (page == nullptr) return 1;
    const auto& items = list_of(page->value, name);
    all.insert(all.end(), items.begin(), items.end());
    after = text_of(page->value, "next");
  } while (!after.empty());
  const boost::json::value whole = boost::json::object{{name, std::move(all)}};
  if (common_.json) {
    out_ << printable_json(boost::json::serialize(whole)) << '\n';
  } else {
    show(whole);
  }
  return 0;
}

int Session::fail(std::string_view sentence) {
  err_ << "todoku: "
       << (language_ == Language::japanese ? failure_in_japanese(sentence) : std::string(sentence))
       << '\n';
  return 1;
}

std::string text_of(const boost::json::value& object, std::string_view name) {
  const auto* found = member(object, name);
  if (found == nullptr || !found->is_string()) return {};
  return std::string(found->get_string());
}

std::string time_of(const boost::json::value& object, std::string_view name) {
  const std::string text = text_of(object, std::string(name) + "_text");
  return text.empty() ? text_of(object, name) : text;  // of an engine of an older version
}

std::int64_t number_of(const boost::json::value& object, std::string_view name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

bool truth_of(const boost::json::value& object, std::string_view name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const boost::json::array& list_of(const boost::json::value& object, std::string_view name) {
  static const boost::json::array none;
  const auto* found = member(object, name);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

std::string recipients_of(const Session& session, const boost::json::value& work) {
  const std::int64_t recipients = number_of(work, "recipients");
  return truth_of(work, "more") ? session.words({"at least {}", "少なくとも {}"}, recipients)
                                : fmt::format("{}", recipients);
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const bool wide = (point.value >= 0x2E80 && point.value <= 0xA4CF) ||
                      (point.value >= 0xAC00 && point.value <= 0xD7A3) ||
                      (point.value >= 0xF900 && point.value <= 0xFAFF) ||
                      (point.value >= 0xFF01 && point.value <= 0xFF60) ||
                      (point.value >= 0x20000 && point.value <= 0x3FFFF);
    columns += wide ? 2 : 1;
    text.remove_prefix(std::max<std::size_t>(point.octets, 1));
  }
  return columns;
}

void print_table(std::ostream& out, std::vector<std::vector<std::string>> rows) {
  std::vector<std::size_t> widths;
  for (auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = printable(row[i]);
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - columns_of(row[i]) + 2, ' ');
    }
    out << line << '\n';
  }
}

}  // namespace todoku::cli
