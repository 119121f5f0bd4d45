// SPDX-License-Identifier: Apache-2.0
// A message that is submitted: whatever comes is refused with a reason, or goes on with the fields
// that every message has and without those that are for nobody else. Wherever it is cut, the same
// goes on and the same is said of it.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "intake/submission/reader.h"
#include "mailauth/dkim/message.h"

namespace todoku::intake::submission {
namespace {

struct Read {
  bool taken = false;
  std::string out;
  Submitted facts;
  Error error{ErrorKind::io, ""};
};

// In slices of sizes that `cuts` says; empty: all at once.
Read read(const SubmissionRules& rules, std::string_view message, std::string_view cuts) {
  Read made;
  SubmissionReader reader(rules);
  for (std::size_t at = 0, i = 0; at < message.size(); ++i) {
    const std::size_t size =
        cuts.empty() ? message.size() : 1 + static_cast<unsigned char>(cuts[i % cuts.size()]) % 7U;
    const auto taken = reader.take(message.substr(at, size), made.out);
    if (!taken) {
      made.error = taken.error();
      return made;
    }
    at += size;
  }
  auto done = reader.finish(made.out);
  made.taken = done.has_value();
  if (done) {
    made.facts = std::move(*done);
  } else {
    made.error = done.error();
  }
  return made;
}

void check_same(const Read& whole, const Read& cut) {
  check(whole.taken == cut.taken, "a cut makes no difference");
  if (!whole.taken) return;
  const Submitted& a = whole.facts;
  const Submitted& b = cut.facts;
  check(whole.out == cut.out, "the same goes on");
  check(a.from == b.from && a.sender == b.sender && a.subject == b.subject &&
            a.options.tags == b.options.tags && a.options.list_id == b.options.list_id &&
            a.looks_like_list == b.looks_like_list && a.head_octets == b.head_octets &&
            a.octets == b.octets && a.has_leading_dot == b.has_leading_dot &&
            a.is_eight_bit == b.is_eight_bit && a.has_long_line == b.has_long_line,
        "the same is said of it");
}

void check_whole(const Read& made, std::string_view message) {
  const std::string& out = made.out;
  check(made.facts.octets == out.size(), "the octets are counted");
  check(made.facts.is_eight_bit == !is_ascii(out), "8-bit octets are found");
  const std::string_view head = std::string_view(out).substr(0, made.facts.head_octets);
  check(head.ends_with("\r\n\r\n"), "the header section has its blank line");
  check(is_utf8(head), "a header section is ASCII or UTF-8");
  const auto read_head = mailauth::dkim::split_message(head);
  check(read_head.body.empty(), "the header section ends where it is said to");
  std::size_t from = 0;
  std::size_t date = 0;
  std::size_t id = 0;
  for (const HeaderField& field : read_head.fields) {
    const std::string name = to_ascii_lower(field.name);
    check(!name.empty(), "a field is one");
    check(name != "bcc" && name != "resent-bcc" && !name.starts_with("x-todoku-"),
          "nobody is told what is for nobody");
    from += name == "from" ? 1U : 0U;
    date += name == "date" ? 1U : 0U;
    id += name == "message-id" ? 1U : 0U;
  }
  check(from == 1 && date >= 1 && id >= 1, "what every message has is there");
  check(parse_address(made.facts.from.address).has_value(), "From has an address");
  check(is_utf8(made.facts.subject) && made.facts.subject.size() <= 998, "a subject is one line");
  const std::string_view body = std::string_view(out).substr(made.facts.head_octets);
  check(message.ends_with(body) ||
            (body.ends_with("\r\n") && message.ends_with(body.substr(0, body.size() - 2))),
        "a body stays as it is");
}

}  // namespace
}  // namespace todoku::intake::submission

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::intake::submission;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const SubmissionRules rules{
      .received = "Received: from a\r\n by mx.example.jp with ESMTPSA; now\r\n",
      .allowed_options = size % 2 == 0 ? 0U : 0x3FU,
      .now = from_epoch_ms(1'767'225'600'000),
      .message_id = "1@example.jp",
      .from_address = size % 3 == 0 ? "" : "post@example.jp",
      .own_names = {"mx.example.jp"},
      .smtputf8 = size % 5 != 0};
  const Read whole = read(rules, message, {});
  check_same(whole, read(rules, message, message));
  check_same(whole, read(rules, message, std::string_view("\0", 1)));
  if (whole.taken) {
    check_whole(whole, message);
  } else {
    check(!whole.error.detail.empty(), "a refusal has a reason");
  }
  return 0;
}
