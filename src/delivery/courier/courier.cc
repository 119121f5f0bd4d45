// SPDX-License-Identifier: Apache-2.0
#include "delivery/courier/courier.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/timer.h"
#include "base/log.h"
#include "delivery/courier/sandbox_ends.h"
#include "delivery/courier/sandbox_sequel.h"
#include "delivery/egress/mta_sts_route.h"
#include "delivery/policy/by_turns.h"
#include "delivery/policy/retry.h"
#include "delivery/policy/sandbox.h"
#include "delivery/policy/verdict.h"
#include "delivery/unmade.h"

namespace todoku::delivery::courier {
namespace {

constexpr std::size_t kBellsAtOnce = 10;  // what one answer of SQS has
constexpr Milliseconds kBellWait = std::chrono::seconds(10);
// From one look to the next whether there is room in memory.
constexpr Milliseconds kRoomWait{20};
// From one try to open or to hear a queue to the next.
constexpr Milliseconds kQueueWait = std::chrono::seconds(1);
// Acknowledgements under way: beyond, the next bells wait for them.
constexpr std::size_t kAcknowledgingMax = 16;
// Before a letter, or a domain's policy, is read again that the store did not give.
constexpr std::chrono::seconds kStoreWait{10};
// Until a batch may be offered again of which it is not the turn; when it is, the scheduler knows,
// and another word of the sender's must not find it put off.
constexpr Milliseconds kTurnWait = std::chrono::seconds(5);
// Until bells come again that could not be answered: the store was away; the lease had lapsed and
// is asked for again.
constexpr Milliseconds kClaimWait = std::chrono::seconds(1);
constexpr Milliseconds kLapsedWait{100};
// From one look at our resolver to the next, while it cannot be believed.
constexpr Milliseconds kResolverWait = std::chrono::seconds(10);

std::string_view domain_of(std::string_view address) {
  return address.substr(address.rfind('@') + 1);
}

dns::Families families_of(const EgressSource& source) {
  return {.ipv4 = source.use_v4, .ipv6 = source.use_v6};
}

// Why there is no letter. That the delivery is not there any more is nobody's to be told.
Cause cause_of_no_letter(const Error& error) {
  if (error.kind == ErrorKind::not_found) return Cause::key_missing;
  return error.kind == ErrorKind::corrupt ? Cause::content_unreadable : Cause::cannot_compose;
}

}  // namespace

Courier::Courier(CourierWorld& world, async::Executor executor)
    : world_(world),
      executor_(executor),
      claimed_total_(world.metrics.counter("todoku_claimed_recipients_total",
                                           "Recipients of claimed batches.")),
      stale_bells_total_(world.metrics.counter(
          "todoku_stale_bells_total", "Bells whose batch was not due or not free any more.")),
      settling_(executor),
      work_(executor),
      looking_up_(executor) {}

Task<void> Courier::begin(const EgressSource& source) {
  auto& group = receiving_[source.name];
  if (group != nullptr) co_return;
  group = std::make_unique<async::TaskGroup>(executor_);
  group->spawn("courier transactional", receive(source, TrafficClass::transactional));
  group->spawn("courier bulk", receive(source, TrafficClass::bulk));
}

Task<void> Courier::end(const EgressSource& source) {
  const auto group = receiving_.extract(source.name);
  if (group.empty()) co_return;
  co_await group.mapped()->stop();
}

Task<void> Courier::stop() {
  for (const auto& [source, group] : receiving_) co_await group->stop();
  co_await settling_.stop();
  co_await work_.stop();
  co_await looking_up_.stop();
}

// ---- bells -------------------------------------------------------------------------------------

Task<void> Courier::receive(const EgressSource& source, TrafficClass traffic) {
  std::shared_ptr<queue::Queue> queue;
  while (true) {
    const bool room = co_await room_for(traffic);
    if (!room) co_return;
    Result<std::vector<queue::ReceivedBell>> bells;
    if (queue) {
      bells = co_await queue->receive(kBellsAtOnce, kBellWait);
    } else {
      auto opened = co_await world_.queues.open({source.name, traffic});
      if (opened) {
        queue = std::move(*opened);
        continue;
      }
      bells = fail(std::move(opened.error()));
    }
    if (!bells) {
      if (bells.error().kind == ErrorKind::cancelled || bells.error().kind == ErrorKind::closed) {
        co_return;
      }
      hearing_.failed(world_.clock.steady_now(), {{"reason", bells.error().detail}});
      const bool awake = co_await async::sleep_for(kQueueWait);
      if (!awake) co_return;
      continue;
    }
    hearing_.worked(world_.clock.steady_now());
    try {
      if (!bells->empty()) co_await answer_bells(queue, std::move(*bells), source);
    } catch (const std::exception&) {
      async::report_exception("answering bells", std::current_exception());
    }
  }
}

Task<bool> Courier::room_for(TrafficClass traffic) {
  while (traffic == TrafficClass::transactional &&
         world_.claimed_transactions->load() >= world_.options.claimed_transactions_max) {
    const bool awake = co_await async::sleep_for(kRoomWait);
    if (!awake) co_return false;
  }
  co_return true;
}

std::shared_ptr<void> Courier::place_of(TrafficClass traffic) {
  if (traffic != TrafficClass::transactional) return nullptr;
  auto* const count = world_.claimed_transactions.get();
  count->fetch_add(1);
  return {count, [kept = world_.claimed_transactions](void*) { kept->fetch_sub(1); }};
}

Task<void> Courier::answer_bells(std::shared_ptr<queue::Queue> queue,
                                 std::vector<queue::ReceivedBell> bells,
                                 const EgressSource& source) {
  std::vector<queue::Receipt> receipts;
  store::Claim claim{.node = world_.node.key()};
  for (const queue::ReceivedBell& received : bells) {
    receipts.push_back(received.receipt);
    claim.batches.push_back({store::DeliveryKey{received.bell.delivery}, received.bell.batch});
  }
  std::vector<store::BatchKey> keys = claim.batches;
  // Before anything is leased that would be forgotten if there were no memory for it.
  std::vector<BatchProgress> over;
  over.reserve(keys.size());
  // A node whose lease has lapsed could not begin what it claims.
  Result<store::Claimed> claimed = fail(ErrorKind::conflict, "the lease of this process lapsed");
  const SteadyInstant asked = world_.clock.steady_now();
  if (world_.node.holds()) claimed = co_await world_.store.perform(std::move(claim));
  if (!claimed) {
    claiming_.failed(world_.clock.steady_now(), {{"reason", claimed.error().detail}});
    const bool lapsed = claimed.error().kind == ErrorKind::conflict;
    if (lapsed) world_.node.renew_soon();
    co_await settle_bells(queue->release(std::move(receipts), lapsed ? kLapsedWait : kClaimWait),
                          queue);
    co_return;
  }
  claiming_.worked(world_.clock.steady_now());
  // What is leased goes on at once, however slowly the queue forgets its bells.
  carry_all(keys, std::move(claimed->batches), source, asked, std::move(over));
  // The store says who holds the batch from here on; the bell has done its work.
  co_await settle_bells(queue->acknowledge(std::move(receipts)), queue);
}

// In the background, as long as few are: a slow queue must not keep the next bells from being
// heard. What cannot be said comes again as a stale bell.
Task<void> Courier::settle_bells(Task<Result<void>> settling, std::shared_ptr<queue::Queue> queue) {
  struct Settle {
    static Task<void> run(Task<Result<void>> what, std::shared_ptr<queue::Queue> /*alive*/) {
      (void)co_await std::move(what);
    }
  };
  if (settling_.size() < kAcknowledgingMax) {
    settling_.spawn("settling bells", Settle::run(std::move(settling), std::move(queue)));
    co_return;
  }
  (void)co_await std::move(settling);
}

void Courier::carry_all(const std::vector<store::BatchKey>& keys,
                        std::vector<Result<store::LeasedBatch>> claimed, const EgressSource& source,
                        SteadyInstant asked, std::vector<BatchProgress> over) {
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    if (claimed[i]) {
      take(std::move(*claimed[i]), source, asked);
      continue;
    }
    stale_bells_total_.add();
    // A bell that came twice, or late: the batch is in hand, and its credit in use until it is
    // over.
    if (claimed[i].error().kind == ErrorKind::conflict) continue;
    over.push_back({keys[i], 0, 0, store::BatchReleased{}});
  }
  if (!over.empty()) world_.feedback.progressed(std::move(over));
}

