// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/peek.h"

#include <chrono>

#include "store/postgres/fitness.h"

namespace todoku::store::postgres {
namespace {

constexpr Milliseconds kPeekMost = std::chrono::seconds(10);
const Sql kPeek{"peek: setting", "SELECT value FROM settings WHERE name = $1"};

}  // namespace

Result<std::optional<std::string>> peek_setting(const DialOptions& dial, std::string_view name,
                                                bool must_keep) {
  Dialer dialer(dial);
  auto link = dialer.dial();
  if (!link) return fail(std::move(link.error()));
  if (auto fit = check_fit(**link, must_keep); !fit) return fail(std::move(fit.error()));
  const auto found = (*link)->fly_one(kPeek, Params() << name, kPeekMost);
  if (!found) return fail(found.error());
  if (found->empty()) return std::nullopt;
  return std::string(found->text(0, 0));
}

}  // namespace todoku::store::postgres
