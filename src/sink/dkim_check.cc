// SPDX-License-Identifier: Apache-2.0
#include "sink/dkim_check.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mailauth/dkim/message.h"
#include "mailauth/dkim/signature.h"
#include "mailauth/dkim/verifier.h"
#include "sink/report.h"

namespace todoku::sink {
namespace {

using mailauth::dkim::KeyAnswer;
using mailauth::dkim::Verdict;

constexpr auto kCachedFor = std::chrono::seconds(60);

std::size_t index_of(Verdict verdict) {
  const std::string_view word = to_string(verdict);
  for (std::size_t i = 1; i < kDkimWords.size(); ++i) {
    if (kDkimWords[i] == word) return i;
  }
  return 0;
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line = trim(line.substr(word.size()));
  return word;
}

// The character-strings of a TXT record joined; unquoted text stands for itself. nullopt: a quote
// that does not end.
std::optional<std::string> join_strings(std::string_view text) {
  if (!text.starts_with('(') && !text.starts_with('"')) return std::string(text);
  std::string joined;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (text[i] == '\\' && i + 1 < text.size()) ++i;
      joined += text[i];
    } else if (text[i] == ';') {
      break;
    }
  }
  if (quoted) return std::nullopt;
  return joined;
}

KeyAnswer to_key_answer(const Result<dns::Answer<std::string>>& answer) {
  if (answer) return KeyAnswer::from_texts(answer->records);
  if (answer.error().kind == ErrorKind::not_found) return KeyAnswer::absent();
  return KeyAnswer::unavailable(answer.error().detail);
}

}  // namespace

DkimCheck::DkimCheck(std::map<std::string, std::vector<std::string>> keys,
                     std::shared_ptr<dns::Resolver> resolver)
    : resolver_(std::move(resolver)) {
  for (const auto& [name, texts] : keys) given_.emplace(name, KeyAnswer::from_texts(texts));
}

std::optional<KeyAnswer> DkimCheck::known(const std::string& name, Instant now) {
  if (const auto given = given_.find(name); given != given_.end()) return given->second;
  if (!resolver_) return KeyAnswer::absent();
  const std::lock_guard lock(mutex_);
  const auto cached = cache_.find(name);
  if (cached == cache_.end() || cached->second.until < now) return std::nullopt;
  return cached->second.answer;
}

Task<KeyAnswer> DkimCheck::look_up(std::string name, Instant now) {
  if (auto answer = known(name, now)) co_return std::move(*answer);
  const auto told = co_await resolver_->txt(name);
  KeyAnswer answer = to_key_answer(told);
  const std::lock_guard lock(mutex_);
  if (cache_.size() >= kCachedMax) cache_.clear();
  cache_.insert_or_assign(std::move(name), Cached{answer, now + kCachedFor});
  co_return answer;
}

Task<DkimVerdict> DkimCheck::verify(std::string_view message, Instant now) {
  const auto view = mailauth::dkim::split_message(message);
  const auto signatures = mailauth::dkim::parse_signatures(view);
  DkimVerdict verdict;
  for (const auto& signature : signatures) {
    KeyAnswer key = KeyAnswer::absent();
    if (!signature.problem) key = co_await look_up(signature.lookup_name(), now);
    const auto result = mailauth::dkim::verify(view, signature, key, {.now = now});
    if (result.verdict == Verdict::pass) co_return DkimVerdict{index_of(Verdict::pass), {}};
    if (verdict.result == 0) verdict = {index_of(result.verdict), result.reason};
  }
  co_return verdict;
}

Result<std::map<std::string, std::vector<std::string>>> parse_key_file(std::string_view text) {
  std::map<std::string, std::vector<std::string>> keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = trim(line);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    std::string name = to_ascii_lower(take_word(line));
    if (name.ends_with('.')) name.pop_back();
    std::string_view rest = line;
    // TTL, class and type of a zone file's line.
    for (std::string_view ahead = rest; !ahead.starts_with('"');) {
      const std::string_view word = take_word(ahead);
      const bool is_number = word.find_first_not_of("0123456789") == std::string_view::npos;
      if (word.empty() ||
          !(is_number || equals_ignoring_case(word, "IN") || equals_ignoring_case(word, "TXT"))) {
        break;
      }
      rest = ahead;
    }
    auto joined = join_strings(rest);
    if (!joined || joined->empty() || !name.contains("._domainkey.")) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("line {}: not \"selector._domainkey.domain TXT text\"", number));
    }
    keys[name].push_back(std::move(*joined));
  }
  return keys;
}

Result<std::map<std::string, std::vector<std::string>>> read_key_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::not_found, "cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto keys = parse_key_file(text);
  if (!keys) return fail(path, keys.error());
  return keys;
}

}  // namespace todoku::sink
