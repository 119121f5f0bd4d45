// SPDX-License-Identifier: Apache-2.0
#include "probe/prober.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "async/runtime.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/printable.h"
#include "probe/verdicts.h"

namespace todoku::probe {
namespace {

using namespace std::chrono_literals;
using store::ProbePlace;

constexpr Microseconds kLookEvery = 1s;
constexpr std::int64_t kTogether = 8;     // probes that one process works on at once
constexpr std::size_t kReaders = 4;       // mailboxes that it reads at once
constexpr Milliseconds kHeldFor = 3min;   // longer than any step takes
constexpr Milliseconds kReadMost = 1min;  // of a mailbox
constexpr Microseconds kDropEvery = 1h;
constexpr Milliseconds kFirstLook = 2s;  // after it was handed over
constexpr Milliseconds kLongestGap = 60s;
constexpr std::size_t kDetailOctetsMax = 300;
constexpr std::size_t kTokenDigits = 20;

std::string short_detail(std::string_view detail) {
  return printable(detail.substr(0, kDetailOctetsMax));
}

// Of the same secret, mailbox, sender and hour everybody makes the same: it is asked for once.
std::string token_of(const std::string& secret, std::string_view mailbox, std::string_view sender,
                     Instant slot) {
  return sha256_hex(fmt::format("todoku probe\n{}\n{}\n{}\n{}", to_hex(secret), mailbox, sender,
                                to_epoch_ms(slot)))
      .substr(0, kTokenDigits);
}

bool is_over(RecipientState state) {
  return state != RecipientState::pending && state != RecipientState::deferred;
}

// The event of the line that tells it, by which operators choose what they are told.
std::string_view told_as(ProbePlace place) {
  if (place == ProbePlace::inbox) return "probe reached the inbox";
  if (place == ProbePlace::failed) return "probe ended without a result";
  return "probe did not reach the inbox";
}

}  // namespace

std::string random_token() {
  return to_hex(random_octets(kTokenDigits / 2));
}

Milliseconds next_look(Milliseconds since) {
  return std::clamp<Milliseconds>(since / 4, kFirstLook, kLongestGap);
}

Prober::Prober(World world, ProbeOptions options, async::Executor executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      executor_(executor),
      readers_({.threads = kReaders, .threads_of_owner = kReaders}),
      wake_(executor),
      workers_(executor),
      tasks_(executor) {
  for (const SeedMailbox& mailbox : options_.mailboxes) {
    (void)world_.metrics.counter("todoku_probes_total",
                                 "Probes that are over, by mailbox and where they were found",
                                 {{"mailbox", mailbox.name}, {"place", "inbox"}});
  }
}

void Prober::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("probes", run()); });
}

Task<void> Prober::stop() {
  stopped_ = true;
  co_await async::run_on(executor_, stop_here());
  readers_.stop();
}

// What is in hand ends by itself, soon.
Task<void> Prober::stop_here() {
  wake_.notify();
  co_await tasks_.wait_empty();
  co_await workers_.wait_empty();
}

Task<void> Prober::run() {
  while (!stopped_) {
    try {
      if (world_.holds()) {
        const auto done = co_await begin();
        if (done) {
          trouble_.worked(world_.clock.steady_now());
        } else {
          trouble_.failed(world_.clock.steady_now(), {{"reason", done.error().detail}});
        }
      }
    } catch (const std::exception&) {
      async::report_exception("working on probes", std::current_exception());
    }
    (void)co_await wake_.wait_until(world_.clock.steady_now() + kLookEvery);
  }
}

Task<Result<std::size_t>> Prober::round() {
  auto begun = co_await begin();
  co_await workers_.wait_empty();
  co_return begun;
}

// Whoever waits for a mailbox holds up no other: what is in hand only takes its places.
Task<Result<std::size_t>> Prober::begin() {
  auto asked = co_await ask_by_schedule();
  if (!asked) co_return fail(std::move(asked.error()));
  const std::int64_t room = kTogether - static_cast<std::int64_t>(workers_.size());
  if (room <= 0) co_return std::size_t{0};
  const Instant now = world_.store.clock().now();
  auto taken = co_await world_.store.write(
      store::WritePriority::retention, [now, room](store::WriteTransaction& transaction) {
        return transaction.take_probes(now, now + kHeldFor, room);
      });
  if (!taken) co_return fail(std::move(taken.error()));
  for (store::Probe& probe : *taken) workers_.spawn("probe", work(std::move(probe)));
  co_return taken->size();
}

