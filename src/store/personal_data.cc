// SPDX-License-Identifier: Apache-2.0
#include "store/personal_data.h"

#include <algorithm>
#include <charconv>

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

// Where `part` stands in `text` from `from` on, in whatever case.
std::size_t find_any_case(std::string_view text, std::string_view part, std::size_t from) {
  for (; from + part.size() <= text.size(); ++from) {
    if (equals_ignoring_case(text.substr(from, part.size()), part)) return from;
  }
  return std::string_view::npos;
}

std::string replaced(std::string_view text, std::string_view part, bool as_a_word) {
  std::string out;
  std::size_t done = 0;
  std::size_t from = 0;
  while (!part.empty()) {
    const std::size_t at = find_any_case(text, part, from);
    if (at == std::string_view::npos) break;
    const std::size_t end = at + part.size();
    const bool inside =
        (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    from = end;
    if (as_a_word && inside) {
      from = at + 1;
      continue;
    }
    out.append(text.substr(done, at - done));
    out.append(kErasedText);
    done = end;
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

std::string without_address(std::string_view text, std::string_view address) {
  const std::string first = replaced(text, address, false);
  return replaced(first, address.substr(0, std::min(address.rfind('@'), address.size())), true);
}

Result<std::string> without_address(Dictionary& dictionary, std::string_view history,
                                    std::string_view address, std::vector<std::int64_t>& numbers) {
  for (HistoryReader entries(history); !entries.at_end();) {
    const auto entry = entries.next();
    if (!entry) return fail(entry.error());
    if (entry->reply_ref == 0) continue;
    const auto words = reply_of(dictionary, *entry);
    if (!words) return fail(words.error());
    if (without_address(*words, address) != *words) {
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

}  // namespace todoku::store
