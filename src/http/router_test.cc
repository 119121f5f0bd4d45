// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

Task<Response> answer_nothing(Request& /*request*/, Body& /*body*/) {
  co_return Response();
}

Router contract_router() {
  Router router;
  router.add(Method::get, "/deliveries/{delivery_id}", answer_nothing);
  router.add(Method::delete_, "/deliveries/{delivery_id}", answer_nothing);
  router.add(Method::get, "/deliveries", answer_nothing);
  router.add(Method::get, "/deliveries/all", answer_nothing);
  router.add(Method::post, "/deliveries/bulk/begin", answer_nothing);
  router.add(Method::put, "/deliveries/bulk/update/{delivery_id}", answer_nothing);
  router.add(Method::patch, "/deliveries/{delivery_id}/cancel", answer_nothing);
  router.add(Method::post, "/deliveries/{delivery_id}/emails", answer_nothing);
  router.add(Method::get, "/deliveries/-/emails/{email_id}", answer_nothing);
  router.add(Method::get, "/deliveries/-/emails/import/{job_id}/errorinfo/download",
             answer_nothing);
  router.add(Method::get, "/console/{file...}", answer_nothing);
  return router;
}

class RouterTest : public testing::Test {
 protected:
  // "GET /pattern name=value", or the status and what is allowed.
  std::string find(Method method, std::string_view path) {
    const auto match = router_.find(method, path, parameters_);
    if (match.route == nullptr) return std::to_string(match.status) + " " + match.allow;
    std::string text(to_string(match.route->method));
    text += " " + match.route->pattern;
    for (const auto& [name, value] : parameters_.entries()) {
      text.append(" ").append(name).append("=").append(value);
    }
    return text;
  }

  Router router_ = contract_router();
  PathParameters parameters_;
};

TEST_F(RouterTest, ALiteralWinsOverAVariable) {
  EXPECT_EQ(find(Method::get, "/deliveries/all"), "GET /deliveries/all");
  EXPECT_EQ(find(Method::get, "/deliveries/7"), "GET /deliveries/{delivery_id} delivery_id=7");
  EXPECT_EQ(find(Method::get, "/deliveries/-/emails/9"),
            "GET /deliveries/-/emails/{email_id} email_id=9");
}

TEST_F(RouterTest, ALiteralThatLeadsNowhereIsTakenBack) {
  EXPECT_EQ(find(Method::patch, "/deliveries/bulk/cancel"),
            "PATCH /deliveries/{delivery_id}/cancel delivery_id=bulk");
  EXPECT_EQ(find(Method::post, "/deliveries/-/emails"),
            "POST /deliveries/{delivery_id}/emails delivery_id=-");
}

TEST_F(RouterTest, TellsUnknownPathsFromWrongMethods) {
  EXPECT_EQ(find(Method::get, "/nothing"), "404 ");
  EXPECT_EQ(find(Method::get, "/"), "404 ");
  EXPECT_EQ(find(Method::get, "/deliveries/"), "404 ");
  EXPECT_EQ(find(Method::get, "/deliveries/7/"), "404 ");
  EXPECT_EQ(find(Method::get, "/deliveries/1/2/3/4/5/6/7"), "404 ");
  EXPECT_EQ(find(Method::post, "/deliveries/7"), "405 GET, HEAD, DELETE");
  EXPECT_EQ(find(Method::post, "/deliveries/all"), "405 GET, HEAD");
  EXPECT_EQ(find(Method::delete_, "/deliveries/all"), "405 GET, HEAD");
  EXPECT_EQ(find(Method::get, "/deliveries/bulk/begin"), "405 POST");
}

// Also where the segment is no id: one rule for all methods.
TEST_F(RouterTest, TellsTheMethodsOfAFormWhateverStandsForTheId) {
  EXPECT_EQ(find(Method::get, "/deliveries/seven"),
            "GET /deliveries/{delivery_id} delivery_id=seven")
      << "which the handler does not find";
  EXPECT_EQ(find(Method::post, "/deliveries/seven"), "405 GET, HEAD, DELETE");
  EXPECT_EQ(find(Method::post, "/deliveries/bulk"), "405 GET, HEAD, DELETE");
  EXPECT_EQ(find(Method::get, "/deliveries/seven/emails"), "405 POST");
  EXPECT_EQ(find(Method::get, "/deliveries/-/emails"), "405 POST");
  EXPECT_EQ(find(Method::put, "/deliveries/7x/cancel"), "405 PATCH");
  EXPECT_EQ(find(Method::put, "/deliveries/7/cancel"), "405 PATCH");
  EXPECT_EQ(find(Method::put, "/deliveries/7x/nothing"), "404 ");
}

TEST_F(RouterTest, HeadFallsBackToGet) {
  EXPECT_EQ(find(Method::head, "/deliveries"), "GET /deliveries");
  EXPECT_EQ(find(Method::head, "/deliveries/bulk/begin"), "405 POST");
}

TEST_F(RouterTest, DecodesSegmentsAfterSplitting) {
  EXPECT_EQ(find(Method::get, "/deliveries/a%2Fb%20c"),
            "GET /deliveries/{delivery_id} delivery_id=a/b c");
  EXPECT_EQ(find(Method::get, "/deliver%69es"), "GET /deliveries");
  EXPECT_EQ(find(Method::get, "/deliveries/%zz"), "400 ");
}

TEST_F(RouterTest, TheRestOfAPathMayHaveAnyDepth) {
  EXPECT_EQ(find(Method::get, "/console/a/b/c.js"), "GET /console/{file...} file=a/b/c.js");
  EXPECT_EQ(find(Method::get, "/console/"), "GET /console/{file...} file=");
  EXPECT_EQ(find(Method::get, "/console"), "404 ");
  EXPECT_EQ(find(Method::put, "/console/x"), "405 GET, HEAD");
}

TEST_F(RouterTest, PathsOfAnyLengthEnd) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "/deliveries";
  EXPECT_EQ(find(Method::get, deep), "404 ");
}

TEST(RouterDeathTest, ARouteIsRegisteredOnce) {
  Router router = contract_router();
  EXPECT_DEATH(router.add(Method::get, "/deliveries/{id}", answer_nothing), "registered once");
  EXPECT_DEATH(router.add(Method::get, "deliveries", answer_nothing), "begins with a slash");
  EXPECT_DEATH(router.add(Method::get, "/{a...}/b", answer_nothing), "nothing follows");
}

}  // namespace
}  // namespace todoku::http
