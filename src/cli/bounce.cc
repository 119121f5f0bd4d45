// SPDX-License-Identifier: Apache-2.0
// todoku bounce classify
#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/mail_checks.h"
#include "cli/printable_stream.h"
#include "feedback/parse/judged.h"
#include "feedback/parse/quoted_reply.h"

namespace todoku::cli {
namespace {

using feedback::parse::Bounce;
using feedback::parse::Judged;
using feedback::parse::ReturnedRecipient;

std::string as_said(const Reply& reply) {
  return reply.code == 0 ? reply.text : fmt::format("{} {}", reply.code, reply.text);
}

boost::json::object told(const Judged& judged, const ReturnedRecipient* recipient) {
  boost::json::object result;
  result["recipient"] = recipient == nullptr || recipient->address.empty()
                            ? boost::json::value(nullptr)
                            : boost::json::value(recipient->address);
  result["class"] = judged.word;
  result["permanent"] = judged.permanent;
  result["suppress"] = judged.suppress;
  const std::string said = recipient == nullptr ? std::string() : as_said(recipient->reply);
  const std::string status = recipient == nullptr         ? std::string()
                             : !recipient->status.empty() ? recipient->status
                                                          : feedback::parse::quoted_status(said);
  result["status"] = status.empty() ? boost::json::value(nullptr) : boost::json::value(status);
  result["reply"] = said.empty() ? boost::json::value(nullptr) : boost::json::value(said);
  result["rule"] = judged.rule;
  return result;
}

// Of each recipient; of a mail that names none, one without.
std::vector<boost::json::object> all_told(const Bounce& bounce) {
  std::vector<boost::json::object> results;
  for (const ReturnedRecipient& each : bounce.recipients) {
    results.push_back(told(judge(bounce, &each), &each));
  }
  if (results.empty()) results.push_back(told(judge(bounce, nullptr), nullptr));
  return results;
}

Result<std::vector<boost::json::object>> of_file(const std::string& path, Session& session) {
  auto octets = read_mail(path, session.host().input());
  if (!octets) return fail(std::move(octets.error()));
  auto bounce = feedback::parse::read_bounce(*octets);
  if (!bounce) {
    bounce.error().detail = fmt::format("{}: {}", path, bounce.error().detail);
    return fail(std::move(bounce.error()));
  }
  return all_told(*bounce);
}

// "250 ok", whatever numbers its words have.
bool is_positive(std::string_view text) {
  return text.size() >= 3 && text[0] == '2' && text[1] >= '0' && text[1] <= '9' && text[2] >= '0' &&
         text[2] <= '9' && (text.size() == 3 || text[3] == ' ' || text[3] == '-');
}

Result<boost::json::object> of_reply(std::string_view text, std::string_view site = {}) {
  std::optional<Reply> reply;
  if (is_positive(text)) {
    reply = Reply{.code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'),
                  .text = std::string(text.substr(std::min<std::size_t>(4, text.size())))};
  } else {
    reply = feedback::parse::quoted_reply(text);
  }
  ReturnedRecipient recipient;
  recipient.reply = reply ? std::move(*reply) : Reply{.code = 0, .text = std::string(text)};
  if (!is_positive(text)) recipient.status = feedback::parse::quoted_status(text);
  recipient.stage = feedback::parse::quoted_stage(text);
  recipient.site = site;
  const Bounce bounce{.kind = Bounce::Kind::report, .recipients = {}};
  return told(judge(bounce, &recipient), &recipient);
}

// The first recipient's result; what is said of others is in "others".
Result<boost::json::object> of_case(const boost::json::object& given, Session& session) {
  auto file = case_text(given, "file");
  if (!file) return fail(std::move(file.error()));
  auto reply = case_text(given, "reply");
  if (!reply) return fail(std::move(reply.error()));
  if (file->empty() == reply->empty()) {
    return fail(ErrorKind::invalid_input, "a case has either file or reply");
  }
  auto site = case_text(given, "site");
  if (!site) return fail(std::move(site.error()));
  if (!reply->empty()) return of_reply(*reply, *site);
  if (*file == "-") return fail(ErrorKind::invalid_input, "file must name a file");
  auto results = of_file(*file, session);
  if (!results) return fail(std::move(results.error()));
  boost::json::object first = std::move(results->front());
  if (results->size() > 1) {
    boost::json::array others;
    for (std::size_t i = 1; i < results->size(); ++i) others.push_back(std::move((*results)[i]));
    first["others"] = std::move(others);
  }
  return first;
}

Task<Result<boost::json::object>> judge_returned(
    const boost::json::object& given,  // NOLINT(*-reference-coroutine-parameters)
    Session& session) {                // NOLINT(*-reference-coroutine-parameters)
  co_return of_case(given, session);
}

std::string text_or_dash(const boost::json::object& result, std::string_view name) {
  const auto& value = result.at(name);
  return value.is_string() ? std::string(value.get_string()) : "-";
}

void show(Session& session, const boost::json::object& result) {
  if (session.common().json) {
    session.out() << printable_json(boost::json::serialize(result)) << '\n';
    return;
  }
  const auto yes = [&](std::string_view name) {
    return session.words(result.at(name).get_bool() ? Sentence{"yes", "はい"}
                                                    : Sentence{"no", "いいえ"});
  };
  session.say(
      {"recipient  {}\nclass      {}\npermanent  {}\nsuppress   {}\nstatus     {}\n"
       "reply      {}\nrule       {}\n",
       "宛先      {}\n分類      {}\n恒久      {}\n配信停止  {}\nステータス {}\n応答      {}\n"
       "規則      {}\n"},
      text_or_dash(result, "recipient"), text_or_dash(result, "class"), yes("permanent"),
      yes("suppress"), text_or_dash(result, "status"), text_or_dash(result, "reply"),
      text_or_dash(result, "rule"));
}

// By the rules of this machine's configuration; by those that come with the engine where that
// cannot be read, which is said.
void use_rules_of_installation(Session& session) {
  auto rules = session.host().rules(session.common().config);
  if (rules) {
    feedback::classify::put_in_force(std::move(rules->replies));
  } else {
    session.err() << session.words({"by the rules that come with todoku, since: {}\n",
                                    "todoku に同梱のルールで判断します。理由: {}\n"},
                                   rules.error().detail);
  }
}

}  // namespace

int bounce_classify(Session& session, const BounceClassify& wish) {
  const int wishes =
      (wish.batch ? 1 : 0) + (wish.reply.empty() ? 0 : 1) + (wish.files.empty() ? 0 : 1);
  if (wishes != 1) {
    return unreadable(
        session, session.words({"either files, --reply or --batch is needed",
                                "ファイル、--reply、--batch のどれか 1 つを指定してください"}));
  }
  use_rules_of_installation(session);
  if (wish.batch) {
    return check_batch(session, {.batch = true, .resolver = {}},
                       [&session](const boost::json::object& given, dns::Resolver&) {
                         return judge_returned(given, session);
                       });
  }
  int status = 0;
  if (!wish.reply.empty()) show(session, *of_reply(wish.reply));
  for (const std::string& file : wish.files) {
    const auto results = of_file(file, session);
    if (!results) {
      status = unreadable(session, results.error().detail);
      continue;
    }
    for (const boost::json::object& each : *results) show(session, each);
  }
  return status;
}

}  // namespace todoku::cli
