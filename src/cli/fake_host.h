// SPDX-License-Identifier: Apache-2.0
// A program around the command line, for tests: it answers as it is told and remembers what was
// asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "base/clock.h"
#include "cli/command_line.h"
#include "dns/fake_resolver.h"

namespace todoku::cli {

// Answers every call by `answer` and remembers what was asked.
struct FakeHost final : Host {
  std::vector<AdminRequest> asked;
  std::function<Result<AdminAnswer>(const AdminRequest&)> answer = [](const AdminRequest&) {
    return AdminAnswer{200, "{}"};
  };
  bool running = true;
  bool no_admin = false;  // who calls may not use the operations
  std::vector<std::string> seen;

  struct Port final : AdminPort {
    explicit Port(FakeHost& owner) : host(owner) {}
    Result<AdminAnswer> call(AdminRequest request) override {
      host.asked.push_back(request);
      return host.answer(request);
    }
    [[nodiscard]] bool engine_running() const override { return host.running; }
    FakeHost& host;
  };

  int serve(const ServeOptions& options) override {
    seen = options.roles;
    seen.insert(seen.begin(), options.config.value_or("-"));
    return 0;
  }
  int check_config(const std::optional<std::string>& file, Language language) override {
    seen = {file.value_or("-"), language == Language::japanese ? "ja" : "en"};
    return 0;
  }
  int show_config(const ConfigShowOptions& options) override {
    seen = {options.config.value_or("-"), options.defaults ? "defaults" : "effective",
            options.language == Language::japanese ? "ja" : "en"};
    return 0;
  }
  std::string config_reference() override { return "reference"; }
  Result<RulesInForce> rules(const std::optional<std::string>& /*config*/) override {
    auto sites = delivery::policy::SiteRules::parse(std::array{site_rules});
    if (!sites) return fail(sites.error());
    auto replies = feedback::classify::ReplyRules::parse(
        std::array{feedback::classify::ReplyRules::shipped_layer(), reply_rules});
    if (!replies) return fail(replies.error());
    auto advice = explain::AdviceBook::parse(std::array{advice_layer}, *sites);
    if (!advice) return fail(advice.error());
    auto automations = delivery::policy::Automations::parse(std::array{automation_layer});
    if (!automations) return fail(automations.error());
    return RulesInForce{*std::move(sites), *std::move(replies), *std::move(automations),
                        *std::move(advice)};
  }
  delivery::policy::Automations::Layer automation_layer{"automations.toml", ""};
  explain::AdviceBook::Layer advice_layer{"advice.toml", ""};
  delivery::policy::SiteRules::Layer site_rules{"sites.toml", "", ""};
  feedback::classify::ReplyRules::Layer reply_rules{"own.toml", ""};
  int sink(const std::vector<std::string>& arguments) override {
    seen = arguments;
    return 7;
  }
  int lambda() override {
    seen = {"lambda"};
    return 0;
  }
  Result<std::unique_ptr<AdminPort>> admin(const std::optional<std::string>& config,
                                           const AdminWish&) override {
    if (no_admin) return fail(ErrorKind::unauthorized, "the socket is not yours");
    seen = {config.value_or("-")};
    return std::make_unique<Port>(*this);
  }
  Result<Schema> schema(const std::optional<std::string>& config) override {
    seen = {config.value_or("-")};
    return its_schema;
  }
  Result<void> migrate(const std::optional<std::string>&, bool contract,
                       std::chrono::seconds longest, const MigrationBlocked& blocked) override {
    seen = {std::to_string(longest.count())};
    blocked(1, {{4711, "night report", 62, "SELECT \x1b[2J 1"}});
    for (SchemaStep& step : its_schema.steps) {
      if (step.contracts == contract) step.taken = from_epoch_ms(1'767'225'600'000);
    }
    return {};
  }
  Result<BackedUp> back_up(const std::optional<std::string>&, const std::string& to,
                           const BackupTold& told) override {
    seen = {to};
    (void)told(1, 2);
    if (to == "taken") return fail(ErrorKind::conflict, "taken is there already");
    return BackedUp{.place = to, .version = 26, .deliveries = 2, .recipients = 3, .octets = 4096};
  }
  Result<BackedUp> restore(const std::optional<std::string>&, const RestoreWish& wish,
                           const BackupTold& told) override {
    seen = {wish.from, wish.replace ? "replace" : "keep"};
    if (wish.at) seen.push_back(std::to_string(to_epoch_ms(*wish.at)));
    (void)told(1, 2);
    if (!wish.replace) return fail(ErrorKind::conflict, "a store is there already");
    return BackedUp{.place = "data/todoku.db", .recipients = 3, .replaced = "aside", .at = wish.at};
  }
  Result<Carriage> carry(const std::optional<std::string>&, const std::string& from,
                         const CarriageTold& told) override {
    seen = {from};
    told("recipients", 50'000, false);
    told("recipients", 50'000, true);
    if (from == "sqlite:nothing") return fail(ErrorKind::not_found, "nothing is there");
    return Carriage{.from = "the old one",
                    .to = "the new one",
                    .took = std::chrono::milliseconds(61'500),
                    .tables = {{"recipients", 1'000'000, "00ff"}}};
  }
  struct Api final : ApiPort {
    explicit Api(FakeHost& owner) : host(owner) {}
    Result<ApiAnswer> call(const ApiRequest& request) override {
      host.requests.push_back(request);
      return host.api_answer(request);
    }
    Result<ApiAnswer> stream(const ApiRequest& request, const ApiStream& stream) override {
      host.requests.push_back(request);
      return host.stream_answer(stream);
    }
    FakeHost& host;
  };
  std::unique_ptr<ApiPort> api(const ApiAddress& address) override {
    its_address = address;
    return std::make_unique<Api>(*this);
  }
  std::string local_api(const std::optional<std::string>&) override {
    return "http://127.0.0.1:8025";
  }
  [[nodiscard]] std::string variable(std::string_view name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? "" : found->second;
  }
  [[nodiscard]] std::string profile_file() const override { return profiles; }
  std::istream& input() override { return its_input; }
  std::ostream* terminal() override { return watched ? &its_terminal : nullptr; }
  bool wait(std::chrono::milliseconds time) override {
    // A look whether the end is wanted is no wait.
    if (time > std::chrono::milliseconds(0)) waits.push_back(time);
    its_clock.advance(time);
    return waits.size() <= patience;
  }
  struct Submission final : SubmissionPort {
    explicit Submission(FakeHost& owner) : host(owner) {}
    SubmissionAnswer submit(const smtp::ClientEnvelope& envelope, MessageSpool& message) override {
      return host.submission_answer(envelope, message);
    }
    Result<void> speak() override { return host.spoken(); }
    FakeHost& host;
  };
  Result<std::string> submission_socket(const std::optional<std::string>& config) override {
    if (config == "/nonexistent") return fail(ErrorKind::not_found, "/nonexistent: no such file");
    return config.value_or("/run/todoku/submission.sock");
  }
  std::unique_ptr<SubmissionPort> submission(const std::string& socket) override {
    its_socket = socket;
    return std::make_unique<Submission>(*this);
  }
  struct Names final : CheckResolver {
    Names(dns::Resolver& asked, bool known) : zone(asked), is_known(known) { runtime.start(); }
    dns::Resolver& resolver() override { return zone; }
    Task<Result<dns::Answer<std::string>>> name_servers(std::string name) override {
      if (!is_known) co_return fail(ErrorKind::unavailable, "SERVFAIL for " + name);
      co_return fail(ErrorKind::not_found, name + " does not exist (NXDOMAIN)");
    }
    async::Executor executor() override { return runtime.executor(0); }
    dns::Resolver& zone;
    bool is_known;
    async::Runtime runtime{1};
  };
  Result<std::unique_ptr<CheckResolver>> check_resolver(const std::string& server) override {
    its_resolver = server;
    if (server == "nobody") return fail(ErrorKind::invalid_input, "nobody is no name server");
    return std::make_unique<Names>(zone, no_domain_exists);
  }
  Result<std::unique_ptr<CheckResolver>> installation_resolver(const std::optional<std::string>&,
                                                               const std::string& server) override {
    is_installations = server.empty();
    return check_resolver(server);
  }
  Result<std::vector<doctor::Finding>> examine(const std::optional<std::string>&,
                                               const ExaminationWish& wish) override {
    its_examination = wish;
    if (wish.source == "nobody") return fail(ErrorKind::not_found, "there is no source nobody");
    return findings;
  }
  Result<std::vector<doctor::Finding>> test_alarms(const std::optional<std::string>&) override {
    if (findings.empty()) return fail(ErrorKind::not_found, "nobody is told of alarms");
    return findings;
  }
  Result<MtaStsFinding> examine_mta_sts(const std::optional<std::string>&,
                                        const MtaStsWish& wish) override {
    its_mta_sts = wish;
    return mta_sts;
  }
  MtaStsWish its_mta_sts;
  Result<MtaStsFinding> mta_sts;
  ExaminationWish its_examination;
  std::vector<doctor::Finding> findings;
  std::string its_resolver;
  bool is_installations = false;  // the resolver was to be that of the installation
  bool no_domain_exists = false;  // else the resolver answers SERVFAIL
  Result<doctor::Platform> platform(const std::optional<std::string>& config) override {
    if (config == "/nonexistent") return fail(ErrorKind::not_found, "/nonexistent: no such file");
    return its_platform;
  }
  doctor::Platform its_platform{.addresses = {"192.0.2.1"},
                                .unknown_sources = {},
                                .spf_include = {},
                                .return_path = "bounce.example.jp",
                                .mail_host = "mail.example.com"};
  dns::FakeResolver zone;
  [[nodiscard]] const Clock& clock() const override { return its_clock; }
  std::function<SubmissionAnswer(const smtp::ClientEnvelope&, MessageSpool&)> submission_answer =
      [](const smtp::ClientEnvelope& envelope, MessageSpool&) {
        SubmissionAnswer answer;
        answer.results.assign(envelope.recipients().size(),
                              {.stage = Stage::accepted, .reply = {250, "2.0.0 Ok: kept as 1"}});
        return answer;
      };
  std::function<Result<void>()> spoken = [] { return Result<void>(); };
  std::string its_socket;
  FakeClock its_clock;
  std::function<Result<ApiAnswer>(const ApiRequest&)> api_answer = [](const ApiRequest&) {
    return ApiAnswer{.status = 200, .headers = {}, .body = R"({"delivery_id":12})"};
  };
  std::function<Result<ApiAnswer>(const ApiStream&)> stream_answer = [](const ApiStream&) {
    return ApiAnswer{.status = 200, .headers = {}, .body = {}};
  };
  std::vector<ApiRequest> requests;
  ApiAddress its_address;
  std::map<std::string, std::string, std::less<>> variables;
  std::string profiles;
  std::istringstream its_input;
  std::ostringstream its_terminal;
  bool watched = false;
  std::vector<std::chrono::milliseconds> waits;
  std::size_t patience = 1'000;  // waits until the user wants an end
  Schema its_schema{.kind = "postgres",
                    .place = "the database",
                    .by_itself = false,
                    .worked_on_by = 1,
                    .steps = {{.number = 1, .name = "tables", .taken = {}, .contracts = false}}};
  std::string version() override { return "1.2.3"; }
  [[nodiscard]] Language language() const override { return environment; }
  Language environment = Language::english;
};

class CommandLineTest : public testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    out.str("");
    err.str("");
    return cli::run(arguments, host, out, err);
  }
  FakeHost host;
  std::ostringstream out;
  std::ostringstream err;
};

}  // namespace todoku::cli
