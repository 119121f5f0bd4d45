// SPDX-License-Identifier: Apache-2.0
#include "inbound/milter_talk.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::inbound {
namespace {

constexpr std::uint32_t kVersion = 6;
constexpr std::uint32_t kVersionLeast = 2;

// SMFIF_ADDHDRS, SMFIF_CHGHDRS, SMFIF_QUARANTINE
constexpr std::uint32_t kActions = 0x01 | 0x10 | 0x20;

// SMFIP_NO...: steps that the filter does without.
constexpr std::uint32_t kNoConnect = 0x01;
constexpr std::uint32_t kNoHello = 0x02;
constexpr std::uint32_t kNoMail = 0x04;
constexpr std::uint32_t kNoRecipients = 0x08;
constexpr std::uint32_t kNoBody = 0x10;
constexpr std::uint32_t kNoFields = 0x20;
constexpr std::uint32_t kNoEndOfFields = 0x40;
constexpr std::uint32_t kNoData = 0x200;
constexpr std::uint32_t kSkip = 0x400;
// SMFIP_NR_...: steps that it does not answer.
constexpr std::uint32_t kUnansweredField = 0x80;
constexpr std::uint32_t kUnansweredConnect = 0x1000;
constexpr std::uint32_t kUnansweredHello = 0x2000;
constexpr std::uint32_t kUnansweredMail = 0x4000;
constexpr std::uint32_t kUnansweredRecipient = 0x8000;
constexpr std::uint32_t kUnansweredData = 0x10000;
constexpr std::uint32_t kUnansweredEndOfFields = 0x40000;
constexpr std::uint32_t kUnansweredBody = 0x80000;
// SMFIP_HDR_LEADSPC: values have the blank behind the colon, both ways.
constexpr std::uint32_t kLeadingBlank = 0x100000;
// SMFIP_NOUNKNOWN, SMFIP_NR_UNKN: of commands that nobody knows none is told.
constexpr std::uint32_t kUnknown = 0x100 | 0x20000;

constexpr std::uint32_t kOffered = kNoConnect | kNoHello | kNoMail | kNoRecipients | kNoBody |
                                   kNoFields | kNoEndOfFields | kNoData | kSkip | kUnansweredField |
                                   kUnansweredConnect | kUnansweredHello | kUnansweredMail |
                                   kUnansweredRecipient | kUnansweredData | kUnansweredEndOfFields |
                                   kUnansweredBody | kLeadingBlank | kUnknown;

constexpr std::size_t kReasonOctetsMax = 200;
constexpr std::size_t kNegotiatedOctets = 12;

void put_number(std::string& out, std::uint32_t number) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(number >> shift);
}

std::uint32_t number_at(std::string_view data, std::size_t at) {
  std::uint32_t number = 0;
  for (const char c : data.substr(at, 4)) number = number << 8U | static_cast<std::uint8_t>(c);
  return number;
}

void put_packet(std::string& out, char command, std::string_view data) {
  put_number(out, static_cast<std::uint32_t>(data.size() + 1));
  out += command;
  out += data;
}

// Texts of a packet end with a NUL each; what would end one early is left out.
void put_text(std::string& data, std::string_view text) {
  for (const char c : text) {
    if (c != '\0') data += c;
  }
  data += '\0';
}

std::string texts(std::initializer_list<std::string_view> all) {
  std::string data;
  for (const std::string_view each : all) put_text(data, each);
  return data;
}

// Sendmail gives macros before the step that they are of: its letter, and pairs.
void put_macros(std::string& out, char step, std::initializer_list<std::string_view> pairs) {
  put_packet(out, 'D', std::string(1, step) + texts(pairs));
}

// Takes the text that `data` begins with. nullopt: it does not end.
std::optional<std::string_view> take_text(std::string_view& data) {
  const std::size_t end = data.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = data.substr(0, end);
  data.remove_prefix(end + 1);
  return text;
}

std::unexpected<Error> corrupt(std::string_view what) {
  return fail(ErrorKind::corrupt, fmt::format("a filter {}", what));
}

// Changes of the protocol that are not ours to make. Empty: it is none.
std::string_view not_offered(char command) {
  switch (command) {
    case '+':
    case '2':
      return "adds a recipient";
    case '-':
      return "removes a recipient";
    case 'b':
      return "replaces the body";
    case 'e':
      return "changes the sender";
    default:
      return {};
  }
}

std::string printed(std::string_view text) {
  return printable(utf8_prefix(text, kReasonOctetsMax));
}

