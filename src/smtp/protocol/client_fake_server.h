// SPDX-License-Identifier: Apache-2.0
// For tests of the client session: a small honest server whose answers can be scripted, and a
// driver that connects the two, in whatever portions, and cuts the line where it is told to.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "smtp/protocol/client_session.h"

namespace todoku::smtp {

// What a server makes of commands that come together, whatever it offers.
enum class Groups : std::uint8_t { understood, lost, refused };

struct Script {
  std::string greeting = "220 mx.example.jp ESMTP\r\n";
  std::vector<std::string> offers;
  // By command ("MAIL", "RCPT a@example.jp", "DATA", ".", ...): said instead of the right answer,
  // with the effect of its code. Empty: says nothing at all.
  std::map<std::string, std::string> answers;
  // The command at which it hangs up without a word, e.g. "BDAT"; empty: at none.
  std::string hangs_up_at;
  // So many mails of a connection are taken; the next MAIL hears `enough` and is hung up on. 0:
  // any.
  std::size_t mails_max = 0;
  std::string enough = "421 4.7.0 enough for this connection";
  Groups groups = Groups::understood;
  bool knows_bdat = true;  // false: the content is taken for commands
};

class FakeServer {
 public:
  struct Taken {
    std::string mail_from;
    std::vector<std::string> recipients;
    std::string content;
    std::size_t said_at;  // octets of output() with which the client knows
  };

  explicit FakeServer(Script script) : script_(std::move(script)), output_(script_.greeting) {}

  void receive(std::string_view octets) {
    if (hung_up_) return;
    input_ += octets;
    in_this_read_ = 0;
    while (!hung_up_ && step()) {
    }
  }
  void tls_established() { in_tls_ = true; }

  [[nodiscard]] const std::string& output() const { return output_; }
  [[nodiscard]] const std::vector<Taken>& taken() const { return taken_; }
  [[nodiscard]] const std::vector<std::string>& commands() const { return commands_; }
  [[nodiscard]] bool hung_up() const { return hung_up_; }

 private:
  bool step() {
    if (content_) return read_dotted();
    if (chunk_left_) return read_chunk();
    const std::size_t end = input_.find("\r\n");
    if (end == std::string::npos) return false;
    if (in_this_read_++ > 0 && script_.groups == Groups::lost) {
      input_.clear();
      return false;
    }
    const std::string line = input_.substr(0, end);
    input_.erase(0, end + 2);
    commands_.push_back(line);
    obey(line);
    return true;
  }

  void obey(const std::string& line) {
    const std::string verb = line.substr(0, line.find(' '));
    hung_up_ = !verb.empty() && verb == script_.hangs_up_at;
    if (hung_up_) return;
    if (in_this_read_ > 1 && script_.groups == Groups::refused) {
      if (verb == "BDAT") input_.erase(0, std::stoul(line.substr(5)));
      answer("group", "503 5.5.0 Improper use of SMTP command pipelining");
      return;
    }
    if (verb == "EHLO" || verb == "HELO") return hello(verb);
    if (verb == "MAIL") return mail(line);
    if (verb == "RCPT") return recipient(line);
    if (verb == "DATA") {
      content_ =
          answer("DATA", recipients_.empty() ? "554 no valid recipients" : "354 go on") / 100 == 3;
    } else if (verb == "BDAT" && script_.knows_bdat) {
      chunk_left_ = std::stoul(line.substr(5));
    } else if (verb == "RSET") {
      if (answer("RSET", "250 ok") == 250) forget();
    } else {
      answer(verb, verb == "QUIT" ? "221 bye" : verb == "STARTTLS" ? "220 go" : "500 what");
    }
  }

  void hello(const std::string& verb) {
    forget();
    std::string text = "250 mx.example.jp";
    if (verb == "EHLO" && !script_.offers.empty()) {
      text = "250-mx.example.jp\r\n";
      std::string last;
      for (const std::string& offer : script_.offers) {
        if (in_tls_ && offer == "STARTTLS") continue;
        if (!last.empty()) text += "250-" + last + "\r\n";
        last = offer;
      }
      text += "250 " + last;
    }
    answer(verb, text);
  }

  void mail(const std::string& line) {
    if (script_.mails_max > 0 && taken_.size() >= script_.mails_max) {
      answer("enough", script_.enough);
      hung_up_ = true;
      return;
    }
    const bool nested = open_ || spoilt_;
    if (answer("MAIL", nested ? "503 RSET first" : "250 2.1.0 ok") != 250) return;
    open_ = true;
    mail_from_ = line.substr(11, line.find('>') - 11);
  }

  void recipient(const std::string& line) {
    const std::string address = line.substr(9, line.find('>') - 9);
    if (answer("RCPT " + address, open_ ? "250 2.1.5 ok" : "503 MAIL first") / 100 == 2) {
      recipients_.push_back(address);
    }
  }

  bool read_dotted() {
    input_.insert(0, content_begun_ ? "" : "\r\n");
    content_begun_ = true;
    const std::size_t end = input_.find("\r\n.\r\n");
    if (end == std::string::npos) return false;
    std::string content;
    std::size_t from = 2;  // behind the end of the line that was put before it
    for (std::size_t at = input_.find("\r\n."); at < end; at = input_.find("\r\n.", at + 2)) {
      if (at > 0) content.append(input_, from, at + 2 - from);
      from = at + 3;
    }
    if (end + 2 > from) content.append(input_, from, end + 2 - from);
    input_.erase(0, end + 5);
    content_ = content_begun_ = false;
    end_of_content(".", content);
    forget();
    return true;
  }

