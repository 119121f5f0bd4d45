// SPDX-License-Identifier: Apache-2.0
// What became of many mails, by receiver and cause. What is counted with the outcomes
// (store/outcome_counts.h) answers, however many mails that were; of each cause that is told one
// story is read, for the receiver's words.
#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "explain/advice_book.h"
#include "explain/own_words.h"
#include "explain/time_text.h"
#include "mail/address.h"
#include "operate/operations.h"
#include "store/outcome_counts.h"
#include "store/walks.h"

namespace todoku::operate {
namespace {

using namespace std::chrono_literals;

// Rows of one answer: kinds of outcomes, the most frequent first.
constexpr std::int64_t kKindsMax = 2'000;
// Stories read in one look at the store.
constexpr std::size_t kSamplesTogether = 10;
// Of a delivery with no more recipients than a transaction has, all stories are read.
constexpr std::int64_t kStoriesMost = 100;
constexpr std::int64_t kAccountsLookedAt = 1'000;

Result<store::Delivery> find_delivery(store::ReadTransaction& reader,
                                      std::optional<store::AccountKey> owner, store::PublicId id) {
  if (owner) return reader.delivery_head(*owner, id);
  const auto accounts = reader.accounts({}, kAccountsLookedAt + 1);
  if (!accounts) return fail(accounts.error());
  if (static_cast<std::int64_t>(accounts->size()) > kAccountsLookedAt) {
    return fail(ErrorKind::invalid_input, "there are many accounts: say whose delivery it is");
  }
  std::optional<store::Delivery> found;
  for (const store::Account& account : *accounts) {
    auto delivery = reader.delivery_head(account.key, id);
    if (!delivery && delivery.error().kind == ErrorKind::not_found) continue;
    if (!delivery) return delivery;
    if (found) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("several accounts have a delivery {}: say whose it is", id));
    }
    found = *std::move(delivery);
  }
  if (!found) return fail(ErrorKind::not_found, fmt::format("there is no delivery {}", id));
  return *std::move(found);
}

Result<std::vector<store::Story>> all_stories(store::ReadTransaction& reader,
                                              const store::Delivery& delivery) {
  std::vector<store::Story> stories;
  const auto ranges = reader.log_ranges(delivery.key);
  if (!ranges) return fail(ranges.error());
  for (const store::LogRange& range : *ranges) {
    for (store::PublicId id = range.first; id < range.end; ++id) {
      if (static_cast<std::int64_t>(stories.size()) >= kStoriesMost) return stories;
      const auto recipient = reader.recipient(delivery.account, id);
      if (!recipient && recipient.error().kind == ErrorKind::not_found) continue;
      if (!recipient) return fail(recipient.error());
      auto story = reader.story(recipient->key);
      if (!story) return fail(std::move(story.error()));
      stories.push_back(std::move(*story));
    }
  }
  return stories;
}

// Whole hours, from the first that `since` falls into to the last that `until` does.
struct Span {
  store::HourNumber first = 0;
  store::HourNumber end = 0;
  [[nodiscard]] Instant since() const { return Instant{std::chrono::hours(first)}; }
  [[nodiscard]] Instant until() const { return Instant{std::chrono::hours(end)}; }
};

Result<Span> span_of(const CausesRequest& request, Instant now) {
  const Instant until = request.until.value_or(now);
  const Instant since = request.since.value_or(until - 24h);
  if (since >= until) {
    return fail(ErrorKind::invalid_input, "`since` (--from) must be before `until` (--to)");
  }
  // What comes within this millisecond belongs to a time without an end.
  const Instant last = request.until ? until - 1ms : until;
  const Span span{.first = store::hour_of(since), .end = store::hour_of(last) + 1};
  if (span.end - span.first > store::kOutcomeDaysKept * 24) {
    return fail(ErrorKind::invalid_input,
                fmt::format("from `since` (--from) to `until` (--to) there are more than {} days",
                            store::kOutcomeDaysKept));
  }
  return span;
}

// All that is not counted by name: as one asks for it, as it is printed, and as rates name it.
bool is_of_others(std::string_view site) {
  constexpr std::array<std::string_view, 4> kNames{"other", "others", "(others)", "（その他）"};
  return std::ranges::find(kNames, site) != kNames.end();
}

Result<void> check_together(const CausesRequest& request) {
  if (!request.site.empty() && !request.domain.empty()) {
    return fail(ErrorKind::invalid_input, "`site` and `domain` do not go together");
  }
  if (request.limit > kCausesMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("`limit` (--limit) is {}; of causes at most {} are told", request.limit,
                            kCausesMax));
  }
  if (request.delivery != 0 && (request.since || request.until)) {
    return fail(ErrorKind::invalid_input,
                "`since` and `until` (--from, --to) do not go together with a delivery");
  }
  return {};
}