// "550 5.7.1 words", also of several lines. nullopt: it is no refusal. A 421 would end our own
// dialogue with who brings mail: it comes back as well without.
std::optional<Reply> reply_of(std::string_view text) {
  int code = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 3), code);
  if (error != std::errc() || end != text.data() + 3 || code < 400 || code > 599) {
    return std::nullopt;
  }
  text.remove_prefix(std::min<std::size_t>(text.size(), 4));
  const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  return Reply{code == kServiceClosing ? 451 : code, printed(line)};
}

}  // namespace

MilterTalk::MilterTalk(const MilterMail& mail) : mail_(mail), split_(split_mail(mail.octets)) {}

// ---- ours --------------------------------------------------------------------------------------

std::string MilterTalk::next_output() {
  std::string out;
  if (has_ended()) {
    if (!std::exchange(said_quit_, true)) put_packet(out, 'Q', {});
    return out;
  }
  while (!awaits_ && !has_ended() && out.size() < kChunkOctets) say(out);
  return out;
}

void MilterTalk::say_step(std::string& out, char command, std::string_view data,
                          std::uint32_t unwanted, std::uint32_t unanswered) {
  if ((protocol_ & unwanted) != 0) return;
  put_packet(out, command, data);
  awaits_ = (protocol_ & unanswered) == 0;
}

void MilterTalk::say(std::string& out) {
  switch (stage_) {
    case Stage::negotiate: {
      std::string offer;
      for (const std::uint32_t number : {kVersion, kActions, kOffered}) put_number(offer, number);
      put_packet(out, 'O', offer);
      awaits_ = true;
      return;
    }
    case Stage::connect:
      say_connect(out);
      stage_ = Stage::hello;
      return;
    case Stage::hello:
      say_step(out, 'H', texts({mail_.hello}), kNoHello, kUnansweredHello);
      stage_ = Stage::mail;
      return;
    case Stage::mail:
      put_macros(out, 'M', {"i", mail_.id, "{mail_addr}", mail_.sender});
      say_step(out, 'M', texts({"<" + mail_.sender + ">"}), kNoMail, kUnansweredMail);
      stage_ = Stage::recipients;
      return;
    case Stage::recipients:
      if (done_ < mail_.recipients.size()) {
        const std::string& to = mail_.recipients[done_++];
        put_macros(out, 'R', {"{rcpt_addr}", to});
        say_step(out, 'R', texts({"<" + to + ">"}), kNoRecipients, kUnansweredRecipient);
        return;
      }
      stage_ = Stage::data;
      return;
    case Stage::data:
      say_step(out, 'T', {}, kNoData, kUnansweredData);
      done_ = 0;
      stage_ = Stage::fields;
      return;
    case Stage::fields:
      say_fields(out);
      return;
    case Stage::end_of_fields:
      say_step(out, 'N', {}, kNoEndOfFields, kUnansweredEndOfFields);
      done_ = 0;
      stage_ = Stage::body;
      return;
    case Stage::body:
      say_body(out);
      return;
    case Stage::end:
      put_macros(out, 'E', {"i", mail_.id});
      put_packet(out, 'E', {});
      awaits_ = true;
      return;
    case Stage::ended:
      return;
  }
}

void MilterTalk::say_connect(std::string& out) {
  const std::string address = mail_.client.address.to_string();
  put_macros(out, 'C', {"j", mail_.hostname, "{daemon_name}", "todoku", "{client_addr}", address});
  std::string data = texts({"[" + address + "]"});
  data += mail_.client.address.is_v6() ? '6' : '4';
  data += static_cast<char>(mail_.client.port >> 8U);
  data += static_cast<char>(mail_.client.port & 0xFFU);
  put_text(data, address);
  say_step(out, 'C', data, kNoConnect, kUnansweredConnect);
}

// Folds are LF, as in Sendmail's own memory.
void MilterTalk::say_fields(std::string& out) {
  if (done_ == split_.fields.size() || (protocol_ & kNoFields) != 0) {
    stage_ = Stage::end_of_fields;
    return;
  }
  const RawField& field = split_.fields[done_++];
  std::string_view value = field.value;
  if ((protocol_ & kLeadingBlank) == 0 && value.starts_with(' ')) value.remove_prefix(1);
  std::string folded(value);
  std::erase(folded, '\r');
  say_step(out, 'L', texts({field.name, folded}), kNoFields, kUnansweredField);
}

void MilterTalk::say_body(std::string& out) {
  if (done_ == split_.body.size() || (protocol_ & kNoBody) != 0) {
    stage_ = Stage::end;
    return;
  }
  const std::string_view chunk = split_.body.substr(done_, kChunkOctets);
  done_ += chunk.size();
  say_step(out, 'B', chunk, kNoBody, kUnansweredBody);
}

