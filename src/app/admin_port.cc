// SPDX-License-Identifier: Apache-2.0
#include "app/admin_port.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/admin/routes.h"
#include "app/hold.h"
#include "app/key_options.h"
#include "app/module_options.h"
#include "app/own_mail.h"
#include "app/people_house.h"
#include "app/probing.h"
#include "app/sending_platform.h"
#include "app/store_house.h"
#include "app/vault.h"
#include "app/version.h"
#include "async/runtime.h"
#include "http/client.h"
#include "http/router.h"
#include "operate/operations.h"
#include "ops/health.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// ---- a running engine --------------------------------------------------------------------------

class SocketPort final : public cli::AdminPort {
 public:
  explicit SocketPort(std::string socket) : socket_(std::move(socket)) {}

  Result<cli::AdminAnswer> call(cli::AdminRequest request) override {
    return call(std::move(request), 60s);
  }
  Result<cli::AdminAnswer> call(cli::AdminRequest request, Milliseconds patience) {
    Result<cli::AdminAnswer> answer = fail(ErrorKind::cancelled, "not asked");
    async::run_to_completion(fetch(std::move(request), patience, answer));
    return answer;
  }
  [[nodiscard]] bool engine_running() const override { return true; }

 private:
  Task<void> fetch(cli::AdminRequest request, Milliseconds patience,
                   Result<cli::AdminAnswer>& answer) {
    http::ClientRequest wire;
    wire.method = std::move(request.method);
    wire.url = "http://engine" + request.target;
    wire.body = std::move(request.body);
    wire.unix_socket = socket_;
    wire.connect_timeout = 5s;
    wire.timeout = patience;
    wire.response_max = std::size_t{256} << 20U;
    wire.headers.add("Content-Type", "application/json");
    auto response = co_await client_.fetch(std::move(wire));
    if (response) {
      answer = cli::AdminAnswer{response->status, std::move(response->body)};
    } else {
      answer = fail("the admin socket " + socket_, std::move(response.error()));
    }
  }

  std::string socket_;
  http::Client client_;
};

// ---- a stopped one -----------------------------------------------------------------------------

class StorePort final : public cli::AdminPort {
 public:
  explicit StorePort(const config::LoadedConfig& loaded) : config_(loaded.config) {}
  StorePort(const StorePort&) = delete;
  StorePort& operator=(const StorePort&) = delete;
  ~StorePort() override {
    if (store_) store_->close();
  }

  Result<void> open(const cli::AdminWish& wish) {
    const auto ready = [&]() -> Result<void> {
      if (wish.may_begin || wish.begin_new) return check_key(vault_options(config_));
      constexpr Sentence kNone{
          "there is no store in {}: name the configuration of the installation with --config; "
          "`todoku serve` and `todoku account add` begin a new one",
          "{} にデータがありません。--config で設定ファイルを指定してください。新しく始めるには "
          "`todoku serve` か `todoku account add` を使います"};
      return fail(ErrorKind::not_found,
                  fmt::format(fmt::runtime(kNone.in(wish.language)), config_.data.directory));
    };
    auto opened =
        house_->open_for_tool({.begin_new = wish.begin_new, .ready = ready, .given_up = {}});
    if (!opened) return fail(std::move(opened.error()));
    store_ = std::move(*opened);
    operations_.emplace(*store_, store_->clock(), operation_options());
    // As an engine would be that came to it.
    const auto others =
        store_->read_and_wait([here = cluster_names(config_)](store::ReadTransaction& transaction) {
          return operate::read_other_names(transaction, here);
        });
    if (!others) return fail(others.error());
    api::admin::add_routes(
        router_, *operations_,
        others->empty() ? std::string() : operate::held_sentence(*others, wish.language));
    return {};
  }

  Result<cli::AdminAnswer> call(cli::AdminRequest request) override {
    cli::AdminAnswer answer;
    async::run_to_completion(dispatch(std::move(request), answer));
    return answer;
  }
  [[nodiscard]] bool engine_running() const override { return false; }

