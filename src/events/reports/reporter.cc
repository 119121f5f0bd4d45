// SPDX-License-Identifier: Apache-2.0
#include "events/reports/reporter.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "mailauth/dkim/message.h"
#include "mime/encoded_words.h"

namespace todoku::events::reports {
namespace {

using delivery::policy::Untold;
using namespace std::chrono_literals;

constexpr std::string_view kReader = "reports";
constexpr std::size_t kReportsOfCommit = 20;
constexpr int kLookedAtOnce = 200;  // deliveries
// What was read past and concerned nobody is stored that often: read once more, it does not either.
constexpr Microseconds kSavePlaceEvery = 10s;
constexpr Microseconds kBetweenPages = 5ms;  // while there are more
constexpr std::size_t kMessageIdOctets = 16;

std::string subject_of(std::string_view message) {
  for (const HeaderField& field : mailauth::dkim::split_message(message).fields) {
    if (!equals_ignoring_case(field.name, "Subject")) continue;
    return mime::decode_header_text(mime::unfolded(field.raw.substr(field.raw.find(':') + 1)));
  }
  return {};
}

// It was deleted, or cannot be read, which later will not be otherwise.
bool is_gone(const Error& error, store::DeliveryKey delivery) {
  if (error.kind == ErrorKind::corrupt) {
    // Its number is in what cannot be read.
    log::error("a mail cannot be read, of which its sender is to be told",
               {{"row", static_cast<std::int64_t>(delivery)}, {"reason", error.detail}});
  }
  return error.kind == ErrorKind::not_found || error.kind == ErrorKind::corrupt;
}

}  // namespace

Reporter::Figures::Figures(Metrics& metrics)
    : reports(metrics.counter("todoku_bounce_reports_total",
                              "Reports handed in to senders of relayed mail")),
      failed(metrics.counter("todoku_bounce_report_recipients_total",
                             "Recipients that these tell of, by what they tell",
                             {{"action", "failed"}})),
      delayed(
          metrics.counter("todoku_bounce_report_recipients_total", "", {{"action", "delayed"}})),
      relayed(
          metrics.counter("todoku_bounce_report_recipients_total", "", {{"action", "relayed"}})),
      null_sender(metrics.counter("todoku_bounce_reports_untold_total",
                                  "Mails of which nobody was told, by why",
                                  {{"reason", "null_sender"}})),
      is_report(
          metrics.counter("todoku_bounce_reports_untold_total", "", {{"reason", "is_report"}})),
      foreign_sender(metrics.counter("todoku_bounce_reports_untold_total", "",
                                     {{"reason", "foreign_sender"}})),
      switched_off(
          metrics.counter("todoku_bounce_reports_untold_total", "", {{"reason", "switched_off"}})),
      waiting(metrics.gauge("todoku_bounce_recipients_waiting",
                            "Recipients of whom senders are to be told in a moment")) {}

Counter& Reporter::Figures::of(mime::ReportAction action) {
  if (action == mime::ReportAction::relayed) return relayed;
  return action == mime::ReportAction::delayed ? delayed : failed;
}

Counter& Reporter::Figures::of(Untold reason) {
  if (reason == Untold::null_sender) return null_sender;
  if (reason == Untold::is_report) return is_report;
  return reason == Untold::foreign_sender ? foreign_sender : switched_off;
}

Reporter::Reporter(World world, ReporterOptions options, async::Executor executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      executor_(executor),
      figures_(world_.metrics),
      wake_(executor),
      tasks_(executor) {}

void Reporter::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("bounce reports", run()); });
}

Task<void> Reporter::stop() {
  co_await async::run_on(executor_, stop_here());
}

Task<void> Reporter::stop_here() {
  stopping_ = true;
  wake_.notify();
  co_await tasks_.wait_empty();
  if (!taken_as_) co_return;
  (void)co_await save(state_, {});
  (void)co_await world_.store.write(store::WritePriority::import,
                                    [node = *taken_as_](store::WriteTransaction& t) {
                                      return t.give_event_reader(node, kReader);
                                    });
}

Task<void> Reporter::run() {
  while (!stopping_) {
    bool more = false;
    try {
      if (world_.holds()) more = co_await turn();
    } catch (const std::exception&) {
      async::report_exception("telling senders of failures", std::current_exception());
      taken_as_.reset();
    }
    (void)co_await wake_.wait_until(world_.clock.steady_now() +
                                    (more ? kBetweenPages : Microseconds(options_.look_every)));
  }
}

