// SPDX-License-Identifier: Apache-2.0
// A store is taken over under other names (cluster_names.h), and what waits in it is sent or
// cancelled: in pieces, because there may be tens of millions of recipients.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "async/timer.h"
#include "events/journal/journaler.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

// Of one question or one Settle.
constexpr std::int64_t kDeliveriesLookedAt = 1'000;
constexpr std::int64_t kBatchesLookedAt = 16;
constexpr std::size_t kCancelledAtOnce = 1'000;
// Pieces of one call, of a few milliseconds each: whoever asks asks again.
constexpr int kPiecesOfACall = 50;
constexpr Milliseconds kLifeOfTheWithdrawn = std::chrono::hours(24);
// A reservation is for an instant of the calendar, by the clock of whoever looks.
constexpr Milliseconds kAnyClocksDiffer = std::chrono::minutes(5);

constexpr Milliseconds kLookForRenewalEvery{200};
constexpr Milliseconds kFoldedAtOnce{500};

constexpr std::string_view kWithdrawn =
    "4.3.0 withdrawn by an operator when this store was taken over under another name";

constexpr std::string_view kNotKnown =
    "4.3.0 the store was restored from an older copy: whether this mail was sent is not known";

store::OutcomeRecord ended_as(RecipientState state, const store::RecipientKey& key) {
  store::OutcomeRecord record;
  record.key = key;
  record.outcome.state = state;
  record.outcome.stage = Stage::none;
  record.outcome.reply = {0,
                          std::string(state == RecipientState::unknown ? kNotKnown : kWithdrawn)};
  record.outcome.is_attempt = false;
  return record;
}

struct StoredNames {
  std::optional<ClusterNames> names;
  std::optional<std::string> carried_to;
};

// What the store says of the journal.
Result<void> read_journal(const ReadSetting& setting, ClusterNames& names) {
  const auto store = setting(events::journal::kStoreSetting);
  if (!store) return fail(store.error());
  names.journal_store = store->value_or("");
  const auto number = setting(events::journal::kNumberSetting);
  if (!number) return fail(number.error());
  const auto read = parse_age(number->value_or("0"));
  if (!read) return fail(ErrorKind::corrupt, "the stored number of the journal is damaged");
  names.journal = *read;
  const auto folding = setting(kFoldingSetting);
  if (!folding) return fail(folding.error());
  names.folding = folding->value_or("") == "1";
  // Where there is only a look at settings: what the number proves.
  names.journal_place = INT64_MAX;
  return {};
}

Result<StoredNames> read_names(const ReadSetting& setting) {
  StoredNames stored;
  const auto names = setting(kClusterSetting);
  if (!names) return fail(names.error());
  if (*names) {
    stored.names = parse_cluster_names(**names);
    if (!stored.names)
      return fail(ErrorKind::corrupt, "the stored names of the cluster are damaged");
  }
  const auto age = setting(kAgeSetting);
  if (!age) return fail(age.error());
  if (*age && stored.names) {
    const auto number = parse_age(**age);
    if (!number) return fail(ErrorKind::corrupt, "the stored age of the store is damaged");
    stored.names->age = *number;
  }
  if (stored.names) {
    if (auto read = read_journal(setting, *stored.names); !read) return fail(read.error());
  }
  auto carried = setting(kCarriedToSetting);
  if (!carried) return fail(std::move(carried.error()));
  // Taken back by an adoption.
  if (*carried && !(*carried)->empty()) stored.carried_to = std::move(**carried);
  return stored;
}

ReadSetting settings_of(store::ReadTransaction& transaction) {
  return [&transaction](std::string_view name) { return transaction.setting(name); };
}

// Of engines that work on it, how far their leases run; of a store that nobody serves: none.
Result<std::map<store::NodeKey, Milliseconds>> leases_in(store::ReadTransaction& transaction) {
  const auto nodes = transaction.nodes();
  if (!nodes) return fail(nodes.error());
  std::map<store::NodeKey, Milliseconds> leases;
  for (const store::Node& node : *nodes) {
    if (!node.is_void && store::lease_runs(node)) leases.emplace(node.key, node.left);
  }
  return leases;
}

}  // namespace

Result<std::vector<OtherName>> read_other_names(const ReadSetting& setting,
                                                const ClusterNames& here) {
  const auto stored = read_names(setting);
  if (!stored) return fail(stored.error());
  return other_names(stored->names, here, stored->carried_to);
}