void Courier::take(store::LeasedBatch leased, const EgressSource& source, SteadyInstant asked) {
  claimed_total_.add(leased.recipients.size());
  if (leased.has_pace) {
    // The token grows with every claim of the batch.
    const bool again_first = leased.token % 2 == 0;
    policy::by_turns(leased.recipients, again_first, [](const store::LeasedRecipient& each) {
      return each.attempts > 0 || each.deferred;
    });
  }
  try {
    auto place = place_of(leased.traffic);
    auto batch = world_.holdings.take(std::move(leased), nullptr, asked);
    work_.spawn("batch", carry(std::move(batch), std::move(place), source));
  } catch (const std::exception&) {
    // It has gone back. Those that were claimed with it must not be forgotten for its sake.
    async::report_exception("taking a batch", std::current_exception());
  }
}

// ---- batches -----------------------------------------------------------------------------------

Task<void> Courier::carry(std::shared_ptr<BatchInFlight> batch, std::shared_ptr<void> place,
                          const EgressSource& source) {
  if (batch->expired(world_.clock.steady_now())) {
    expire(batch);
    co_return;
  }
  const bool suspect = batch->leased().suspect;
  if (suspect) {
    const bool begun = co_await world_.recorder.begin_suspect({batch, 0});
    if (!begun) co_return;
  }
  const auto letter = co_await world_.letters.letter(batch->leased().key.delivery);
  if (!letter && letter.error().kind == ErrorKind::unavailable) {
    // The store does not answer now: nothing is wrong with the mail.
    const SteadyInstant later = world_.clock.steady_now() + kStoreWait;
    for (std::uint32_t i = 0; i < batch->in_turn().size(); ++i) {
      world_.recorder.parked({batch, i}, later);
    }
    co_return;
  }
  if (!letter) {
    // It cannot become a letter now: the key is gone, the content cannot be read. Its story says
    // so, and so it goes on until somebody mends it or its life is over.
    log::error("mail cannot be made", {{"reason", letter.error().detail}});
    settle_all(batch, policy::outcome_of({.cause = cause_of_no_letter(letter.error()),
                                          .words = "4.3.5 " + letter.error().detail}));
    co_return;
  }
  if (suspect) co_await world_.recorder.let_suspect_wait({batch, 0});
  if (place == nullptr) {
    batch->set_letter(*letter);
  } else {
    // The letter lives as long as anything of its batch is in flight.
    batch->set_letter({letter->get(), [place, kept = *letter](const Letter*) {}});
  }
  if (batch->leased().has_pace) {
    const bool any = co_await take_pace(batch);
    if (!any) co_return;
  }
  co_await dispatch(std::move(batch), source);
}

