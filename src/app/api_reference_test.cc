// SPDX-License-Identifier: Apache-2.0
// docs/openapi.json and the routes of the API name each other, both ways.
#include <algorithm>
#include <set>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api.h"
#include "api/reference/reference.h"
#include "app/test_handover.h"
#include "async/file_pool.h"
#include "base/metrics.h"
#include "http/json.h"
#include "support/installation.h"

namespace todoku::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::set<std::string> routes_of_the_api() {
  TestStore installation;
  NobodyDelivers handover;
  Metrics metrics;
  SeededRandom random{7};
  intake::FolderUploads uploads{installation.folder / ""};
  async::FilePool files{{}};
  intake::Intake intake{*installation.store, installation.clock, {}, handover, metrics};
  api::Api api{{.store = *installation.store,
                .intake = intake,
                .uploads = uploads,
                .files = files,
                .clock = installation.clock,
                .metrics = metrics,
                .random = random},
               {}};
  http::Router router;
  api.add_routes(router);
  const auto routes = router.routes();
  return {routes.begin(), routes.end()};
}

std::set<std::string> routes_of_the_description() {
  http::JsonArena arena;
  const auto document = http::parse_json(api::reference::openapi(), arena).value();
  std::set<std::string> routes;
  for (const auto& [path, item] : document.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      std::string upper(method);
      std::ranges::transform(upper, upper.begin(), [](char c) { return char(c - 'a' + 'A'); });
      routes.insert(fmt::format("{} /api/v1{}", upper, std::string_view(path)));
    }
  }
  return routes;
}

TEST(ApiReferenceTest, TellsEveryRouteAndNoOther) {
  EXPECT_EQ(routes_of_the_description(), routes_of_the_api());
}

TEST(ApiReferenceTest, PagesHaveEveryOperationAndNeedNothingFromElsewhere) {
  const std::string page =
      api::reference::page(api::reference::openapi(), Language::english).value();
  const std::string japanese =
      api::reference::page(api::reference::openapi(), Language::japanese).value();
  for (const std::string& route : routes_of_the_description()) {
    const std::string path = route.substr(route.find("/api/v1") + 7);
    EXPECT_THAT(page, HasSubstr("</span>" + path + "</code></h2>"));
    EXPECT_THAT(japanese, HasSubstr("</span>" + path + "</code></h2>"));
  }
  EXPECT_THAT(page, HasSubstr("at most 256"));
  EXPECT_THAT(japanese, HasSubstr("1通をすぐに送信"));
  for (const char* fetched : {"<script", "<link", "<img", "src=", "href=\"http", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(fetched)));
  }
}

TEST(ApiReferenceTest, WhatADescriptionHoldsIsNoMarkup) {
  const std::string page =
      api::reference::page(
          R"({"info":{"title":"<b>&\""},"paths":{"/<i>":{"get":{"summary":"<u>"}}}})",
          Language::english)
          .value();
  for (const char* markup : {"<b>", "<i>", "<u>"}) EXPECT_THAT(page, Not(HasSubstr(markup)));
  EXPECT_FALSE(api::reference::page("{", Language::english));
}

}  // namespace
}  // namespace todoku::app
