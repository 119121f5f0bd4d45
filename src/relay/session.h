// SPDX-License-Identifier: Apache-2.0
// One connection to the relay: who it is, what it may, and what becomes of its messages.
//
//   greeting -> STARTTLS -> AUTH -> (MAIL -> RCPT ... -> data -> kept: 250)*
//
// The dialogue is smtp/server's. Here is decided who is let in (logins.h, login_guard.h), and a
// message goes through its reader (intake/submission) into the store (content_keeper.h) as it
// comes, and is committed by intake before its 250.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/login_guard.h"
#include "async/file_pool.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "intake/intake.h"
#include "intake/submission/reader.h"
#include "mail/address.h"
#include "mail/scram_secrets.h"
#include "net/server_certificates.h"
#include "net/stream.h"
#include "relay/brakes.h"
#include "relay/content_keeper.h"
#include "relay/credential_watch.h"
#include "relay/logins.h"
#include "relay/name_counts.h"
#include "relay/options.h"
#include "relay/refusals.h"
#include "smtp/protocol/sasl_server.h"
#include "smtp/server/connection.h"
#include "smtp/server/owner.h"
#include "store/store.h"

namespace todoku::relay {

struct SessionMetrics {
  explicit SessionMetrics(Metrics& metrics);
  Counter& connections;
  Counter& logins;
  Counter& login_failures;
  Counter& messages;
  Counter& broken_off;
  Counter& octets;
};

// What all sessions share; outlives them. Thread-safe.
struct SessionWorld {
  const RelayOptions& options;
  const smtp::SaslOptions& sasl;
  store::Store& store;
  intake::Intake& intake;
  Logins& logins;
  access::LoginGuard& guard;
  ContentRoom& room;
  const std::function<store::NodeKey()>& node;  // this process
  Brakes& brakes;
  NameCounts& names;
  CredentialWatch* watch;  // nullptr: nothing is held for being odd
  async::FilePool& pool;   // computes passwords
  const net::ServerCertificates* certificates;
  const Clock& clock;
  SessionMetrics& metrics;
  Refusals& refusals;
  const std::atomic<bool>& stopping;
};

// From MAIL to its end.
struct Transaction {
  RelayedEnvelope envelope;
  std::vector<store::NewRecipient> recipients;
  std::size_t recipients_octets = 0;  // of memory
  std::optional<intake::submission::SubmissionReader> reader;
  std::optional<Reply> trouble;  // what the message is answered when its content has ended
  std::string out;               // what goes on
  Brakes::Counted counted;
  bool is_taken = false;  // it is kept, and its 250 about to be said
};

// For logs: "192.0.2.7", or of a user of this machine "uid 33".
[[nodiscard]] std::string client_name(const net::IpAddress& address,
                                      std::optional<std::uint32_t> user);

class Session final : private smtp::ServerOwner {
 public:
  // `client`: whom the connection speaks for; `user`: of this machine, who then is the client;
  // `protocol` as its listener wants it.
  Session(const SessionWorld& world, const ListenerOptions& listener,
          const smtp::ServerOptions& protocol, net::Stream stream, net::IpAddress client,
          std::optional<std::uint32_t> user, std::optional<net::TlsInfo> tls);
  // run() was awaited.
  ~Session() override = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Returns when the connection has ended.
  [[nodiscard]] Task<void> run();

  // Whether to end it now would cost somebody something: the content of a message is under way, or
  // what was answered, perhaps that a message is kept, is not written yet.
  [[nodiscard]] bool is_busy() const {
    const bool takes_content = transaction_ && transaction_->reader && !transaction_->trouble;
    return takes_content || !dialogue().output().empty();
  }
  // Ends it with 421 unless it is busy.
  void end_if_idle() {
    if (!is_busy()) conversing_.cancel();
  }

 private:
  [[nodiscard]] Task<smtp::ServerAnswer> answer(smtp::ServerStep step) override;
  [[nodiscard]] Task<void> take(std::string_view piece) override;
  void discard() override;
  void refused(int code, std::string_view text) override;
  [[nodiscard]] Refusals::Whom whom() const;
  void tell_taken(const std::string& unheard);
  // Why a login fails, for the log.
  void tell_login(std::string_view because);
  [[nodiscard]] Task<Result<net::TlsInfo>> shake_hands(net::Stream& stream,
                                                       SteadyInstant deadline) override;

  [[nodiscard]] Task<void> converse();
  [[nodiscard]] Task<smtp::ServerAnswer> decide(smtp::ServerEvent event);
  [[nodiscard]] Task<smtp::ServerAnswer> greet();
  [[nodiscard]] Task<smtp::ServerAnswer> authenticate(smtp::SaslStep step);
  void forget_exchange();
  [[nodiscard]] Task<std::optional<Reply>> await_turn();
  [[nodiscard]] Task<Result<smtp::SaslStep>> prove();
  [[nodiscard]] Task<smtp::ServerAnswer> begin_mail();
  [[nodiscard]] Task<Result<std::shared_ptr<const Login>>> current_login();
  // Why it may hand in nothing now; nullptr: it is not there any more.
  [[nodiscard]] std::optional<Reply> refusal_of(const Login* login) const;
  // Whether what let the message begin still holds; then login_ is as it is now.
  [[nodiscard]] Task<std::optional<Reply>> judge_again();
  [[nodiscard]] std::optional<Reply> let_in(std::shared_ptr<const Login> login);
  [[nodiscard]] std::optional<Reply> take_places(const Login& login);
  [[nodiscard]] smtp::ServerAnswer add_recipient();
  [[nodiscard]] std::optional<Address> own_address() const;
  void begin_content();
  // False: there is no room for what is held of the message.
  [[nodiscard]] bool has_room();
  void give_up(Reply trouble);
  [[nodiscard]] Task<Reply> finish_message();
  [[nodiscard]] Task<std::optional<Reply>> look_at_use();
  [[nodiscard]] Task<Reply> hand_in(intake::submission::Submitted submitted);
  [[nodiscard]] bool is_of_device(const std::string& from) const;
  [[nodiscard]] std::string received_field() const;
  void abandon();
  [[nodiscard]] smtp::ServerSettings settings(const smtp::ServerOptions& protocol) const;
  [[nodiscard]] Sender sender() const { return {*login_, listener_, client_, user_}; }
  [[nodiscard]] const smtp::ServerSession& dialogue() const { return connection_.session(); }

  const SessionWorld& world_;
  const ListenerOptions& listener_;
  const net::IpAddress client_;
  const std::optional<std::uint32_t> user_;
  std::optional<net::TlsInfo> tls_;
  std::optional<smtp::SaslServer> sasl_;
  std::shared_ptr<const Login> claimed_;  // who it says it is, in the exchange; nobody so far
  std::vector<ScramSecrets> offered_;     // that count in the exchange
  access::LoginGuard::Attempt attempt_;   // of the exchange
  std::shared_ptr<const Login> login_;    // who it is
  std::optional<Sha256> opened_with_;     // stored_key of the password that it logged in with
  NameCounts::Place place_;               // of the login
  NameCounts::Place account_place_;       // of its account
  std::optional<Transaction> transaction_;
  std::optional<Refusals::Login> failed_login_;  // about to be answered
  std::optional<Refusals::Mail> mail_;           // from MAIL until its end is answered
  bool refused_mail_ = false;                    // the latest MAIL was refused
  LineBudget refusal_lines_{Refusals::kLinesOfConnection, Refusals::kWindow};
  ContentKeeper keeper_;
  smtp::ServerConnection connection_;
  async::TaskGroup conversing_;
};

}  // namespace todoku::relay
