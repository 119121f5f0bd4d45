// SPDX-License-Identifier: Apache-2.0
#include "store/personal_data.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/bytes.h"
#include "store/records.h"

namespace todoku::store {
namespace {

constexpr int kHex = 16;

bool is_word(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z') ||
         (octet >= '0' && octet <= '9') || octet == '_' || octet >= 0x80;
}

bool is_in(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// RFC 5321 section 4.1.2: a local part may have it, quotes apart, which are around addresses more
// often, and "=", which comes before them ("to=taro@example.jp").
bool is_of_local_part(char c) {
  return is_word(c) || is_in(c, "!#$%&*+-/?^{|}~.@");
}

constexpr std::string_view kQuotes = "'\"`";

// A place in a text.
struct Found {
  std::string_view text;
  std::size_t at = 0;
  std::size_t end = 0;

  [[nodiscard]] char before() const { return at == 0 ? ' ' : text[at - 1]; }
  [[nodiscard]] char behind() const { return end == text.size() ? ' ' : text[end]; }
  // "o'taro@example.jp" is of another address, "'taro@example.jp'" is not.
  [[nodiscard]] bool begins() const {
    if (is_in(before(), "'`")) return is_in(behind(), kQuotes);
    return !is_of_local_part(before());
  }
  // A dot may end a sentence.
  [[nodiscard]] bool ends_domain() const {
    const char c = behind();
    if (c == '.') return end + 1 == text.size() || !is_word(text[end + 1]);
    return !is_word(c) && !is_in(c, "-@");
  }
};

bool is_whole_address(const Found& found) {
  return found.begins() && found.ends_domain();
}

// Not every word that is like it: "user" and "5" are in many a reply.
bool is_local_part(const Found& found, std::string_view domain) {
  const std::string_view rest = found.text.substr(found.end);
  if (!domain.empty() && rest.starts_with('=') &&
      equals_ignoring_case(rest.substr(1, domain.size()), domain)) {
    // "bounce+taro=example.jp@example.com"
    const std::size_t end = found.end + 1 + domain.size();
    return !is_word(found.before()) && (end == found.text.size() || !is_word(found.text[end]));
  }
  if (found.behind() == '@') return found.begins();
  if (found.before() == '<') return found.behind() == '>';
  return is_in(found.before(), kQuotes) && is_in(found.behind(), kQuotes);
}

// Where `part` stands in `text` from `from` on, in whatever case.
std::size_t find_any_case(std::string_view text, std::string_view part, std::size_t from) {
  for (; from + part.size() <= text.size(); ++from) {
    if (equals_ignoring_case(text.substr(from, part.size()), part)) return from;
  }
  return std::string_view::npos;
}

template <class Means>
std::string replaced(std::string_view text, std::string_view part, const Means& means) {
  std::string out;
  std::size_t done = 0;
  std::size_t from = 0;
  while (!part.empty()) {
    const std::size_t at = find_any_case(text, part, from);
    if (at == std::string_view::npos) break;
    const std::size_t end = at + part.size();
    if (!means(Found{.text = text, .at = at, .end = end})) {
      from = at + 1;
      continue;
    }
    out.append(text.substr(done, at - done));
    out.append(kErasedText);
    done = end;
    from = end;
  }
  out.append(text.substr(done));
  return out;
}

}  // namespace

std::string erased_subject(std::uint64_t hash) {
  return fmt::format("{}{:x}", kErasedSubject, hash);
}

std::uint64_t stop_hash(const AddressHash& hash, std::string_view subject) {
  if (!subject.starts_with(kErasedSubject)) return hash(subject);
  const std::string_view hex = subject.substr(kErasedSubject.size());
  std::uint64_t said = 0;
  const auto read = std::from_chars(hex.data(), hex.data() + hex.size(), said, kHex);
  const bool whole = read.ec == std::errc() && read.ptr == hex.data() + hex.size();
  return whole ? said : hash(subject);
}

bool quotes_address(std::string_view text, std::string_view address) {
  return replaced(text, address, is_whole_address) != text;
}

std::string without_address(std::string_view text, std::string_view address) {
  const std::size_t at = std::min(address.rfind('@'), address.size());
  const std::string_view domain = address.substr(std::min(at + 1, address.size()));
  return replaced(replaced(text, address, is_whole_address), address.substr(0, at),
                  [domain](const Found& found) { return is_local_part(found, domain); });
}

Result<std::string> without_address(Dictionary& dictionary, std::string_view history,
                                    std::string_view address, std::vector<std::int64_t>& numbers) {
  for (HistoryReader entries(history); !entries.at_end();) {
    const auto entry = entries.next();
    if (!entry) return fail(entry.error());
    if (entry->reply_ref == 0) continue;
    const auto words = reply_of(dictionary, *entry);
    if (!words) return fail(words.error());
    if (quotes_address(*words, address)) {
      numbers.push_back(static_cast<std::int64_t>(entry->reply_ref - 1));
    }
  }
  auto attempts = unpack_history(dictionary, history);
  if (!attempts) return fail(std::move(attempts.error()));
  std::string packed;
  for (Attempt& attempt : *attempts) {
    attempt.outcome.reply.text = without_address(attempt.outcome.reply.text, address);
    auto done = append_history(dictionary,
                               {.at = attempt.at,
                                .duration = attempt.duration,
                                .state = attempt.outcome.state,
                                .outcome = attempt.outcome,
                                .path = attempt.path},
                               packed);
    if (!done) return fail(std::move(done.error()));
  }
  return packed;
}

Result<void> check_sound(const AuditQuestion& question) {
  if (!question.account || question.address.empty()) return {};
  return fail(ErrorKind::invalid_input, "the audit is asked for of an address or of an account");
}

AuditStretch stretch_of(const AuditQuestion& question, std::int64_t since) {
  AuditStretch stretch{.first = since, .last = std::numeric_limits<std::int64_t>::max()};
  if (!question.newest_first) {
    stretch.first = std::max(since, question.after + 1);
  } else if (question.after > 0) {
    stretch.last = question.after - 1;
  }
  return stretch;
}

}  // namespace todoku::store