// Whatever goes wrong, what is stored is where it goes on.
Task<bool> Reporter::turn() {
  if (taken_as_ != world_.node()) {
    const bool taken = co_await take();
    if (!taken) co_return false;
  }
  auto done = co_await read();
  bool more = done && *done;
  if (done) {
    done = co_await tell();
    more = more || (done && *done);
  }
  figures_.waiting.set(static_cast<double>(state_.schedule.waiting()));
  const SteadyInstant now = world_.clock.steady_now();
  if (done) {
    trouble_.worked(now);
    co_return more;
  }
  taken_as_.reset();
  if (done.error().kind != ErrorKind::conflict) {
    trouble_.failed(now, {{"reason", done.error().detail}});
  }
  co_return false;
}

// At the very first what has happened before concerns nobody.
Task<bool> Reporter::take() {
  const store::NodeKey node = world_.node();
  auto state = co_await world_.store.write(
      store::WritePriority::import, [node](store::WriteTransaction& t) -> Result<ReaderState> {
        const auto kept = t.take_event_reader(node, kReader);
        if (!kept) return fail(kept.error());
        if (!kept->empty()) return unpack_reader_state(*kept);
        ReaderState fresh;
        const auto last = t.read().last_event_place();
        if (!last) return fail(last.error());
        fresh.after = *last;
        fresh.after_account = store::AccountKey{std::numeric_limits<std::int64_t>::max()};
        auto saved = t.save_event_reader(node, kReader, pack(fresh));
        if (!saved) return fail(std::move(saved.error()));
        return fresh;
      });
  if (!state) {
    const bool is_others = state.error().kind == ErrorKind::conflict;
    if (!is_others) {
      trouble_.failed(world_.clock.steady_now(), {{"reason", state.error().detail}});
    }
    co_return false;
  }
  state_ = std::move(*state);
  taken_as_ = node;
  save_at_ = world_.clock.steady_now() + kSavePlaceEvery;
  co_return true;
}

Task<Result<bool>> Reporter::read() {
  if (state_.schedule.is_full()) co_return false;
  auto page = co_await world_.store.read(
      [this](store::ReadTransaction& t) { return notice(t, state_, options_.notify); });
  if (!page) co_return fail(std::move(page.error()));
  if (page->lost) {
    log::warning("events were deleted before it was seen whether senders are to be told of them");
  }
  const Instant now = world_.store.clock().now();
  ReaderState next = state_;
  for (const Noticed& each : page->noticed) next.schedule.note(each.delivery, each.recipient, now);
  next.schedule.forget(now);
  next.after = page->next;
  next.after_account = page->next_account;
  const SteadyInstant steady_now = world_.clock.steady_now();
  const bool is_due = steady_now >= save_at_ && next != state_;
  if (page->noticed.empty() && !is_due) {
    state_ = std::move(next);
    co_return page->more;
  }
  auto saved = co_await save(std::move(next), {});
  if (!saved) co_return fail(std::move(saved.error()));
  co_return page->more;
}

Task<Result<bool>> Reporter::tell() {
  const Instant now = world_.store.clock().now();
  ReaderState next = state_;
  std::vector<Made> made;
  int looked = 0;
  while (made.size() < kReportsOfCommit && looked < kLookedAtOnce) {
    const auto due = next.schedule.next(now);
    if (!due) break;
    ++looked;
    auto report = co_await make(*due);
    if (!report) co_return fail(std::move(report.error()));
    if (*report) made.push_back(std::move(**report));
    next.schedule.done(*due, now);
  }
  if (looked == 0) co_return false;
  const bool more = made.size() == kReportsOfCommit || looked == kLookedAtOnce;
  auto saved = co_await save(next, std::move(made));
  if (!saved && saved.error().kind == ErrorKind::invalid_input) {
    // Nor will it take them later, and others wait behind them.
    log::error("reports are refused by the store", {{"reason", saved.error().detail}});
    saved = co_await save(std::move(next), {});
  }
  if (!saved) co_return fail(std::move(saved.error()));
  co_return more;
}

