// SPDX-License-Identifier: Apache-2.0
#include "api/error_download.h"

#include <utility>

#include "base/log.h"

namespace todoku::api {
namespace {

constexpr std::size_t kPieceOctets = 64 * 1024;

async::FilePool::Owner owner_of(store::AccountKey account) {
  return static_cast<async::FilePool::Owner>(account);
}

}  // namespace

ErrorDownload::~ErrorDownload() {
  // To close a file may take as long as to read it.
  parts_.files.post(owner_of(parts_.account),
                    [reader = std::move(parts_.reader), place = std::move(parts_.place)]() mutable {
                      reader.reset();
                    });
}

Task<Result<std::string_view>> ErrorDownload::read() {
  piece_.resize(kPieceOctets);
  const auto got = co_await parts_.files.run(owner_of(parts_.account),
                                             [this] { return parts_.reader->read(piece_); });
  if (got) co_return std::string_view(piece_).substr(0, *got);
  if (got.error().kind != ErrorKind::cancelled && got.error().kind != ErrorKind::unavailable) {
    log::error("error file of an import cannot be read",
               {{"file", parts_.name}, {"reason", got.error().detail}});
  }
  co_return fail(got.error());
}

}  // namespace todoku::api
