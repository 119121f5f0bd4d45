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
// Looking through a place that fails costs its time, too.
constexpr Microseconds kDropAgain = std::chrono::minutes(10);
// What a kill has left unfinished is removed after so long; and so much may the clock of who keeps
// the place be wrong.
constexpr Milliseconds kUnfinishedMost = std::chrono::days(1);
constexpr Milliseconds kClockWrongMost = std::chrono::days(1);
constexpr std::size_t kIdOctetsMax = 256;

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

// Each page is let go once it is in the body: there is no room for all of them twice.
std::string body_of(LogCapture::Batch& batch) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(batch.pages.size());
  for (const auto& [number, page] : batch.pages) numbers.push_back(number);
  std::ranges::sort(numbers);
  std::string body;
  body.reserve(numbers.size() * (batch.page_octets + 5) + kPackedBesides);
  for (const std::uint32_t number : numbers) {
    const auto page = batch.pages.extract(number);
    put_page(body, number, page.mapped());
  }
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

void LogShipper::rest() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  // A snapshot that is nearly there is not waited for: copying it may take minutes.
  give_up_snapshot();
}

void LogShipper::stop() {
  rest();
  if (stopped_ || chain_.empty()) return;
  stopped_ = true;
  const auto done = caught([this]() -> Result<void> {
    const bool two = pending_.has_value();
    auto shipped = look_at_place();
    if (shipped) shipped = ship();
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
  auto shipped = look_at_place();
  if (shipped) shipped = ship();
  if (shipped && more) shipped = ship();
  note(shipped);
  if (shipped && whole_) {
    const std::lock_guard lock(mutex_);
    covered_ = now;
  }
  look_at_snapshot(shipped.has_value());
}

void LogShipper::begin_chain() {
  const Instant now = world_.clock.now();
  chain_ = new_chain(now, life_);
  if (life_.empty()) life_ = chain_time(now);
  next_ = 1;
  shipped_ = 0;
  previous_ = {};
  pending_.reset();
  whole_ = false;
  snapshot_at_ = {};
  world_.capture.begin();
  broken_ = false;
}

// Each time: a mount may have gone, or come, and what lies there be somebody else's. Whatever is
// removed there is judged by its name, so two stores do not go into one place.
Result<void> LogShipper::look_at_place() {
  if (!made_) {
    if (auto made = world_.place.begin(options_.database); !made) return made;
    made_ = true;
  }
  const std::string name(kWhoseName);
  const std::string ours = options_.store + "\n";
  const auto id = world_.place.get(name, kIdOctetsMax);
  if (id && *id == ours) {
    is_ours_ = true;
    return {};
  }
  if (id) {
    return fail(ErrorKind::conflict,
                fmt::format("another store is shipped to {}: name a folder for this one alone",
                            world_.place.describe()));
  }
  if (id.error().kind != ErrorKind::not_found) return fail(id.error());
  if (is_ours_) {
    return fail(ErrorKind::unavailable,
                fmt::format("{} has no file {} any more: have it mounted again; if it was emptied, "
                            "start the engine anew",
                            world_.place.describe(), name));
  }
  if (auto put = world_.place.put(name, ours); !put) return put;
  is_ours_ = true;
  return {};
}

// Files first: what a commit speaks of was there before it.
Result<void> LogShipper::ship() {
  if (broken_) return fail(out_of_memory());
  if (!pending_) {
    LogCapture::Batch batch = world_.capture.take();
    if (batch.empty()) return {};
    broken_ = true;  // what throws from here on loses the batch: then only a new chain is right
    Shipment segment{.kind = ShipmentKind::segment,
                     .chain = chain_,
                     .number = next_,
                     .time = batch.last,
                     .page_octets = batch.page_octets,
                     .file_pages = batch.file_pages,
                     .previous = previous_,
                     .body = body_of(batch)};
    pending_ = Pending{.name = segment_name(chain_, next_, batch.last),
                       .octets = pack(std::move(segment)),
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
    std::string octets;
    octets.reserve(options_.part_octets + kPackedBesides);
    octets.resize(options_.part_octets);
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

void LogShipper::look_at_snapshot(bool answers) {
  if (copying_) return;
  const SteadyInstant now = world_.clock.steady_now();
  if (!copier_.joinable()) {
    const bool wanted = !whole_ || now - snapshot_at_ >= Microseconds(options_.snapshot_every);
    if (answers && wanted && !pending_ && now >= snapshot_again_) begin_snapshot();
    if (!answers && now - dropped_at_ >= kDropAgain) drop();  // it may be full
    return;
  }
  copier_.join();
  auto ended = caught([this]() -> Result<void> {
    if (!*copied_) return fail(copied_->error());
    return end_snapshot(**copied_);
  });
  copied_.reset();
  if (ended) {
    snapshot_error_.clear();
    snapshot_pause_ = {};
  } else {
    snapshot_failed(ended.error());
  }
  note(ended);
  drop();
}

// Each attempt costs what the store has, here and there.
void LogShipper::snapshot_failed(const Error& error) {
  snapshot_error_ = error.detail;
  snapshot_pause_ = std::clamp(2 * snapshot_pause_, options_.retry_after,
                               std::max(options_.retry_after, options_.snapshot_retry_most));
  snapshot_again_ = world_.clock.steady_now() + snapshot_pause_;
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
    shipment.body.reserve(options_.part_octets + 2 * page.size() + kPackedBesides);
    while (more && shipment.body.size() < options_.part_octets) {
      more = file.read(page.data(), static_cast<std::streamsize>(page.size())).good();
      if (more) put_page(shipment.body, ++number, page);
    }
    if (file.bad()) return path_error("cannot read", copy);
    shipment.file_pages = number;
    const std::string packed = pack(std::move(shipment));
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

// While nothing is copied.
void LogShipper::drop() {
  const SteadyInstant now = world_.clock.steady_now();
  dropped_at_ = now;
  // A place that fails, or is another's, is told already.
  if (const auto looked = caught([this] { return look_at_place(); }); !looked) return;
  if (const auto dropped = caught([this] { return drop_old(); }); !dropped) {
    old_stays_.failed(now, {{"error", dropped.error().detail}});
  } else {
    old_stays_.worked(now);
  }
}

Result<void> LogShipper::drop_old() {
  const auto entries = world_.place.list();
  if (!entries) return fail(entries.error());
  const Shipped shipped = read_names(*entries);
  const Instant now = world_.clock.now();
  std::vector<std::string> names = never_whole(shipped, chain_);
  for (std::string& name : spare(shipped, now - options_.keep)) names.push_back(std::move(name));
  auto files = files_of_old(shipped);
  if (!files) return fail(std::move(files.error()));
  for (std::string& name : *files) names.push_back(std::move(name));
  for (const ShippedPlace::Entry& entry : *entries) {
    const bool is_left = now - entry.written > kUnfinishedMost;
    if (is_left && entry.name.ends_with(kUnfinished)) names.push_back(entry.name);
  }
  Result<void> worst;
  for (const std::string& name : names) {
    if (auto removed = world_.place.remove(name); !removed) worst = std::move(removed);
  }
  return worst;
}

// A file may be named by any state since it was last seen beside the store. Each life ships again
// what it finds there: what was written before the life of the oldest state is of none since then.
Result<std::vector<std::string>> LogShipper::files_of_old(const Shipped& shipped) {
  const auto beside = files_beside(options_.database, options_.is_kept);
  if (!beside) return fail(beside.error());
  std::set<std::string> here;
  for (const fs::path& path : *beside) here.insert(path.filename().string());
  const Instant now = world_.clock.now();
  const SnapshotName* const oldest = oldest_needed(shipped, now - options_.keep);
  std::vector<std::string> names;
  for (const auto& [name, parts] : shipped.files) {
    if (here.contains(name)) continue;
    const Instant since = gone_since_.try_emplace(name, now).first->second;
    Instant written{};
    for (const ShippedPlace::Entry& part : parts) written = std::max(written, part.written);
    const bool is_of_none = oldest != nullptr && !files_.contains(name) &&
                            chain_time(written + kClockWrongMost) < life_of(oldest->chain);
    if (!is_of_none && now - since < options_.keep) continue;
    for (const ShippedPlace::Entry& part : parts) names.push_back(part.name);
    gone_since_.erase(name);
    files_.erase(name);
  }
  return names;
}

void LogShipper::note(const Result<void>& done) {
  const SteadyInstant now = world_.clock.steady_now();
  if (done) {
    if (snapshot_error_.empty()) fails_.worked(now);
  } else if (done.error().kind != ErrorKind::cancelled) {
    failures_.add();
    fails_.failed(now, {{"place", world_.place.describe()}, {"error", done.error().detail}});
  }
  const std::lock_guard lock(mutex_);
  reason_ = done ? snapshot_error_ : done.error().detail;
}

}  // namespace todoku::store::sqlite
