// SPDX-License-Identifier: Apache-2.0
#include "feedback/classify/phrase_set.h"

#include <cstdint>
#include <map>
#include <utility>

#include <re2/re2.h>
#include <re2/set.h>

#include "base/check.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

// Octets as they come: receivers' text may be in any charset. `max_mem` bounds the automaton that
// RE2 builds as it reads; what it has no room for is forgotten and built again.
constexpr std::int64_t kAutomatonOctets = 24LL * 1024 * 1024;

RE2::Options options() {
  RE2::Options made(RE2::Latin1);
  made.set_log_errors(false);
  made.set_never_capture(true);
  made.set_max_mem(kAutomatonOctets);
  return made;
}

std::string quoted(std::string_view text) {
  return RE2::QuoteMeta(re2::StringPiece(text.data(), text.size()));
}

std::string pattern_of_phrase(std::string_view phrase) {
  const bool open = phrase.ends_with('*');
  if (open) phrase.remove_suffix(1);
  std::string pattern;
  if (is_word_octet(phrase.front())) pattern += "(?:^|[^a-z0-9])";
  pattern += quoted(phrase);
  // Scripts without spaces have no end of a word.
  if (!open && is_word_octet(phrase.back())) pattern += "(?:[^a-z0-9]|$)";
  return pattern;
}

}  // namespace

struct PhraseSet::Machine {
  enum class Kind : std::uint8_t { phrase, beginning, pattern };
  struct Entry {
    Kind kind;
    std::string text;
    std::unique_ptr<RE2> pattern;
  };

  std::size_t add(Kind kind, std::string_view text, std::string_view regex) {
    const auto [known, fresh] = numbers.emplace(std::pair(kind, std::string(text)), entries.size());
    if (!fresh) return known->second;
    entries.push_back({kind, std::string(text), nullptr});
    const int index = set.Add(re2::StringPiece(regex.data(), regex.size()), nullptr);
    check(index == static_cast<int>(known->second), "the set counts as we do");
    return known->second;
  }

  // One after the other, for a text whose automaton has no room.
  void find_slowly(std::string_view words, Found& found) const {
    for (std::size_t number = 0; number < entries.size(); ++number) {
      const Entry& entry = entries[number];
      const bool is_there =
          entry.kind == Kind::phrase ? has_phrase(words, entry.text)
          : entry.kind == Kind::beginning
              ? words.starts_with(entry.text)
              : RE2::PartialMatch(re2::StringPiece(words.data(), words.size()), *entry.pattern);
      if (is_there) found.add(number);
    }
  }

  RE2::Set set{options(), RE2::UNANCHORED};
  bool is_compiled = false;
  std::vector<Entry> entries;
  std::map<std::pair<Kind, std::string>, std::size_t> numbers;
};

PhraseSet::PhraseSet() : machine_(std::make_unique<Machine>()) {}
PhraseSet::~PhraseSet() = default;
PhraseSet::PhraseSet(PhraseSet&&) noexcept = default;
PhraseSet& PhraseSet::operator=(PhraseSet&&) noexcept = default;

std::size_t PhraseSet::add_phrase(std::string_view phrase) {
  return machine_->add(Machine::Kind::phrase, phrase, pattern_of_phrase(phrase));
}

std::size_t PhraseSet::add_beginning(std::string_view beginning) {
  return machine_->add(Machine::Kind::beginning, beginning, "^" + quoted(beginning));
}

Result<std::size_t> PhraseSet::add_pattern(std::string_view pattern) {
  auto compiled =
      std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options());
  if (!compiled->ok()) return fail(ErrorKind::invalid_input, compiled->error());
  const std::size_t number = machine_->add(Machine::Kind::pattern, pattern, pattern);
  machine_->entries[number].pattern = std::move(compiled);
  return number;
}

void PhraseSet::compile() {
  machine_->is_compiled = machine_->set.Compile();
}

PhraseSet::Found PhraseSet::find(std::string_view words) const {
  Found found(machine_->entries.size());
  std::vector<int> numbers;
  RE2::Set::ErrorInfo error{RE2::Set::kNoError};
  const bool any =
      machine_->is_compiled &&
      machine_->set.Match(re2::StringPiece(words.data(), words.size()), &numbers, &error);
  if (any) {
    for (const int number : numbers) found.add(static_cast<std::size_t>(number));
  } else if (!machine_->is_compiled || error.kind != RE2::Set::kNoError) {
    machine_->find_slowly(words, found);
  }
  return found;
}

}  // namespace todoku::feedback::classify