Task<bool> Courier::take_pace(std::shared_ptr<BatchInFlight> batch) {
  const std::size_t all = batch->leased().recipients.size();
  const auto taken = co_await world_.store.write(
      store::WritePriority::claims,
      [key = batch->leased().key.delivery, all](store::WriteTransaction& writer) {
        return writer.take_pace(key, static_cast<std::int64_t>(all));
      });
  // Where the store does not answer, nothing is begun.
  const std::size_t granted = taken ? static_cast<std::size_t>(taken->granted) : 0;
  const Milliseconds wait = taken ? std::min(taken->next_in, kTurnWait) : Milliseconds(kStoreWait);
  batch->take_turns(granted);
  const SteadyInstant later = world_.clock.steady_now() + wait;
  for (std::size_t i = granted; i < all; ++i) {
    world_.recorder.parked({batch, static_cast<std::uint32_t>(i)}, later);
  }
  co_return granted > 0;
}

void Courier::hand_over(std::shared_ptr<BatchInFlight> batch, const EgressSource& source) {
  boost::asio::post(executor_, [this, &source, batch = std::move(batch)]() mutable {
    work_.spawn("transaction", dispatch(std::move(batch), source));
  });
}

// Its name may not be found, and be mended: that says nothing about a recipient.
Task<void> Courier::dispatch_to_smarthost(std::shared_ptr<BatchInFlight> batch,
                                          const EgressSource& source) {
  const std::string host = source.smarthost->route_name();
  const dns::RouteCache::Route answer = co_await world_.routes.route(host);
  if (!answer) co_return;  // stopping: what is open is given back
  std::vector<std::uint32_t> indices(batch->in_turn().size());
  std::iota(indices.begin(), indices.end(), 0U);
  std::optional<dns::Unroutable> why;
  if (!*answer) {
    why = answer->error();
  } else if (!dns::reaches(**answer, families_of(source))) {
    why = dns::no_common_family(**answer, families_of(source));
  }
  if (why) {
    why->permanent = false;
    if (!why->ours) why->cause = Cause::smarthost;
    unroutable(batch, source.smarthost->host, indices, *why);
    co_return;
  }
  world_.feedback.routed(host, (**answer).site);
  std::vector<Mail> mails;
  mails.reserve(indices.size());
  for (const std::uint32_t index : indices) mails.push_back({batch, index});
  egress::LaneRoute route{.key = egress::route_key(**answer), .answer = answer};
  world_.lanes.add(source, std::move(route), std::move(mails));
}

