// SPDX-License-Identifier: Apache-2.0
#include "doctor/zone_reading.h"

#include <algorithm>

#include "base/bytes.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::DnsQuestion;
using mailauth::FactType;
using mailauth::ServerAnswer;

const ServerAnswer* answer_of(const ServerView& server, const DnsQuestion& question) {
  const auto found = server.answers.find(question);
  return found == server.answers.end() ? nullptr : &found->second;
}

DnsFact known(DnsFact::Status status, std::vector<std::string> values = {}) {
  return {.status = status, .values = std::move(values), .reason = {}};
}

// What an answer weighs: how many say the same, then how new its server's zone is.
struct Weight {
  std::size_t voices = 0;
  std::optional<std::uint32_t> serial;

  [[nodiscard]] bool is_less(const Weight& other) const {
    if (voices != other.voices) return voices < other.voices;
    return serial && other.serial && is_older_serial(*serial, *other.serial);
  }
};

}  // namespace

bool say_the_same(const ServerAnswer& a, const ServerAnswer& b) {
  if (a.status != b.status || a.alias != b.alias) return false;
  return std::ranges::is_permutation(a.values, b.values);
}

bool is_older_serial(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0;
}

std::optional<std::uint32_t> serial_of(const ServerView& server) {
  std::optional<std::uint32_t> newest;
  for (const auto& [question, answer] : server.answers) {
    if (answer.serial && (!newest || is_older_serial(*newest, *answer.serial))) {
      newest = answer.serial;
    }
  }
  return newest;
}

ZoneReading::ZoneReading(const ZoneView& view, mailauth::DnsFacts& facts)
    : view_(view), facts_(facts) {}

const ServerAnswer* ZoneReading::told(FactType type, std::string_view name) const {
  const DnsQuestion question{.type = type, .name = to_ascii_lower(name)};
  const ServerAnswer* best = nullptr;
  Weight best_weight;
  for (const ServerView& server : view_.servers) {
    const ServerAnswer* const answer = answer_of(server, question);
    if (answer == nullptr) continue;
    if (!answer->is_said()) {
      if (best == nullptr) best = answer;
      continue;
    }
    Weight weight{.voices = 0, .serial = serial_of(server)};
    for (const ServerView& other : view_.servers) {
      const ServerAnswer* const its = answer_of(other, question);
      if (its != nullptr && say_the_same(*its, *answer)) ++weight.voices;
    }
    if (best == nullptr || !best->is_said() || best_weight.is_less(weight)) {
      best = answer;
      best_weight = weight;
    }
  }
  return best;
}

DnsFact ZoneReading::fact(FactType type, std::string_view name) {
  const ServerAnswer* const answer = told(type, name);
  if (answer == nullptr) return facts_.ask(type, name);
  switch (answer->status) {
    case ServerAnswer::Status::found:
      return known(DnsFact::Status::found, answer->values);
    case ServerAnswer::Status::empty:
      return known(DnsFact::Status::empty);
    case ServerAnswer::Status::absent:
      return known(DnsFact::Status::absent);
    case ServerAnswer::Status::failed:
      return {.status = DnsFact::Status::failed,
              .values = {},
              .reason = answer->reason,
              .reason_ja = answer->reason_ja};
    case ServerAnswer::Status::alias:
      return facts_.ask(type, answer->alias);
    case ServerAnswer::Status::lame:  // below a zone cut
    case ServerAnswer::Status::unknown:
      break;
  }
  return facts_.ask(type, name);
}

bool ZoneReading::has_texts(std::string_view name) const {
  const ServerAnswer* const answer = told(FactType::txt, name);
  return answer != nullptr && answer->is_found();
}

std::uint32_t ZoneReading::negative_ttl() const {
  std::uint32_t longest = 0;
  for (const ServerView& server : view_.servers) {
    for (const auto& [question, answer] : server.answers) {
      longest = std::max(longest, answer.negative_ttl);
    }
  }
  return longest;
}

bool ZoneReading::learn(const std::vector<DnsQuestion>& wanted, mailauth::DnsFacts& known) {
  bool is_any_new = false;
  for (const DnsQuestion& question : wanted) {
    DnsFact learnt = fact(question.type, question.name);
    if (!learnt.is_known()) continue;
    known.learn(question, std::move(learnt));
    is_any_new = true;
  }
  return is_any_new;
}

}  // namespace todoku::doctor
