// SPDX-License-Identifier: Apache-2.0
// Server-sent events: the same octets give the same events however they are cut.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/event_stream_reader.h"

namespace {

std::string read(std::string_view text, std::size_t cut) {
  todoku::http::EventStreamReader reader;
  std::string told;
  for (std::size_t at = 0; at < text.size(); at += cut) {
    const auto goes_on =
        reader.update(text.substr(at, cut), [&](const todoku::http::ServerSentEvent& event) {
          told += event.id + '|' + event.type + '|' + event.data + '\n';
          return !event.data.contains("stop");
        });
    if (!goes_on) return told + "too long";
    if (!*goes_on) break;
  }
  return told + reader.last_id();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, text.size() + 1);
  for (const std::size_t cut : {1U, 2U, 7U}) {
    todoku::check(read(text, cut) == whole, "cuts change nothing");
  }
  return 0;
}