 private:
  [[nodiscard]] operate::Operations::Options operation_options() {
    const delivery::Options delivery = delivery_options(config_, {});
    return {.version = std::string(version()),
            .data_directory = config_.data.directory,
            .transactional_expiry = delivery.retry_transactional.life_time,
            .bulk_expiry = delivery.retry_bulk.life_time,
            .describe_engine = {},
            .way_of = {},
            .copy_of = [this](std::string_view id) { return copy_of(id); },
            .engines_elsewhere = [this] { return house_->engines_elsewhere(*store_); },
            .names = cluster_names(config_),
            .journal_folder = config_.journal.directory,
            .drain = {},
            .secret_box = [this] { return secret_box(); },
            .look_up_texts = {},
            .platform = sending_platform(config_),
            .report_days = config_.retention.report_days,
            .checks_domains = checks_domains(config_),
            .platform_zone = platform_zone(config_),
            .slot_pace = slot_pace(config_),
            .probes = probe_plan(config_),
            .sources = configured_sources(config_),
            .people = [this]() -> people::People* { return &house_of_people().people(); },
            .console_url = [this] { return house_of_people().public_url(); },
            .closed_account = config_.console.mail_account,
            .changed = {}};
  }

  PeopleHouse& house_of_people() {
    if (!people_) {
      people_.emplace(PeopleHouse::Ground{
          .config = config_, .store = *store_, .clock = clock_, .secret_box = [this] {
            return secret_box();
          }});
    }
    return *people_;
  }

  // Without a master key at hand no Message-ID of ours can be read.
  std::optional<store::RecipientKey> copy_of(std::string_view message_id) {
    const auto box = secret_box();
    if (!box) return std::nullopt;
    const auto secret = instance_secret(**box, *store_);
    return secret ? copy_named_by(message_id, *secret) : std::nullopt;
  }

  Result<const SecretBox*> secret_box() {
    if (!box_) {
      auto opened = open_vault(vault_options(config_), *store_);
      if (!opened) return fail(std::move(opened.error()));
      box_.emplace(std::move(*opened));
    }
    return &*box_;
  }

  // What a server would do with the request.
  Task<void> dispatch(cli::AdminRequest asked, cli::AdminAnswer& answer) {
    http::Request request;
    request.method = http::parse_method(asked.method);
    const auto may =
        request.method == http::Method::get ? Result<void>() : house_->may_change(*store_);
    if (!may) {
      http::Response refused = api::admin::failure_response(
          {.status = may.error().kind == ErrorKind::unavailable ? 503 : 409,
           .reason = may.error().detail},
          request);
      answer = {refused.status, std::move(refused.body)};
      co_return;
    }
    const std::size_t mark = std::min(asked.target.find('?'), asked.target.size());
    request.raw_path = asked.target.substr(0, mark);
    if (mark < asked.target.size()) request.query = asked.target.substr(mark + 1);
    const auto match = router_.find(request.method, request.raw_path, request.parameters);
    http::TextBody body(std::move(asked.body));
    http::Response response;
    if (match.route != nullptr) {
      response = co_await match.route->handler(request, body);
    } else {
      response = api::admin::failure_response(
          {.status = match.status, .reason = "no such operation"}, request);
    }
    answer = {response.status, std::move(response.body)};
  }

  const config::Config config_;
  const SystemClock clock_;
  const std::unique_ptr<StoreHouse> house_ = StoreHouse::of(config_, clock_);
  std::unique_ptr<store::Store> store_;
  std::optional<SecretBox> box_;
  std::optional<PeopleHouse> people_;
  std::optional<operate::Operations> operations_;
  http::Router router_;
};

}  // namespace

namespace {

// How long a tool waits for a place at the admin socket.
constexpr Milliseconds kPlacePatience = 8s;
// A running one says at once that it lives.
constexpr Milliseconds kLifePatience = 10s;
constexpr Milliseconds kPlacePause = 100ms;
// How long it waits for the socket of an engine that has its store.
constexpr Milliseconds kStartPatience = 3s;

// Somebody listens at the Unix socket `path`, whether or not there is room for one more.
bool is_listened_at(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  if (path.size() >= sizeof at.sun_path) return false;
  std::ranges::copy(path, at.sun_path);
  // Without waiting: where the queue is full, that is told at once (unix(7), EAGAIN).
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const int returned = ::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at);
  const int reason = errno;
  ::close(fd);
  return returned == 0 || reason == EAGAIN;
}

