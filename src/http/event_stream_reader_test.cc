// SPDX-License-Identifier: Apache-2.0
#include "http/event_stream_reader.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

// "id type data" of each event, read in pieces of so many octets.
std::vector<std::string> read(EventStreamReader& reader, std::string_view text, std::size_t cut) {
  std::vector<std::string> events;
  for (std::size_t at = 0; at < text.size(); at += cut) {
    const auto goes_on = reader.update(text.substr(at, cut), [&](const ServerSentEvent& event) {
      events.push_back(event.id + " " + event.type + " " + event.data);
      return true;
    });
    EXPECT_TRUE(goes_on && *goes_on);
  }
  return events;
}

TEST(EventStreamReader, ReadsEventsHoweverTheyAreCut) {
  const std::string text =
      "\xEF\xBB\xBFretry: 2000\nid: 1\n\n"
      ":\n\n"
      "id: 2\ndata: {\"a\":1}\n\n"
      "event: lost\r\ndata:{}\r\n\r\n"
      "data: one\rdata:  two\rdata\r\r"
      "unknown: x\nid: 3\ndata: last\n\n"
      "id: 4\ndata: never ended\n";
  const std::vector<std::string> wanted{"2 message {\"a\":1}", "2 lost {}", "2 message one\n two\n",
                                        "3 message last"};
  for (std::size_t cut = 1; cut <= text.size(); ++cut) {
    EventStreamReader reader;
    EXPECT_EQ(read(reader, text, cut), wanted) << cut;
    EXPECT_EQ(reader.last_id(), "3") << "of what has ended";
    EXPECT_EQ(reader.retry(), Milliseconds(2000));
  }
}

TEST(EventStreamReader, ALostConnectionLeavesNoHalfEvents) {
  EventStreamReader reader;
  EXPECT_TRUE(read(reader, "id: 1\n\nid: 2\ndata: hal", 100).empty());
  reader.begin_anew();
  EXPECT_EQ(reader.last_id(), "1");
  EXPECT_EQ(read(reader, "data: whole\n\n", 100), (std::vector<std::string>{"1 message whole"}));
}

TEST(EventStreamReader, IsBoundedAndEndsWhenTold) {
  EventStreamReader endless;
  const std::string much(EventStreamReader::kOctetsMax / 2, 'x');
  const auto take = [](const ServerSentEvent&) { return false; };
  EXPECT_TRUE(endless.update("data: " + much, take));
  EXPECT_EQ(endless.update(much, take).error().kind, ErrorKind::limit_exceeded);
  EventStreamReader many;
  EXPECT_TRUE(many.update("data: " + much + "\n", take));
  EXPECT_EQ(many.update("data: " + much + "\n", take).error().kind, ErrorKind::limit_exceeded);
  EventStreamReader told;
  EXPECT_EQ(told.update("data: a\n\ndata: b\n\n", take).value(), false);
}

}  // namespace
}  // namespace todoku::http
