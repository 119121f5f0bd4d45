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

struct Named {
  std::string address;
  Path place;
};

std::vector<Named> named_recipients(intake::TransactionRequest& request) {
  std::vector<std::string> to;
  if (!request.to.empty()) to.push_back(std::move(request.to));
  for (std::string& each : request.more_to) to.push_back(std::move(each));
  std::vector<Named> all;
  const auto add = [&](std::vector<std::string>& list, std::string_view name) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      all.push_back({std::move(list[i]), {"Destination", std::string(name), std::to_string(i)}});
    }
  };
  add(to, "ToAddresses");
  add(request.cc, "CcAddresses");
  add(request.bcc, "BccAddresses");
  return all;
}

std::vector<Named> named_by_fields(std::vector<std::string> addresses) {
  std::vector<Named> all;
  for (std::string& address : addresses) all.push_back({std::move(address), path_of_data()});
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

void add_recipients(std::vector<Named> named, const intake::Limits& limits, RawMail& read) {
  if (named.empty()) {
    read.problems.add({"Destination"},
                      {"is required, or a field To, Cc or Bcc in the message.",
                       "が必要です。またはメッセージにTo・Cc・Bccを書いてください。"});
  }
  if (named.size() > kRecipientsMax) {
    const bool by_request = named.front().place != path_of_data();
    read.problems.add(by_request ? Path{"Destination"} : path_of_data(),
                      intake::texts::too_many(kRecipientsMax));
    return;
  }
  for (Named& each : named) {
    read.mail.recipients.push_back(intake::check_recipient(
        {.email = each.address, .insert_codes = {}}, each.place, limits, read.problems));
    read.places.push_back(std::move(each.place));
  }
}

// By no address of the client's: who runs an application may not want it told.
std::string received_by_request(const RawFacts& facts) {
  return intake::submission::received_field({.hello = {},
                                             .client = {},
                                             .hostname = facts.hostname,
                                             .by_request = true,
                                             .tls = {},
                                             .recipient = {},
                                             .now = facts.now});
}

// Fields that are UTF-8 as they stand, or such an address (RFC 6531 section 3.4).
bool wants_smtputf8(const RawMail& read) {
  const std::string_view octets = read.mail.octets;
  return !is_ascii(octets.substr(0, read.mail.envelope.head_octets)) ||
         !is_ascii(read.mail.envelope.mail_from);
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
  auto named = named_recipients(email.letter.request);
  intake::submission::SubmissionReader reader({.received = received_by_request(facts),
                                               .now = facts.now,
                                               .message_id = facts.message_id,
                                               .from_address = read.sender.address,
                                               .own_names = facts.own_names,
                                               .smtputf8 = true,
                                               .by_request = true,
                                               .to_whom_it_names = named.empty()});
  const auto taken = reader.take(*email.raw, read.mail.octets);
  auto submitted = taken ? reader.finish(read.mail.octets) : fail(taken.error());
  if (!submitted) {
    const std::string& why = submitted.error().detail;
    read.problems.add(path_of_data(), {fmt::format("is no message that can be sent: {}.", why),
                                       fmt::format("送信できるメッセージではありません: {}", why)});
    return read;
  }
  if (named.empty()) named = named_by_fields(std::move(submitted->recipients));
  add_recipients(std::move(named), limits, read);
  if (email.letter.request.labels.tags) submitted->options.tags = *email.letter.request.labels.tags;
  if (!facts.repeat_key.empty()) submitted->options.idempotency_key = facts.repeat_key;
  RelayedEnvelope& envelope = read.mail.envelope;
  envelope.mail_from = read.sender.address.empty() ? submitted->from.address : read.sender.address;
  intake::note_octets(*submitted, envelope);
  envelope.smtputf8 = wants_smtputf8(read);
  read.mail.submitted = std::move(*submitted);
  return read;
}

}  // namespace todoku::api::doors::ses