// First those that are answered at once, with all that follows, then those that take their time.
Task<void> Courier::end_in_sandbox(std::shared_ptr<BatchInFlight> batch) {
  const auto refusal = co_await conversion_refusal(batch->shared_letter());
  if (!refusal) {
    cannot_read(batch, refusal.error());
    co_return;
  }
  SandboxEnds ends = sandbox_ends(*batch, *refusal, world_.options.message_octets_max);
  struct Sequel {
    store::RecipientKey mail;
    policy::SandboxAfter after = policy::SandboxAfter::nothing;
    std::shared_ptr<std::atomic<bool>> is_ours;  // to tell: nobody was first
  };
  Milliseconds waited{0};
  for (auto& [takes, group] : ends) {
    if (takes > waited) {
      const bool awake = co_await async::sleep_for(takes - waited);
      if (!awake) co_return;  // stopping: what is open is given back
    }
    waited = takes;
    std::vector<Sequel> sequels;
    for (auto& [index, end] : group) {
      const Mail mail{batch, index};
      if (mail.withheld()) {
        world_.recorder.parked(mail, world_.clock.steady_now());
        continue;
      }
      std::shared_ptr<std::atomic<bool>> counts;
      if (end.after != policy::SandboxAfter::nothing) {
        counts = std::make_shared<std::atomic<bool>>(false);
        sequels.push_back({mail.key(), end.after, counts});
      }
      world_.recorder.settled(mail, kSandboxSite, std::move(end.outcome), policy::sandbox_path(),
                              takes, std::move(counts));
    }
    if (sequels.empty()) continue;
    co_await world_.recorder.flushed();
    for (const Sequel& sequel : sequels) {
      if (!sequel.is_ours->load()) continue;
      const auto told =
          co_await tell_sequel(world_.store, batch->letter().account, sequel.mail, sequel.after);
      if (told) {
        sequels_.worked(world_.clock.steady_now());
      } else {
        sequels_.failed(world_.clock.steady_now(), {{"reason", told.error().detail}});
      }
    }
  }
}

void Courier::cannot_read(const std::shared_ptr<BatchInFlight>& batch, const Error& error) {
  if (error.kind != ErrorKind::unavailable) {
    log::error("content not read", {{"reason", error.detail}});
    settle_all(batch,
               policy::outcome_of({.cause = Cause::content_unreadable,
                                   .words = "4.3.5 its content cannot be read: " + error.detail}));
    return;
  }
  const SteadyInstant later = world_.clock.steady_now() + kStoreWait;
  for (std::uint32_t i = 0; i < batch->in_turn().size(); ++i) {
    world_.recorder.parked({batch, i}, later);
  }
}

Task<void> Courier::dispatch(std::shared_ptr<BatchInFlight> batch, const EgressSource& source) {
  if (batch->letter().sandbox || world_.options.sandbox) {
    co_await end_in_sandbox(std::move(batch));
    co_return;
  }
  if (source.smarthost) {
    co_await dispatch_to_smarthost(std::move(batch), source);
    co_return;
  }
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> by_domain;
  const auto recipients = batch->in_turn();
  for (std::uint32_t i = 0; i < recipients.size(); ++i) {
    const std::string_view domain = domain_of(recipients[i].address);
    auto found = by_domain.find(domain);
    if (found == by_domain.end()) found = by_domain.try_emplace(std::string(domain)).first;
    found->second.push_back(i);
  }
  // Known routes at once, so that a slow name server holds up only its own domains.
  std::vector<std::pair<std::string, std::vector<std::uint32_t>>> unknown;
  for (auto& [domain, indices] : by_domain) {
    const bool policy_known = world_.mta_sts == nullptr || world_.mta_sts->is_known(domain);
    if (policy_known && world_.routes.peek(domain)) {
      co_await dispatch_domain(batch, domain, std::move(indices), source);
    } else {
      unknown.emplace_back(domain, std::move(indices));
    }
  }
  if (unknown.size() == 1) {
    auto& [domain, indices] = unknown.front();
    co_await dispatch_domain(batch, std::move(domain), std::move(indices), source);
    co_return;
  }
  for (auto& [domain, indices] : unknown) {
    while (looking_up_.size() >= world_.options.lookups_at_once) {
      const bool awake = co_await async::sleep_for(std::chrono::milliseconds(5));
      if (!awake) co_return;
    }
    looking_up_.spawn("route",
                      dispatch_domain(batch, std::move(domain), std::move(indices), source));
  }
}

