// SPDX-License-Identifier: Apache-2.0
#include "sink/arrival.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"

namespace todoku::sink {
namespace {

namespace json = boost::json;

constexpr std::size_t kBufferOctets = 256 << 10;

// What a line of the log and an envelope file have in common.
json::object common_part(const Arrival& arrival) {
  const std::int64_t ms = to_epoch_ms(arrival.at);
  json::object out{
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                           fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000)},
      {"receiver", arrival.receiver},
      {"client", arrival.client},
      {"hello", arrival.hello},
      {"tls", arrival.tls},
      {"mail_from", arrival.sender},
      {"message_id", arrival.message_id},
      {"octets", arrival.octets}};
  if (arrival.latency_ms) out["latency_ms"] = *arrival.latency_ms;
  if (!arrival.dkim.empty()) out["dkim"] = arrival.dkim;
  if (!arrival.dkim_reason.empty()) out["dkim_reason"] = arrival.dkim_reason;
  return out;
}

bool write_file(const std::string& path, std::string_view octets) {
  std::ofstream file(path, std::ios::binary);
  file.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  file.close();
  return !file.fail();
}

}  // namespace

Result<std::unique_ptr<ArrivalLog>> ArrivalLog::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) {
    return fail(ErrorKind::io, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
  return std::unique_ptr<ArrivalLog>(new ArrivalLog(file));
}

ArrivalLog::~ArrivalLog() {
  flush();
  ::close(file_);
}

void ArrivalLog::write(const Arrival& arrival) {
  json::object line = common_part(arrival);
  std::string lines;
  for (const ArrivedRecipient& recipient : arrival.recipients) {
    line["rcpt_to"] = recipient.address;
    line["duplicate"] = recipient.duplicate;
    lines += json::serialize(line) + "\n";
  }
  const std::lock_guard lock(mutex_);
  buffer_ += lines;
  if (buffer_.size() >= kBufferOctets) flush_locked();
}

void ArrivalLog::flush() {
  const std::lock_guard lock(mutex_);
  flush_locked();
}

void ArrivalLog::flush_locked() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      if (!std::exchange(failed_, true)) {
        log::warning("arrivals are not logged", {{"reason", std::strerror(errno)}});
      }
      break;
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  buffer_.clear();
}

Result<std::unique_ptr<MailFolder>> MailFolder::open(const std::string& directory,
                                                     std::uint64_t messages_max, Instant now) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return fail(ErrorKind::io, fmt::format("cannot make {}: {}", directory, error.message()));
  }
  // The start's time keeps the files of several runs apart.
  return std::unique_ptr<MailFolder>(
      new MailFolder(fmt::format("{}/{}-", directory, to_epoch_ms(now)), messages_max));
}

bool MailFolder::keep(const Arrival& arrival, std::string_view message) {
  if (failed_.load() || !has_room()) return false;
  const std::uint64_t number = next_.fetch_add(1);
  if (number > messages_max_) return false;
  json::object envelope = common_part(arrival);
  json::array recipients;
  for (const ArrivedRecipient& recipient : arrival.recipients) {
    recipients.emplace_back(recipient.address);
  }
  envelope["rcpt_to"] = std::move(recipients);
  const std::string stem = fmt::format("{}{:06}", prefix_, number);
  // The envelope comes last and whole: who finds it finds the whole message too.
  if (write_file(stem + ".eml", message) &&
      write_file(stem + ".half", json::serialize(envelope) + "\n") &&
      std::rename((stem + ".half").c_str(), (stem + ".json").c_str()) == 0) {
    return true;
  }
  if (!failed_.exchange(true)) log::warning("messages are not kept", {{"file", stem + ".eml"}});
  return false;
}

}  // namespace todoku::sink
