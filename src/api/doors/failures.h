// SPDX-License-Identifier: Apache-2.0
// What another service says when it refuses: its status, its shape and its codes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/doors/fields.h"
#include "api/doors/letter.h"
#include "base/bilingual.h"
#include "http/message.h"
#include "intake/problem.h"

namespace todoku::api::doors {

enum class Trouble : std::uint8_t {
  invalid,         // a field
  missing,         // a field is required and not there
  sender,          // nobody may send as that here
  no_template,     // the template is not there
  no_stream,       // nor the stream
  too_many_mails,  // in one request
  unreadable,      // no JSON
  no_credential,
  wrong_credential,
  bad_signature,         // of a signed request
  incomplete_signature,  // it does not cover what it has to
  lacks_scope,
  suspended,
  not_found,  // no such path
  method,
  too_large,
  media_type,
  too_often,  // a limit in time
  key_invalid,
  key_of_other,
  key_in_progress,
  unavailable,
  failed,  // ours
};

struct Failure {
  Trouble trouble = Trouble::failed;
  std::string text;
  std::string field = {};  // as the service names it; empty: the whole
};

[[nodiscard]] int status_of(Service service, Trouble trouble);
[[nodiscard]] http::Response failure(Service service, const Failure& failure);
// Its object alone, of one mail among several, where the service has such: Postmark.
[[nodiscard]] std::string failure_body(Service service, const Failure& failure);

// Of a request that no endpoint answers, or whose answer would be this status.
[[nodiscard]] Trouble trouble_of_status(int status);

// Why intake, or reading, has refused. What intake names is told by the service's own names, where
// it stands in the request.
[[nodiscard]] Failure failure_of(Service service, const intake::Refusal& refusal, Language language,
                                 const Origin& origin = {});
[[nodiscard]] Failure failure_of(Service service, const intake::Problems& problems,
                                 Language language, const Origin& origin = {});
// The service's name of what intake calls so.
[[nodiscard]] std::string field_of(Service service, Path path, const Origin& origin);

}  // namespace todoku::api::doors
