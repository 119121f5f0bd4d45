// SPDX-License-Identifier: Apache-2.0
// Exports: jobs that make a file for a client to fetch (the error-stop list, reports). A job is
// nobody's until a process with the role `events` takes it (docs/adr/0016, events/exports); the
// file is kept for some days under the name that the job has from then on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "mail/states.h"
#include "store/keys.h"

namespace todoku::store {

// What is exported. Stored as these numbers: never renumber.
enum class ExportKind : std::uint8_t { error_list = 1, open_report = 2, recipient_list = 3 };

// Stored as these numbers: never renumber.
enum class ExportStatus : std::uint8_t { running = 1, finished = 2, failed = 3 };

// Of one account that wait or run.
inline constexpr std::int64_t kExportsOfAccountMax = 20;

struct ExportJob {
  PublicId id = 0;  // of the account's job ids
  AccountKey account{};
  ExportKind kind{};
  std::string parameters;                 // as its kind reads it
  Language language = Language::english;  // of what is written for people
  ExportStatus status = ExportStatus::running;
  std::int32_t percentage = 0;
  std::int64_t total = 0;  // rows
  std::string file;        // names the bytes (intake/uploads.h); empty: there is none (any more)
  Instant created{};
  std::optional<Instant> ended;
};

struct NewExport {
  AccountKey account{};
  ExportKind kind{};
  std::string parameters;
  Language language = Language::english;
};

// The parameters of a recipient_list.
struct RecipientExport {
  PublicId delivery = 0;
  std::vector<RecipientState> states;  // those in one of them; empty: all
};
[[nodiscard]] std::string written(const RecipientExport& wanted);
// corrupt: written() has not written it.
[[nodiscard]] Result<RecipientExport> read_recipient_export(std::string_view parameters);

struct ExportEnd {
  ExportStatus status = ExportStatus::finished;
  std::int64_t total = 0;
  std::string file;
};

class ExportReads {
 public:
  virtual ~ExportReads() = default;
  // not_found: the account has no such job of this kind.
  [[nodiscard]] virtual Result<ExportJob> export_job(AccountKey account, ExportKind kind,
                                                     PublicId id) = 0;
  // Jobs that run and are `node`'s, or nobody's that lives; oldest first.
  [[nodiscard]] virtual Result<std::vector<ExportJob>> running_exports(NodeKey node,
                                                                       std::int64_t limit) = 0;
  // Jobs that ended before; oldest first.
  [[nodiscard]] virtual Result<std::vector<ExportJob>> ended_exports(Instant before,
                                                                     std::int64_t limit) = 0;
};

class ExportWrites {
 public:
  virtual ~ExportWrites() = default;
  // A job that is nobody's yet. limit_exceeded: too many of the account are not done.
  [[nodiscard]] virtual Result<ExportJob> create_export(const NewExport& wanted) = 0;
  // Takes the job, unless another node that lives has it: conflict; also if it has ended.
  [[nodiscard]] virtual Result<void> take_export(AccountKey account, PublicId id, NodeKey node) = 0;
  // conflict: the job is not `node`'s to run.
  [[nodiscard]] virtual Result<void> tell_export(AccountKey account, PublicId id, NodeKey node,
                                                 std::int32_t percentage) = 0;
  [[nodiscard]] virtual Result<void> end_export(AccountKey account, PublicId id, NodeKey node,
                                                const ExportEnd& end) = 0;
  // Of a job that has ended. Its file is no longer named by anybody.
  [[nodiscard]] virtual Result<void> drop_export(AccountKey account, PublicId id) = 0;
};

}  // namespace todoku::store
