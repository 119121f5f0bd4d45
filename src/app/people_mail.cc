// SPDX-License-Identifier: Apache-2.0
#include "app/people_mail.h"

#include <utility>

#include <fmt/format.h>

#include "app/refusal_sentence.h"
#include "people/letters.h"

namespace todoku::app {
namespace {

Language language_of(const store::Person& person) {
  return parse_language(person.language).value_or(Language::english);
}

}  // namespace

Task<Result<void>> PeopleMail::send(store::Person person, store::LinkPurpose purpose,
                                    std::string url) {
  people::Letter letter = people::link_letter(purpose, language_of(person), url);
  co_return co_await hand_in(std::move(person.email), std::move(letter));
}

Task<Result<void>> PeopleMail::tell_invited_elsewhere(store::Person person, std::string url) {
  people::Letter letter = people::elsewhere_letter(language_of(person), url);
  co_return co_await hand_in(std::move(person.email), std::move(letter));
}

Task<Result<void>> PeopleMail::hand_in(std::string to, people::Letter letter) {
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
  intake::TransactionRequest request;
  request.content.from.address = console.mail_from;
  request.content.subject = std::move(letter.subject);
  request.content.text_part = std::move(letter.text);
  request.content.html_part = std::move(letter.html);
  request.to = std::move(to);
  // Afterwards the link opens nothing.
  request.expires_in = people::kLinkLife;
  request.open_tracking = false;
  const auto made = co_await intake_.accept_transaction(*account, std::move(request));
  if (!made) co_return fail(made.error().kind, sentence_of(made.error()));
  co_return Result<void>{};
}

}  // namespace todoku::app
