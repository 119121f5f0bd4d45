// SPDX-License-Identifier: Apache-2.0
#include "intake/stored_uploads.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/caught.h"
#include "base/log.h"

namespace todoku::intake {
namespace {

using store::kUploadPieceOctets;
using store::WritePriority;

class PieceReader final : public Uploads::Reader {
 public:
  PieceReader(store::Store& store, store::KeptUpload upload, std::string name)
      : store_(store), upload_(upload), name_(std::move(name)) {}

  std::uint64_t size() const override { return upload_.octets; }
  Result<std::size_t> read(std::span<char> into) override {
    std::size_t filled = 0;
    while (filled < into.size() && given_ < upload_.octets) {
      if (taken_ == piece_.size()) {
        if (auto fetched = fetch(); !fetched) return fail(std::move(fetched.error()));
      }
      const std::size_t some = std::min(into.size() - filled, piece_.size() - taken_);
      std::ranges::copy(std::string_view(piece_).substr(taken_, some),
                        into.subspan(filled).begin());
      taken_ += some;
      filled += some;
      given_ += some;
    }
    return filled;
  }

 private:
  Result<void> fetch() {
    auto piece = store_.read_and_wait([this](store::ReadTransaction& transaction) {
      return transaction.upload_piece(upload_.key, next_);
    });
    if (!piece) return fail(fmt::format("cannot read {}", name_), std::move(piece.error()));
    if (piece->empty()) return fail(ErrorKind::corrupt, fmt::format("{} has a gap", name_));
    piece_ = std::move(*piece);
    taken_ = 0;
    ++next_;
    return {};
  }

  store::Store& store_;
  const store::KeptUpload upload_;
  const std::string name_;
  std::string piece_;
  std::size_t taken_ = 0;  // of the piece
  std::int64_t next_ = 0;
  std::uint64_t given_ = 0;
};

class PieceWriter final : public Uploads::Writer {
 public:
  PieceWriter(store::Store& store, store::UploadKey key, std::string name)
      : store_(store), key_(key), name_(std::move(name)) {}
  ~PieceWriter() override {
    if (kept_) return;
    const auto dropped = caught([this] {
      return store_.write_and_wait(
          WritePriority::import,
          [this](store::WriteTransaction& transaction) { return transaction.drop_upload(key_); });
    });
    // It goes by itself after a while.
    if (!dropped) log::debug("upload not given up", {{"reason", dropped.error().detail}});
  }
  PieceWriter(const PieceWriter&) = delete;
  PieceWriter& operator=(const PieceWriter&) = delete;

  Result<void> write(std::string_view octets) override {
    while (!octets.empty()) {
      const std::size_t some = std::min(octets.size(), kUploadPieceOctets - gathered_.size());
      gathered_ += octets.substr(0, some);
      octets.remove_prefix(some);
      if (gathered_.size() < kUploadPieceOctets) break;
      if (auto put = put_piece(); !put) return put;
    }
    return {};
  }
  Result<void> keep() override {
    if (!gathered_.empty()) {
      if (auto put = put_piece(); !put) return put;
    }
    auto kept =
        store_.write_and_wait(WritePriority::import, [this](store::WriteTransaction& transaction) {
          return transaction.keep_upload(key_, name_);
        });
    if (!kept) return given_up("keep", std::move(kept.error()));
    kept_ = true;
    return {};
  }

 private:
  Result<void> put_piece() {
    auto put =
        store_.write_and_wait(WritePriority::import, [this](store::WriteTransaction& transaction) {
          return transaction.add_upload_piece(key_, next_, gathered_);
        });
    if (!put) return given_up("write", std::move(put.error()));
    gathered_.clear();
    ++next_;
    return {};
  }
  // Who was thought dead comes again with its upload.
  [[nodiscard]] std::unexpected<Error> given_up(std::string_view what, Error error) const {
    if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::unavailable;
    return fail(fmt::format("cannot {} {}", what, name_), std::move(error));
  }

  store::Store& store_;
  const store::UploadKey key_;
  const std::string name_;
  std::string gathered_;
  std::int64_t next_ = 0;
  bool kept_ = false;
};

}  // namespace

Result<std::unique_ptr<Uploads::Reader>> StoredUploads::open(std::string_view name) {
  const auto found = store_.read_and_wait(
      [name](store::ReadTransaction& transaction) { return transaction.upload(name); });
  if (!found) return fail(fmt::format("cannot read {}", name), found.error());
  return std::make_unique<PieceReader>(store_, *found, std::string(name));
}

Result<std::unique_ptr<Uploads::Writer>> StoredUploads::create(std::string_view name) {
  const auto begun = store_.write_and_wait(WritePriority::import,
                                           [node = node_()](store::WriteTransaction& transaction) {
                                             return transaction.begin_upload(node);
                                           });
  if (!begun) return fail(fmt::format("cannot write {}", name), begun.error());
  return std::make_unique<PieceWriter>(store_, *begun, std::string(name));
}

void StoredUploads::remove(std::string_view name) {
  const auto removed = caught([this, name] {
    return store_.write_and_wait(
        WritePriority::import,
        [name](store::WriteTransaction& transaction) { return transaction.drop_upload(name); });
  });
  // What no job names goes by itself.
  if (!removed) log::debug("upload not removed", {{"reason", removed.error().detail}});
}

Result<std::size_t> StoredUploads::sweep(const IsNamed& is_named) {
  (void)is_named;
  return 0;
}

}  // namespace todoku::intake
