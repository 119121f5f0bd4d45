// SPDX-License-Identifier: Apache-2.0
// Questions about uploads.
#include <fmt/format.h>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kUpload{"uploads: by name",
                  "SELECT key, octets FROM uploads WHERE name = $1"
                  " ORDER BY key DESC LIMIT 1"};
const Sql kUploadPiece{"uploads: piece",
                       "SELECT data FROM upload_pieces WHERE upload = $1 AND which = $2"};

}  // namespace

Result<KeptUpload> Questions::upload(std::string_view name) {
  const auto rows = session_.ask(kUpload, Params() << name);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::not_found, fmt::format("there is no upload {}", name));
  return KeptUpload{.key = UploadKey{rows->integer(0, 0)},
                    .octets = static_cast<std::uint64_t>(rows->integer(0, 1))};
}

Result<std::string> Questions::upload_piece(UploadKey key, std::int64_t which) {
  const auto rows = session_.ask(kUploadPiece, Params() << key << which);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::not_found, "this part of the upload is not there");
  return std::string(rows->text(0, 0));
}

}  // namespace todoku::store::postgres
