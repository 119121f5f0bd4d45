// SPDX-License-Identifier: Apache-2.0
#include "cli/sendmail.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <sysexits.h>

#include "cli/mail_queue.h"
#include "cli/message_spool.h"
#include "cli/sendmail_options.h"
#include "cli/submitted_text.h"
#include "mime/header.h"
#include "mime/text.h"

namespace todoku::cli {
namespace {

// What a server takes of a mail's recipients (RFC 5321 section 4.5.3.1.8 wants 100, ours 1,000).
constexpr std::size_t kRecipientsOfTransaction = 1000;
constexpr std::chrono::seconds kTriesFor{30};
constexpr std::int64_t kTriesForMax = 3600;
constexpr std::chrono::milliseconds kPause{1000};
constexpr std::size_t kReadOctets = std::size_t{64} << 10U;
// An address that says nothing of a domain is the user's own: the relay knows what it is.
constexpr std::string_view kOwnAddress = "user";

int sysexit_of(const Error& no_connection) {
  if (no_connection.kind == ErrorKind::unauthorized) return EX_NOPERM;
  return no_connection.kind == ErrorKind::invalid_input ? EX_CONFIG : EX_TEMPFAIL;
}

// Of a refusal that lasts (RFC 3463).
int sysexit_of(const smtp::RecipientResult& refusal) {
  constexpr std::uint16_t kAddressing = 1;
  constexpr std::uint16_t kMailSystem = 3;
  constexpr std::uint16_t kRouting = 4;
  constexpr std::uint16_t kContent = 6;
  constexpr std::uint16_t kSecurity = 7;
  const int code = refusal.reply.code;
  const EnhancedStatus status = refusal.reply.enhanced().value_or(EnhancedStatus{});
  if (code == 530 || code == 535 || status.subject == kSecurity) return EX_NOPERM;
  switch (status.subject) {
    case kAddressing:
      return refusal.stage == Stage::mail_from ? EX_CONFIG : EX_NOUSER;
    case kMailSystem:
    case kRouting:
    case kContent:
      return EX_DATAERR;
    default:
      return EX_UNAVAILABLE;
  }
}

class Sendmail {
 public:
  Sendmail(SendmailCommand command, Host& host, std::ostream& out, std::ostream& err)
      : command_(std::move(command)),
        host_(host),
        out_(out),
        err_(err),
        socket_(host.variable("TODOKU_SUBMISSION_SOCKET")),
        spool_({host.variable("TMPDIR"), "/var/tmp", "/tmp"}) {
    if (socket_.empty()) {
      auto configured = host.submission_socket(command_.config);
      if (configured) {
        socket_ = std::move(*configured);
      } else {
        no_socket_ = std::move(configured.error());
      }
    }
    port_ = host.submission(socket_);
    ends_ = host.clock().steady_now() + patience();
  }

  int speak() {
    if (no_socket_) return complain(EX_CONFIG, no_socket_->detail);
    for (;;) {
      const auto spoken = port_->speak();
      if (spoken) return EX_OK;
      if (spoken.error().kind == ErrorKind::io) return complain(EX_IOERR, spoken.error().detail);
      const int status = sysexit_of(spoken.error());
      if (status == EX_TEMPFAIL && wait()) continue;
      // Who speaks SMTP is answered in it.
      out_ << "421 4.3.2 The mail service does not answer, try again later\n";
      return tell_no_connection(spoken.error());
    }
  }

  int send() {
    if (no_socket_) return complain(EX_CONFIG, no_socket_->detail);
    SubmittedHead head;
    if (const int status = read_message(head); status != EX_OK) return status;
    if (const int status = find_recipients(head); status != EX_OK) return status;
    if (const int status = find_sender(); status != EX_OK) return status;
    if (!command_.name.empty() && !head.has("From")) spool_.put_first(from_field());
    ends_ = host_.clock().steady_now() + patience();
    const std::size_t all = waiting_.size();
    const int status = deliver();
    if (status != EX_OK && taken_ > 0) tell_taken(all);
    return status;
  }

 private:
  [[nodiscard]] std::chrono::seconds patience() const {
    const std::string text = host_.variable("TODOKU_SUBMISSION_SECONDS");
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_number = error == std::errc() && end == text.data() + text.size();
    return is_number && seconds >= 0 && seconds <= kTriesForMax ? std::chrono::seconds(seconds)
                                                                : kTriesFor;
  }

  int complain(int status, std::string_view sentence) {
    fmt::print(err_, "sendmail: {}\n", sentence);
    return status;
  }
  int complain(int status, const BilingualText& sentence) {
    return complain(status, sentence.in(host_.language()));
  }

