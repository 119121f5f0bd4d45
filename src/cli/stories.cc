// SPDX-License-Identifier: Apache-2.0
// todoku explain ADDRESS, and of many mails
#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

namespace {

// So many causes are told at most: all, where the most is asked for.
constexpr std::int64_t kCausesMost = 50;

int explain_many(Session& session, const Explain& options, operate::Given given) {
  const bool all = options.limit == operate::calls::kExplain.find("limit")->max;
  given.with("limit", all ? kCausesMost : options.limit);
  if (options.delivery != 0) given.with("delivery_id", options.delivery);
  const std::initializer_list<std::pair<std::string_view, const std::string&>> texts = {
      {"domain", options.domain},
      {"site", options.site},
      {"since", options.since},
      {"until", options.until}};
  for (const auto& [name, text] : texts) {
    if (!text.empty()) given.with(name, text);
  }
  return session.call(
      request_of(given),
      [&](const boost::json::value& answer) { session.out() << text_of(answer, "text"); },
      [](const boost::json::value& answer) { return !list_of(answer, "sites").empty(); });
}

void show_for_recipient(Session& session, const boost::json::value& answer) {
  constexpr Sentence kUnannounced{
      "(Of this mail its recipient is told nothing: it is a draft, or reserved.)\n",
      "（下書きまたは予約中のため、受信者に知らせることはありません）\n"};
  bool first = true;
  for (const auto& mail : list_of(answer, "mails")) {
    if (text_of(mail, "for_recipient").empty()) {
      session.err() << kUnannounced.in(session.language());
      continue;
    }
    if (!first) session.out() << "\n----\n\n";
    first = false;
    session.out() << text_of(mail, "for_recipient");
  }
}

}  // namespace

int explain_mail(Session& session, const Explain& options) {
  using operate::Given;
  Given given =
      Given(operate::calls::kExplain)
          .with("limit", options.limit)
          .with("lang", std::string(session.language() == Language::japanese ? "ja" : "en"));
  if (!options.account.empty()) given.with("account", options.account);
  if (options.utc) given.with("utc_offset_minutes", std::int64_t{0});
  if (!options.reference.empty()) {
    given.with("reference", options.reference);
  } else if (!options.message_id.empty()) {
    given.with("message_id", options.message_id);
  } else if (options.mail != 0) {
    given.with("email_id", options.mail);
  } else if (!options.address.empty()) {
    given.with("address", options.address);
  } else {
    return explain_many(session, options, std::move(given));
  }
  return session.call(
      request_of(given),
      [&](const boost::json::value& answer) {
        if (options.for_recipient) return show_for_recipient(session, answer);
        session.out() << text_of(answer, "text");
      },
      [](const boost::json::value& answer) { return !list_of(answer, "mails").empty(); });
}

}  // namespace todoku::cli
