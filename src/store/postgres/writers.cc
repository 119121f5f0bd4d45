// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/writers.h"

#include <algorithm>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/caught.h"

namespace todoku::store::postgres {
namespace {

// Operations of one flight: of mails that are accepted few enough that their octets are bearable.
constexpr std::size_t kTogetherMost = 256;
constexpr std::size_t kRowsTogether = 10'000;
constexpr std::size_t kOctetsTogether = 8UL << 20U;
// What a flight costs by itself is as much as this many mails: fewer are not shared out.
constexpr std::size_t kWorthSharing = 32;

// Hot operations go first within their priority.
constexpr std::size_t lane_of(WritePriority priority, bool is_function) {
  return 2 * static_cast<std::size_t>(priority) + (is_function ? 1 : 0);
}
constexpr std::size_t priority_of(std::size_t lane) {
  return lane / 2;
}
// Of what is accepted: waiting longer without anybody taking it is told.
constexpr std::chrono::seconds kServedWithin{2};
// And waiting longer than this, whoever is served before it.
constexpr std::chrono::milliseconds kWaitsAtMost{2'500};
constexpr std::chrono::milliseconds kLookForOverdueEvery{250};

constexpr bool is_functions(std::size_t lane) {
  return lane % 2 == 1;
}
constexpr std::size_t kAcceptLane = lane_of(WritePriority::accept, false);

// Rows that an operation writes.
std::size_t rows_of(const Accept& accept) {
  return accept.recipients.size();
}
std::size_t rows_of(const Settle& settle) {
  return settle.outcomes.size() + settle.releases.size() + settle.marks.size();
}
std::size_t rows_of(const Claim& claim) {
  return claim.batches.size();
}
std::size_t rows_of(const StageRows& stage) {
  return stage.recipients.size();
}

Error held_up() noexcept {
  try {
    return {ErrorKind::unavailable, "the database holds up what is written"};
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

// What its owner throws is its own loss.
template <class Piece>
void refuse(Piece& piece, Error error) noexcept {
  std::visit(
      [&](auto& refused) {
        (void)caught([&]() -> Result<void> {
          refused.done(fail(std::move(error)));
          return {};
        });
      },
      piece);
}

}  // namespace

Writers::~Writers() {
  stop();
}

void Writers::start(std::size_t threads, Connections& connections) {
  thread_count_ = threads;
  performing_.resize(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this, &connections, i] { run(connections, i); });
  }
  usher_ = std::thread([this] { refuse_overdue(); });
}

void Writers::stop() {
  {
    const std::lock_guard lock(mutex_);
    admission_.close();
  }
  filled_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
  if (usher_.joinable()) usher_.join();
}

void Writers::submit(WritePriority priority, WriteWork work, Done done) {
  take(priority, Function{std::move(work), std::move(done), {}, 0});
}

void Writers::take(WritePriority priority, Piece piece) {
  std::string_view refusal;
  bool wakes = false;
  if (auto* const accept = std::get_if<Pending<Accept>>(&piece)) {
    accept->octets = octets_of(accept->op);
  }
  const std::size_t octets = std::visit([](const auto& some) { return some.octets; }, piece);
  const auto place = static_cast<std::size_t>(priority);
  std::visit([](auto& some) { some.since = SystemClock().steady_now(); }, piece);
  {
    const std::lock_guard lock(mutex_);
    refusal = admission_.refuse(priority, queued_.at(place), octets);
    if (refusal.empty()) {
      const std::size_t lane = lane_of(priority, std::holds_alternative<Function>(piece));
      if (lanes_.at(lane).pieces.empty()) lanes_.at(lane).served = SystemClock().steady_now();
      lanes_.at(lane).pieces.push_back(std::move(piece));
      wakes = share_of(lane) > 0;
      ++queued_.at(place);
    }
  }
  if (!refusal.empty()) {
    std::visit(
        [&](auto& refused) { refused.done(fail(ErrorKind::unavailable, std::string(refusal))); },
        piece);
    return;
  }
  if (wakes) filled_.notify_one();
}

StoreFigures Writers::figures() const {
  StoreFigures figures;
  figures.commits = commits_;
  figures.writes = writes_;
  figures.failed_commits = failed_commits_;
  figures.doubts = doubts_;
  figures.commit_time = Microseconds(commit_time_us_.load());
  const std::lock_guard lock(mutex_);
  for (const std::size_t queued : queued_) figures.queued += queued;
  for (const SteadyInstant since : performing_) {
    if (since == SteadyInstant{}) continue;
    figures.performing_since = std::min(figures.performing_since.value_or(since), since);
  }
  return figures;
}

std::size_t Writers::share_of(std::size_t lane) const {
  const Lane& from = lanes_.at(lane);
  const std::size_t waiting = from.pieces.size();
  if (is_functions(lane)) return std::min<std::size_t>(waiting, 1);
  const std::size_t most = std::min(waiting, kTogetherMost);
  if (lane != kAcceptLane) return from.flights == 0 ? most : 0;
  const std::size_t all = waiting + from.in_air;
  if (all < kWorthSharing) return from.flights == 0 ? most : 0;
  std::size_t threads = thread_count_;
  for (std::size_t i = 0; i < kLanes && threads > 1; ++i) {
    if (i != lane) threads -= std::min(lanes_.at(i).flights, threads - 1);
  }
  const std::size_t share = (all + threads - 1) / threads;
  // A few would only take the server's time from those that are on their way.
  if (from.flights > 0 && waiting < share / 2) return 0;
  return std::min(share, most);
}

std::size_t Writers::next_lane() const {
  constexpr unsigned kPatientTurn = 8;
  const bool patient_first = turns_ % kPatientTurn == kPatientTurn - 1;
  std::size_t shared = kLanes;
  for (std::size_t i = 0; i < kLanes; ++i) {
    const std::size_t lane = patient_first ? kLanes - 1 - i : i;
    if (share_of(lane) == 0) continue;
    if (is_functions(lane) || lanes_.at(lane).flights == 0) return lane;
    shared = lane;
  }
  return shared;
}

void Writers::draw_from(std::size_t lane, Drawn& drawn) {
  Lane& from = lanes_.at(lane);
  drawn.lane = lane;
  const std::size_t most = share_of(lane);
  std::size_t octets = 0;
  std::size_t rows = 0;
  while (drawn.pieces.size() < most) {
    std::visit(
        [&](const auto& piece) {
          octets += piece.octets;
          if constexpr (!std::is_same_v<decltype(piece), const Function&>)
            rows += rows_of(piece.op);
        },
        from.pieces.front());
    const bool too_much = octets > kOctetsTogether || rows > kRowsTogether;
    if (too_much && !drawn.pieces.empty()) break;
    const auto drew = caught([&]() -> Result<void> {
      drawn.pieces.push_back(std::move(from.pieces.front()));
      return {};
    });
    if (!drew) break;  // it waits on
    from.pieces.pop_front();
    --queued_.at(priority_of(lane));
  }
  if (drawn.pieces.empty()) throw std::bad_alloc();
  from.in_air += drawn.pieces.size();
  ++from.flights;
  from.served = SystemClock().steady_now();
  performing_.at(drawn.thread) = from.served;
  ++turns_;
  if (share_of(lane) > 0) filled_.notify_one();
}

void Writers::draw(Drawn& drawn) {
  const std::lock_guard lock(mutex_);
  const std::size_t lane = next_lane();
  if (lane < kLanes) draw_from(lane, drawn);
}

bool Writers::wait_for_work(Connections& connections) {
  std::unique_lock lock(mutex_);
  while (next_lane() == kLanes) {
    if (admission_.closed() &&
        std::ranges::all_of(lanes_, [](const Lane& each) { return each.pieces.empty(); })) {
      return false;
    }
    if (filled_.wait_for(lock, connections.rest_max()) == std::cv_status::timeout) {
      connections.end_resting();
    }
  }
  return true;
}

void Writers::run(Connections& connections, std::size_t thread) {
  Borrowed connection(connections);
  Ground ground = ground_;
  ground.link = [&connection](Use use, SteadyInstant until) { return connection.get(use, until); };
  ground.pause = [this, &connection](int tries) { return closing_.wait(connection.pause(tries)); };
  while (wait_for_work(connections)) {
    const auto turned = caught([&]() -> Result<void> {
      turn(ground, connection, connections, thread);
      return {};
    });
    if (turned) continue;
    connection.give_back();
    refuse_first();
  }
}

void Writers::turn(const Ground& ground, Borrowed& connection, Connections& connections,
                   std::size_t thread) {
  // Where others have all connections and work with them, what waits is done by them, or when one
  // of them is free. Where there is none, somebody must say so.
  if (!connection.get(Use::change) && connections.work()) return;
  Drawn drawn{.thread = thread, .lane = 0, .pieces = {}};
  draw(drawn);
  if (!drawn.pieces.empty()) {
    const SteadyInstant began = SystemClock().steady_now();
    perform(ground, drawn);
    connection.give_back();
    finish(drawn, SystemClock().steady_now() - began);
  } else {
    connection.give_back();
  }
}

Writers::Piece Writers::take_out(std::size_t lane) noexcept {
  Lane& from = lanes_.at(lane);
  Piece piece = std::move(from.pieces.front());
  from.pieces.pop_front();
  --queued_.at(priority_of(lane));
  std::visit([&](const auto& some) { admission_.let_go(some.octets); }, piece);
  return piece;
}

void Writers::refuse_first() noexcept {
  std::optional<Piece> first;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t lane = next_lane();
    if (lane < kLanes) first = take_out(lane);
  }
  if (first) refuse(*first, out_of_memory());
}

std::optional<Writers::Piece> Writers::take_overdue() noexcept {
  const SteadyInstant now = SystemClock().steady_now();
  for (const bool functions : {false, true}) {
    const std::size_t lane = lane_of(WritePriority::accept, functions);
    const Lane& from = lanes_.at(lane);
    if (from.pieces.empty()) continue;
    const SteadyInstant since =
        std::visit([](const auto& some) { return some.since; }, from.pieces.front());
    if (now - from.served >= kServedWithin || now - since >= kWaitsAtMost) return take_out(lane);
  }
  return std::nullopt;
}

// Needs no memory of its own, so that its thread has nothing to lose.
void Writers::refuse_overdue() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, kLookForOverdueEvery, [this] { return has_ended_; })) {
    while (auto overdue = take_overdue()) {
      lock.unlock();
      refuse(*overdue, held_up());
      lock.lock();
    }
  }
}

