// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/log_shipper.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/caught.h"
#include "base/log.h"
#include "store/sqlite/backup.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr Microseconds kSilentMost = std::chrono::seconds(60);

// Of a database file's header ("Database File Format", section 1.3): its page size.
std::uint32_t page_octets_in(std::string_view header) {
  constexpr std::size_t kAt = 16;
  constexpr std::uint32_t kLargest = 65'536;  // is written as 1
  if (header.size() < kAt + 2) return 0;
  const auto octets = static_cast<std::uint32_t>(static_cast<std::uint8_t>(header[kAt]) << 8U |
                                                 static_cast<std::uint8_t>(header[kAt + 1]));
  return octets == 1 ? kLargest : octets;
}

class PassingFile {
 public:
  explicit PassingFile(fs::path path) : path_(std::move(path)) {}
  ~PassingFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  PassingFile(const PassingFile&) = delete;
  PassingFile& operator=(const PassingFile&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  const fs::path path_;
};

std::string body_of(const LogCapture::Batch& batch) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(batch.pages.size());
  for (const auto& [number, page] : batch.pages) numbers.push_back(number);
  std::ranges::sort(numbers);
  std::string body;
  body.reserve(numbers.size() * (batch.page_octets + 5));
  for (const std::uint32_t number : numbers) put_page(body, number, batch.pages.at(number));
  return body;
}

}  // namespace

LogShipper::LogShipper(World world, ShipOptions options)
    : world_(world),
      options_(std::move(options)),
      segments_(world.metrics.counter("todoku_ship_segments_total",
                                      "Segments of the store's log that were shipped.")),
      octets_(world.metrics.counter("todoku_ship_octets_total",
                                    "Octets of segments and snapshots that were shipped.")),
      snapshots_(world.metrics.counter("todoku_ship_snapshots_total",
                                       "Snapshots of the store that were shipped as a whole.")),
      failures_(world.metrics.counter("todoku_ship_failures_total",
                                      "Times that something could not be shipped.")),
      lag_(world.metrics.gauge("todoku_ship_lag_seconds",
                               "What was committed in the last so many seconds may not be "
                               "restored from what was shipped.")) {}

LogShipper::~LogShipper() {
  stop();
}

void LogShipper::begin() {
  covered_ = world_.clock.steady_now();
  begin_chain();
}

void LogShipper::start() {
  begin();
  thread_ = std::thread([this] { run(); });
}

void LogShipper::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (chain_.empty()) return;
  // A snapshot that is nearly there is not waited for: copying it may take minutes.
  give_up_snapshot();
  const auto done = caught([this]() -> Result<void> {
    const bool two = pending_.has_value();
    auto shipped = ship();
    return shipped && two ? ship() : shipped;
  });
  note(done);
  if (!whole_) {
    log::warning(
        "the engine stopped before its first snapshot was shipped: what can be restored "
        "is from before its start",
        {{"place", world_.place.describe()}});
  }
  world_.capture.end();
}

std::string LogShipper::trouble() const {
  const SteadyInstant now = world_.clock.steady_now();
  const std::lock_guard lock(mutex_);
  if (!reason_.empty()) return reason_;
  const Microseconds lag = now - covered_;
  if (lag < std::max<Microseconds>(kSilentMost, 3 * Microseconds(options_.every))) return {};
  return fmt::format("what was committed in the last {} s is not shipped as a whole",
                     std::chrono::floor<std::chrono::seconds>(lag).count());
}

void LogShipper::show_lag() const {
  const SteadyInstant now = world_.clock.steady_now();
  const std::lock_guard lock(mutex_);
  lag_.set(std::chrono::duration<double>(now - covered_).count());
}

void LogShipper::run() {
  bool failed = false;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto pause = failed ? std::max(options_.every, options_.retry_after) : options_.every;
      if (changed_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
    const auto done = caught([this]() -> Result<void> {
      turn();
      return {};
    });
    if (!done) note(done);
    const std::lock_guard lock(mutex_);
    failed = !reason_.empty();
  }
}

void LogShipper::turn() {
  std::string lost = world_.capture.lost();
  if (lost.empty() && broken_) lost = out_of_memory().detail;
  if (!lost.empty()) {
    behind_.failed(world_.clock.steady_now(), {{"reason", lost}});
    give_up_snapshot();
    begin_chain();
  } else {
    behind_.worked(world_.clock.steady_now());
  }
  // All that is committed by now is in what is taken after it.
  const SteadyInstant now = world_.clock.steady_now();
  const bool more = pending_.has_value();
  auto shipped = ship();
  if (shipped && more) shipped = ship();
  note(shipped);
  if (shipped && whole_) {
    const std::lock_guard lock(mutex_);
    covered_ = now;
  }
  look_at_snapshot();
}