  bool read_chunk() {
    if (input_.size() < *chunk_left_) return false;
    const std::string content = input_.substr(0, *chunk_left_);
    input_.erase(0, *chunk_left_);
    chunk_left_.reset();
    if (end_of_content("BDAT", content)) {
      forget();
    } else {
      spoilt_ = true;  // until RSET
    }
    return true;
  }

  bool end_of_content(const std::string& command, const std::string& content) {
    const bool fine =
        answer(command, recipients_.empty() ? "554 no valid recipients" : "250 2.0.0 taken") == 250;
    if (fine) taken_.push_back({mail_from_, recipients_, content, output_.size()});
    return fine;
  }

  int answer(const std::string& command, std::string text) {
    if (const auto found = script_.answers.find(command); found != script_.answers.end()) {
      text = found->second;
    }
    if (!text.empty()) output_ += text + "\r\n";
    const std::size_t last_line = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    return text.empty() ? 0 : std::stoi(text.substr(last_line, 3));
  }

  void forget() {
    open_ = spoilt_ = false;
    recipients_.clear();
  }

  const Script script_;
  std::string output_;
  std::string input_;
  std::vector<std::string> commands_;
  std::vector<Taken> taken_;
  std::string mail_from_;
  std::vector<std::string> recipients_;
  std::optional<std::size_t> chunk_left_;
  bool open_ = false;
  bool spoilt_ = false;
  bool content_ = false;
  bool content_begun_ = false;
  bool in_tls_ = false;
  bool hung_up_ = false;
  int in_this_read_ = 0;  // commands
};

// The line between the two.
class FakeLine {
 public:
  struct Cuts {
    std::size_t server_octets = std::string::npos;  // then the server's side ends
    std::size_t client_octets = std::string::npos;  // then the client's writes fail
    bool tls_proven = true;
    bool tls_fails = false;
    std::uint64_t seed = 0;  // of the portions in which octets arrive; 0: all at once
  };

  FakeLine(ClientSession& session, FakeServer& server, Cuts cuts)
      : session_(session), server_(server), cuts_(cuts), random_(cuts.seed) {}
  FakeLine(ClientSession& session, FakeServer& server) : FakeLine(session, server, Cuts{}) {}

  // Until the session is at rest or over.
  void drive() {
    for (;;) {
      switch (session_.step()) {
        case ClientSession::Step::write:
          write();
          break;
        case ClientSession::Step::content:
          give_slice();
          break;
        case ClientSession::Step::read:
          read();
          break;
        case ClientSession::Step::start_tls:
          start_tls();
          break;
        case ClientSession::Step::rest:
        case ClientSession::Step::over:
          return;
      }
    }
  }

  // What the next mail in slices consists of; after the last one comes a failure.
  void slice(std::vector<std::string> slices) { slices_ = std::move(slices); }

  // Each write of the client, whole.
  [[nodiscard]] const std::vector<std::string>& writes() const { return writes_; }
  // How much of the server's output() the client has got.
  [[nodiscard]] std::size_t delivered() const { return delivered_; }
  [[nodiscard]] std::size_t sent() const { return sent_; }

 private:
  void write() {
    std::string all;
    for (const std::string_view piece : session_.output()) all += piece;
    writes_.push_back(all);
    const std::size_t passing = std::min(all.size(), cuts_.client_octets - sent_);
    server_.receive(std::string_view(all).substr(0, passing));
    sent_ += passing;
    if (passing == all.size()) {
      session_.written();
    } else {
      session_.failed({ErrorKind::closed, "write: Broken pipe"});
    }
  }

  void give_slice() {
    if (slices_.empty()) {
      session_.failed({ErrorKind::io, "the disk is broken"});
      return;
    }
    slice_ = std::move(slices_.front());
    slices_.erase(slices_.begin());
    const std::array<std::string_view, 1> piece{slice_};
    session_.content(piece);
  }

  void read() {
    const std::size_t end = std::min(server_.output().size(), cuts_.server_octets);
    if (delivered_ == end) {
      const bool cut =
          end == cuts_.server_octets || sent_ == cuts_.client_octets || server_.hung_up();
      session_.failed(cut ? Error{ErrorKind::closed, "read: connection closed"}
                          : Error{ErrorKind::timeout, "read: timed out"});
      return;
    }
    const std::size_t left = end - delivered_;
    const std::size_t count = cuts_.seed == 0 ? left : 1 + random_.below(left);
    session_.received(std::string_view(server_.output()).substr(delivered_, count));
    delivered_ += count;
  }

  void start_tls() {
    if (cuts_.tls_fails) {
      session_.failed({ErrorKind::unsupported, "TLS handshake: wrong version number"});
      return;
    }
    server_.tls_established();
    session_.tls_established(cuts_.tls_proven);
  }

  ClientSession& session_;
  FakeServer& server_;
  const Cuts cuts_;
  SeededRandom random_;
  std::vector<std::string> slices_;
  std::string slice_;
  std::vector<std::string> writes_;
  std::size_t delivered_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace todoku::smtp