Result<std::vector<OtherName>> read_other_names(store::ReadTransaction& transaction,
                                                const ClusterNames& here) {
  auto stored = read_names(settings_of(transaction));
  if (!stored) return fail(std::move(stored.error()));
  if (stored->names && here.journal > 0) {
    const auto place = transaction.last_event_place();
    if (!place) return fail(place.error());
    stored->names->journal_place = store::sheet_place(*place);
  }
  return other_names(stored->names, here, stored->carried_to);
}

Result<void> remember_names(store::WriteTransaction& transaction, const ClusterNames& here) {
  const auto stored = read_names(settings_of(transaction.read()));
  if (!stored) return fail(stored.error());
  const ClusterNames names = merged_names(stored->names, here);
  if (stored->names && to_text(*stored->names) == to_text(names)) return {};
  return transaction.put_setting(kClusterSetting, to_text(names));
}

Result<std::uint64_t> grow_older(store::WriteTransaction& transaction) {
  const auto text = transaction.read().setting(kAgeSetting);
  if (!text) return fail(text.error());
  const auto age = parse_age(text->value_or("0"));
  if (!age) return fail(ErrorKind::corrupt, "the stored age of the store is damaged");
  auto put = transaction.put_setting(kAgeSetting, std::to_string(*age + 1));
  if (!put) return fail(std::move(put.error()));
  return *age + 1;
}

Task<Result<ClusterView>> Operations::cluster() {
  auto others = co_await store_.read([here = options_.names](store::ReadTransaction& transaction) {
    return read_other_names(transaction, here);
  });
  if (!others) co_return fail(std::move(others.error()));
  co_return ClusterView{.here = options_.names, .others = std::move(*others)};
}

Task<Result<Waiting>> Operations::waiting() {
  Waiting waiting;
  store::DeliveryKey after{};
  while (true) {
    const auto stretch = co_await store_.read([after](store::ReadTransaction& transaction) {
      return transaction.waiting_deliveries(after, kDeliveriesLookedAt);
    });
    if (!stretch) co_return fail(stretch.error());
    for (const store::WaitingDelivery& delivery : stretch->deliveries) {
      ++waiting.deliveries;
      waiting.recipients += delivery.recipients;
    }
    if (!stretch->next) co_return waiting;
    after = *stretch->next;
  }
}

// Only the address of the database is another one.
Task<Result<bool>> Operations::only_address_differs() {
  const auto names = co_await cluster();
  if (!names) co_return fail(names.error());
  co_return !names->others.empty() && std::ranges::all_of(names->others, [](const OtherName& name) {
    return name.what == OtherName::What::database;
  });
}

// An engine renews its lease here and now: this is the very store that it works on, not a copy in
// which its lease still runs.
Task<Result<bool>> Operations::is_renewed() {
  std::optional<std::map<store::NodeKey, Milliseconds>> before;
  const SteadyInstant until = clock_.steady_now() + 2 * store::kRenewEvery;
  while (true) {
    const auto leases = co_await store_.read(
        [](store::ReadTransaction& transaction) { return leases_in(transaction); });
    if (!leases) co_return fail(leases.error());
    for (const auto& [node, left] : *leases) {
      if (before && before->contains(node) && left > before->at(node)) co_return true;
    }
    if (leases->empty() || clock_.steady_now() >= until) co_return false;
    before = *leases;
    (void)co_await async::sleep_for(kLookForRenewalEvery);
  }
}

// A store that is served is nobody's to take over.
Task<Result<void>> Operations::check_adoptable() {
  const auto nodes =
      co_await store_.read([](store::ReadTransaction& transaction) { return transaction.nodes(); });
  if (!nodes) co_return fail(nodes.error());
  for (const store::Node& node : *nodes) {
    if (node.is_void || !store::lease_runs(node)) continue;
    co_return fail(ErrorKind::conflict,
                   fmt::format("an engine works on this store, node {} ({}): it is no copy. Where "
                               "only the address of the database differs, say that what waits is "
                               "to be sent; else stop it. Of a copy that was just made, wait {} s",
                               node.name, node.roles,
                               std::chrono::ceil<std::chrono::seconds>(node.left).count()));
  }
  co_return Result<void>{};
}