void LogShipper::begin_chain() {
  chain_ = new_chain(world_.clock.now());
  next_ = 1;
  shipped_ = 0;
  previous_ = {};
  pending_.reset();
  whole_ = false;
  snapshot_at_ = {};
  world_.capture.begin();
  broken_ = false;
}

// Files first: what a commit speaks of was there before it.
Result<void> LogShipper::ship() {
  if (broken_) return fail(out_of_memory());
  if (!pending_) {
    const LogCapture::Batch batch = world_.capture.take();
    if (batch.empty()) return {};
    broken_ = true;  // what throws from here on loses the batch: then only a new chain is right
    const Shipment segment{.kind = ShipmentKind::segment,
                           .chain = chain_,
                           .number = next_,
                           .time = batch.last,
                           .page_octets = batch.page_octets,
                           .file_pages = batch.file_pages,
                           .previous = previous_,
                           .body = body_of(batch)};
    pending_ = Pending{.name = segment_name(chain_, next_, batch.last),
                       .octets = pack(segment),
                       .number = next_,
                       .last = batch.last};
    ++next_;
    broken_ = false;
  }
  if (auto files = ship_files(); !files) return files;
  if (auto put = world_.place.put(pending_->name, pending_->octets); !put) return put;
  segments_.add();
  octets_.add(pending_->octets.size());
  previous_ = check_of(pending_->octets);
  shipped_ = pending_->number;
  last_shipped_ = pending_->last;
  pending_.reset();
  return {};
}

Result<void> LogShipper::ship_files() {
  const auto beside = files_beside(options_.database, options_.is_kept);
  if (!beside) return fail(beside.error());
  for (const fs::path& path : *beside) {
    const std::string name = path.filename().string();
    gone_since_.erase(name);
    if (files_.contains(name)) continue;
    if (auto shipped = ship_file(path); !shipped) return shipped;
    files_.insert(name);
  }
  return {};
}

Result<void> LogShipper::ship_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};  // it went meanwhile, and nobody needs it any more
  bool last = false;
  for (std::uint64_t part = 1; !last; ++part) {
    std::string octets(options_.part_octets, '\0');
    file.read(octets.data(), static_cast<std::streamsize>(octets.size()));
    if (file.bad()) return path_error("cannot read", path);
    octets.resize(static_cast<std::size_t>(file.gcount()));
    last = octets.size() < options_.part_octets;
    const std::string packed = pack(Shipment{.kind = ShipmentKind::file,
                                             .chain = chain_,
                                             .number = part,
                                             .other = last ? 1U : 0U,
                                             .time = world_.clock.now(),
                                             .body = std::move(octets)});
    auto put = world_.place.put(file_part_name(path.filename().string(), part), packed);
    if (!put) return put;
    octets_.add(packed.size());
  }
  return {};
}

// ---- snapshots ---------------------------------------------------------------------------------

void LogShipper::look_at_snapshot() {
  if (copying_) return;
  if (!copier_.joinable()) {
    const bool wanted = !whole_ || world_.clock.steady_now() - snapshot_at_ >=
                                       Microseconds(options_.snapshot_every);
    if (wanted && !pending_) begin_snapshot();
    return;
  }
  copier_.join();
  auto ended = caught([this]() -> Result<void> {
    if (!*copied_) return fail(copied_->error());
    return end_snapshot(**copied_);
  });
  copied_.reset();
  note(ended);
  if (!ended) return;
  if (auto dropped = drop_old(); !dropped) {
    old_stays_.failed(world_.clock.steady_now(), {{"error", dropped.error().detail}});
  } else {
    old_stays_.worked(world_.clock.steady_now());
  }
}

void LogShipper::begin_snapshot() {
  gives_up_ = false;
  auto copy = [this, chain = chain_, first = next_] {
    std::optional<Copied> made;
    auto done = caught([&]() -> Result<void> {
      auto copied = make_snapshot(chain, first);
      if (!copied) return fail(std::move(copied.error()));
      made = std::move(*copied);
      return {};
    });
    if (done) {
      copied_.emplace(std::move(*made));
    } else {
      copied_.emplace(fail(std::move(done.error())));
    }
    copying_ = false;
  };
  copying_ = true;
  try {
    copier_ = std::thread(std::move(copy));
  } catch (...) {  // there is no thread for it: at another time
    copying_ = false;
    throw;
  }
}

void LogShipper::give_up_snapshot() {
  gives_up_ = true;
  if (copier_.joinable()) copier_.join();
  copied_.reset();
}