// The Unix socket `path` is there, for others than this user.
bool is_barred(const std::string& path) {
  return ::access(path.c_str(), W_OK) != 0 && errno == EACCES;
}

// nullptr: nobody listens there. Errors: unavailable (an engine does, but has no place for us).
Result<std::unique_ptr<SocketPort>> open_socket_port(const std::string& socket, Language language) {
  std::error_code ignored;
  if (!std::filesystem::exists(socket, ignored)) return nullptr;
  auto port = std::make_unique<SocketPort>(socket);
  constexpr Sentence kSilent{
      "an engine has its admin socket {} open and has not answered for {} s: it stands still. See "
      "whether its process is stopped (SIGCONT lets it go on) or its machine is short of memory or "
      "processor time",
      "エンジンは管理用ソケット {} を開いていますが、{} 秒間応答がありません。エンジンが止まって"
      "います。プロセスが一時停止していないか（SIGCONT で再開します）、メモリーや CPU "
      "が不足していないか確認してください"};
  std::string last;
  for (Milliseconds waited(0);; waited += kPlacePause) {
    const auto answer = port->call({.target = "/healthz"}, kLifePatience);
    const bool turned_away = answer && answer->status == 503;
    if (answer && !turned_away) return port;
    if (!turned_away && !is_listened_at(socket)) return nullptr;
    last = answer ? answer->body : answer.error().detail;
    if (!answer && answer.error().kind == ErrorKind::timeout) {
      return fail(ErrorKind::unavailable,
                  fmt::format(fmt::runtime(kSilent.in(language)), socket, kLifePatience / 1s));
    }
    if (waited >= kPlacePatience) break;
    std::this_thread::sleep_for(kPlacePause);
  }
  constexpr Sentence kNoPlace{
      "an engine is running, but its admin socket {} has no place for one more connection: other "
      "programs hold them all. End those, or try again ({})",
      "エンジンは動作中ですが、管理用ソケット {} "
      "への接続に空きがありません。ほかのプログラムが接続を占有しています。それらを終了するか、"
      "しばらくして再度実行してください（{}）"};
  return fail(ErrorKind::unavailable,
              fmt::format(fmt::runtime(kNoPlace.in(language)), socket, last));
}

}  // namespace

bool engine_answers(const config::Config& config) {
  const auto port = open_socket_port(admin_socket_path(config), Language::english);
  return !port || *port != nullptr;
}

Result<std::unique_ptr<cli::AdminPort>> open_admin_port(const config::LoadedConfig& loaded,
                                                        const cli::AdminWish& wish) {
  const std::string socket = admin_socket_path(loaded.config);
  auto answering = open_socket_port(socket, wish.language);
  if (!answering) return fail(std::move(answering.error()));
  if (*answering) return std::move(*answering);
  // No engine, or one that died and left its socket behind: the lock tells.
  auto port = std::make_unique<StorePort>(loaded);
  auto opened = port->open(wish);
  // An engine that is being started has its store before its socket.
  const auto until = std::chrono::steady_clock::now() + kStartPatience;
  while (!opened && opened.error().kind == ErrorKind::conflict && !is_barred(socket) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kPlacePause);
    answering = open_socket_port(socket, wish.language);
    if (!answering) return fail(std::move(answering.error()));
    if (*answering) return std::move(*answering);
    port = std::make_unique<StorePort>(loaded);
    opened = port->open(wish);
  }
  if (opened) return port;
  if (opened.error().kind != ErrorKind::conflict) return fail(std::move(opened.error()));
  return fail(ErrorKind::conflict,
              fmt::format("{}; and nobody answers at the admin socket {}: if that is the engine, "
                          "check admin.socket and its permissions",
                          opened.error().detail, socket));
}

}  // namespace todoku::app
