// SPDX-License-Identifier: Apache-2.0
#include "app/lambda_command.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "async/runtime.h"
#include "base/bytes.h"
#include "base/log.h"
#include "config/files.h"
#include "http/client.h"
#include "lambda/runtime.h"
#include "ops/emf_reporter.h"

namespace todoku::app {
namespace {

constexpr std::size_t kImportBytesMax = std::size_t{2} << 30U;
constexpr std::size_t kTokenOctetsMax = 1'024;

std::string variable(const config::Environment& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

// "https://mail.example.jp", with a port or not, without anything behind it.
bool is_place(std::string_view url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const std::string_view host = url.substr(scheme);
  return scheme > 0 && !host.empty() && host.find_first_of("/?#@ \r\n\t") == std::string_view::npos;
}

Result<std::string> token_in(const config::Environment& environment) {
  std::string token = variable(environment, "TODOKU_API_TOKEN");
  if (token.empty()) {
    const std::string file = variable(environment, "TODOKU_API_TOKEN_FILE");
    if (file.empty()) {
      return fail(ErrorKind::invalid_input,
                  "set TODOKU_API_TOKEN or TODOKU_API_TOKEN_FILE: an account's bearer token");
    }
    auto read = config::read_file(file);
    if (!read) return fail("TODOKU_API_TOKEN_FILE", std::move(read.error()));
    token = trim(*read);
  }
  const bool printable = std::ranges::all_of(token, [](char c) { return c > ' ' && c < '\x7f'; });
  if (token.empty() || token.size() > kTokenOctetsMax || !printable) {
    return fail(ErrorKind::invalid_input, "the bearer token for todoku's API is no token");
  }
  return token;
}

Task<void> serve_events(const LambdaSettings& settings, const Result<void>& usable, int& status) {
  const SystemClock clock;
  http::Client http;
  lambda::Runtime runtime(settings.runtime_api, http, clock);
  status = 1;
  if (!usable) {
    (void)co_await runtime.cannot_begin(usable.error());
    co_return;
  }
  lambda::ObjectStore objects(settings.objects, http, clock);
  lambda::Jobs jobs(settings.jobs, objects, http, clock);
  const auto ended = co_await runtime.run(jobs);
  if (!ended) log::error("function ends", {{"reason", ended.error().detail}});
}

}  // namespace

Result<void> read_lambda_settings(const config::Environment& environment,
                                  LambdaSettings& settings) {
  settings.runtime_api = variable(environment, "AWS_LAMBDA_RUNTIME_API");
  if (!is_place("http://" + settings.runtime_api)) {
    settings.runtime_api.clear();
    return fail(ErrorKind::invalid_input,
                "AWS_LAMBDA_RUNTIME_API is not set: `todoku lambda` is started by AWS Lambda, as "
                "the bootstrap of a custom runtime");
  }
  std::string url = variable(environment, "TODOKU_API_URL");
  if (url.ends_with('/')) url.pop_back();
  if (!is_place(url)) {
    return fail(ErrorKind::invalid_input,
                "set TODOKU_API_URL: where todoku's API is, such as https://mail.example.jp");
  }
  auto token = token_in(environment);
  if (!token) return fail(std::move(token.error()));
  settings.jobs.api_url = std::move(url);
  settings.jobs.api_token = std::move(*token);
  const std::string name_space = variable(environment, "TODOKU_EMF_NAMESPACE");
  if (!name_space.empty()) settings.jobs.emf_namespace = name_space;
  if (name_space.size() > 255) {
    return fail(ErrorKind::invalid_input, "TODOKU_EMF_NAMESPACE has more than 255 characters");
  }
  settings.jobs.write_figures = [](std::string line) {
    return ops::write_whole_line(STDOUT_FILENO, std::move(line));
  };
  settings.objects.endpoint = variable(environment, "AWS_ENDPOINT_URL_S3");
  if (settings.objects.endpoint.ends_with('/')) settings.objects.endpoint.pop_back();
  if (!settings.objects.endpoint.empty() && !is_place(settings.objects.endpoint)) {
    return fail(ErrorKind::invalid_input, "AWS_ENDPOINT_URL_S3 must be a URL without a path");
  }
  settings.objects.credentials = {
      .access_key_id = variable(environment, "AWS_ACCESS_KEY_ID"),
      .secret_access_key = variable(environment, "AWS_SECRET_ACCESS_KEY"),
      .session_token = variable(environment, "AWS_SESSION_TOKEN"),
      .expires = {}};
  const std::string most = variable(environment, "TODOKU_IMPORT_BYTES_MAX");
  if (!most.empty()) {
    std::size_t octets = 0;
    const auto [end, error] = std::from_chars(most.data(), most.data() + most.size(), octets);
    if (error != std::errc() || end != most.data() + most.size() || octets < 1 ||
        octets > kImportBytesMax) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("TODOKU_IMPORT_BYTES_MAX must be a whole number from 1 to {}",
                              kImportBytesMax));
    }
    settings.objects.octets_max = octets;
  }
  return {};
}

int run_lambda(const config::Environment& environment) {
  // CloudWatch reads objects.
  log::configure(log::Level::info, log::Format::json);
  std::signal(SIGPIPE, SIG_IGN);
  LambdaSettings settings;
  const auto usable = read_lambda_settings(environment, settings);
  if (settings.runtime_api.empty()) {
    fmt::print(stderr, "todoku: {}\n", usable.error().detail);
    return 1;
  }
  int status = 1;
  async::run_to_completion(serve_events(settings, usable, status));
  return status;
}

}  // namespace todoku::app
