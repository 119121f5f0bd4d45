// SPDX-License-Identifier: Apache-2.0
// Any octets as tag list, key record, header field, body and whole message. Oracles: nothing dies;
// what is cut can be put together again; canonical forms hold their promises, do not depend on how
// the body came in pieces and do not change when made canonical again; what we sign, we verify.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "base/random.h"
#include "mailauth/dkim/key_record.h"
#include "mailauth/dkim/signer.h"
#include "mailauth/dkim/tag_list.h"
#include "mailauth/dkim/verifier.h"

namespace todoku::mailauth::dkim {
namespace {

constexpr std::string_view kKey =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kRecord =
    "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const Instant kInstant = from_epoch_ms(1'767'225'600'000);

class Collector final : public OctetSink {
 public:
  void write(std::string_view octets) override { text += octets; }
  std::string text;
};

std::string canonical(const std::vector<std::string_view>& pieces, Canonicalization form) {
  BodyCanonicalizer canonicalizer(form);
  Collector collector;
  for (const std::string_view piece : pieces) canonicalizer.update(piece, collector);
  canonicalizer.finish(collector);
  return collector.text;
}

std::vector<std::string_view> cut(std::string_view text, Random& random) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    pieces.push_back(text.substr(0, random.below(1U << random.below(9))));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void check_tag_list(std::string_view text) {
  const auto list = TagList::parse(text);
  if (!list) return;
  check(!list->tags().empty(), "a list has tags");
  for (const Tag& tag : list->tags()) {
    check(list->find(tag.name) == &tag, "names are unique");
    check(tag.room.data() >= text.data() &&
              tag.room.data() + tag.room.size() <= text.data() + text.size(),
          "values are views into the text");
    check(trim(tag.room) == tag.value, "a value is its room without white space");
  }
}

void check_key_record(std::string_view text) {
  const auto record = parse_key_record(text);
  if (record) check(record->revoked() == (record->bits == 0), "a key has bits");
  const auto answer = KeyAnswer::from_texts({std::string(text)});
  check(answer.records().size() == (record ? 1U : 0U), "the answer holds what was readable");
}

void check_body(std::string_view body, Random& random) {
  for (const auto form : {Canonicalization::relaxed, Canonicalization::simple}) {
    const std::string whole = canonical({body}, form);
    check(canonical(cut(body, random), form) == whole, "pieces do not matter");
    check(canonical({whole}, form) == whole, "canonical text is canonical");
    check(whole.empty() || whole.ends_with("\r\n"), "a canonical body ends a line");
    check(whole.size() <= 2 || !whole.ends_with("\r\n\r\n"), "blank lines at the end are gone");
  }
  const std::string relaxed = canonical({body}, Canonicalization::relaxed);
  check(!has(relaxed, "\t") && !has(relaxed, "  ") && !has(relaxed, " \r\n"),
        "white space is reduced");
}

void check_field(std::string_view field) {
  std::string once;
  append_relaxed_field(once, field);
  check(once.ends_with("\r\n") && has(once, ":"), "a field has a colon and an end");
  std::string twice;
  append_relaxed_field(twice, once);
  // A CR at the end of the value would meet the LF of the field's end.
  if (!has(field, "\r\r")) check(once == twice, "a canonical field is canonical");
}

void check_message(std::string_view text) {
  const MessageView message = split_message(text);
  std::string again;
  for (const HeaderField& field : message.fields) {
    again += field.raw;
    check_field(field.raw);
  }
  if (again.size() < text.size()) again += "\r\n";
  again += message.body;
  check(again == text, "the parts are the message");
  for (const Signature& signature : parse_signatures(message)) {
    const auto answer = KeyAnswer::from_texts({std::string(kRecord)});
    const auto result = verify(message, signature, answer, {.now = kInstant});
    check((result.verdict == Verdict::pass) == result.reason.empty(),
          "only a pass needs no reason");
    check(!signature.problem || result.verdict == signature.problem->verdict, "a problem decides");
  }
}

void check_signing(std::string_view text, Random& random) {
  // A message that begins with white space would continue the field put before it.
  if (text.starts_with(' ') || text.starts_with('\t')) return;
  static const Signer signer = Signer::create({{.name = KeyName::parse("example.jp", "s1").value(),
                                                .key = SigningKey::from_pem(kKey).value()}})
                                   .value();
  static SigningContext context;
  const MessageView message = split_message(text);
  std::string out;
  const auto done = signer.sign(context,
                                {.headers = message.fields,
                                 .body_hash = context.body_hash(cut(message.body, random)),
                                 .signed_at = kInstant},
                                out);
  if (!done) {
    check(out.empty(), "nothing is left of a failure");
    return;
  }
  out += text;
  const MessageView signed_message = split_message(out);
  const auto signatures = parse_signatures(signed_message);
  check(!signatures.empty() && !signatures.front().problem, "our field is well formed");
  const auto answer = KeyAnswer::from_texts({std::string(kRecord)});
  const auto result = verify(signed_message, signatures.front(), answer, {.now = kInstant});
  check(result.verdict == Verdict::pass, "our signature verifies");
}

}  // namespace
}  // namespace todoku::mailauth::dkim

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::mailauth::dkim;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  todoku::SeededRandom random(size);
  check_tag_list(text);
  check_key_record(text);
  check_body(text, random);
  check_message(text);
  check_signing(text, random);
  return 0;
}
