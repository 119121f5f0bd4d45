// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/node_watcher.h"

#include <vector>

#include "base/log.h"

namespace todoku::delivery::scheduler {
namespace {

// Batches of one transaction.
constexpr std::int64_t kSlice = 500;

}  // namespace

NodeWatcher::NodeWatcher(store::Store& store, const NodeLease& itself, const Clock& clock,
                         Metrics& metrics)
    : store_(store),
      itself_(itself),
      clock_(clock),
      offered_total_(metrics.counter("todoku_batches_offered_again_total",
                                     "Batches that a dead process had in hand.")),
      set_aside_total_(metrics.counter("todoku_set_aside_total",
                                       "Recipients set aside because processes died with them "
                                       "alone in hand. They wait for an operator.")),
      unknown_total_(metrics.counter(
          "todoku_unknown_recipients_total",
          "Recipients whose mail is sent at most once and was on its way when a process died.")) {}

Task<Result<void>> NodeWatcher::look() {
  offered_ = false;
  const SteadyInstant asked = clock_.steady_now();
  if (asked < next_look_) co_return Result<void>{};
  const auto nodes =
      co_await store_.read([](store::ReadTransaction& reader) { return reader.nodes(); });
  if (!nodes) {
    watch_.interrupted();
    co_return fail(nodes.error());
  }
  next_look_ = clock_.steady_now() + store::kRenewEvery;
  std::vector<policy::NodeWatch::Seen> seen;
  for (const store::Node& node : *nodes) {
    if (!node.is_void) seen.push_back({static_cast<std::int64_t>(node.key), node.left});
  }
  const auto itself = static_cast<std::int64_t>(itself_.key());
  for (const std::int64_t dead : watch_.look(seen, itself, asked, clock_.steady_now())) {
    auto buried = co_await bury(store::NodeKey{dead});
    if (!buried) co_return buried;
  }
  for (const store::Node& node : *nodes) {
    if (!node.is_void) continue;
    auto done = co_await offer_again(node.key);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Task<Result<void>> NodeWatcher::bury(store::NodeKey node) {
  const auto dead = co_await store_.write(
      store::WritePriority::claims,
      [node](store::WriteTransaction& transaction) { return transaction.void_node(node); });
  if (!dead) co_return fail(dead.error());
  if (!*dead) co_return Result<void>{};
  log::warning("a process has not renewed its lease and counts as dead",
               {{"node", static_cast<std::int64_t>(node)}});
  co_return co_await offer_again(node);
}

Task<Result<void>> NodeWatcher::offer_again(store::NodeKey node) {
  std::int64_t batches = 0;
  while (true) {
    const auto slice = co_await store_.write(store::WritePriority::claims,
                                             [node](store::WriteTransaction& transaction) {
                                               return transaction.offer_again(node, kSlice);
                                             });
    if (!slice) co_return fail(slice.error());
    batches += slice->batches;
    set_aside_total_.add(slice->set_aside.size());
    unknown_total_.add(static_cast<std::uint64_t>(slice->unknown));
    if (slice->unknown > 0) {
      log::warning(
          "mail that is sent at most once was on its way when a process died: it may have "
          "arrived, and stays unknown",
          {{"node", static_cast<std::int64_t>(node)}, {"recipients", slice->unknown}});
    }
    for (const store::SetAside& recipient : slice->set_aside) {
      log::error("a mail was set aside: processes died with it alone in hand; see `todoku stuck`",
                 {{"delivery", recipient.delivery_id}, {"email", recipient.email_id}});
    }
    if (!slice->more) break;
  }
  if (batches > 0) {
    offered_ = true;
    offered_total_.add(static_cast<std::uint64_t>(batches));
    log::info("what a dead process had in hand is offered again",
              {{"node", static_cast<std::int64_t>(node)}, {"batches", batches}});
  }
  co_return Result<void>{};
}

}  // namespace todoku::delivery::scheduler