std::string course_line(const store::Delivery& delivery, Language language,
                        std::chrono::minutes offset) {
  if (delivery.course == store::Course::paused) {
    constexpr Sentence kPaused{
        "It is paused: what is not over waits for `todoku bulk resume {}`.",
        "一時停止中です。未完了のものは `todoku bulk resume {}` で再開します。"};
    return fmt::format(fmt::runtime(kPaused.in(language)), delivery.id);
  }
  if (delivery.course != store::Course::goes) {
    return std::string(Sentence{"It was stopped: what was not sent was cancelled.",
                                "停止されました。未送信のものは取り消されています。"}
                           .in(language));
  }
  if (delivery.status == DeliveryStatus::failed) {
    return std::string(Sentence{"It was not sent: ", "送信していません: "}.in(language)) +
           delivery.failure_reason;
  }
  if (delivery.status == DeliveryStatus::edit || delivery.status == DeliveryStatus::importing) {
    return std::string(Sentence{"It is a draft: nothing is sent until it is committed.",
                                "下書きです。確定（コミット）されるまで送信しません。"}
                           .in(language));
  }
  if (delivery.status == DeliveryStatus::reserve && delivery.reservation) {
    constexpr Sentence kReserved{"It is reserved: it starts at {}.",
                                 "予約中です。{} に送信を始めます。"};
    return fmt::format(fmt::runtime(kReserved.in(language)),
                       explain::time_text(*delivery.reservation, offset));
  }
  return {};
}

// What its sender wants of it; empty: nothing that makes it wait.
std::string steered_line(store::PublicId delivery, const explain::SteeredWay& way,
                         Language language, std::chrono::minutes offset) {
  if (way.quiet_until) {
    constexpr Sentence kQuiet{
        "These are its quiet hours: it goes on at {1}; at once with `todoku bulk quiet-hours {0} "
        "none`.",
        "静音時間帯です。{1} に再開します。すぐに送るには `todoku bulk quiet-hours {0} none`。"};
    return fmt::format(fmt::runtime(kQuiet.in(language)), delivery,
                       explain::time_text(*way.quiet_until, offset));
  }
  if (way.pace.empty()) return {};
  constexpr Sentence kPace{
      "As its sender wants it, it goes at {1} at most: `todoku bulk pace {0}`.",
      "送信者の指定により、送信は最大 {1} です: `todoku bulk pace {0}`。"};
  return fmt::format(fmt::runtime(kPace.in(language)), delivery, way.pace) +
         explain::too_slow(way, language, offset);
}

// What holds it back for its rates, and where; empty: nothing does.
std::string held_line(store::PublicId delivery, const std::vector<explain::RateHold>& holds,
                      Language language) {
  std::string line;
  for (const explain::RateHold& hold : holds) {
    if (!line.empty()) line += ' ';
    const std::string because = explain::own_words(printable(hold.because), language);
    constexpr Sentence kWhole{
        "To protect its sender it is held back ({1}): `todoku bulk resume {0}`.",
        "送信者を保護するため止めています（{1}）。`todoku bulk resume {0}` "
        "で再開します。"};
    constexpr Sentence kThere{"It is held back at {2} ({1}): `todoku bulk resume {0}`.",
                              "受信側 {2} 宛を止めています（{1}）。`todoku bulk resume {0}` "
                              "で再開します。"};
    const Sentence& says = hold.site.empty() ? kWhole : kThere;
    line += fmt::format(fmt::runtime(says.in(language)), delivery, because, printable(hold.site));
  }
  return line;
}

// Outcomes are counted by receiver: of a domain whose receiver nobody here knows none is found.
bool is_receiver_unknown(const ExplainedCauses& of, const CausesRequest& request) {
  return !request.domain.empty() && of.causes.sites.empty() && of.causes.lines.empty() &&
         of.site == to_ascii_lower(trim(request.domain));
}

explain::CausesHeading heading_of(const ExplainedCauses& of, const CausesRequest& request) {
  explain::CausesHeading heading;
  const auto say = [&](const Sentence& sentence) { return sentence.in(request.language); };
  if (of.delivery) {
    heading.of = fmt::format(fmt::runtime(say({"delivery {}", "配信 {}"})), of.delivery->id);
    heading.course = course_line(*of.delivery, request.language,
                                 std::chrono::minutes(request.utc_offset_minutes));
    if (!of.site) heading.counts = of.delivery->counts;
  } else {
    const std::chrono::minutes offset(request.utc_offset_minutes);
    heading.of = fmt::format(
        fmt::runtime(say({"{}, {} to {}", "{}、{} から {} まで"})),
        request.account.empty()
            ? std::string(say({"all accounts", "すべてのアカウント"}))
            : fmt::format(fmt::runtime(say({"account {}", "アカウント {}"})), request.account),
        explain::time_text(*of.since, offset), explain::time_text(*of.until, offset));
  }
  if (!request.domain.empty()) {
    heading.of +=
        fmt::format(fmt::runtime(say({", receiver of {}", "、{} の受信側"})), request.domain);
  } else if (of.site) {
    heading.of += fmt::format(fmt::runtime(say({", receiver {}", "、受信側 {}"})), request.site);
  }
  if (is_receiver_unknown(of, request) && heading.course.empty()) {
    heading.course =
        say({"The receiver of this domain is not known here: ask by its name, --site.",
             "このドメインの受信側はここでは分かりません。--site で受信側の名前を指定し"
             "てください。"});
  }
  return heading;
}

}  // namespace

