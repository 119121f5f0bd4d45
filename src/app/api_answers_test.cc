// SPDX-License-Identifier: Apache-2.0
// What every answer of the API has, whoever asks and whatever becomes of it.
#include <algorithm>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api.h"
#include "app/test_handover.h"
#include "async/file_pool.h"
#include "base/digest.h"
#include "base/metrics.h"
#include "support/failing_store.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

class ApiAnswersTest : public ::testing::Test {
 protected:
  ApiAnswersTest() {
    api_.add_routes(router_);
    const auto made = installation_.store->write_and_wait(
        store::WritePriority::accept, [](store::WriteTransaction& t) -> Result<void> {
          const auto account = t.create_account("acme");
          if (!account) return fail(account.error());
          const auto key =
              t.add_api_key(account->key, {.label = "test", .token_sha256 = sha256_hex("token")});
          return key ? Result<void>() : fail(key.error());
        });
    if (!made) throw std::runtime_error(made.error().detail);
  }

  [[nodiscard]] static http::Request request(std::string_view token) {
    http::Request request;
    request.path = request.raw_path = "/api/v1/deliveries";
    request.headers.add("Authorization", "Bearer " + std::string(token));
    return request;
  }
  http::Response ask(std::string_view token) {
    http::Request asked = request(token);
    const auto match = router_.find(http::Method::get, asked.raw_path, asked.parameters);
    http::TextBody body("");
    return run(match.route->handler(asked, body));
  }
  static std::string remaining(const http::Response& response) {
    EXPECT_EQ(response.headers.get("X-RateLimit-Remaining"),
              response.headers.get("X-Rate-Limit-Remaining"));
    return std::string(response.headers.get("X-RateLimit-Remaining"));
  }

  TestStore installation_;
  FailingStore failing_{*installation_.store};
  NobodyDelivers handover_;
  Metrics metrics_;
  SeededRandom random_{7};
  intake::FolderUploads uploads_{installation_.folder / ""};
  async::FilePool files_{{}};
  intake::Intake intake_{failing_, installation_.clock, {}, handover_, metrics_};
  api::Api api_{{.store = failing_,
                 .intake = intake_,
                 .uploads = uploads_,
                 .files = files_,
                 .clock = installation_.clock,
                 .metrics = metrics_,
                 .random = random_},
                {.rate_limit_per_minute = 5}};
  http::Router router_;
};

TEST_F(ApiAnswersTest, SayWhatIsLeftOfTheLimit) {
  EXPECT_EQ(remaining(api_.failure_response({.status = 404, .reason = "no"}, request("token"))),
            "5")
      << "nobody has asked yet";
  EXPECT_EQ(remaining(ask("token")), "4");
  EXPECT_EQ(remaining(api_.failure_response({.status = 405, .reason = "no"}, request("token"))),
            "4")
      << "what no endpoint answers is not counted";
  const auto stranger = ask("another");
  EXPECT_EQ(stranger.status, 401);
  EXPECT_EQ(remaining(stranger), "5");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask("token").status, 200);
  const auto over = ask("token");
  EXPECT_EQ(over.status, 429);
  EXPECT_EQ(remaining(over), "0");
}

TEST_F(ApiAnswersTest, SpreadThoseThatAreToComeBack) {
  EXPECT_EQ(ask("token").status, 200);
  failing_.set_outage(true);
  std::set<int> seconds;
  for (int i = 0; i < 60; ++i) {
    installation_.clock.advance(20s);  // within the limit, and nothing is remembered
    const auto response = ask("token");
    ASSERT_EQ(response.status, 503);
    seconds.insert(std::stoi(std::string(response.headers.get("Retry-After"))));
  }
  EXPECT_THAT(seconds, AllOf(Each(AllOf(Ge(1), Le(10))), SizeIs(10)));
  const auto refused = api_.failure_response({.status = 503, .reason = "full"}, request("token"));
  EXPECT_THAT(std::stoi(std::string(refused.headers.get("Retry-After"))), AllOf(Ge(1), Le(10)));
}

Result<store::Delivery> make_draft(store::WriteTransaction& t) {
  store::NewDelivery delivery;
  delivery.account = t.read().account_by_name("acme").value().key;
  delivery.type = DeliveryType::bulk;
  delivery.traffic = TrafficClass::bulk;
  return t.create_draft(delivery, 10);
}

