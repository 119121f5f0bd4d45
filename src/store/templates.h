// SPDX-License-Identifier: Apache-2.0
// Contents that an account keeps, to begin deliveries with. A change makes a new version; what was
// begun with one has a copy of it, so a version may go when nobody asks for it any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/content.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr std::size_t kTemplateNameMax = 100;             // characters
inline constexpr std::int64_t kTemplatesMax = 1'000;             // of an account
inline constexpr std::int64_t kTemplateVersionsKept = 20;        // of each; the oldest go
inline constexpr std::int64_t kTemplateOctetsMax = 100'000'000;  // of all of an account

// Which one is meant: its id, or else its name, and which of its versions.
struct TemplateChoice {
  PublicId id = 0;
  std::string name;
  std::int64_t version = 0;  // 0: the latest
  friend bool operator==(const TemplateChoice&, const TemplateChoice&) = default;
};

// What lists tell.
struct TemplateHead {
  PublicId id = 0;  // never used twice in an account
  std::string name;
  std::int64_t latest = 1;  // its version; they count from 1
  Instant created{};
  Instant updated{};
  friend bool operator==(const TemplateHead&, const TemplateHead&) = default;
};

// One version of it. Of the content it has `from` (an empty address: none), `subject`, both parts
// and `escape`; the rest is the delivery's.
struct Template {
  TemplateHead head;
  std::int64_t version = 0;
  Instant made{};  // this version
  Content content;
};

struct TemplateVersionHead {
  std::int64_t version = 0;
  Instant made{};
  friend bool operator==(const TemplateVersionHead&, const TemplateVersionHead&) = default;
};

// What a template is made of, or becomes.
struct NewTemplate {
  std::string name;
  Content content;
};

[[nodiscard]] std::string pack_template(const Content& content);
// Errors: corrupt.
[[nodiscard]] Result<Content> unpack_template(std::string_view packed);
// What every back end refuses: invalid_input.
[[nodiscard]] Result<void> check_sound(const NewTemplate& wanted);

[[nodiscard]] std::unexpected<Error> no_such_template();
[[nodiscard]] std::unexpected<Error> too_many_templates();
[[nodiscard]] std::unexpected<Error> templates_too_large();
[[nodiscard]] std::unexpected<Error> template_name_taken();

class TemplateReads {
 public:
  virtual ~TemplateReads() = default;
  // not_found: there is none, or this version of it is not kept.
  [[nodiscard]] virtual Result<Template> content_template(AccountKey account,
                                                          const TemplateChoice& choice) = 0;
  // Those after `after`, by id, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<TemplateHead>> content_templates(AccountKey account,
                                                                            PublicId after,
                                                                            std::int64_t limit) = 0;
  // Those that are kept, the newest first. Empty: there is no such template.
  [[nodiscard]] virtual Result<std::vector<TemplateVersionHead>> template_versions(
      AccountKey account, PublicId id) = 0;
};

class TemplateWrites {
 public:
  virtual ~TemplateWrites() = default;
  // conflict: the name is taken; limit_exceeded: kTemplatesMax, or kTemplateOctetsMax; unsupported:
  // not_known_to() (nodes.h).
  [[nodiscard]] virtual Result<Template> create_template(AccountKey account,
                                                         const NewTemplate& wanted) = 0;
  // What `make` makes of the latest version is the next one, and nobody else makes one meanwhile;
  // of the same content none is made. Errors: as above, not_found, those of `make`.
  [[nodiscard]] virtual Result<Template> change_template(
      AccountKey account, PublicId id,
      const std::function<Result<NewTemplate>(const Template&)>& make) = 0;
  // With all its versions. not_found.
  [[nodiscard]] virtual Result<void> delete_template(AccountKey account, PublicId id) = 0;
};

}  // namespace todoku::store
