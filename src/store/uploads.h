// SPDX-License-Identifier: Apache-2.0
// What comes by upload and is too large for a row (intake/uploads.h): in pieces that are written as
// they come, seen by nobody before it is kept. For back ends that any process reaches; where one
// process has the store to itself the bytes are files beside it, and all of this is unsupported.
//
// An upload lives as long as a job names it: a list while its import runs, an archive of what was
// wrong as long as its job is there. Beginning, ending and purging jobs see to that in their own
// transactions. What no job names goes after an hour without a piece, and after a minute if the
// node that began it is void or gone: a part of purge_deleted().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr std::size_t kUploadPieceOctets = std::size_t{256} * 1024;
inline constexpr Milliseconds kUnnamedUploadFor = std::chrono::hours(1);
inline constexpr Milliseconds kUnnamedUploadOfDeadFor = std::chrono::minutes(1);

enum class UploadKey : std::int64_t {};

struct KeptUpload {
  UploadKey key{};
  std::uint64_t octets = 0;
};

[[nodiscard]] inline std::unexpected<Error> uploads_unsupported() {
  return fail(ErrorKind::unsupported, "this store keeps no uploads");
}

class UploadReads {
 public:
  virtual ~UploadReads() = default;
  // What is kept under this name.
  [[nodiscard]] virtual Result<KeptUpload> upload(std::string_view name) {
    (void)name;
    return uploads_unsupported();
  }
  // From 0; all but the last have kUploadPieceOctets. not_found: there is none (any more).
  [[nodiscard]] virtual Result<std::string> upload_piece(UploadKey key, std::int64_t which) {
    (void)key;
    (void)which;
    return uploads_unsupported();
  }
};

class UploadWrites {
 public:
  virtual ~UploadWrites() = default;
  // `node`: whose process receives it. kNobody: of an older store, whose job is there already and
  // names it once it is kept.
  [[nodiscard]] virtual Result<UploadKey> begin_upload(NodeKey node) {
    (void)node;
    return uploads_unsupported();
  }
  // The next one, `which` from 0. conflict if that is another; not_found: it is kept already, or
  // was removed.
  [[nodiscard]] virtual Result<void> add_upload_piece(UploadKey key, std::int64_t which,
                                                      std::string_view octets) {
    (void)key;
    (void)which;
    (void)octets;
    return uploads_unsupported();
  }
  // Has this name from now on, in the place of what had it. not_found as before.
  [[nodiscard]] virtual Result<void> keep_upload(UploadKey key, std::string_view name) {
    (void)key;
    (void)name;
    return uploads_unsupported();
  }
  // Nobody finds it any more; its pieces go by purge_deleted(). Succeeds when there is none.
  [[nodiscard]] virtual Result<void> drop_upload(UploadKey key) {
    (void)key;
    return uploads_unsupported();
  }
  [[nodiscard]] virtual Result<void> drop_upload(std::string_view name) {
    (void)name;
    return uploads_unsupported();
  }
};

}  // namespace todoku::store
