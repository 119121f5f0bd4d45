// SPDX-License-Identifier: Apache-2.0
#include "app/people_mail.h"

#include <utility>

#include <fmt/format.h>

#include "app/refusal_sentence.h"
#include "people/letters.h"

namespace todoku::app {
Task<Result<void>> PeopleMail::send(store::Person person, store::LinkPurpose purpose,
                                    std::string url) {
  const config::Config::Console& console = config_.console;
  if (console.mail_account.empty()) {
    co_return fail(ErrorKind::unsupported,
                   "console.mail_account is not configured: mail to people goes nowhere");
  }
  const auto account = co_await store_.read([&console](store::ReadTransaction& reader) {
    return reader.account_by_name(console.mail_account);
  });
  if (!account) co_return fail("console.mail_account", account.error());
  if (account->suspended) {
    co_return fail(ErrorKind::conflict, "console.mail_account: the account is suspended");
  }
  const Language language = parse_language(person.language).value_or(Language::english);
  people::Letter letter = people::link_letter(purpose, language, url);
  intake::TransactionRequest request;
  request.content.from.address = console.mail_from;
  request.content.subject = std::move(letter.subject);
  request.content.text_part = std::move(letter.text);
  request.content.html_part = std::move(letter.html);
  request.to = person.email;
  // Afterwards the link opens nothing.
  request.expires_in = people::kLinkLife;
  request.open_tracking = false;
  const auto made = co_await intake_.accept_transaction(*account, std::move(request));
  if (!made) co_return fail(made.error().kind, sentence_of(made.error()));
  co_return Result<void>{};
}

}  // namespace todoku::app
