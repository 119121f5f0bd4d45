// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/gather_shipped.h"

#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "store/sqlite/backup_files.h"
#include "store/sqlite/shipment.h"
#include "store/sqlite/shipped_names.h"

namespace todoku::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigestOctets = std::tuple_size_v<Sha256>;

std::string in_utc(Instant at) {
  const auto ms = to_epoch_ms(at);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(ms / 1'000)), ms % 1'000);
}

// A file that is written page by page; closed with its owner.
class PageFile {
 public:
  explicit PageFile(fs::path path) : path_(std::move(path)) {}
  ~PageFile() {
    if (file_ >= 0) ::close(file_);
  }
  PageFile(const PageFile&) = delete;
  PageFile& operator=(const PageFile&) = delete;

  [[nodiscard]] Result<void> make() {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return file_ >= 0 ? Result<void>() : path_error("cannot make", path_);
  }
  [[nodiscard]] Result<void> write_pages(const Shipment& shipment) {
    return each_page(shipment, [&](std::uint32_t number, std::string_view page) {
      return write(page, static_cast<off_t>(number - 1) * shipment.page_octets);
    });
  }
  [[nodiscard]] Result<void> append(std::string_view octets) {
    auto done = write(octets, end_);
    end_ += static_cast<off_t>(octets.size());
    return done;
  }
  [[nodiscard]] Result<void> cut(const Shipment& last) const {
    const auto octets = static_cast<off_t>(last.file_pages) * last.page_octets;
    return ::ftruncate(file_, octets) == 0 ? Result<void>() : path_error("cannot cut", path_);
  }

 private:
  [[nodiscard]] Result<void> write(std::string_view octets, off_t place) const {
    while (!octets.empty()) {
      const ssize_t now = ::pwrite(file_, octets.data(), octets.size(), place);
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) return path_error("cannot write", path_);
      octets.remove_prefix(static_cast<std::size_t>(now));
      place += now;
    }
    return {};
  }

  const fs::path path_;
  int file_ = -1;
  off_t end_ = 0;
};

class Gathering {
 public:
  Gathering(ShippedPlace& place, std::optional<Instant> at, const BackupTold& told)
      : place_(place), at_(at), told_(told) {}

  [[nodiscard]] Result<void> look() {
    const auto entries = place_.list();
    if (!entries) return fail(entries.error());
    shipped_ = read_names(*entries);
    for (const SnapshotName& each : shipped_.snapshots) {
      if (!at_ || each.at <= *at_) snapshot_ = each;
    }
    if (snapshot_) return {};
    if (shipped_.snapshots.empty()) {
      return fail(ErrorKind::not_found,
                  fmt::format("there is no whole snapshot of a store in {}", place_.describe()));
    }
    return fail(ErrorKind::not_found,
                fmt::format("the oldest state in {} is of {}", place_.describe(),
                            in_utc(shipped_.snapshots.front().at)));
  }
  [[nodiscard]] Result<void> write_database(PageFile& file);
  [[nodiscard]] Result<void> write_files(const fs::path& folder, const IsKept& is_kept);
  [[nodiscard]] Gathered gathered() const {
    return {.figures = {}, .chain = snapshot_->chain, .at = last_, .segments = segments_};
  }

 private:
  [[nodiscard]] Result<Shipment> get(const std::string& name, ShipmentKind kind);
  [[nodiscard]] Result<Shipment> write_snapshot(PageFile& file);
  [[nodiscard]] Result<bool> has_segment(std::uint64_t number) const;
  [[nodiscard]] Result<Shipment> get_segment(std::uint64_t number);
  [[nodiscard]] const ChainFound& chain() { return shipped_.chains[snapshot_->chain]; }
  // With what can be done: `before`: up to this segment all is well.
  [[nodiscard]] std::unexpected<Error> broken(const std::string& what);
  [[nodiscard]] Result<void> tell(std::int64_t done, std::int64_t all) const {
    if (!told_ || told_(done, all)) return {};
    return fail(ErrorKind::cancelled, "given up");
  }

  ShippedPlace& place_;
  const std::optional<Instant> at_;
  const BackupTold& told_;
  Shipped shipped_;
  std::optional<SnapshotName> snapshot_;
  Sha256 check_{};  // of what get() has got last
  Instant last_{};
  std::uint64_t segments_ = 0;
};

std::unexpected<Error> Gathering::broken(const std::string& what) {
  std::string_view help = "an older snapshot may do: name an earlier time with --at";
  std::string until;
  if (segments_ > 0) {
    until =
        fmt::format("all is well until {}: that state can be restored with --at", in_utc(last_));
    help = until;
  }
  return fail(ErrorKind::corrupt, fmt::format("{} in {}; {}", what, place_.describe(), help));
}

Result<Shipment> Gathering::get(const std::string& name, ShipmentKind kind) {
  auto octets = place_.get(name, kShipmentOctetsMax);
  if (!octets && octets.error().kind == ErrorKind::not_found) {
    return broken(fmt::format("{} is missing", name));
  }
  if (!octets) return fail(std::move(octets.error()));
  auto shipment = unpack_shipment(*octets);
  if (!shipment) return broken(fmt::format("{} is damaged", name));
  if (shipment->kind != kind ||
      (kind != ShipmentKind::file && shipment->chain != snapshot_->chain)) {
    return broken(fmt::format("{} is something else than its name says", name));
  }
  check_ = check_of(*octets);
  return shipment;
}

