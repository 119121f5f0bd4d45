// SPDX-License-Identifier: Apache-2.0
#include "inbound/filters.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "net/dialer.h"
#include "net/stream.h"

namespace todoku::inbound {
namespace {

constexpr std::size_t kReadOctets = std::size_t{4} << 10U;
constexpr std::size_t kLinesOfFilters = 60;  // in a minute

std::string_view word_of(MilterVerdict::Kind kind) {
  switch (kind) {
    case MilterVerdict::Kind::accepted:
      return "accepted";
    case MilterVerdict::Kind::refused:
      return "refused";
    case MilterVerdict::Kind::discarded:
      return "discarded";
    case MilterVerdict::Kind::quarantined:
      return "quarantined";
  }
  return {};
}

Task<Result<net::Stream>> connected(FilterAddress filter, SteadyInstant deadline) {
  if (!filter.path.empty()) co_return co_await net::dial_unix(filter.path, deadline);
  co_return co_await net::dial(filter.at, {}, deadline);
}

}  // namespace

Task<Result<MilterVerdict>> ask_filter(FilterAddress filter, const MilterMail* mail,
                                       SteadyInstant deadline, const Clock* clock) {
  auto stream = co_await connected(std::move(filter), deadline);
  if (!stream) co_return fail(std::move(stream.error()));
  MilterTalk talk(*mail);
  std::array<char, kReadOctets> buffer{};
  for (;;) {
    // The stream looks at the deadline only when it has to wait: never, while a filter goes on
    // saying that it is still at work.
    if (clock->steady_now() >= deadline) {
      co_return fail(ErrorKind::timeout, "the filter took too long");
    }
    const std::string out = talk.next_output();
    if (!out.empty()) {
      auto written = co_await stream->write(out, deadline);
      // Its last word stands, whether it hears our farewell or not.
      if (talk.has_ended()) co_return talk.verdict();
      if (!written) co_return fail(std::move(written.error()));
      continue;
    }
    const auto read = co_await stream->read_some(buffer, deadline);
    if (!read) co_return fail(read.error());
    if (*read == 0) co_return fail(ErrorKind::closed, "the filter closed the connection");
    const auto received = talk.receive(std::string_view(buffer.data(), *read));
    if (!received) co_return fail(received.error());
  }
}

Filters::Filters(const InboundOptions& options, const Clock& clock, Metrics& metrics)
    : options_(options),
      clock_(clock),
      metrics_(metrics),
      lines_(kLinesOfFilters, std::chrono::minutes(1)) {
  if (!has_any()) return;
  // So that the figure is there before the first mail.
  for (const std::string_view verdict : {"accepted", "away"}) (void)count_of(verdict);
}

Counter& Filters::count_of(std::string_view verdict) {
  return metrics_.counter("todoku_inbound_filtered_total",
                          "Mails that came in, for each filter that was asked, by its verdict; "
                          "away: it could not be asked.",
                          {{"verdict", verdict}});
}

// What a filter says for whom it could not be asked.
std::optional<MilterVerdict> Filters::without(const FilterAddress& filter, const Error& error,
                                              const std::string& id) {
  count_of("away").add();
  if (lines_.take(clock_.steady_now())) {
    log::warning("a filter of mail that comes in cannot be asked",
                 {{"filter", filter.to_string()}, {"mail", id}, {"reason", error.detail}});
  }
  if (options_.passes_over_filters && error.kind != ErrorKind::cancelled) return std::nullopt;
  return MilterVerdict{.kind = MilterVerdict::Kind::refused,
                       .reply = {451, "4.3.0 It cannot be looked at now, come back later"},
                       .reason = {},
                       .changes = {}};
}

Task<Filters::Passed> Filters::pass(MilterMail mail, std::string octets) {
  using Kind = MilterVerdict::Kind;
  Passed passed{.octets = std::move(octets)};
  for (const FilterAddress& filter : options_.filters) {
    mail.octets = passed.octets;
    const SteadyInstant deadline = clock_.steady_now() + options_.filter_lasts_max;
    auto asked = co_await ask_filter(filter, &mail, deadline, &clock_);
    if (asked) count_of(word_of(asked->kind)).add();
    const auto verdict =
        asked ? std::optional(std::move(*asked)) : without(filter, asked.error(), mail.id);
    if (!verdict) continue;
    if (verdict->kind == Kind::refused) {
      passed.answer = verdict->reply;
      co_return passed;
    }
    if (verdict->kind == Kind::discarded) {
      passed.answer = Reply{250, "2.0.0 Taken"};
      if (lines_.take(clock_.steady_now())) {
        log::info("a filter discards a mail that came in",
                  {{"filter", filter.to_string()}, {"mail", mail.id}});
      }
      co_return passed;
    }
    if (!verdict->changes.empty()) passed.octets = with_changes(passed.octets, verdict->changes);
    if (verdict->kind == Kind::quarantined) {
      passed.quarantined_as = verdict->reason;
      co_return passed;
    }
  }
  co_return passed;
}

}  // namespace todoku::inbound
