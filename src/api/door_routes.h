// SPDX-License-Identifier: Apache-2.0
// The doors for other services' clients, a file each, and what their routes share.
#pragma once

#include <string>
#include <utility>

#include <boost/json/value.hpp>

#include "api/api.h"
#include "api/doors/letter.h"
#include "api/mail_batch.h"
#include "http/router.h"

namespace todoku::api {

void add_resend_routes(Api& api, http::Router& router);
void add_postmark_routes(Api& api, http::Router& router);
void add_sendgrid_routes(Api& api, http::Router& router);
void add_ses_routes(Api& api, http::Router& router);

// The header as it is: it brings our own token.
[[nodiscard]] std::string bearer_of(const http::Request& request);

// What a list's element is read as; of what is no object only that is said.
template <class Read>
[[nodiscard]] doors::Letter letter_at(const boost::json::value& value, Read read) {
  if (value.is_object()) return read(value.get_object());
  doors::Letter letter;
  letter.problems.add({}, intake::texts::wrong_type("an object", "オブジェクト"));
  return letter;
}

// Of the only mail, or the first: its Message-ID, and that it was made before, in headers.
void tell_of_mail(const MailBatch& batch, http::Response& response);

}  // namespace todoku::api