Task<Result<std::optional<Reporter::Made>>> Reporter::make(DueReport due) {
  auto mail = co_await world_.store.read(
      [key = due.delivery](store::ReadTransaction& t) { return read_mail(t, key); });
  if (!mail) {
    if (is_gone(mail.error(), due.delivery)) co_return std::nullopt;
    co_return fail(std::move(mail.error()));
  }
  mail->reports_wanted = mail->reports_wanted && options_.enabled;
  const Untold reason = untold_because(*mail, world_.is_accounts);
  if (reason != Untold::told) {
    leave_untold(*mail, reason);
    co_return std::nullopt;
  }
  auto recipients = co_await recipients_of(*mail, due);
  if (!recipients) co_return fail(std::move(recipients.error()));
  if (recipients->empty()) co_return std::nullopt;
  co_return compose(*mail, std::move(*recipients));
}

// A question for each: no snapshot is held while a hundred are asked for.
Task<Result<std::vector<mime::ReportedRecipient>>> Reporter::recipients_of(const ReportedMail& mail,
                                                                           const DueReport& due) {
  std::vector<mime::ReportedRecipient> recipients;
  for (const Concerned& each : due.recipients) {
    const store::RecipientKey key{due.delivery, each.batch, each.seq};
    const auto story =
        co_await world_.store.read([key](store::ReadTransaction& t) { return read_story(t, key); });
    if (!story) {
      if (is_gone(story.error(), due.delivery)) continue;
      co_return fail(story.error());
    }
    auto told = reported_recipient(mail, *story, each, options_.notify, world_.meaning);
    if (told) recipients.push_back(std::move(*told));
  }
  co_return recipients;
}

std::optional<Reporter::Made> Reporter::compose(const ReportedMail& mail,
                                                std::vector<mime::ReportedRecipient> recipients) {
  const RelayedEnvelope& envelope = mail.envelope();
  mime::DeliveryReport report{.language = language_of(mail),
                              .host = options_.host,
                              .to = envelope.mail_from,
                              .message_id = "<" + to_hex(random_octets(kMessageIdOctets)) + "@" +
                                            options_.message_id_domain + ">",
                              .date = world_.store.clock().now(),
                              .date_offset_minutes = options_.date_offset_minutes,
                              .envelope_id = envelope.envid,
                              .arrival = mail.delivery.created,
                              .message_id_of_mail = mail.message_id,
                              .subject_of_mail = mail.delivery.content.subject,
                              .number_of_mail = mail.delivery.id,
                              .returned = static_cast<DsnReturn>(envelope.ret),
                              .mail = mail.octets,
                              .mail_is_whole = mail.is_whole,
                              .recipients = std::move(recipients)};
  auto octets = mime::compose_delivery_report(report);
  if (!octets) {
    log::error("no report can be made of a mail",
               {{"delivery", mail.delivery.id}, {"reason", octets.error().detail}});
    return std::nullopt;
  }
  Made made{.mail = {.account = mail.delivery.account,
                     .from = "MAILER-DAEMON@" + options_.host,
                     .to = envelope.mail_from,
                     .subject = subject_of(*octets),
                     .octets = std::move(*octets)},
            .actions = {}};
  for (const mime::ReportedRecipient& each : report.recipients) made.actions.push_back(each.action);
  return made;
}

void Reporter::leave_untold(const ReportedMail& mail, Untold reason) {
  figures_.of(reason).add();
  if (!lines_.take(world_.clock.steady_now())) return;
  log::info("nobody is told what became of a relayed mail", {{"delivery", mail.delivery.id},
                                                             {"account", mail.account},
                                                             {"sender", mail.envelope().mail_from},
                                                             {"reason", to_string(reason)}});
}

Task<Result<void>> Reporter::save(ReaderState state, std::vector<Made> made) {
  auto saved = co_await world_.store.write(
      store::WritePriority::import,
      [node = *taken_as_, packed = pack(state), &made](store::WriteTransaction& t) -> Result<void> {
        auto done = t.save_event_reader(node, kReader, packed);
        for (const Made& each : made) {
          if (!done) return done;
          const auto kept = intake::keep_report(t, each.mail);
          if (!kept) done = fail(kept.error());
        }
        return done;
      });
  if (!saved) co_return saved;
  state_ = std::move(state);
  save_at_ = world_.clock.steady_now() + kSavePlaceEvery;
  if (made.empty()) co_return Result<void>();
  figures_.reports.add(made.size());
  for (const Made& each : made) {
    for (const mime::ReportAction action : each.actions) figures_.of(action).add();
  }
  if (world_.work_arrived) world_.work_arrived();
  co_return Result<void>();
}

}  // namespace todoku::events::reports
