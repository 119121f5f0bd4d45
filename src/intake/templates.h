// SPDX-License-Identifier: Apache-2.0
// What people do with stored contents (store/templates.h): make, list, show, change, delete. One
// implementation for the API and for operators.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/digest.h"
#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/repeats.h"
#include "store/store.h"

namespace todoku::intake {

// nullopt: stays as it is, of a new one empty.
struct TemplateFields {
  std::optional<std::string> name;
  std::optional<Mailbox> from;  // an empty address: none
  std::optional<std::string> subject;
  std::optional<std::string> text_part;
  std::optional<std::string> html_part;
  std::optional<Escape> escape;  // of a new one html
};

[[nodiscard]] Sha256 fingerprint_of(const TemplateFields& fields);

// By what a path or a member calls it: digits are an id.
[[nodiscard]] store::TemplateChoice template_choice(std::string_view word,
                                                    std::int64_t version = 0);

struct TemplateCode {
  std::string key;
  bool required = false;  // somewhere it has no default
};

// A template with its codes, and which versions are kept, the newest first.
struct ShownTemplate {
  store::Template shown;
  std::vector<TemplateCode> codes;
  std::vector<store::TemplateVersionHead> versions;
};

// Thread-safe. Refusals: not_found, conflict, limit_exceeded, and problems at the fields.
class Templates {
 public:
  Templates(store::Store& store, const Limits& limits) : store_(store), limits_(limits) {}

  // The answer is its id.
  Task<Answer<Made>> create(store::Account account, TemplateFields fields, Repeatable repeatable);
  Task<Answer<store::Template>> change(store::Account account, store::TemplateChoice which,
                                       TemplateFields fields);
  Task<Answer<void>> remove(store::AccountKey account, store::TemplateChoice which);
  Task<Answer<ShownTemplate>> show(store::AccountKey account, store::TemplateChoice which);
  Task<Answer<std::vector<store::TemplateHead>>> list(store::AccountKey account,
                                                      store::PublicId after, std::int64_t limit);

 private:
  store::Store& store_;
  const Limits& limits_;
};

}  // namespace todoku::intake