Task<Result<Cancelled>> Operations::cancel_waiting(std::int64_t from, RecipientState as) {
  auto may = co_await check_adoptable();
  if (may) may = co_await check_folded();
  if (!may) co_return fail(std::move(may.error()));
  Cancelled cancelled;
  if (from == 0) {
    auto unstarted = co_await cancel_unstarted(as);
    if (!unstarted) co_return unstarted;
    cancelled = *unstarted;
  }
  for (int piece = 0; piece < kPiecesOfACall; ++piece) {
    const auto stretch = co_await store_.read([from](store::ReadTransaction& transaction) {
      return transaction.open_recipients(from, kBatchesLookedAt);
    });
    if (!stretch) co_return fail(stretch.error());
    std::vector<store::OutcomeRecord> outcomes;
    for (std::size_t i = 0; i < stretch->recipients.size(); ++i) {
      outcomes.push_back(ended_as(as, stretch->recipients[i]));
      const bool last = i + 1 == stretch->recipients.size();
      if (!last && outcomes.size() < kCancelledAtOnce) continue;
      const auto settled = co_await store_.perform(store::Settle{.outcomes = outcomes});
      if (!settled) co_return fail(settled.error());
      for (const auto& outcome : settled->outcomes) {
        if (!outcome) co_return fail(outcome.error());
      }
      cancelled.recipients += static_cast<std::int64_t>(outcomes.size());
      outcomes.clear();
    }
    if (!stretch->next) co_return cancelled;
    from = *stretch->next;
  }
  cancelled.next = from;
  co_return cancelled;
}

// Reserved for an instant that has not come yet: nobody has begun it, in whatever history.
Task<Result<bool>> Operations::is_for_later(store::DeliveryKey key) {
  const auto head = co_await store_.read(
      [key](store::ReadTransaction& transaction) { return transaction.delivery_head(key); });
  if (!head) co_return fail(head.error());
  co_return head->reservation && *head->reservation > store_.clock().now() + kAnyClocksDiffer;
}

// What is reserved or about to be started begins, and its recipients are cancelled with the others:
// so each has its story. Nobody sends meanwhile. Of a suspended account nothing can be started:
// that fails as a whole.
Task<Result<Cancelled>> Operations::cancel_unstarted(RecipientState as) {
  Cancelled cancelled;
  store::DeliveryKey after{};
  while (true) {
    const auto stretch = co_await store_.read([after](store::ReadTransaction& transaction) {
      return transaction.waiting_deliveries(after, kDeliveriesLookedAt);
    });
    if (!stretch) co_return fail(stretch.error());
    for (const store::WaitingDelivery& delivery : stretch->deliveries) {
      if (delivery.started) continue;
      if (as == RecipientState::unknown) {
        const auto later = co_await is_for_later(delivery.key);
        if (!later) co_return fail(later.error());
        if (*later) continue;
      }
      const auto begun = co_await store_.write(
          store::WritePriority::claims,
          [key = delivery.key, past = store_.clock().now() - kAnyClocksDiffer](
              store::WriteTransaction& transaction) -> Result<void> {
            // Only what is reserved for later has to be moved.
            const auto moved = transaction.move_reservation(key, past, {});
            if (!moved && moved.error().kind != ErrorKind::conflict) return fail(moved.error());
            auto settled = transaction.settle_approval(key);
            if (!settled) return settled;
            return transaction.start_delivery(key, "", kLifeOfTheWithdrawn);
          });
      ++cancelled.deliveries;
      if (begun) continue;
      if (begun.error().kind != ErrorKind::conflict) co_return fail(begun.error());
      const auto failed = co_await store_.write(
          store::WritePriority::claims, [key = delivery.key](store::WriteTransaction& transaction) {
            return transaction.fail_delivery(key, kWithdrawn.substr(kWithdrawn.find(' ') + 1));
          });
      if (!failed) co_return fail(failed.error());
      cancelled.recipients += delivery.recipients;
    }
    if (!stretch->next) co_return cancelled;
    after = *stretch->next;
  }
}