  // ---- what is to be sent

  int read_message(SubmittedHead& head) {
    SubmittedText text(command_.dot_ends);
    std::istream& input = host_.input();
    std::string read(kReadOctets, '\0');
    std::string lines;
    bool has_begun = false;
    for (bool goes_on = true; goes_on;) {
      input.read(read.data(), static_cast<std::streamsize>(read.size()));
      if (input.bad()) {
        return complain(EX_IOERR, BilingualText{"standard input could not be read",
                                                "標準入力を読み込めませんでした"});
      }
      lines.clear();
      goes_on =
          text.take({read.data(), static_cast<std::size_t>(input.gcount())}, lines) && input.good();
      if (!goes_on) text.finish(lines);
      // What programs write to a sendmail may be a text alone; the relay takes it for a header.
      if (!has_begun && !has_header(lines)) lines.insert(0, "\r\n");
      has_begun = has_begun || !lines.empty();
      head.take(lines);
      if (const auto kept = spool_.add(lines); !kept) {
        const bool too_large = kept.error().kind == ErrorKind::limit_exceeded;
        return complain(too_large ? EX_DATAERR : EX_IOERR, kept.error().detail);
      }
    }
    return EX_OK;
  }

  int find_recipients(const SubmittedHead& head) {
    std::vector<std::string> all;
    for (const std::string& word : command_.recipients) {
      auto listed = listed_addresses(word);
      if (!listed) return complain(EX_NOUSER, word + ": " + listed.error().detail);
      std::ranges::move(*listed, std::back_inserter(all));
    }
    if (command_.reads_recipients) {
      auto listed = head.recipients();
      if (!listed) return complain(EX_DATAERR, listed.error().detail);
      std::ranges::move(*listed, std::back_inserter(all));
    }
    std::set<std::string> seen;
    for (std::string& address : all) {
      if (seen.insert(address).second) waiting_.push_back(std::move(address));
    }
    if (!waiting_.empty()) return EX_OK;
    return complain(EX_USAGE, BilingualText{"there are no recipients: name them, or have them read "
                                            "from the message with -t",
                                            "宛先がありません。引数で指定するか、-t でメールのヘッ"
                                            "ダーから読ませてください"});
  }

  int find_sender() {
    sender_ = kOwnAddress;
    if (!command_.sender) return EX_OK;
    if (command_.sender->empty() || *command_.sender == "<>") {
      sender_.clear();
      return EX_OK;
    }
    const auto listed = listed_addresses(*command_.sender);
    if (!listed) return complain(EX_USAGE, *command_.sender + ": " + listed.error().detail);
    if (listed->size() != 1) {
      return complain(EX_USAGE,
                      BilingualText{"-f has one address", "-f のアドレスは 1 つだけです"});
    }
    sender_ = listed->front();
    return EX_OK;
  }

  [[nodiscard]] std::string from_field() const {
    std::string field;
    mime::FoldedLine line(field, "From");
    if (!mime::append_mailbox(line, mime::header_text(command_.name), kOwnAddress,
                              mime::Encoding::utf_8)) {
      return {};
    }
    line.finish();
    return field;
  }

  // ---- sending it

  // False: there is no more time, or the user wants an end.
  bool wait() {
    if (host_.clock().steady_now() + kPause > ends_) return false;
    return host_.wait(kPause);
  }

  int deliver() {
    for (;;) {
      const std::size_t before = waiting_.size();
      if (const int status = try_all(); status != EX_OK) return status;
      if (waiting_.empty()) break;
      // Who was over the limit of a transaction is taken by the next (RFC 5321 section 4.5.3.1.10).
      if (waiting_.size() == before && !wait()) break;
    }
    for (const auto& [sentence, recipients] : refusals_) tell(sentence, recipients);
    if (waiting_.empty()) return status_;
    if (no_connection_) return tell_no_connection(*no_connection_);
    tell(last_answer_, waiting_);
    return status_ == EX_OK ? EX_TEMPFAIL : status_;
  }

  // Each transaction once. Who is still to be tried stays in waiting_.
  int try_all() {
    std::vector<std::string> left;
    no_connection_.reset();
    for (std::size_t at = 0; at < waiting_.size(); at += kRecipientsOfTransaction) {
      const auto begin = waiting_.begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = std::min(kRecipientsOfTransaction, waiting_.size() - at);
      std::vector<std::string> some(begin, begin + static_cast<std::ptrdiff_t>(count));
      const auto envelope = envelope_for(some);
      if (!envelope) return complain(EX_USAGE, envelope.error().detail);
      SubmissionAnswer answer = port_->submit(*envelope, spool_);
      if (answer.no_connection) {
        no_connection_ = std::move(answer.no_connection);
        left.insert(left.end(), begin, waiting_.end());
        if (sysexit_of(*no_connection_) != EX_TEMPFAIL) return tell_no_connection(*no_connection_);
        break;
      }
      for (std::size_t i = 0; i < some.size(); ++i) {
        if (!is_settled(some[i], answer.results[i])) left.push_back(std::move(some[i]));
      }
    }
    waiting_ = std::move(left);
    return EX_OK;
  }

