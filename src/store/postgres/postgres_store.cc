// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/postgres_store.h"

#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "base/caught.h"
#include "base/digest.h"
#include "base/forward_clock.h"
#include "store/postgres/connections.h"
#include "store/postgres/database_clock.h"
#include "store/postgres/fitness.h"
#include "store/postgres/ids.h"
#include "store/postgres/readers.h"
#include "store/postgres/writers.h"

namespace todoku::store {

using namespace postgres;  // NOLINT(google-build-using-namespace): its own parts

namespace {

const Sql kAddressSecret{"open: secret", "SELECT value FROM meta WHERE name = 'address_secret'"};

Result<AddressHash> read_address_hash(postgres::Link& link, Milliseconds most) {
  const auto secret = link.fly_one(kAddressSecret, {}, most);
  if (!secret) return fail(secret.error());
  const auto hash = secret->empty() ? std::nullopt : AddressHash::from_secret(secret->text(0, 0));
  if (!hash) {
    return fail(ErrorKind::corrupt, "the database has lost the secret of its address index");
  }
  return *hash;
}

const Sql kTime{"open: time", "SELECT " STORE_NOW};

Result<void> tell_time(postgres::Link& link, DatabaseClock& clock, Milliseconds most) {
  const SystemClock machine;
  const SteadyInstant asked = machine.steady_now();
  const auto said = link.fly_one(kTime, Params() << Told(), most);
  if (!said) return fail(said.error());
  clock.told(said->instant(0, 0), asked, machine.steady_now());
  return {};
}

std::uint64_t random_seed() {
  const std::string octets = random_octets(sizeof(std::uint64_t));
  std::uint64_t seed = 0;
  std::memcpy(&seed, octets.data(), sizeof seed);
  return seed;
}

}  // namespace

struct PostgresStore::Parts {
  explicit Parts(Options given)
      : options(std::move(given)),
        dialer(options.dial),
        connections(dialer,
                    {.most = std::max<std::size_t>(options.connections, 1),
                     .life = options.connection_life,
                     .rest_max = options.connection_rest,
                     .must_keep = options.must_keep},
                    random_seed()),
        ids(options.clock != nullptr ? *options.clock : database_clock) {
    if (options.clock != nullptr) clock.emplace(*options.clock);
  }

  [[nodiscard]] TimeTold time() const {
    if (!clock) return {};
    return {clock->now(), clock->wall_now()};
  }
  const Options options;
  std::optional<ForwardClock> clock;
  DatabaseClock database_clock;
  Dialer dialer;
  Connections connections;
  Ids ids;
  Closing closing;
  std::optional<Writers> writers;
  std::optional<Readers> readers;
  std::once_flag closed;
};

Result<std::unique_ptr<PostgresStore>> PostgresStore::open(Options options) {
  auto parts = std::make_unique<Parts>(std::move(options));
  constexpr Milliseconds kRoomWithin = std::chrono::seconds(15);
  auto link = parts->connections.first(kRoomWithin);
  if (!link) return fail(std::move(link.error()));
  auto ready = check_fit(**link, parts->options.must_keep);
  if (!ready) return fail(std::move(ready.error()));
  const auto hash = read_address_hash(**link, parts->options.flight_max);
  if (!hash) return fail(hash.error());
  auto timed = tell_time(**link, parts->database_clock, parts->options.flight_max);
  if (!timed) return fail(std::move(timed.error()));
  parts->connections.adopt(std::move(*link));
  const Ground ground{.ids = parts->ids,
                      .hash = *hash,
                      .time = [p = parts.get()] { return p->time(); },
                      .link = {},
                      .pause = {},
                      .flight_max = parts->options.flight_max,
                      .clock = &parts->database_clock};
  parts->writers.emplace(
      ground, parts->closing,
      Admission::Limits{parts->options.queued_max, parts->options.accept_octets_max});
  parts->readers.emplace(ground, parts->closing, parts->options.questions_max,
                         parts->options.question_max);
  parts->writers->start(std::max<std::size_t>(parts->options.writers, 1), parts->connections);
  parts->readers->start(std::max<std::size_t>(parts->options.readers, 1), parts->connections);
  return std::unique_ptr<PostgresStore>(new PostgresStore(std::move(parts)));
}

PostgresStore::PostgresStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

PostgresStore::~PostgresStore() {
  close();
}

void PostgresStore::submit(Accept accept, Answered<Accept> done) {
  parts_->writers->submit(WritePriority::accept, std::move(accept), std::move(done));
}

void PostgresStore::submit(Settle settle, Answered<Settle> done) {
  parts_->writers->submit(WritePriority::outcomes, std::move(settle), std::move(done));
}

void PostgresStore::submit(Claim claim, Answered<Claim> done) {
  parts_->writers->submit(WritePriority::claims, std::move(claim), std::move(done));
}

void PostgresStore::submit(StageRows stage, Answered<StageRows> done) {
  parts_->writers->submit(WritePriority::import, std::move(stage), std::move(done));
}

void PostgresStore::submit(Due due, Answered<Due> done) {
  parts_->readers->submit(std::move(due), std::move(done));
}

void PostgresStore::submit(BellWork work, Answered<BellWork> done) {
  parts_->readers->submit(std::move(work), std::move(done));
}

void PostgresStore::submit_write(WritePriority priority, WriteWork work, Done done) {
  parts_->writers->submit(priority, std::move(work), std::move(done));
}

void PostgresStore::submit_read(ReadWork work, Done done) {
  parts_->readers->submit(std::move(work), std::move(done));
}

StoreFigures PostgresStore::figures() const {
  return parts_->writers->figures();
}

const Clock& PostgresStore::clock() const {
  if (parts_->clock) return *parts_->clock;
  return parts_->database_clock;
}

void PostgresStore::close() {
  std::call_once(parts_->closed, [&] {
    parts_->writers->stop();
    parts_->readers->stop();
    // What is not given back is a gap.
    (void)caught([&]() -> Result<void> {
      Borrowed last(parts_->connections);
      if (auto link = last.get(Use::change)) {
        parts_->ids.give_back(**link, parts_->options.flight_max);
      }
      return {};
    });
    parts_->connections.end();
    parts_->closing.close();
    parts_->dialer.stop();
  });
}

}  // namespace todoku::store