// Uploads a list, whose job the store does not take for this reason; the number of files that stay.
class UploadAnswersTest : public ApiAnswersTest {
 protected:
  std::size_t files_left_after(ErrorKind kind) {
    const auto draft =
        installation_.store->write_and_wait(store::WritePriority::accept, make_draft);
    if (!draft) throw std::runtime_error(draft.error().detail);
    EXPECT_EQ(ask("token").status, 200) << "from now on it is known";
    // may_import() asks, then the job is written.
    failing_.fail_calls(failing_.calls() + 2, 1, kind);
    const auto response = upload(draft->id);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.body.contains("not known whether"), kind == ErrorKind::io) << response.body;
    files_.stop();
    const auto entries = std::filesystem::directory_iterator(installation_.folder / "");
    return static_cast<std::size_t>(std::ranges::count_if(entries, [](const auto& entry) {
      return entry.path().filename().string().starts_with("import-");
    }));
  }

 private:
  http::Response upload(store::PublicId draft) {
    http::Request asked = request("token");
    asked.method = http::Method::post;
    asked.path = asked.raw_path = fmt::format("/api/v1/deliveries/{}/emails/import", draft);
    asked.headers.add("Content-Type", "multipart/form-data; boundary=b");
    http::TextBody body(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n"
        "email\r\na@example.jp\r\n--b--\r\n");
    const auto match = router_.find(http::Method::post, asked.raw_path, asked.parameters);
    return run(match.route->handler(asked, body));
  }
};

TEST_F(UploadAnswersTest, RemoveTheFileOfAJobThatThereIsNot) {
  EXPECT_EQ(files_left_after(ErrorKind::unavailable), 0U);
}

// A crash may bring the job back, and without its file it would end as SYSTEM_ERROR.
TEST_F(UploadAnswersTest, LeaveTheFileOfAJobThatThereMayBe) {
  EXPECT_EQ(files_left_after(ErrorKind::io), 1U);
}

class ProgressWatchTest : public ApiAnswersTest {
 protected:
  template <class Work>
  auto write(Work work) {
    return installation_.store->write_and_wait(store::WritePriority::accept, std::move(work));
  }
  ProgressWatchTest() {
    auto draft = write(make_draft);
    if (!draft) throw std::runtime_error(draft.error().detail);
    draft_ = std::move(*draft);
  }
  void append(const std::string& local) {
    const auto done = write([&](store::WriteTransaction& t) {
      return t.append_recipients(
          draft_.key, std::vector<store::NewRecipient>{{local + "@a.example", "a.example", {}}});
    });
    ASSERT_TRUE(done) << done.error().detail;
  }

  store::Delivery draft_;
};

TEST_F(ProgressWatchTest, AllWhoWatchShareALookASecond) {
  const auto watch = api_.progress_watches().watch(draft_);
  EXPECT_EQ(api_.progress_watches().watch(draft_), watch);
  EXPECT_EQ(failing_.calls(), 0) << "nobody has asked";
  const auto first = run(watch->look());
  EXPECT_THAT(*first.json, AllOf(HasSubstr("\"time\":\"20"), HasSubstr("\"state\":\"edit\""),
                                 HasSubstr("\"total\":0,"), HasSubstr("\"speed\":null")));
  const auto calls = failing_.calls();
  EXPECT_GT(calls, 0);
  append("one");
  installation_.clock.advance(999ms);
  EXPECT_EQ(run(watch->look()).number, first.number);
  EXPECT_EQ(failing_.calls(), calls) << "a second has not gone by";
  installation_.clock.advance(1ms);
  const auto second = run(watch->look());
  EXPECT_NE(second.number, first.number);
  EXPECT_THAT(*second.json, HasSubstr("\"total\":1,"));
  installation_.clock.advance(5s);
  EXPECT_EQ(run(watch->look()).number, second.number) << "nothing else has changed but the time";
  failing_.set_outage(true);
  installation_.clock.advance(1s);
  EXPECT_EQ(run(watch->look()).number, second.number);
}

TEST_F(ProgressWatchTest, WhatIsDeletedIsLookedForNoMore) {
  auto watch = api_.progress_watches().watch(draft_);
  EXPECT_FALSE(run(watch->look()).ended);
  const auto deleted =
      write([&](store::WriteTransaction& t) { return t.delete_delivery(draft_.key); });
  ASSERT_TRUE(deleted) << deleted.error().detail;
  installation_.clock.advance(1s);
  const auto last = run(watch->look());
  EXPECT_TRUE(last.ended);
  EXPECT_THAT(*last.json, HasSubstr("\"state\":\"deleted\""));
  const auto calls = failing_.calls();
  installation_.clock.advance(1min);
  EXPECT_EQ(run(watch->look()).number, last.number);
  EXPECT_EQ(failing_.calls(), calls);
}

}  // namespace
}  // namespace todoku::app
