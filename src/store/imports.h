// SPDX-License-Identifier: Apache-2.0
// Imports: jobs that read an uploaded list and stage its rows, which become visible all at once.
// Rows are staged by the hot operation StageRows (work.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/approvals.h"
#include "store/keys.h"

namespace todoku::store {

// Stored as these numbers: never renumber.
enum class ImportStatus : std::uint8_t { running = 1, finished = 2, failed = 3, system_error = 4 };

// What the uploaded bytes are. Stored as these numbers: never renumber.
enum class ImportForm : std::uint8_t {
  csv = 0,
  ndjson = 1,  // a JSON object a line
};

// Of what an import found, as it is kept.
inline constexpr std::size_t kFindingsOctetsMax = std::size_t{64} * 1024;

// ImportJob::findings of one that was cancelled: it has failed, and nobody is to wonder why.
inline constexpr std::string_view kCancelledFindings = R"({"cancelled":true})";

struct ImportJob {
  PublicId id = 0;
  AccountKey account{};
  DeliveryKey delivery{};
  PublicId delivery_id = 0;
  ImportStatus status = ImportStatus::running;
  bool ignore_errors = false;
  bool immediate = false;
  bool keep_duplicates = false;
  Language language = Language::english;  // of what is said about its rows
  std::int32_t percentage = 0;
  std::int64_t success_count = 0;
  std::int64_t failed_count = 0;
  std::int64_t total_count = 0;  // rows
  std::int64_t folded = 0;       // rows whose address an earlier one had; of a running job, so far
  std::string upload;            // names the bytes (intake/uploads.h), gone once the job has ended
  std::string errors;  // names what was wrong, and stays as long as the delivery; empty: nothing
  Instant created{};
  ImportForm form = ImportForm::csv;
  bool dry_run = false;  // the list is looked at, and none of its rows is staged
  // What was found out about the list, a JSON object (intake/list_findings.h); empty: the job runs,
  // or an earlier version has run it.
  std::string findings;
  AskedBy asked_by;  // who wants its delivery to go, where it is immediate
};

struct NewImport {
  bool ignore_errors = false;
  bool immediate = false;
  bool keep_duplicates = false;  // else an address that the list has twice becomes one recipient
  Language language = Language::english;
  std::string upload;  // names the bytes
  ImportForm form = ImportForm::csv;
  bool dry_run = false;
  AskedBy asked_by = {};
};

struct ImportEnd {
  ImportStatus status = ImportStatus::finished;
  std::int64_t success_count = 0;
  std::int64_t failed_count = 0;
  std::int64_t total_count = 0;
  std::string errors;
  std::int64_t folded = 0;
  std::string findings = {};  // at most kFindingsOctetsMax
};

class ImportReads {
 public:
  virtual ~ImportReads() = default;
  [[nodiscard]] virtual Result<ImportJob> import_job(AccountKey account, PublicId id) = 0;
  // Jobs that run and are `node`'s, or nobody's that lives: who entered under the same name, or who
  // leads, goes on with them.
  [[nodiscard]] virtual Result<std::vector<ImportJob>> running_imports(NodeKey node) = 0;
  // ImportJob::upload of all jobs of the account that run, whosever they are.
  [[nodiscard]] virtual Result<std::vector<std::string>> waiting_lists(AccountKey account) = 0;
  // ImportJob::errors of the delivery's jobs that have any.
  [[nodiscard]] virtual Result<std::vector<std::string>> import_errors(DeliveryKey key) = 0;
};

class ImportWrites {
 public:
  virtual ~ImportWrites() = default;
  // edit -> importing. The job is `node`'s to run.
  [[nodiscard]] virtual Result<ImportJob> create_import(DeliveryKey key, const NewImport& import,
                                                        NodeKey node) = 0;
  // importing -> edit. finished: what was staged becomes part of the draft; else it is discarded.
  // conflict if the job is not `node`'s.
  [[nodiscard]] virtual Result<void> end_import(PublicId job, AccountKey account,
                                                const ImportEnd& end, NodeKey node) = 0;
  // Of a job that runs, whosever it is: it has failed, with kCancelledFindings, and what was staged
  // is discarded. conflict: it has ended.
  [[nodiscard]] virtual Result<void> cancel_import(PublicId job, AccountKey account) = 0;
  // Takes the job over, unless another node that lives has it, and forgets what it has staged, so
  // that it can begin again.
  [[nodiscard]] virtual Result<void> restart_import(PublicId job, AccountKey account,
                                                    NodeKey node) = 0;
};

}  // namespace todoku::store
