// SPDX-License-Identifier: Apache-2.0
#include "api/doors/ses_raw.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "intake/check.h"
#include "intake/submission/reader.h"
#include "mail/address.h"

namespace todoku::api::doors::ses {
namespace {

constexpr std::size_t kRecipientsMax = intake::submission::kRecipientsOfOneMax;

const Path& path_of_data() {
  static const Path path{"Content", "Raw", "Data"};
  return path;
}

// By fields of this name a message would tell SES what to do with it. Nothing here reads them, and
// they are nobody else's business.
void refuse_words_for_ses(std::string_view message, intake::Problems& problems) {
  constexpr std::string_view kPrefix = "X-SES-";
  constexpr std::size_t kShown = 64;
  for (std::string_view rest = message; !rest.empty() && !rest.starts_with("\r\n");) {
    const std::size_t end = rest.find('\n');
    if (equals_ignoring_case(rest.substr(0, kPrefix.size()), kPrefix)) {
      const std::string name(rest.substr(0, std::min(rest.find_first_of(": \t\r\n"), kShown)));
      problems.add(path_of_data(),
                   {fmt::format("has the field {}, which is not read here: take it out, and name "
                                "tags in EmailTags.",
                                name),
                    fmt::format("{}ヘッダーには対応していません。取り除き、タグはEmailTags"
                                "で指定してください。",
                                name)});
      return;
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

std::vector<std::string> named_recipients(intake::TransactionRequest& request) {
  std::vector<std::string> all;
  if (!request.to.empty()) all.push_back(std::move(request.to));
  for (auto* const list : {&request.more_to, &request.cc, &request.bcc}) {
    for (std::string& each : *list) all.push_back(std::move(each));
  }
  return all;
}

// The packages repeat a call octet by octet.
std::string what_is_repeated(const Email& email, const Mailbox& sender) {
  std::string all = fmt::format("{}\n{}\n", sender.address, sender.name);
  if (const auto& tags = email.letter.request.labels.tags) {
    for (const std::string& tag : *tags) all += tag + '\n';
  }
  return sha256_hex(all + '\n' + *email.raw);
}

void add_recipients(const std::vector<std::string>& addresses, const intake::Limits& limits,
                    RawMail& read) {
  const Path path{"Destination"};
  if (addresses.empty()) {
    read.problems.add(path, {"is required, or a field To, Cc or Bcc in the message.",
                             "が必要です。またはメッセージにTo・Cc・Bccを書いてください。"});
  }
  if (addresses.size() > kRecipientsMax) {
    read.problems.add(path, intake::texts::too_many(kRecipientsMax));
    return;
  }
  for (const std::string& address : addresses) {
    read.mail.recipients.push_back(intake::check_recipient({.email = address, .insert_codes = {}},
                                                           path, limits, read.problems));
  }
}

}  // namespace

RawMail read_raw_mail(Email email, const intake::Limits& limits, const RawFacts& facts) {
  RawMail read{.mail = {},
               .problems = std::move(email.letter.problems),
               .sender = email.letter.request.content.from};
  const auto sender = parse_address(read.sender.address);
  if (!read.sender.address.empty() && !sender) {
    read.problems.add({"FromEmailAddress"}, intake::texts::invalid_email(sender.error().detail));
  }
  if (!email.raw || !read.problems.empty()) return read;
  refuse_words_for_ses(*email.raw, read.problems);
  read.mail.same = what_is_repeated(email, read.sender);
  auto addresses = named_recipients(email.letter.request);
  intake::submission::SubmissionReader reader({.received = {},
                                               .now = facts.now,
                                               .message_id = facts.message_id,
                                               .from_address = read.sender.address,
                                               .own_names = {},
                                               .smtputf8 = true,
                                               .by_request = true,
                                               .to_whom_it_names = addresses.empty()});
  const auto taken = reader.take(*email.raw, read.mail.octets);
  auto submitted = taken ? reader.finish(read.mail.octets) : fail(taken.error());
  if (!submitted) {
    const std::string& why = submitted.error().detail;
    read.problems.add(path_of_data(), {fmt::format("is no message that can be sent: {}.", why),
                                       fmt::format("送信できるメッセージではありません: {}", why)});
    return read;
  }
  if (addresses.empty()) addresses = submitted->recipients;
  add_recipients(addresses, limits, read);
  if (email.letter.request.labels.tags) submitted->options.tags = *email.letter.request.labels.tags;
  if (!facts.repeat_key.empty()) submitted->options.idempotency_key = facts.repeat_key;
  RelayedEnvelope& envelope = read.mail.envelope;
  envelope.mail_from = read.sender.address.empty() ? submitted->from.address : read.sender.address;
  intake::note_octets(*submitted, envelope);
  read.mail.submitted = std::move(*submitted);
  return read;
}

}  // namespace todoku::api::doors::ses