Task<Result<void>> Operations::read_samples(explain::Causes& causes) {
  for (std::size_t from = 0; from < causes.lines.size(); from += kSamplesTogether) {
    const std::span lines =
        std::span(causes.lines)
            .subspan(from, std::min(kSamplesTogether, causes.lines.size() - from));
    const auto read = co_await store_.read([lines](store::ReadTransaction& reader) -> Result<void> {
      for (explain::CauseLine& line : lines) {
        if (!line.key) continue;
        auto story = reader.story(*line.key);
        if (story) {
          line.sample = *std::move(story);
        } else if (story.error().kind != ErrorKind::not_found) {
          return fail(std::move(story.error()));
        }
      }
      return {};
    });
    if (!read) co_return read;
  }
  co_return Result<void>{};
}

Task<Result<explain::Causes>> Operations::causes_of(store::Delivery delivery,
                                                    std::optional<std::string> site,
                                                    std::size_t most) {
  if (delivery.type != DeliveryType::bulk) {
    const auto stories = co_await store_.read(
        [&delivery](store::ReadTransaction& reader) { return all_stories(reader, delivery); });
    if (!stories) co_return fail(stories.error());
    co_return explain::causes_in(std::span<const store::Story>(*stories), most);
  }
  const auto counts = co_await store_.read([&](store::ReadTransaction& reader) {
    return reader.outcomes_of(delivery.key, site, kKindsMax);
  });
  if (!counts) co_return fail(counts.error());
  std::optional<store::DeliveryCounts> all;
  if (!site) all = delivery.counts;
  auto causes = explain::causes_in(*counts, most, all);
  const auto read = co_await read_samples(causes);
  if (!read) co_return fail(read.error());
  co_return causes;
}

std::string Operations::site_of(std::string_view domain) const {
  std::string known = options_.site_of ? options_.site_of(domain) : std::string(domain);
  if (known != domain) return known;
  const std::string_view by_rules = explain::advice_in_force().site_of({.address = domain});
  return by_rules.empty() ? known : std::string(by_rules);
}

Task<Result<ExplainedCauses>> Operations::explain_causes(CausesRequest request) {
  if (auto sound = check_together(request); !sound) co_return fail(std::move(sound.error()));
  std::optional<store::AccountKey> owner;
  if (!request.account.empty()) {
    auto known = co_await account(request.account);
    if (!known) co_return fail(std::move(known.error()));
    owner = known->key;
  }
  ExplainedCauses told;
  if (is_of_others(request.site)) {
    told.site.emplace();
  } else if (!request.site.empty()) {
    told.site = to_ascii_lower(request.site);
  } else if (!request.domain.empty()) {
    told.site = site_of(to_ascii_lower(trim(request.domain)));
  }
  const auto most =
      static_cast<std::size_t>(std::clamp<std::int64_t>(request.limit, 1, kCausesMax));
  if (request.delivery != 0) {
    auto delivery =
        co_await store_.read([owner, id = request.delivery](store::ReadTransaction& reader) {
          return find_delivery(reader, owner, id);
        });
    if (!delivery) co_return fail(std::move(delivery.error()));
    auto causes = co_await causes_of(*delivery, told.site, most);
    if (!causes) co_return fail(std::move(causes.error()));
    told.delivery = *std::move(delivery);
    told.causes = *std::move(causes);
  } else {
    const auto span = span_of(request, store_.clock().now());
    if (!span) co_return fail(span.error());
    store::OutcomeHistory history({.account = owner.value_or(store::kAllAccounts),
                                   .first = span->first,
                                   .end = span->end,
                                   .site = told.site});
    const auto walked = co_await store::walk(store_, history);
    if (!walked) co_return fail(walked.error());
    told.since = span->since();
    told.until = span->until();
    told.causes = explain::causes_in(history.take(kKindsMax), most);
    const auto read = co_await read_samples(told.causes);
    if (!read) co_return fail(read.error());
  }
  explain::CausesHeading heading = heading_of(told, request);
  if (told.delivery && told.delivery->type == DeliveryType::bulk &&
      told.delivery->status == DeliveryStatus::sending &&
      (told.delivery->course == store::Course::goes ||
       told.delivery->course == store::Course::paused)) {
    const store::DeliveryKey key = told.delivery->key;
    std::vector<store::DeliveryKey> asked;
    asked.push_back(key);
    auto holds = co_await rate_holds_of(std::move(asked));
    if (!holds) co_return fail(std::move(holds.error()));
    const std::string held = held_line(told.delivery->id, holds->rates[key], request.language);
    const std::string steered =
        steered_line(told.delivery->id, holds->steered[key], request.language,
                     std::chrono::minutes(request.utc_offset_minutes));
    if (!held.empty()) {
      heading.course = held;
    } else if (told.delivery->course == store::Course::goes && !steered.empty()) {
      heading.course = steered;
    }
  }
  told.text = explain::tell_causes(heading, told.causes, request.language,
                                   std::chrono::minutes(request.utc_offset_minutes));
  co_return told;
}

}  // namespace todoku::operate