// ---- theirs ------------------------------------------------------------------------------------

Result<void> MilterTalk::receive(std::string_view octets) {
  input_ += octets;
  std::string_view rest = input_;
  while (rest.size() >= 4 && !has_ended()) {
    const std::uint32_t size = number_at(rest, 0);
    if (size == 0 || size > kPacketOctetsMax)
      return corrupt("sent a packet of a size that is none");
    if (rest.size() - 4 < size) break;
    const auto taken = take(rest[4], rest.substr(5, size - 1));
    if (!taken) return taken;
    rest.remove_prefix(4 + std::size_t{size});
  }
  input_.erase(0, input_.size() - rest.size());
  return {};
}

Result<void> MilterTalk::take(char command, std::string_view data) {
  if (command == 'p') return {};
  if (!awaits_) return corrupt("spoke when nothing was asked");
  if (stage_ == Stage::negotiate) {
    return command == 'O' ? take_negotiated(data) : corrupt("does not negotiate");
  }
  const bool is_change = std::string_view("himq").contains(command);
  if (is_change && stage_ == Stage::end) return take_change(command, data);
  return take_word(command, data);
}

Result<void> MilterTalk::take_negotiated(std::string_view data) {
  if (data.size() < kNegotiatedOctets) return corrupt("does not negotiate");
  const std::uint32_t version = number_at(data, 0);
  const std::uint32_t protocol = number_at(data, 8);
  if (version < kVersionLeast || version > kVersion) {
    return corrupt(fmt::format("speaks version {} of the protocol", version));
  }
  // rspamd names all changes that it knows, whatever was offered, and seldom makes them: it is a
  // change itself that is refused (take_word()).
  if ((protocol & ~kOffered) != 0) {
    return corrupt(
        fmt::format("asks for what is not offered (protocol {:#x})", protocol & ~kOffered));
  }
  protocol_ = protocol;
  awaits_ = false;
  stage_ = Stage::connect;
  return {};
}

Result<void> MilterTalk::take_change(char command, std::string_view data) {
  if (command == 'q') {
    const auto reason = take_text(data);
    verdict_.kind = MilterVerdict::Kind::quarantined;
    verdict_.reason = printed(reason.value_or(data));
    return {};
  }
  FieldChange change;
  if (command != 'h') {
    if (data.size() < 4) return corrupt("changes no field");
    change.index = number_at(data, 0);
    data.remove_prefix(4);
  }
  const auto name = take_text(data);
  const auto value = take_text(data);
  if (!name || !value || field_text(*name, *value).empty()) return corrupt("changes no field");
  if (verdict_.changes.size() >= kChangesMax) return corrupt("changes more fields than a mail has");
  change.kind = command == 'h'   ? FieldChange::Kind::add
                : command == 'i' ? FieldChange::Kind::insert
                : value->empty() ? FieldChange::Kind::remove
                                 : FieldChange::Kind::change;
  change.name = *name;
  change.value = *value;
  verdict_.changes.push_back(std::move(change));
  return {};
}

Result<void> MilterTalk::take_word(char command, std::string_view data) {
  using Kind = MilterVerdict::Kind;
  switch (command) {
    case 's':
      if (stage_ == Stage::body) stage_ = Stage::end;
      awaits_ = false;
      return {};
    case 'c':
      awaits_ = false;
      if (stage_ == Stage::end) end_with(verdict_.kind);
      return {};
    case 'a':
      end_with(verdict_.kind);
      return {};
    case 'd':
      end_with(Kind::discarded);
      return {};
    case 'r':
      end_with(Kind::refused, {550, "5.7.1 The mail is refused by a filter"});
      return {};
    case 't':
    case 'f':
      end_with(Kind::refused, {451, "4.7.1 A filter asks to come back later"});
      return {};
    case 'y':
      if (auto reply = reply_of(data.substr(0, data.find('\0')))) {
        end_with(Kind::refused, std::move(*reply));
        return {};
      }
      break;
    default:
      break;
  }
  if (const std::string_view change = not_offered(command); !change.empty()) {
    return corrupt(fmt::format("{}, which was not offered to it", change));
  }
  return corrupt("gave an answer that is none");
}

void MilterTalk::end_with(MilterVerdict::Kind kind, Reply reply) {
  verdict_.kind = kind;
  verdict_.reply = std::move(reply);
  awaits_ = false;
  stage_ = Stage::ended;
}

}  // namespace todoku::inbound