Result<Shipment> Gathering::write_snapshot(PageFile& file) {
  auto end = get(snapshot_end_name(*snapshot_), ShipmentKind::snapshot_end);
  if (!end) return end;
  const std::size_t parts = end->body.size() / kDigestOctets;
  if (end->number != snapshot_->first || end->other != snapshot_->whole || parts == 0) {
    return broken("the end of the snapshot is not the one that its name says");
  }
  for (std::size_t part = 0; part < parts; ++part) {
    const std::string name = snapshot_part_name(snapshot_->chain, snapshot_->first, part + 1);
    const auto shipment = get(name, ShipmentKind::snapshot_part);
    if (!shipment) return shipment;
    if (view_of(check_) !=
        std::string_view(end->body).substr(part * kDigestOctets, kDigestOctets)) {
      return broken(fmt::format("{} is of another snapshot", name));
    }
    if (auto done = file.write_pages(*shipment); !done) return fail(std::move(done.error()));
    auto told = tell(shipment->file_pages, end->file_pages);
    if (!told) return fail(std::move(told.error()));
  }
  return end;
}

// The next one of the chain; nullopt stands for the end of what is wanted.
Result<bool> Gathering::has_segment(std::uint64_t number) const {
  const auto& segments = shipped_.chains.at(snapshot_->chain).segments;
  const auto place = segments.lower_bound(number);
  if (place == segments.end()) return false;
  if (number > snapshot_->whole && at_ && place->second.last > *at_) return false;
  return true;
}

Result<Shipment> Gathering::get_segment(std::uint64_t number) {
  const auto place = chain().segments.find(number);
  if (place == chain().segments.end()) return broken(fmt::format("segment {} is missing", number));
  auto segment = get(place->second.name, ShipmentKind::segment);
  if (segment && segment->number != number) {
    return broken(fmt::format("{} is another segment", place->second.name));
  }
  return segment;
}

Result<void> Gathering::write_database(PageFile& file) {
  auto last = write_snapshot(file);
  if (!last) return fail(std::move(last.error()));
  last_ = snapshot_->at;
  std::optional<Sha256> previous;
  std::uint64_t number = snapshot_->first;
  for (;; ++number) {
    const auto wanted = has_segment(number);
    if (!wanted) return fail(wanted.error());
    if (!*wanted) break;
    auto segment = get_segment(number);
    if (!segment) return fail(std::move(segment.error()));
    if (previous && segment->previous != *previous) {
      return broken(fmt::format("segment {} does not continue the one before", number));
    }
    if (auto done = file.write_pages(*segment); !done) return done;
    previous = check_;
    if (number >= snapshot_->whole) {
      last_ = segment->time;
      ++segments_;
    }
    last = std::move(segment);
    last->body.clear();
  }
  if (number <= snapshot_->whole) return broken(fmt::format("segment {} is missing", number));
  return file.cut(*last);
}

Result<void> Gathering::write_files(const fs::path& folder, const IsKept& is_kept) {
  for (const auto& [name, parts] : shipped_.files) {
    if (!is_kept || !is_kept(name)) continue;
    PageFile file(folder / name);
    auto done = file.make();
    bool whole = false;
    for (std::size_t part = 0; done && part < parts.size() && !whole; ++part) {
      const auto shipment = get(parts[part].name, ShipmentKind::file);
      if (!shipment) return fail(shipment.error());
      if (shipment->number != part + 1) break;
      done = file.append(shipment->body);
      whole = shipment->other == 1;
    }
    if (!done) return done;
    // One whose shipping was broken off: no state that is there speaks of it.
    if (!whole) ::unlink((folder / name).c_str());
  }
  return {};
}

}  // namespace

Result<Gathered> gather_shipped(ShippedPlace& place, std::optional<Instant> at,
                                const BackupOrder& order) {
  Gathering gathering(place, at, order.told);
  if (auto looked = gathering.look(); !looked) return fail(std::move(looked.error()));
  const PassingFolder folder(order.backup.string() + ".gathering");
  const fs::path beside = folder.path() / "beside";
  const PassingFolder beside_folder(beside);
  const PassingFolder held(folder.path() / "held");
  auto done = folder.make();
  if (done) done = beside_folder.make();
  if (done) done = held.make();
  const fs::path database = folder.path() / "database";
  if (done) {
    PageFile file(database);
    done = file.make();
    if (done) done = gathering.write_database(file);
  }
  if (done) done = gathering.write_files(beside, order.is_kept);
  HeldFiles files(beside / "database", order.is_kept, held.path());
  if (done) done = files.look();
  if (!done) return fail(std::move(done.error()));
  auto figures = finish_backup(files, database);
  if (!figures) return fail(std::move(figures.error()));
  std::error_code ignored;
  figures->octets = fs::file_size(database, ignored);
  if (done = sync_path(database); !done) return fail(std::move(done.error()));
  if (::link(database.c_str(), order.backup.c_str()) != 0) {
    return path_error("cannot make", order.backup);
  }
  Gathered gathered = gathering.gathered();
  gathered.figures = *figures;
  return gathered;
}

}  // namespace todoku::store::sqlite