Task<Result<void>> Prober::ask_by_schedule() {
  const SteadyInstant steady = world_.clock.steady_now();
  if (steady >= drop_at_) {
    drop_at_ = steady + kDropEvery;
    const Instant before = world_.store.clock().now() - options_.keep;
    const auto dropped = co_await world_.store.write(
        store::WritePriority::retention,
        [before](store::WriteTransaction& transaction) { return transaction.drop_probes(before); });
    if (!dropped) co_return fail(dropped.error());
  }
  if (options_.every <= 0ms) co_return Result<void>{};
  const Instant now = world_.store.clock().now();
  const Instant slot{now.time_since_epoch() / options_.every * options_.every};
  if (asked_slot_ == slot) co_return Result<void>{};
  std::vector<store::Probe> wanted;
  for (const SeedMailbox& mailbox : options_.mailboxes) {
    for (const std::string& sender : options_.senders) {
      store::Probe probe{.token = token_of(world_.secret, mailbox.name, sender, slot),
                         .mailbox = mailbox.name,
                         .asked = now,
                         .due = now,
                         .news = {}};
      probe.news.sender = sender;
      probe.news.provider = mailbox.provider;
      wanted.push_back(std::move(probe));
    }
  }
  auto done =
      co_await world_.store.write(store::WritePriority::retention,
                                  [wanted](store::WriteTransaction& transaction) -> Result<bool> {
                                    const auto open = transaction.read().probes_open();
                                    if (!open) return fail(open.error());
                                    if (*open >= store::kProbesOpenMax) return false;
                                    for (const store::Probe& probe : wanted) {
                                      auto asked = transaction.ask_probe(probe);
                                      if (!asked) return fail(std::move(asked.error()));
                                    }
                                    return true;
                                  });
  if (!done) co_return fail(std::move(done.error()));
  asked_slot_ = slot;
  if (!*done) {
    log::warning("probes of the schedule are left out, too many are open",
                 {{"open_max", store::kProbesOpenMax}});
  }
  co_return Result<void>{};
}

const SeedMailbox* Prober::mailbox_of(const store::Probe& probe) const {
  const auto found = std::ranges::find(options_.mailboxes, probe.mailbox, &SeedMailbox::name);
  return found == options_.mailboxes.end() ? nullptr : &*found;
}

Task<void> Prober::work(store::Probe probe) {
  if (!probe.due) co_return;
  const Instant taken = *probe.due;
  const SeedMailbox* const mailbox = mailbox_of(probe);
  if (probe.news.place != ProbePlace::waiting) {
    over(probe, probe.news.place);
  } else if (mailbox == nullptr) {
    probe.news.detail = "the mailbox is not configured any more";
    over(probe, ProbePlace::failed);
  } else if (!probe.news.sent) {
    co_await hand_over(probe);
  } else {
    co_await look(probe, *mailbox);
  }
  if (stopped_ && probe.due) co_return;  // whoever takes it next goes on
  const auto kept = co_await world_.store.write(
      store::WritePriority::retention, [probe, taken](store::WriteTransaction& transaction) {
        return transaction.keep_probe(probe, taken);
      });
  if (!kept) {
    trouble_.failed(world_.clock.steady_now(), {{"reason", kept.error().detail}});
  } else if (*kept && !probe.due) {
    tell(probe);
  }
}

void Prober::over(store::Probe& probe, ProbePlace place) {
  probe.news.place = place;
  probe.due.reset();
}

Task<void> Prober::hand_over(store::Probe& probe) {
  const SeedMailbox& mailbox = *mailbox_of(probe);
  const auto handed =
      co_await world_.hand_over({.from = probe.news.sender,
                                 .to = mailbox.address,
                                 .subject = fmt::format("{} {}", options_.subject, probe.token),
                                 .text = options_.text,
                                 .expires_in = options_.most});
  const Instant now = world_.store.clock().now();
  if (handed) {
    probe.news.delivery = *handed;
    probe.news.sent = now;
    probe.due = now + kFirstLook;
    co_return;
  }
  probe.news.detail = short_detail(handed.error().detail);
  const bool passes = handed.error().kind == ErrorKind::unavailable ||
                      handed.error().kind == ErrorKind::limit_exceeded;
  if (passes && now - probe.asked < options_.most) {
    probe.due = now + kLongestGap / 4;
  } else {
    over(probe, ProbePlace::failed);
  }
}