void Writers::perform(const Ground& ground, Drawn& drawn) {
  std::visit(
      [&](auto& first) {
        using First = std::remove_cvref_t<decltype(first)>;
        if constexpr (std::is_same_v<First, Function>) {
          first.answer = caught([&] {
            Ground its = ground;
            // Somebody waits for it at the other end.
            if (priority_of(drawn.lane) == priority_of(kAcceptLane))
              its.until = answered_by(first.since);
            return perform_function(its, first.work);
          });
        } else {
          perform_all<typename First::Operation>(ground, drawn);
        }
      },
      drawn.pieces.front());
}

template <class Op>
void Writers::perform_all(const Ground& ground, Drawn& drawn) {
  const auto performed = caught([&]() -> Result<void> {
    std::vector<Pending<Op>*> items;
    for (Piece& piece : drawn.pieces) items.push_back(&std::get<Pending<Op>>(piece));
    perform_together<Op>(ground, Together<Op>(items));
    return {};
  });
  if (performed) return;
  // Nothing was begun: perform_together() throws nothing.
  for (Piece& piece : drawn.pieces) {
    std::visit([&](auto& lost) { lost.answer = fail(shared_error(performed.error())); }, piece);
  }
}

void Writers::finish(Drawn& drawn, Microseconds took) noexcept {
  std::size_t written = 0;
  bool failed = false;
  bool in_doubt = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Piece& piece : drawn.pieces) {
      std::visit(
          [&](const auto& done) {
            admission_.let_go(done.octets);
            if (done.answer) {
              ++written;
            } else {
              const ErrorKind why = done.answer.error().kind;
              in_doubt = in_doubt || why == ErrorKind::io;
              failed = failed || why == ErrorKind::unavailable || why == ErrorKind::io;
            }
          },
          piece);
    }
  }
  commit_time_us_ += took.count();
  if (written > 0) ++commits_;
  writes_ += written;
  if (failed) ++failed_commits_;
  if (in_doubt) ++doubts_;
  (void)caught([&]() -> Result<void> {
    const SteadyInstant now = SystemClock().steady_now();
    if (failed) {
      failing_.failed(now, {});
    } else {
      failing_.worked(now);
    }
    return {};
  });
  for (Piece& piece : drawn.pieces) {
    std::visit(
        [](auto& answered) {
          if constexpr (std::is_same_v<decltype(answered), Pending<Accept>&>) {
            // Only now: until here it might have been repeated.
            if (answered.answer) answered.answer->content = std::move(answered.op.delivery.content);
          }
          // What an owner throws is its own loss: the others are told all the same.
          (void)caught([&]() -> Result<void> {
            answered.done(std::move(answered.answer));
            return {};
          });
        },
        piece);
  }
  // Only now: who is answered often comes again at once, and they shall fly together.
  {
    const std::lock_guard lock(mutex_);
    Lane& lane = lanes_.at(drawn.lane);
    lane.in_air -= drawn.pieces.size();
    --lane.flights;
    performing_.at(drawn.thread) = {};
  }
  filled_.notify_all();
}

}  // namespace todoku::store::postgres