  [[nodiscard]] Result<smtp::ClientEnvelope> envelope_for(std::vector<std::string> some) const {
    smtp::EnvelopeReports reports{
        .returned = command_.returned, .envelope_id = command_.envelope_id, .recipients = {}};
    if (command_.notify.is_specified()) {
      reports.recipients.assign(some.size(), {.notify = command_.notify, .original = {}});
    }
    return smtp::ClientEnvelope::make(sender_, std::move(some),
                                      {.eight_bit = spool_.is_eight_bit()}, std::move(reports));
  }

  // False: it is worth while to try again.
  bool is_settled(const std::string& recipient, const smtp::RecipientResult& result) {
    const Reply& reply = result.reply;
    if (result.accepted()) {
      ++taken_;
      if (command_.is_verbose) fmt::print(out_, "{}: {} {}\n", recipient, reply.code, reply.text);
      return true;
    }
    const std::string sentence =
        reply.code == 0 ? reply.text : fmt::format("{} {}", reply.code, reply.text);
    // Once more could be twice.
    if (result.in_doubt) {
      note(EX_TEMPFAIL, recipient, sentence);
      return true;
    }
    if (!reply.permanent() && !result.permanent) {
      last_answer_ = sentence;
      return false;
    }
    note(sysexit_of(result), recipient, sentence);
    return true;
  }

  // What lasts comes before what may pass.
  void note(int status, const std::string& recipient, const std::string& sentence) {
    if (status_ == EX_OK || status_ == EX_TEMPFAIL) status_ = status;
    refusals_[sentence].push_back(recipient);
  }

  void tell(const std::string& sentence, const std::vector<std::string>& recipients) {
    const std::string more =
        recipients.size() == 1 ? "" : fmt::format(" (+{})", recipients.size() - 1);
    complain(EX_OK, fmt::format("{}{}: {}", recipients.front(), more, sentence));
  }

  // Who sends again to all would send to these twice.
  void tell_taken(std::size_t all) {
    complain(EX_OK, BilingualText{
                        fmt::format("{} of {} recipients were taken and get it: send it to the "
                                    "others alone",
                                    taken_, all),
                        fmt::format("宛先 {1} 件のうち {0} 件には届けます。残りの宛先にだけ送り直"
                                    "してください",
                                    taken_, all)});
  }

  int tell_no_connection(const Error& error) {
    return complain(sysexit_of(error),
                    BilingualText{fmt::format("todoku does not answer at {} (smtp_in.socket): {}",
                                              socket_, error.detail),
                                  fmt::format("{}（smtp_in.socket）で todoku が応答しません: {}",
                                              socket_, error.detail)});
  }

  const SendmailCommand command_;
  Host& host_;
  std::ostream& out_;
  std::ostream& err_;
  std::string socket_;
  std::optional<Error> no_socket_;  // the configuration that was named cannot be read
  std::unique_ptr<SubmissionPort> port_;
  SteadyInstant ends_{};
  MessageSpool spool_;
  std::string sender_;
  std::vector<std::string> waiting_;  // recipients without an answer that lasts
  std::size_t taken_ = 0;             // recipients
  int status_ = EX_OK;
  std::map<std::string, std::vector<std::string>> refusals_;  // recipients by what was said
  std::string last_answer_;
  std::optional<Error> no_connection_;  // in the latest round
};

}  // namespace

int sendmail(const std::vector<std::string>& words, Host& host, std::ostream& out,
             std::ostream& err) {
  auto command = parse_sendmail(words);
  if (!command) {
    fmt::print(err, "sendmail: {} (todoku sendmail --help)\n", command.error().in(host.language()));
    return EX_USAGE;
  }
  switch (command->work) {
    case SendmailCommand::Work::nothing:
      return EX_OK;
    case SendmailCommand::Work::show_queue:
      return show_mail_queue(command->config, host, out, err);
    case SendmailCommand::Work::speak_smtp:
      return Sendmail(std::move(*command), host, out, err).speak();
    case SendmailCommand::Work::send:
      break;
  }
  return Sendmail(std::move(*command), host, out, err).send();
}

}  // namespace todoku::cli