// What the receiver has said of it so far, and who sent it.
Task<Result<void>> Prober::read_story(store::ProbeNews& news) {
  const store::RecipientKey key{.delivery = news.delivery, .batch = 0, .seq = 0};
  const auto story = co_await world_.store.read(
      [key](store::ReadTransaction& reader) { return reader.story(key); });
  if (!story) co_return fail(story.error());
  if (story->attempts.empty()) co_return Result<void>{};
  const store::Attempt& last = story->attempts.back();
  if (!last.path.egress_source.empty()) news.source = last.path.egress_source;
  if (story->state == RecipientState::delivered) {
    news.accepted = last.at;
    news.detail.clear();
    co_return Result<void>{};
  }
  news.detail =
      short_detail(last.outcome.reply.code == 0
                       ? last.outcome.reply.text
                       : fmt::format("{} {}", last.outcome.reply.code, last.outcome.reply.text));
  if (is_over(story->state)) news.place = ProbePlace::refused;
  co_return Result<void>{};
}

Task<void> Prober::look(store::Probe& probe, const SeedMailbox& mailbox) {
  store::ProbeNews& news = probe.news;
  if (!news.accepted) {
    const auto read = co_await read_story(news);
    if (!read) news.detail = short_detail(read.error().detail);
  }
  if (news.place == ProbePlace::refused) {
    over(probe, ProbePlace::refused);
    co_return;
  }
  const Instant now = world_.store.clock().now();
  const auto since = std::chrono::duration_cast<Milliseconds>(now - *news.sent);
  const bool last = since >= options_.most;
  if (news.accepted || last) co_await search(probe, mailbox, last);
  if (news.place != ProbePlace::waiting || !probe.due) co_return;
  probe.due = world_.store.clock().now() + next_look(since);
}

Task<void> Prober::search(store::Probe& probe, const SeedMailbox& mailbox, bool last) {
  store::ProbeNews& news = probe.news;
  const auto since = world_.store.clock().now() - *news.sent;
  const MailboxWish wish{.token = probe.token,
                         .everywhere = last || since > 30s,
                         .remove = options_.remove,
                         .most = kReadMost};
  const auto found =
      co_await readers_.run(async::FilePool::Owner{}, [&]() -> Result<std::optional<FoundMail>> {
        const auto access = mailbox.access();
        if (!access) return fail(access.error());
        return world_.find(*access, wish, world_.clock, stopped_);
      });
  if (found && *found) {
    const FoundMail& mail = **found;
    const Verdicts verdicts = read_verdicts(mail.header, mailbox.authserv_id);
    news.found = world_.store.clock().now();
    news.folder = short_detail(mail.folder.shown);
    news.spf = verdicts.spf;
    news.dkim = verdicts.dkim;
    news.dmarc = verdicts.dmarc;
    news.detail =
        mailbox.authserv_id.empty() && !verdicts.said_by.empty()
            ? short_detail("authserv_id is not configured; the mail names " + verdicts.said_by)
            : std::string();
    over(probe, mail.folder.place);
    co_return;
  }
  if (!found && found.error().kind != ErrorKind::cancelled) {
    news.detail = short_detail(found.error().detail);
  }
  // A login that is refused is refused each time, and repeated it may lock the account.
  const bool is_refused = !found && found.error().kind == ErrorKind::unauthorized;
  if (!last && !is_refused) co_return;
  if (!found) {
    over(probe, ProbePlace::failed);
  } else {
    over(probe, news.accepted ? ProbePlace::missing : ProbePlace::refused);
  }
}

void Prober::tell(const store::Probe& probe) {
  const store::ProbeNews& news = probe.news;
  const std::string_view place = store::to_string(news.place);
  world_.metrics.counter("todoku_probes_total", "", {{"mailbox", probe.mailbox}, {"place", place}})
      .add(1);
  if (news.found) {
    const double seconds = std::chrono::duration<double>(*news.found - *news.sent).count();
    world_.metrics
        .gauge("todoku_probe_seconds",
               "How long the last probe took from its being handed over until it was seen",
               {{"mailbox", probe.mailbox}})
        .set(seconds);
  }
  const auto level = news.place == ProbePlace::inbox ? log::Level::info : log::Level::warning;
  log::write(level, told_as(news.place),
             {{"mailbox", probe.mailbox},
              {"provider", news.provider},
              {"place", place},
              {"folder", news.folder},
              {"source", news.source},
              {"spf", news.spf},
              {"dkim", news.dkim},
              {"dmarc", news.dmarc},
              {"detail", news.detail}});
}

}  // namespace todoku::probe