Task<void> Courier::dispatch_domain(std::shared_ptr<BatchInFlight> batch, std::string domain,
                                    std::vector<std::uint32_t> indices,
                                    const EgressSource& source) {
  if (world_.mta_sts != nullptr) world_.mta_sts->ask(domain);  // beside the route
  const dns::RouteCache::Route answer = co_await world_.routes.route(domain);
  if (!answer) co_return;  // stopping: what is open is given back
  if (!*answer) {
    unroutable(batch, domain, indices, answer->error());
    co_return;
  }
  world_.feedback.routed(domain, (**answer).site);
  const auto exception =
      policy::sts_exception(world_.lanes.rules(), domain, (**answer).site, (**answer).secure);
  const auto policy = co_await policy_of(domain, exception);
  if (!policy) {
    // Stopping: what is open is given back.
    if (policy.error() == sts::PolicyCache::NoWord::cancelled) co_return;
    // The store may have a policy in force: without its word the mail waits, and nothing is tried.
    const SteadyInstant later = world_.clock.steady_now() + kStoreWait;
    for (const std::uint32_t index : indices) world_.recorder.parked({batch, index}, later);
    co_return;
  }
  auto way =
      egress::mta_sts_route(answer, *policy == nullptr ? nullptr : &(**policy).policy, exception);
  if (!way) {
    names_nobody(batch, domain, indices, **answer);
    co_return;
  }
  const dns::MailRoute& route = way->route();
  if (!dns::reaches(route, families_of(source))) {
    unroutable(batch, domain, indices, dns::no_common_family(route, families_of(source)));
    co_return;
  }
  std::vector<Mail> mails;
  mails.reserve(indices.size());
  for (const std::uint32_t index : indices) mails.push_back({batch, index});
  world_.lanes.add(source, std::move(*way), std::move(mails));
}

Task<sts::PolicyCache::Word> Courier::policy_of(std::string domain,
                                                policy::StsException exception) {
  const bool is_asked = world_.mta_sts != nullptr && exception != policy::StsException::whole;
  if (!is_asked) co_return sts::PolicyInForce();
  co_return co_await world_.mta_sts->policy(std::move(domain));
}

void Courier::names_nobody(const std::shared_ptr<BatchInFlight>& batch, const std::string& domain,
                           const std::vector<std::uint32_t>& indices, const dns::MailRoute& route) {
  world_.mta_sts->doubt(domain);
  const Outcome outcome = policy::outcome_of({.cause = Cause::mta_sts,
                                              .stage = Stage::dns,
                                              .words = egress::no_host_named(domain, route)});
  for (const std::uint32_t index : indices) {
    world_.recorder.settled({batch, index}, route.site, outcome, Path{}, Milliseconds(0));
  }
}

void Courier::unroutable(const std::shared_ptr<BatchInFlight>& batch, std::string_view domain,
                         const std::vector<std::uint32_t>& indices, const dns::Unroutable& why) {
  const Outcome outcome = policy::outcome_of(
      {.cause = why.cause, .stage = Stage::dns, .words = why.text(), .permanent = why.permanent});
  for (const std::uint32_t index : indices) {
    // Told once. Then it waits, as nothing is tried: no attempt is used up, and no history grows.
    const store::LeasedRecipient& recipient = batch->recipient(index);
    if (why.ours && (recipient.deferred || recipient.attempts > 0)) {
      world_.recorder.parked({batch, index}, world_.clock.steady_now() + kResolverWait);
      continue;
    }
    world_.recorder.settled({batch, index}, domain, outcome, Path{}, Milliseconds(0));
  }
}

void Courier::settle_all(const std::shared_ptr<BatchInFlight>& batch, const Outcome& outcome) {
  for (std::uint32_t i = 0; i < batch->in_turn().size(); ++i) {
    world_.recorder.settled({batch, i}, domain_of(batch->recipient(i).address), outcome, Path{},
                            Milliseconds(0));
  }
}

void Courier::expire(const std::shared_ptr<BatchInFlight>& batch) {
  settle_all(batch, policy::given_up(world_.options.retry_of(batch->leased().traffic)));
}

}  // namespace todoku::delivery::courier
