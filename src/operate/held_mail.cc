// SPDX-License-Identifier: Apache-2.0
// What an SMTP credential handed in and what has not left: told, and dropped while it is held.
#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/date_time.h"
#include "base/log.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

constexpr std::int64_t kDeliveriesPassed = 2'000;  // by one question
constexpr int kQuestionsOfACall = 20;
constexpr std::size_t kShown = 5;
constexpr std::size_t kDroppedAtOnce = 100;
constexpr std::string_view kDropped = "it was dropped with what its held SMTP credential handed in";

// Of one that was over before: nothing.
Result<std::int64_t> drop_delivery(store::WriteTransaction& writer,
                                   const store::WaitingDelivery& delivery) {
  Result<void> done;
  if (delivery.started) {
    const auto stopped = writer.steer_delivery(delivery.key, store::Course::stopped);
    if (!stopped) done = fail(stopped.error());
    if (stopped && !*stopped) return 0;
  } else {
    done = writer.fail_delivery(delivery.key, kDropped);
  }
  if (done) return delivery.recipients;
  if (done.error().kind == ErrorKind::conflict || done.error().kind == ErrorKind::not_found) {
    return 0;
  }
  return fail(std::move(done.error()));
}

Result<std::int64_t> drop_deliveries(store::WriteTransaction& writer,
                                     std::span<const store::WaitingDelivery> deliveries) {
  std::int64_t recipients = 0;
  for (const store::WaitingDelivery& each : deliveries) {
    const auto dropped = drop_delivery(writer, each);
    if (!dropped) return dropped;
    recipients += *dropped;
  }
  return recipients;
}

// What of a credential's mail is meant.
struct Wanted {
  std::string credential;
  std::optional<Instant> since;
  std::size_t shown = 0;  // of the first ones the delivery itself is wanted
};

// With the deliveries that are to be shown.
struct HeldStretch {
  store::WaitingStretch waiting;
  std::vector<WaitingMail> shown;
};

Result<HeldStretch> read_stretch(store::ReadTransaction& reader, store::DeliveryKey after,
                                 const Wanted& wanted) {
  auto stretch = reader.waiting_deliveries(after, kDeliveriesPassed);
  if (!stretch) return fail(std::move(stretch.error()));
  HeldStretch held{.waiting = {.next = stretch->next}};
  for (store::WaitingDelivery& each : stretch->deliveries) {
    if (each.credential != wanted.credential) continue;
    const bool is_shown = held.shown.size() < wanted.shown;
    if (wanted.since || is_shown) {
      const auto delivery = reader.delivery_head(each.key);
      if (!delivery && delivery.error().kind == ErrorKind::not_found) continue;
      if (!delivery) return fail(delivery.error());
      if (wanted.since && delivery->created < *wanted.since) continue;
      if (is_shown) {
        held.shown.push_back({.delivery = delivery->id,
                              .accepted = delivery->created,
                              .recipients = each.recipients,
                              .subject = delivery->content.subject});
      }
    }
    held.waiting.deliveries.push_back(std::move(each));
  }
  return held;
}

Result<std::optional<Instant>> read_since(const std::string& text) {
  if (text.empty()) return std::optional<Instant>();
  const auto since = parse_date_time(text);
  if (since) return since;
  return fail(ErrorKind::invalid_input,
              "since is no date and time such as 2026-04-01T09:00:00+09:00");
}

}  // namespace

Task<Result<Cancelled>> Operations::drop_smtp_mail(std::string account_name, std::string name,
                                                   DropRequest request) {
  const auto credential = co_await smtp_credential(account_name, name);
  if (!credential) co_return fail(credential.error());
  if (!credential->credential.held && !request.preview) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("the SMTP credential {} is not held; hold it first", name));
  }
  const auto since = read_since(request.since);
  if (!since) co_return fail(since.error());
  Wanted wanted{.credential = name, .since = *since};
  Cancelled cancelled{.deliveries = 0, .recipients = 0, .next = request.from, .first = {}};
  for (int question = 0; question < kQuestionsOfACall && cancelled.next; ++question) {
    wanted.shown = request.preview ? kShown - cancelled.first.size() : 0;
    auto stretch = co_await store_.read(
        [after = store::DeliveryKey{*cancelled.next}, wanted](store::ReadTransaction& reader) {
          return read_stretch(reader, after, wanted);
        });
    if (!stretch) co_return fail(std::move(stretch.error()));
    std::ranges::move(stretch->shown, std::back_inserter(cancelled.first));
    const auto& all = stretch->waiting.deliveries;
    if (request.preview) {
      for (const store::WaitingDelivery& each : all) cancelled.recipients += each.recipients;
    }
    for (std::size_t first = 0; first < all.size() && !request.preview; first += kDroppedAtOnce) {
      const auto last = std::min(all.size(), first + kDroppedAtOnce);
      const std::vector<store::WaitingDelivery> some(
          all.begin() + static_cast<std::ptrdiff_t>(first),
          all.begin() + static_cast<std::ptrdiff_t>(last));
      const auto dropped = co_await store_.write(
          store::WritePriority::claims,
          [some](store::WriteTransaction& writer) { return drop_deliveries(writer, some); });
      if (!dropped) co_return fail(dropped.error());
      cancelled.recipients += *dropped;
    }
    cancelled.deliveries += static_cast<std::int64_t>(all.size());
    cancelled.next.reset();
    const auto& next = stretch->waiting.next;
    if (next) cancelled.next = static_cast<std::int64_t>(*next);
  }
  if (request.preview) co_return cancelled;
  log::info("mail of a held SMTP credential dropped", {{"account", account_name},
                                                       {"credential", name},
                                                       {"deliveries", cancelled.deliveries},
                                                       {"recipients", cancelled.recipients}});
  (void)co_await changed();
  co_return cancelled;
}

}  // namespace todoku::operate
