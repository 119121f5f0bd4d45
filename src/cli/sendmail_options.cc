// SPDX-License-Identifier: Apache-2.0
#include "cli/sendmail_options.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::cli {
namespace {

constexpr auto kNoValue = SendmailOption::Value::none;
constexpr auto kApart = SendmailOption::Value::apart;
constexpr auto kJoined = SendmailOption::Value::joined;

// By letter.
constexpr std::array kSendmailOptions = {
    SendmailOption{'A', kApart},
    SendmailOption{'B', kApart},  // the body tells itself whether it is 8-bit
    SendmailOption{'C', kApart, "FILE", {"The configuration file", "設定ファイル"}},
    SendmailOption{
        'F',
        kApart,
        "NAME",
        {"The sender's name, of a message without From", "From のないメールに付ける差出人の名前"}},
    SendmailOption{'G'},
    SendmailOption{'I'},
    SendmailOption{'L', kApart},
    SendmailOption{'M', kApart},
    SendmailOption{'N',
                   kApart,
                   "WHEN",
                   {"What is reported: never, or of success,failure,delay",
                    "配送状況の通知: never、または success,failure,delay"}},
    SendmailOption{'O', kApart},
    SendmailOption{
        'R',
        kApart,
        "full|hdrs",
        {"How much of the message comes back with a report", "通知に元のメールをどこまで付けるか"}},
    SendmailOption{'U'},
    SendmailOption{'V',
                   kApart,
                   "ID",
                   {"The envelope's id, named in reports", "通知に記載するエンベロープの ID"}},
    SendmailOption{'X', kApart},
    SendmailOption{'b',
                   kApart,
                   "MODE",
                   {"m: send (the usual); s: speak SMTP; p: show the queue, which is empty",
                    "m: 送信（既定）、s: SMTP で会話する、p: キュー（常に空）を表示する"}},
    SendmailOption{'d', kJoined},
    SendmailOption{'e', kApart},
    SendmailOption{'f',
                   kApart,
                   "ADDRESS",
                   {"The sender, to whom what fails is returned; else the credential's address",
                    "エラーの戻り先になる差出人。なければ認証情報のアドレス"}},
    SendmailOption{'h', kApart},
    SendmailOption{'i',
                   kNoValue,
                   "",
                   {"A line with a dot alone does not end the message",
                    "ドットだけの行をメールの終わりとみなさない"}},
    SendmailOption{'m'},
    SendmailOption{'n'},
    SendmailOption{'o',
                   kApart,
                   "OPTION",
                   {"i: as -i; others change nothing", "i: -i と同じ。ほかは何も変えない"}},
    SendmailOption{'p', kApart},
    SendmailOption{'q', kJoined},
    SendmailOption{'r', kApart, "ADDRESS", {"As -f", "-f と同じ"}},
    SendmailOption{
        't',
        kNoValue,
        "",
        {"Recipients are those of To, Cc and Bcc, too", "To、Cc、Bcc のアドレスも宛先にする"}},
    SendmailOption{'v',
                   kNoValue,
                   "",
                   {"Print under which id the message is kept", "メールの受付 ID を表示する"}},
    SendmailOption{'x', kApart},
};

const SendmailOption* find_option(char letter) {
  const auto found = std::ranges::find(kSendmailOptions, letter, &SendmailOption::letter);
  return found == kSendmailOptions.end() ? nullptr : found;
}

using Failure = std::optional<BilingualText>;

BilingualText bad_value(char letter, std::string_view value) {
  return {fmt::format("the value {} of -{} is none that it can have", value, letter),
          fmt::format("-{} の値 {} は正しくありません", letter, value)};
}

Failure take_mode(std::string_view mode, SendmailCommand& command) {
  if (mode == "m") {
    command.work = SendmailCommand::Work::send;
  } else if (mode == "s") {
    command.work = SendmailCommand::Work::speak_smtp;
  } else if (mode == "p") {
    command.work = SendmailCommand::Work::show_queue;
  } else if (mode == "i") {
    command.work = SendmailCommand::Work::nothing;
  } else {
    return bad_value('b', mode);
  }
  return std::nullopt;
}

Failure take_reports(char letter, const std::string& value, SendmailCommand& command) {
  if (letter == 'V') {
    command.envelope_id = value;
    return std::nullopt;
  }
  if (letter == 'N') {
    const auto notify = DsnNotify::parse(value);
    if (!notify) return bad_value(letter, value);
    command.notify = *notify;
    return std::nullopt;
  }
  const auto returned = parse_dsn_return(value);
  if (!returned) return bad_value(letter, value);
  command.returned = *returned;
  return std::nullopt;
}

Failure take_option(char letter, std::string value, SendmailCommand& command) {
  switch (letter) {
    case 'b':
      return take_mode(value, command);
    case 'N':
    case 'R':
    case 'V':
      return take_reports(letter, value, command);
    case 'C':
      command.config = std::move(value);
      break;
    case 'F':
      command.name = std::move(value);
      break;
    case 'f':
    case 'r':
      command.sender = std::move(value);
      break;
    case 'i':
      command.dot_ends = false;
      break;
    case 'o':  // of the old long ones two are still said: -oi and -ot
      if (value == "i" || value == "itrue") command.dot_ends = false;
      if (value == "t") command.reads_recipients = true;
      break;
    case 'O':
      if (equals_ignoring_case(value, "IgnoreDots=true")) command.dot_ends = false;
      break;
    case 't':
      command.reads_recipients = true;
      break;
    case 'v':
      command.is_verbose = true;
      break;
    case 'I':
    case 'q':
      command.work = SendmailCommand::Work::nothing;
      break;
    default:
      break;
  }
  return std::nullopt;
}

// Reads the words from the front.
class WordReader {
 public:
  explicit WordReader(std::span<const std::string> words) : words_(words) {}