Result<LogShipper::Copied> LogShipper::make_snapshot(const std::string& chain,
                                                     std::uint64_t first) {
  const PassingFile copy(options_.database.string() + ".shipping");
  auto done = copy_pages_of(options_.database, copy.path(),
                            [this](std::int64_t, std::int64_t) { return !gives_up_; });
  if (!done) return fail("copying the store", std::move(done.error()));
  Copied copied{.first = first};
  done = put_parts(chain, copy.path(), copied);
  if (!done) return fail(std::move(done.error()));
  return copied;
}

Result<void> LogShipper::put_parts(const std::string& chain, const fs::path& copy, Copied& copied) {
  std::ifstream file(copy, std::ios::binary);
  std::string page(100, '\0');
  file.read(page.data(), static_cast<std::streamsize>(page.size()));
  copied.page_octets = page_octets_in(page);
  if (!file || copied.page_octets == 0) return path_error("cannot read", copy);
  file.seekg(0);
  page.resize(copied.page_octets);
  std::uint32_t number = 0;
  bool more = true;
  for (std::uint64_t part = 1; more; ++part) {
    if (gives_up_) return fail(ErrorKind::cancelled, "given up");
    Shipment shipment{.kind = ShipmentKind::snapshot_part,
                      .chain = chain,
                      .number = part,
                      .time = world_.clock.now(),
                      .page_octets = copied.page_octets};
    while (more && shipment.body.size() < options_.part_octets) {
      more = file.read(page.data(), static_cast<std::streamsize>(page.size())).good();
      if (more) put_page(shipment.body, ++number, page);
    }
    if (file.bad()) return path_error("cannot read", copy);
    shipment.file_pages = number;
    const std::string packed = pack(shipment);
    auto put = world_.place.put(snapshot_part_name(chain, copied.first, part), packed);
    if (!put) return put;
    octets_.add(packed.size());
    copied.checks += view_of(check_of(packed));
  }
  copied.file_pages = number;
  return {};
}

// Once everything is shipped that was committed while it was copied, it is whole.
Result<void> LogShipper::end_snapshot(const Copied& copied) {
  const SteadyInstant now = world_.clock.steady_now();
  const bool more = pending_.has_value();
  auto done = ship();
  if (done && more) done = ship();
  if (!done) return done;
  const SnapshotName name{.chain = chain_,
                          .first = copied.first,
                          .whole = shipped_,
                          .at = shipped_ == 0 ? world_.clock.now() : last_shipped_};
  done = world_.place.put(snapshot_end_name(name), pack(Shipment{.kind = ShipmentKind::snapshot_end,
                                                                 .chain = chain_,
                                                                 .number = copied.first,
                                                                 .other = shipped_,
                                                                 .time = name.at,
                                                                 .page_octets = copied.page_octets,
                                                                 .file_pages = copied.file_pages,
                                                                 .body = copied.checks}));
  if (!done) return done;
  snapshots_.add();
  whole_ = true;
  snapshot_at_ = now;
  log::info("snapshot of the store shipped",
            {{"place", world_.place.describe()}, {"chain", chain_}, {"pages", copied.file_pages}});
  const std::lock_guard lock(mutex_);
  covered_ = now;
  return {};
}

// ---- what nobody needs any more ----------------------------------------------------------------

Result<void> LogShipper::drop_old() {
  const auto entries = world_.place.list();
  if (!entries) return fail(entries.error());
  const Shipped shipped = read_names(*entries);
  const Instant now = world_.clock.now();
  std::vector<std::string> names = spare(shipped, now - options_.keep);
  // A file may be named by any state since it was last seen beside the store.
  const auto beside = files_beside(options_.database, options_.is_kept);
  if (!beside) return fail(beside.error());
  std::set<std::string> here;
  for (const fs::path& path : *beside) here.insert(path.filename().string());
  for (const auto& [name, parts] : shipped.files) {
    if (here.contains(name)) continue;
    const auto since = gone_since_.try_emplace(name, now).first;
    if (now - since->second < options_.keep) continue;
    for (const ShippedPlace::Entry& part : parts) names.push_back(part.name);
    gone_since_.erase(since);
  }
  Result<void> worst;
  for (const std::string& name : names) {
    if (auto removed = world_.place.remove(name); !removed) worst = std::move(removed);
  }
  return worst;
}

void LogShipper::note(const Result<void>& done) {
  const SteadyInstant now = world_.clock.steady_now();
  if (done) {
    fails_.worked(now);
  } else if (done.error().kind != ErrorKind::cancelled) {
    failures_.add();
    fails_.failed(now, {{"place", world_.place.describe()}, {"error", done.error().detail}});
  }
  const std::lock_guard lock(mutex_);
  reason_ = done ? std::string() : done.error().detail;
}

}  // namespace todoku::store::sqlite