namespace {

// A later one than any that the journal tells of: one restore may follow another.
Result<void> begin_generation_after(store::WriteTransaction& transaction, std::int64_t place) {
  while (true) {
    auto begun = transaction.begin_event_generation();
    if (!begun) return begun;
    const auto last = transaction.read().last_event_place();
    if (!last) return fail(last.error());
    if (last->generation > store::event_place_of(place, 0).generation) return {};
  }
}

// Under another cluster's name it is a store of its own: two do not write one journal.
Result<void> leave_journal_to_other(store::WriteTransaction& transaction,
                                    const ClusterNames& here) {
  const auto stored = read_names(settings_of(transaction.read()));
  if (!stored) return fail(stored.error());
  const bool is_renamed =
      stored->names && !stored->names->cluster.empty() && stored->names->cluster != here.cluster;
  if (!is_renamed || stored->names->journal_store.empty()) return {};
  return transaction.put_setting(events::journal::kStoreSetting, events::journal::new_store_name());
}

// A copy knows all that was told up to its own number. It does not change before the adoption.
Result<std::uint64_t> number_of_copy(store::ReadTransaction& transaction) {
  const auto text = transaction.setting(events::journal::kNumberSetting);
  if (!text) return fail(text.error());
  const auto number = parse_age(text->value_or("0"));
  if (!number) return fail(ErrorKind::corrupt, "the stored number of the journal is damaged");
  return *number;
}

// Whoever adopts without a journal says that it is lost.
Result<void> end_folding(store::WriteTransaction& transaction) {
  const auto folding = transaction.read().setting(kFoldingSetting);
  if (!folding) return fail(folding.error());
  if (folding->value_or("").empty()) return {};
  return transaction.put_setting(kFoldingSetting, "");
}

Result<void> note_folded(store::WriteTransaction& transaction, std::uint64_t number) {
  auto noted = transaction.put_setting(events::journal::kNumberSetting, std::to_string(number));
  if (!noted) return noted;
  return transaction.put_setting(kFoldingSetting, "");
}

// A fold was begun, and nothing is in the folder any more.
Result<void> check_journal_there(const Operations::Options& options) {
  if (options.names.journal > 0 || options.journal_folder.empty()) return {};
  return fail(ErrorKind::conflict,
              "a fold was begun, and the journal's folder is empty now: see whether it is mounted. "
              "Where the journal is lost, take journal.directory out of the configuration and "
              "adopt without it");
}

}  // namespace

// Where the journal knows more, that is in the store first.
Task<Result<void>> Operations::check_folded() {
  const auto names = co_await cluster();
  if (!names) co_return fail(names.error());
  for (const OtherName& name : names->others) {
    if (name.what == OtherName::What::other_journal) {
      co_return fail(ErrorKind::conflict, to_sentence(name, Language::english));
    }
  }
  if (!is_behind_journal(names->others)) co_return Result<void>{};
  if (auto there = check_journal_there(options_); !there) co_return there;
  const auto folded = co_await store_.read(
      [](store::ReadTransaction& transaction) { return transaction.setting(kFoldedSetting); });
  if (!folded) co_return fail(folded.error());
  if (parse_age(folded->value_or("0")).value_or(0) >= options_.names.journal) {
    co_return Result<void>{};
  }
  co_return fail(ErrorKind::conflict,
                 "the journal knows what became of mails after this copy was made: fold it in "
                 "first, with `todoku restore fold`");
}

Task<Result<events::journal::Folded>> Operations::fold_journal(std::int64_t from) {
  auto may = co_await check_adoptable();
  if (!may) co_return fail(std::move(may.error()));
  const auto names = co_await cluster();
  if (!names) co_return fail(names.error());
  if (!is_behind_journal(names->others)) {
    co_return fail(ErrorKind::conflict,
                   "nothing to do: the journal knows nothing that this store does not");
  }
  auto number = static_cast<std::uint64_t>(from);
  if (options_.names.journal == 0) {
    auto there = check_journal_there(options_);
    co_return fail(there ? Error{ErrorKind::conflict,
                                 "there is no journal here (journal.directory) that could be "
                                 "folded in: `todoku cluster adopt` goes on without it"}
                         : std::move(there.error()));
  }
  if (from == 0) {
    const auto known = co_await store_.read(number_of_copy);
    if (!known) co_return fail(known.error());
    number = *known;
    // From here on the store holds, whatever places what is folded in takes.
    auto begun = co_await store_.write(
        store::WritePriority::claims,
        [](store::WriteTransaction& t) { return t.put_setting(kFoldingSetting, "1"); });
    if (!begun) co_return fail(std::move(begun.error()));
  }
  // Blocks for as long as a piece takes: nobody works here.
  auto folded = events::journal::fold(store_, {.folder = options_.journal_folder,
                                               .store = options_.names.journal_store,
                                               .number = number,
                                               .enough = kFoldedAtOnce});
  if (!folded || !folded->ended) co_return folded;
  if (std::max(number, folded->last_number) < options_.names.journal) {
    co_return fail(ErrorKind::io,
                   "the journal's folder ends earlier than it did when this process began: see "
                   "whether it is mounted, and fold once more");
  }
  auto noted = co_await store_.write(store::WritePriority::claims,
                                     [number = options_.names.journal](store::WriteTransaction& t) {
                                       return t.put_setting(kFoldedSetting, std::to_string(number));
                                     });
  if (!noted) co_return fail(std::move(noted.error()));
  co_return folded;
}

