// SPDX-License-Identifier: Apache-2.0
#include "inbound/handler.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "feedback/parse/mail_parts.h"
#include "inbound/complaint.h"
#include "inbound/counted.h"
#include "inbound/forwarding.h"
#include "inbound/leaving.h"
#include "intake/report_mail.h"
#include "mail/suppression.h"
#include "store/rates.h"
#include "store/records.h"
#include "store/settling.h"

namespace todoku::inbound {
namespace {

constexpr std::size_t kLinesOfMinute = 600;
constexpr std::size_t kForwardIdOctets = 16;

Reply done() {
  return {250, "2.0.0 Taken"};
}

void tell_waiting(const Error& error) {
  log::warning("a mail that came in waits for its sender to hand it in again",
               {{"reason", error.detail}});
}

Reply try_again() {
  return {451, "4.3.0 It cannot be kept now, come back later"};
}

store::RecipientKey key_of(const RecipientToken& token) {
  return {store::DeliveryKey{token.delivery}, token.batch, token.seq};
}

// Its own outcome is not known here yet: it is being sent, or will be tried again.
std::unexpected<Error> too_soon() {
  return fail(ErrorKind::unavailable, "a mail came back before its delivery was recorded");
}

// Of one person's mails the first complaint counts, and another only when the counts of that one
// are over (store/rates.h): whoever marks all that they have as spam is one reader, not ten.
// `before`: what stops the address.
bool has_complained(const std::vector<store::StoppedSubject>& before,
                    const store::NewSuppression& now) {
  constexpr auto kWithin = std::chrono::hours(24 * store::kRateDays);
  return std::ranges::any_of(before, [&](const store::StoppedSubject& stopped) {
    const store::Suppression& there = stopped.entry;
    const bool is_theirs = there.account == now.account && there.reason == StopReason::complaint &&
                           there.cause.email_id != 0;
    return is_theirs && there.cause.at.value_or(there.updated) > *now.cause.at - kWithin;
  });
}

Counter& forwards_put_off(Metrics& metrics, std::string_view because) {
  return metrics.counter("todoku_inbound_forwards_put_off_total",
                         "Mails to abuse@ and postmaster@ that were answered 451: forward_to is on "
                         "a suppression list (suppressed), or many came within an hour (limit).",
                         {{"because", because}});
}

}  // namespace

Handler::Handler(World world, const InboundOptions& options)
    : world_(std::move(world)),
      options_(options),
      opt_outs_(world_.store),
      lines_(kLinesOfMinute, std::chrono::minutes(1)),
      forwards_(static_cast<std::size_t>(options.forwarded_per_hour), std::chrono::hours(1)),
      put_off_for_limit_(forwards_put_off(world_.metrics, "limit")),
      put_off_for_stop_(forwards_put_off(world_.metrics, "suppressed")) {}

Task<Reply> Handler::take(Came came) {
  Coming coming{.came = std::move(came), .bounce = {}};
  if (coming.came.quarantined_as) co_return co_await take_quarantined(coming);
  // Nothing tells people's mail that comes again from new mail: it goes on once, and last, when
  // nothing else of it can fail.
  const auto is_for_people = [](const Addressee& to) { return to.kind == Addressee::Kind::people; };
  std::ranges::sort(coming.came.to, {}, is_for_people);
  bool went_on = false;
  for (const Addressee& to : coming.came.to) {
    Became became = std::string_view("repeated");
    if (!went_on) became = co_await take_for(to, coming);
    went_on = is_for_people(to);
    if (!became) co_return put_off(became.error());
    count(*became);
  }
  co_return done();
}

Reply Handler::put_off(const Error& error) {
  if (lines_.take(world_.clock.steady_now())) tell_waiting(error);
  return try_again();
}

void Handler::count(std::string_view became) {
  world_.metrics
      .counter("todoku_inbound_mails_total",
               "Mails that came in, for each of their recipients, by what became of them.",
               {{"became", became}})
      .add();
}

// Whatever it says it stays without effect, but is not lost.
Task<Reply> Handler::take_quarantined(Coming& coming) {
  if (options_.forward_to.empty()) {
    count("refused");
    co_return Reply{550, "5.7.1 The mail is refused by a filter"};
  }
  const auto became = co_await forward(coming);
  if (!became) co_return put_off(became.error());
  count("quarantined");
  co_return done();
}

Task<Handler::Became> Handler::take_for(const Addressee& to, Coming& coming) {
  switch (to.kind) {
    case Addressee::Kind::return_path:
      return take_returned(to.token, coming);
    case Addressee::Kind::unsubscribe:
      return take_unsubscribe(coming);
    case Addressee::Kind::reports:
      return take_reports(coming);
    case Addressee::Kind::people:
      break;
  }
  return take_peoples(coming);
}

Task<Result<void>> Handler::read(Coming& coming) {
  if (coming.bounce) co_return Result<void>();
  auto bounce = co_await world_.pool.run({}, [&coming]() -> Result<feedback::parse::Bounce> {
    auto read = feedback::parse::read_bounce(coming.came.octets);
    // Not even a header field: it is none that anybody could understand.
    if (!read) return feedback::parse::Bounce();
    return read;
  });
  if (!bounce) co_return fail(std::move(bounce.error()));
  coming.bounce = std::move(*bounce);
  co_return Result<void>();
}

Task<Handler::Became> Handler::take_returned(RecipientToken token, Coming& coming) {
  const auto story = co_await world_.store.read(
      [key = key_of(token)](store::ReadTransaction& reader) { return reader.story(key); });
  if (!story) {
    if (story.error().kind != ErrorKind::not_found) co_return fail(story.error());
    co_return std::string_view("gone");
  }
  // What came back before is not read again.
  if (story->state == RecipientState::bounced) co_return std::string_view("repeated");
  const auto read_now = co_await read(coming);
  if (!read_now) co_return fail(read_now.error());
  Returned returned = returned_of(*coming.bounce, story->address);
  if (returned.kind == Returned::Kind::bounced) {
    co_return co_await record(*story, std::move(returned));
  }
  if (returned.kind == Returned::Kind::complained) co_return co_await complain(*story);
  if (returned.kind == Returned::Kind::delayed && store::was_taken(story->state)) {
    co_return co_await note_delay(*story, std::move(returned.outcome));
  }
  co_return to_string(returned.kind);
}

// A line of the story. Whoever has the return path could send any number of them: a few are kept.
Task<Handler::Became> Handler::note_delay(const store::Story& story, Outcome outcome) {
  const Reply kept{outcome.reply.code, std::string(store::kept_of_reply(outcome.reply.text))};
  const bool is_told = std::ranges::any_of(
      story.delays, [&](const store::Attempt& before) { return before.outcome.reply == kept; });
  if (is_told || story.delays.size() >= store::kToldDelaysMax) {
    co_return std::string_view("repeated");
  }
  const std::array outcomes{store::OutcomeRecord{
      .key = story.key, .outcome = std::move(outcome), .path = {}, .wait = {}, .if_taken = true}};
  const auto settled =
      co_await world_.store.perform(store::Settle{.outcomes = outcomes, .releases = {}});
  if (!settled) co_return fail(settled.error());
  const auto& recorded = settled->outcomes.front();
  if (recorded) co_return std::string_view("delayed");
  if (recorded.error().kind == ErrorKind::not_found) co_return std::string_view("gone");
  if (recorded.error().kind == ErrorKind::conflict) co_return std::string_view("repeated");
  co_return fail(recorded.error());
}

Task<Handler::Became> Handler::record(const store::Story& story, Returned returned) {
  if (!is_terminal(story.state)) co_return too_soon();
  if (!store::was_taken(story.state)) co_return std::string_view("repeated");
  auto site = co_await world_.store.read(
      [&](store::ReadTransaction& reader) { return counted_site(reader, story, world_.sites); });
  if (!site) co_return fail(std::move(site.error()));
  const std::array outcomes{store::OutcomeRecord{.key = story.key,
                                                 .outcome = std::move(returned.outcome),
                                                 .path = {},
                                                 .wait = {},
                                                 .against_address = returned.against_address,
                                                 .site = std::move(*site),
                                                 .if_taken = true,
                                                 .cause_before = taken_by(story).cause}};
  const auto settled = co_await world_.store.perform(
      store::Settle{.outcomes = outcomes, .releases = {}, .error_stop = options_.error_stop});
  if (!settled) co_return fail(settled.error());
  const auto& recorded = settled->outcomes.front();
  if (recorded) {
    tell(story, outcomes.front().outcome);
    co_return std::string_view("bounced");
  }
  if (recorded.error().kind == ErrorKind::not_found) co_return std::string_view("gone");
  if (recorded.error().kind == ErrorKind::conflict) co_return std::string_view("repeated");
  co_return fail(recorded.error());
}

void Handler::tell(const store::Story& story, const Outcome& outcome) {
  if (!lines_.take(world_.clock.steady_now())) return;
  log::info("a mail that was delivered came back", {{"account", story.account},
                                                    {"delivery", story.delivery_id},
                                                    {"mail", story.email_id},
                                                    {"code", outcome.reply.code},
                                                    {"cause", to_string(outcome.cause)}});
}

// An opt-out of its reader: advertisements are not sent to them any more, a password reset is.
Task<Handler::Became> Handler::complain(const store::Story& story) {
  const auto made = co_await world_.store.write(
      store::WritePriority::outcomes,
      [&story, now = world_.store.clock().now()](
          store::WriteTransaction& writer) -> Result<store::OpenRecorded> {
        const auto delivery = writer.read().delivery_head(story.key.delivery);
        if (!delivery) return fail(delivery.error());
        const store::NewSuppression entry{.account = delivery->account,
                                          .subject = subject_of_address(story.address),
                                          .reason = StopReason::complaint,
                                          .scope = StopScope::advertisements,
                                          .list_id = {},
                                          .note = {},
                                          .cause = {.text = "its reader complained of it as spam",
                                                    .at = now,
                                                    .delivery_id = story.delivery_id,
                                                    .email_id = story.email_id}};
        auto before = writer.read().stops_of(delivery->account, std::span(&entry.subject, 1));
        if (!before) return fail(std::move(before.error()));
        const bool is_again = has_complained(*before, entry);
        const auto recorded = writer.record_complaint(
            delivery->account, story.key,
            is_again ? store::ComplaintEvent::not_told : store::ComplaintEvent::told);
        if (!recorded || *recorded != store::OpenRecorded::recorded) return recorded;
        if (is_again) return store::OpenRecorded::repeated;
        const auto put = writer.put_suppressions(std::span(&entry, 1));
        if (!put) return fail(put.error());
        // Nothing is told of what stops nobody.
        if (!put->refused.empty()) {
          return fail(ErrorKind::limit_exceeded, "the address has as many entries as it may have");
        }
        return recorded;
      });
  if (!made) {
    // Its address was erased (docs/personal-data.md).
    const ErrorKind kind = made.error().kind;
    const bool is_gone = kind == ErrorKind::not_found || kind == ErrorKind::invalid_input;
    if (is_gone) co_return std::string_view("gone");
    co_return fail(made.error());
  }
  if (*made == store::OpenRecorded::unknown) co_return std::string_view("gone");
  if (*made == store::OpenRecorded::repeated) co_return std::string_view("repeated");
  if (lines_.take(world_.clock.steady_now())) {
    log::info(
        "a reader complained of a mail",
        {{"account", story.account}, {"delivery", story.delivery_id}, {"mail", story.email_id}});
  }
  co_return std::string_view("complained");
}

// It says all by itself (docs/adr/0031).
Task<Handler::Became> Handler::take_unsubscribe(Coming& coming) {
  const auto token = co_await world_.pool.run({}, [&]() -> Result<std::optional<UnsubscribeToken>> {
    const auto fields = feedback::parse::read_fields(coming.came.octets);
    return leaver_in(fields.first("subject"), *world_.unsubscribes);
  });
  if (!token) co_return fail(token.error());
  if (!*token) co_return std::string_view("not_understood");
  const auto left = co_await opt_outs_.leave(**token, intake::Leaves::list);
  if (!left) co_return fail(left.error());
  co_return std::string_view(*left == intake::OptOuts::Left::now ? "unsubscribed" : "repeated");
}

Task<Handler::Became> Handler::take_reports(Coming& coming) {
  const auto carried = co_await world_.import_reports(coming.came.octets);
  // What is no report is nobody's to read again.
  if (!carried) {
    if (carried.error().kind == ErrorKind::unavailable) co_return fail(carried.error());
    co_return std::string_view("not_understood");
  }
  co_return std::string_view(*carried > 0 ? "report" : "not_understood");
}

Task<Handler::Became> Handler::take_peoples(Coming& coming) {
  const auto token = co_await world_.pool.run({}, [&]() -> Result<std::optional<RecipientToken>> {
    return mail_complained_of(coming.came.octets, options_, world_.secret);
  });
  if (!token) co_return fail(token.error());
  if (*token) {
    const auto read_now = co_await read(coming);
    if (!read_now) co_return fail(read_now.error());
    if (coming.bounce->kind == feedback::parse::Bounce::Kind::complaint) {
      const auto story = co_await world_.store.read(
          [key = key_of(**token)](store::ReadTransaction& reader) { return reader.story(key); });
      if (story) co_return co_await complain(*story);
      if (story.error().kind == ErrorKind::not_found) co_return std::string_view("gone");
      co_return fail(story.error());
    }
  }
  co_return co_await forward(coming);
}

// What is stopped would be dropped later without a word to anybody: it waits with who sent it.
Task<Handler::Became> Handler::forward(Coming& coming) {
  const auto stopped = co_await world_.store.read(
      [&](store::ReadTransaction& reader) { return is_stopped_forward(reader, options_); });
  if (!stopped) co_return fail(stopped.error());
  if (*stopped) {
    put_off_for_stop_.add();
    co_return fail(ErrorKind::unavailable,
                   stopped_forward(options_.forward_to, options_.forward_account));
  }
  if (!forwards_.take(world_.clock.steady_now())) {
    put_off_for_limit_.add();
    co_return fail(ErrorKind::unavailable,
                   "more mail came for people than is forwarded in an hour");
  }
  Forwarded mail =
      forwarded_mail(coming.came.octets,
                     {.client = coming.came.client, .quarantined_as = coming.came.quarantined_as},
                     to_hex(random_octets(kForwardIdOctets)), world_.clock.now(), options_);
  const auto kept = co_await world_.store.write(
      store::WritePriority::accept, [&](store::WriteTransaction& writer) -> Result<void> {
        const auto account = writer.read().account_by_name(options_.forward_account);
        if (!account) return fail(account.error());
        const auto made = intake::keep_report(writer, {.account = account->key,
                                                       .from = mail.from,
                                                       .to = options_.forward_to,
                                                       .subject = mail.subject,
                                                       .octets = mail.octets});
        if (!made) return fail(made.error());
        return {};
      });
  if (!kept) co_return fail(kept.error());
  co_return std::string_view("forwarded");
}

}  // namespace todoku::inbound
