// SPDX-License-Identifier: Apache-2.0
// What people do with suppression lists (store/suppressions.h): list, look up, add, remove, CSV in
// and out. One implementation for the API and for operators.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "intake/problem.h"
#include "intake/repeats.h"
#include "store/store.h"

namespace todoku::intake {

// As people write it; empty: not said.
struct SuppressionRequest {
  std::string address;  // or a domain
  std::string reason;   // default: manual, of a list that is imported: imported
  std::string scope;    // default: all, of opt-outs and imports advertisements, with a list that
  std::string list_id;
  std::string note;
  std::optional<std::int64_t> days;  // until it expires; of opt-outs never
  // As an export has them (contract's dates), in the place of `days`; and the cause.
  std::string expires = {};
  std::string response_code = {};
  std::string response_message = {};
};

// Problems are found at email, reason, scope, list_id, note, days, response_code and message. The
// result is only meaningful if none was added.
store::NewSuppression check_suppression(const SuppressionRequest& request,
                                        store::AccountKey account, StopReason usual,
                                        Problems& problems);

// Sentences of it.
[[nodiscard]] Text opt_out_stays();
// Of an address with store::kStopsOfSubjectMax entries.
[[nodiscard]] Text subject_is_full();

struct SuppressionRemoval {
  std::string address;
  std::string reason;                  // empty: of any
  std::optional<std::string> list_id;  // nullopt: any
  std::string why;                     // needed where an opt-out is taken back
};

struct SuppressionLook {
  std::string subject;
  std::vector<store::Suppression> entries;  // the installation's too, and those of its domain
  std::vector<store::SuppressionChange> removals;
};

struct SuppressionRows {
  std::vector<store::Suppression> entries;  // maybe fewer than wanted, and not the last
  std::string next;                         // where the list goes on; empty: nowhere
};

// What was wrong with a row.
struct BadSuppressionRow {
  std::uint64_t row = 0;
  BilingualText reason;
};

struct ImportedSuppressions {
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::int64_t failed = 0;
  std::vector<BadSuppressionRow> errors;  // the first ones
  std::uint64_t rows = 0;                 // that were read, with what is none
  bool has_header = false;
};

// Thread-safe. `account`: store::kInstallation for everybody's.
class SuppressionLists {
 public:
  static constexpr std::size_t kErrorsTold = 100;
  static constexpr std::int64_t kPageMax = 1'000;

  explicit SuppressionLists(store::Store& store) : store_(store) {}

  // True: it is new; false: one that was there was changed.
  Task<Answer<bool>> add(store::AccountKey account, SuppressionRequest request,
                         Repeatable repeatable = {});
  // What was removed. Audited: the log and store::SuppressionChange say by whom.
  Task<Answer<std::vector<store::Suppression>>> remove(store::AccountKey account,
                                                       SuppressionRemoval removal,
                                                       std::string actor);
  Task<Answer<SuppressionLook>> look(store::AccountKey account, std::string address);
  // `cursor`: empty, or SuppressionRows::next.
  Task<Answer<SuppressionRows>> page(store::AccountKey account, std::string cursor,
                                     std::int64_t limit);
  // A row is an address or a domain, and what its header names besides; a list without a header is
  // one of addresses alone. Good rows are kept whatever the others are, some hundred in a commit;
  // of a file that is not UTF-8 nothing is. Others get their turn between pieces. `csv` must live
  // as long as the task (suppression_import.cc).
  // `repeatable`: committed with the last of the rows, its answer being what counts_of() makes of
  // those that were added and changed; a list that was broken off is begun again by its repeat.
  Task<Answer<ImportedSuppressions>> import(store::AccountKey account, std::string_view csv,
                                            Repeatable repeatable = {});
  // What is told of a list that was taken before: `kept` is the record's answer.
  Task<Answer<ImportedSuppressions>> told_again(store::AccountKey account, std::string_view csv,
                                                std::int64_t kept);

 private:
  // Reads all of it; without `stores` nothing is written.
  Task<Answer<void>> read_rows(store::AccountKey account, std::string_view csv, bool stores,
                               Repeatable repeatable, ImportedSuppressions& told);
  // For the log.
  [[nodiscard]] Task<std::string> name_of(store::AccountKey account);

  store::Store& store_;
};

// email,reason,scope,list_id,note,expires,created,response_code,message
[[nodiscard]] std::string suppression_csv_header();
void append_suppression_csv(std::string& out, const store::Suppression& entry);

}  // namespace todoku::intake
