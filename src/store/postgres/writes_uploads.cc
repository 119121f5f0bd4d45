// SPDX-License-Identifier: Apache-2.0
// Uploads as they come, and their end. A row is locked after those of jobs and deliveries; of
// several rows, none waits for another.
#include <algorithm>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kBeginUpload{"uploads: begin",
                       "INSERT INTO uploads(key, name, node, octets, pieces, touched, wanted, gone)"
                       " VALUES($1, NULL, $2, 0, 0, $3, 0, 0)"};
const Sql kCountPiece{"uploads: count piece",
                      "UPDATE uploads SET pieces = pieces + 1, octets = octets + $3, touched = $4"
                      " WHERE key = $1 AND pieces = $2 AND name IS NULL AND gone = 0"};
const Sql kOpenUpload{"uploads: open",
                      "SELECT pieces FROM uploads WHERE key = $1 AND name IS NULL AND gone = 0"};
const Sql kAddPiece{"uploads: add piece",
                    "INSERT INTO upload_pieces VALUES($1, $2, $3) ON CONFLICT DO NOTHING"};
const Sql kKeepUpload{"uploads: keep",
                      "UPDATE uploads SET name = $2, touched = $3,"
                      " wanted = CASE WHEN node = 0 THEN 1 ELSE wanted END"
                      " WHERE key = $1 AND name IS NULL AND gone = 0"};
const Sql kDropNamed{"uploads: drop named",
                     "UPDATE uploads SET name = NULL, gone = 1 WHERE name = $1"};
const Sql kDropUpload{"uploads: drop",
                      "UPDATE uploads SET name = NULL, gone = 1 WHERE key = $1 AND gone = 0"};

// A piece is some hundreds of rows to the database.
constexpr std::int64_t kRowsOfPiece = 100;
constexpr std::int64_t kUnnamedAtOnce = 100;
const Sql kDropUnnamed{
    "uploads: drop unnamed",
    "UPDATE uploads SET name = NULL, gone = 1 WHERE key = ANY(ARRAY(SELECT key FROM uploads u"
    " WHERE wanted = 0 AND gone = 0 AND touched <= $1 AND (touched <= $2 OR NOT EXISTS"
    " (SELECT 1 FROM nodes n WHERE n.key = u.node AND n.void = 0)) ORDER BY key LIMIT $3"
    " FOR UPDATE SKIP LOCKED)) AND wanted = 0"};
const Sql kGoneUpload{"uploads: gone",
                      "SELECT key FROM uploads WHERE gone = 1 LIMIT 1 FOR UPDATE SKIP LOCKED"};
const Sql kPurgePieces{"uploads: purge pieces",
                       "DELETE FROM upload_pieces WHERE upload = $1 AND which = ANY(ARRAY(SELECT"
                       " which FROM upload_pieces WHERE upload = $1 ORDER BY which LIMIT $2))"};
const Sql kPurgeUpload{"uploads: purge", "DELETE FROM uploads WHERE key = $1"};

std::unexpected<Error> no_open_upload() {
  return fail(ErrorKind::not_found, "the upload is kept already, or was removed");
}

}  // namespace

Result<UploadKey> Changes::begin_upload(NodeKey node) {
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto begun = session_.ask(kBeginUpload, Params() << *key << node << session_.now());
  if (!begun) return fail(begun.error());
  return UploadKey{*key};
}

Result<void> Changes::add_upload_piece(UploadKey key, std::int64_t which, std::string_view octets) {
  if (octets.empty() || octets.size() > kUploadPieceOctets) {
    return fail(ErrorKind::invalid_input, "a piece of an upload is empty or too long");
  }
  // Of what is refused here nothing stays.
  const auto done =
      session_
          .add(kCountPiece, Params() << key << which << static_cast<std::int64_t>(octets.size())
                                     << session_.now())
          .add(kAddPiece, Params() << key << which << Octets{octets})
          .fly();
  if (!done) return fail(done.error());
  if (done->front().changes() == 1 && done->back().changes() == 1) return {};
  const auto open = session_.ask(kOpenUpload, Params() << key);
  if (!open) return fail(open.error());
  if (open->empty()) return no_open_upload();
  return fail(ErrorKind::conflict, "this is not the next piece of the upload");
}

Result<void> Changes::keep_upload(UploadKey key, std::string_view name) {
  if (name.empty()) return fail(ErrorKind::invalid_input, "an upload without a name");
  const auto done = session_.add(kDropNamed, Params() << name)
                        .add(kKeepUpload, Params() << key << name << session_.now())
                        .fly();
  if (!done) return fail(done.error());
  if (done->back().changes() == 0) return no_open_upload();
  return {};
}

Result<void> Changes::drop_upload(UploadKey key) {
  const auto done = session_.ask(kDropUpload, Params() << key);
  if (!done) return fail(done.error());
  return {};
}

Result<void> Changes::drop_upload(std::string_view name) {
  const auto done = session_.ask(kDropNamed, Params() << name);
  if (!done) return fail(done.error());
  return {};
}

Result<bool> Changes::purge_uploads(std::int64_t& rows) {
  const auto unnamed =
      session_.ask(kDropUnnamed, Params() << session_.now() - kUnnamedUploadOfDeadFor
                                          << session_.now() - kUnnamedUploadFor << kUnnamedAtOnce);
  if (!unnamed) return fail(unnamed.error());
  while (rows > 0) {
    const auto gone = session_.ask(kGoneUpload);
    if (!gone) return fail(gone.error());
    if (gone->empty()) return true;
    const std::int64_t key = gone->integer(0, 0);
    const std::int64_t pieces = std::max<std::int64_t>(1, rows / kRowsOfPiece);
    const auto purged = session_.ask(kPurgePieces, Params() << key << pieces);
    if (!purged) return fail(purged.error());
    rows -= purged->changes() * kRowsOfPiece;
    if (purged->changes() == pieces) continue;
    const auto done = session_.ask(kPurgeUpload, Params() << key);
    if (!done) return fail(done.error());
    --rows;
  }
  return false;
}

}  // namespace todoku::store::postgres