Task<Result<void>> Operations::adopt(bool send_waiting) {
  // Another name of the address takes nothing over: whoever comes by it shares the store by its
  // rows with those who came by the first. What waits is sent by them already.
  const auto address = co_await only_address_differs();
  if (!address) co_return fail(address.error());
  bool shares = false;
  if (*address && send_waiting) {
    const auto renewed = co_await is_renewed();
    if (!renewed) co_return fail(renewed.error());
    shares = *renewed;
  }
  auto may = shares ? Result<void>() : co_await check_adoptable();
  if (may) may = co_await check_folded();
  if (!may) co_return may;
  if (!send_waiting) {
    const auto left = co_await waiting();
    if (!left) co_return fail(left.error());
    if (left->deliveries > 0) {
      co_return fail(ErrorKind::conflict,
                     fmt::format("{} deliveries with {} recipients wait in this store, and would "
                                 "be sent: say what becomes of them",
                                 left->deliveries, left->recipients));
    }
  }
  auto adopted = co_await store_.write(
      store::WritePriority::claims,
      [here = options_.names, shares](store::WriteTransaction& transaction) -> Result<void> {
        const auto carried = transaction.read().setting(kCarriedToSetting);
        if (!carried) return fail(carried.error());
        if (*carried) {
          auto taken_back = transaction.put_setting(kCarriedToSetting, "");
          if (!taken_back) return taken_back;
        }
        // A copy, or a backup: what the other one has gone on to tell would have the same places.
        if (!shares) {
          auto begun = begin_generation_after(transaction, here.journal_place);
          if (!begun) return begun;
        }
        if (!shares) {
          auto renamed = leave_journal_to_other(transaction, here);
          if (!renamed) return renamed;
        }
        if (here.journal > 0) {
          auto noted = note_folded(transaction, here.journal);
          if (!noted) return noted;
        } else if (!shares) {
          auto ended = end_folding(transaction);
          if (!ended) return ended;
        }
        if (here.age > 0) {
          auto aged = transaction.put_setting(kAgeSetting, std::to_string(here.age));
          if (!aged) return aged;
        }
        return transaction.put_setting(kClusterSetting, to_text(here));
      });
  co_return adopted;
}

Task<Result<std::vector<NodeView>>> Operations::nodes() {
  auto views = co_await store_.read(
      [](store::ReadTransaction& transaction) -> Result<std::vector<NodeView>> {
        const auto nodes = transaction.nodes();
        if (!nodes) return fail(nodes.error());
        const auto held = transaction.held_by_nodes();
        if (!held) return fail(held.error());
        const auto leader = transaction.leader();
        if (!leader) return fail(leader.error());
        const auto owners = transaction.source_owners();
        if (!owners) return fail(owners.error());
        std::vector<NodeView> views;
        for (const store::Node& node : *nodes) {
          NodeView& view = views.emplace_back(NodeView{.node = node, .holds = {}, .sources = {}});
          for (const store::NodeHolds& each : *held) {
            if (each.node == node.key) view.holds = each;
          }
          view.leads = *leader && (*leader)->node == node.key && (*leader)->left > Milliseconds(0);
          for (const store::SourceOwner& owner : *owners) {
            if (owner.node == node.key) view.sources.push_back(owner.source);
          }
        }
        return views;
      });
  co_return views;
}

}  // namespace todoku::operate
