// SPDX-License-Identifier: Apache-2.0
#include "app/source_looks.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace todoku::app {
namespace {

constexpr std::string_view kWhole = "whole";
constexpr std::string_view kFailing = "failing";
// A cluster with more sources has others to look to among these.
constexpr std::size_t kSourcesHeardOfMax = 256;

std::string look_setting(std::string_view source) {
  return fmt::format("source look/{}", source);
}

std::string_view take_look_word(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

std::string pack_look(const doctor::SourceLook& look, Instant at) {
  std::string passed;
  bool is_whole = true;
  for (std::size_t i = 0; i < doctor::kSourceChecks; ++i) {
    const doctor::Outcome outcome = look.seen[i].outcome;
    if (outcome == doctor::Outcome::fail) is_whole = false;
    if (outcome == doctor::Outcome::pass || outcome == doctor::Outcome::warning) {
      passed += fmt::format(" {}", doctor::to_string(static_cast<doctor::SourceCheck>(i)));
    }
  }
  return fmt::format("{} {}{}", to_epoch_ms(at), is_whole ? kWhole : kFailing, passed);
}

std::optional<doctor::LookElsewhere> unpack_look(std::string_view source, std::string_view packed,
                                                 Instant now, SteadyInstant steady_now) {
  const std::string_view when = take_look_word(packed);
  std::int64_t at = 0;
  const auto [end, error] = std::from_chars(when.data(), when.data() + when.size(), at);
  if (error != std::errc() || end != when.data() + when.size()) return std::nullopt;
  const std::string_view state = take_look_word(packed);
  if (state != kWhole && state != kFailing) return std::nullopt;
  doctor::LookElsewhere look;
  look.source = source;
  // A clock that was ahead told it: then it is of now.
  const Milliseconds age = std::max(now - from_epoch_ms(at), Milliseconds(0));
  look.at = steady_now - std::chrono::duration_cast<Microseconds>(age);
  look.is_whole = state == kWhole;
  while (!packed.empty()) {
    const std::string_view word = take_look_word(packed);
    for (std::size_t i = 0; i < doctor::kSourceChecks; ++i) {
      if (word == doctor::to_string(static_cast<doctor::SourceCheck>(i))) look.passed[i] = true;
    }
  }
  return look;
}

Task<Result<void>> tell_looks(store::Store& store,  // NOLINT(*-reference-coroutine-parameters)
                              std::vector<doctor::SourceLook> looks) {
  co_return co_await store.write(
      store::WritePriority::retention,
      [looks = std::move(looks),
       now = store.clock().now()](store::WriteTransaction& transaction) -> Result<void> {
        for (const doctor::SourceLook& look : looks) {
          auto put = transaction.put_setting(look_setting(look.source), pack_look(look, now));
          if (!put) return put;
        }
        return {};
      });
}

Task<Result<std::vector<doctor::LookElsewhere>>> looks_elsewhere(
    store::Store& store,  // NOLINT(*-reference-coroutine-parameters)
    std::vector<std::string> here, SteadyInstant steady_now) {
  using Looks = std::vector<doctor::LookElsewhere>;
  co_return co_await store.read([here = std::move(here), now = store.clock().now(),
                                 steady_now](store::ReadTransaction& reader) -> Result<Looks> {
    const auto nodes = reader.nodes();
    if (!nodes) return fail(nodes.error());
    std::set<std::string> names;
    for (const store::Node& node : *nodes) {
      if (!node.is_void) names.insert(node.sources.begin(), node.sources.end());
    }
    for (const std::string& name : here) names.erase(name);
    Looks looks;
    for (const std::string& name : names) {
      if (looks.size() == kSourcesHeardOfMax) break;
      const auto told = reader.setting(look_setting(name));
      if (!told) return fail(told.error());
      if (!*told) continue;
      if (auto look = unpack_look(name, **told, now, steady_now)) looks.push_back(*look);
    }
    return looks;
  });
}

}  // namespace todoku::app
