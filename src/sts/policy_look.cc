// SPDX-License-Identifier: Apache-2.0
#include "sts/policy_look.h"

#include <utility>

namespace todoku::sts {

using mailauth::mta_sts::Knowledge;
using mailauth::mta_sts::Look;
using mailauth::mta_sts::NoRecord;

// NOLINTNEXTLINE(*-reference-coroutine-parameters)
Task<Look> look_at(dns::Resolver& resolver, std::string domain) {
  const auto answer = co_await resolver.txt("_mta-sts." + domain);
  Look look;
  if (!answer && answer.error().kind == ErrorKind::not_found) {
    look.said = Look::Said::no_record;
    look.ttl = Knowledge::kLookEveryMax;
    co_return look;
  }
  if (!answer) {
    look.said = Look::Said::failed;
    look.reason = answer.error().detail;
    co_return look;
  }
  look.ttl = answer->ttl;
  auto id = mailauth::mta_sts::policy_id(answer->records);
  if (id) {
    look.said = Look::Said::id;
    look.id = std::move(*id);
  } else {
    look.said = Look::Said::no_record;
    look.why = id.error();
  }
  co_return look;
}

}  // namespace todoku::sts