  std::expected<SendmailCommand, BilingualText> all() {
    while (next_ < words_.size()) {
      const std::string& word = words_[next_++];
      if (!only_recipients_ && word == "--") {
        only_recipients_ = true;
      } else if (only_recipients_ || word.size() < 2 || word.front() != '-') {
        command_.recipients.push_back(word);
      } else if (auto failure = options(std::string_view(word).substr(1))) {
        return std::unexpected(std::move(*failure));
      }
    }
    return std::move(command_);
  }

 private:
  // "ti", "fADDR": letters up to the first that has a value.
  Failure options(std::string_view letters) {
    while (!letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const SendmailOption* const option = find_option(letter);
      if (option == nullptr) {
        return BilingualText{fmt::format("there is no option -{}", letter),
                             fmt::format("-{} というオプションはありません", letter)};
      }
      std::string value;
      if (option->value != SendmailOption::Value::none) value = std::exchange(letters, {});
      if (option->value == SendmailOption::Value::apart && value.empty()) {
        if (next_ == words_.size()) {
          return BilingualText{fmt::format("-{} needs a value", letter),
                               fmt::format("-{} には値が必要です", letter)};
        }
        value = words_[next_++];
      }
      if (auto failure = take_option(letter, std::move(value), command_)) return failure;
    }
    return std::nullopt;
  }

  std::span<const std::string> words_;
  std::size_t next_ = 0;
  bool only_recipients_ = false;
  SendmailCommand command_;
};

}  // namespace

std::span<const SendmailOption> sendmail_options() {
  return kSendmailOptions;
}

std::expected<SendmailCommand, BilingualText> parse_sendmail(std::span<const std::string> words) {
  return WordReader(words).all();
}

std::vector<std::string> words_as_called(std::string_view program, std::vector<std::string> words) {
  const std::string_view name = program.substr(program.rfind('/') + 1);
  if (name == "sendmail") {
    words.insert(words.begin(), "sendmail");
  } else if (name == "mailq") {
    words = {"sendmail", "-bp"};
  } else if (name == "newaliases") {
    words = {"sendmail", "-bi"};
  }
  return words;
}

}  // namespace todoku::cli
