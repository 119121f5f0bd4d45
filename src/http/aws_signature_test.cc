// SPDX-License-Identifier: Apache-2.0
#include "http/aws_signature.h"

#include <gtest/gtest.h>

namespace todoku::http {
namespace {

// AWS's published suite (aws-sig-v4-test-suite) and the example of the General Reference.
constexpr std::int64_t kSuiteTime = 1'440'938'160'000;  // 2015-08-30T12:36:00Z
const AwsCredentials kSuite{.access_key_id = "AKIDEXAMPLE",
                            .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};

struct Vector {
  std::string_view method;
  std::string_view query;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::string_view body;
  std::string_view service = "service";
  std::string_view names;
  std::string_view signature;
};

std::string sign(const Vector& vector) {
  Headers headers;
  for (const auto& [name, value] : vector.fields) headers.add(name, value);
  return aws_authorization(
      {.method = vector.method, .query = vector.query, .headers = headers, .body = vector.body},
      kSuite, {.region = "us-east-1", .service = vector.service, .at = from_epoch_ms(kSuiteTime)});
}

TEST(AwsSignature, AgreesWithThePublishedVectors) {
  const std::pair<std::string_view, std::string_view> host{"Host", "example.amazonaws.com"};
  const std::pair<std::string_view, std::string_view> date{"X-Amz-Date", "20150830T123600Z"};
  const std::vector<Vector> vectors = {
      {.method = "GET",  // get-vanilla
       .fields = {host, date},
       .names = "host;x-amz-date",
       .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {.method = "POST",  // post-vanilla
       .fields = {host, date},
       .names = "host;x-amz-date",
       .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
      {.method = "POST",  // post-x-www-form-urlencoded
       .fields = {{"Content-Type", "application/x-www-form-urlencoded"}, host, date},
       .body = "Param1=value1",
       .names = "content-type;host;x-amz-date",
       .signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
      {.method = "GET",  // get-header-value-trim
       .fields = {host, {"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}, date},
       .names = "host;my-header1;my-header2;x-amz-date",
       .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {.method = "GET",  // General Reference, ListUsers
       .query = "Action=ListUsers&Version=2010-05-08",
       .fields = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                  {"Host", "iam.amazonaws.com"},
                  date},
       .service = "iam",
       .names = "content-type;host;x-amz-date",
       .signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
  };
  for (const Vector& vector : vectors) {
    EXPECT_EQ(sign(vector), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" +
                                std::string(vector.service) +
                                "/aws4_request, SignedHeaders=" + std::string(vector.names) +
                                ", Signature=" + std::string(vector.signature));
  }
}

// Derived with Python's hmac and hashlib, independently of this code.
TEST(AwsSignature, AgreesWithAnIndependentDerivationForSqs) {
  Headers headers;
  headers.add("Host", "127.0.0.1:4566");
  headers.add("X-Amz-Date", "20261127T001122Z");
  headers.add("Content-Type", "application/x-amz-json-1.0");
  headers.add("X-Amz-Target", "AmazonSQS.SendMessageBatch");
  headers.add("X-Amz-Security-Token", "a token/with+signs==");
  const std::string made = aws_authorization(
      {.method = "POST",
       .headers = headers,
       .body = R"({"QueueUrl":"https://sqs.ap-northeast-1.amazonaws.com/1/届く"})"},
      kSuite,
      {.region = "ap-northeast-1", .service = "sqs", .at = from_epoch_ms(1'795'738'282'000)});
  EXPECT_EQ(made,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261127/ap-northeast-1/sqs/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, "
            "Signature=150c034694a2f730310b3d6470d1ae67ec92021672fba83ba689a7db7e71783d");
}

TEST(AwsSignature, WritesTheDateInUtcToTheSecond) {
  EXPECT_EQ(amz_date(from_epoch_ms(kSuiteTime + 999)), "20150830T123600Z");
}

// A request to SES as its own packages sign it, and what somebody on the way could make of it.
class SignedRequest {
 public:
  SignedRequest() {
    headers.add("Host", "mail.example.jp");
    headers.add("X-Amz-Date", "20150830T123600Z");
    headers.add("Content-Type", "application/json");
    headers.add("Amz-Sdk-Invocation-Id", "0f5c");
    sign();
  }
  void sign() {
    authorization = aws_authorization(
        request(), kSuite,
        {.region = "ap-northeast-1", .service = "ses", .at = from_epoch_ms(kSuiteTime)});
  }
  [[nodiscard]] AwsRequest request() const {
    return {.method = method, .path = path, .query = query, .headers = headers, .body = body};
  }
  [[nodiscard]] Result<void> head(Instant now = from_epoch_ms(kSuiteTime)) const {
    const auto parsed = parse_aws_authorization(authorization);
    if (!parsed) return fail(parsed.error());
    return check_aws_head(*parsed, request(), "ses", now);
  }
  [[nodiscard]] bool fits() const {
    return aws_signature_fits(parse_aws_authorization(authorization).value(), request(),
                              kSuite.secret_access_key);
  }

  Headers headers;
  std::string method = "POST";
  std::string path = "/doors/ses/v2/email/outbound-emails";
  std::string query;
  std::string body = "{}";
  std::string authorization;
};

TEST(AwsVerifier, BelievesWhatWasSigned) {
  SignedRequest request;
  EXPECT_TRUE(request.head());
  EXPECT_TRUE(request.fits());
  request.headers.add("User-Agent", "added on the way, and not signed");
  EXPECT_TRUE(request.head());
  EXPECT_TRUE(request.fits());
}

TEST(AwsVerifier, RefusesWhatWasChanged) {
  const auto changed = [](auto change) {
    SignedRequest request;
    change(request);
    return request.fits();
  };
  EXPECT_FALSE(changed([](auto& it) { it.body = "{ }"; }));
  EXPECT_FALSE(changed([](auto& it) { it.method = "PUT"; }));
  EXPECT_FALSE(changed([](auto& it) { it.path += "x"; }));
  EXPECT_FALSE(changed([](auto& it) { it.headers.set("Host", "other.example.jp"); }));
  EXPECT_FALSE(changed([](auto& it) { it.headers.set("X-Amz-Date", "20150830T123601Z"); }));
  EXPECT_FALSE(changed([](auto& it) { it.headers.set("Amz-Sdk-Invocation-Id", "0f5d"); }));
  EXPECT_FALSE(changed([](auto& it) { it.headers.remove("Content-Type"); }));
  EXPECT_FALSE(changed([](auto& it) { it.headers.add("Content-Type", "application/json"); }));
  EXPECT_FALSE(changed(
      [](auto& it) { it.authorization.back() = it.authorization.back() == '0' ? '1' : '0'; }));
  SignedRequest other;
  EXPECT_FALSE(aws_signature_fits(parse_aws_authorization(other.authorization).value(),
                                  other.request(), "another secret"));
}

TEST(AwsVerifier, RefusesAHeadThatLeavesSomethingOpen) {
  const auto kind = [](auto change) {
    SignedRequest request;
    change(request);
    const auto checked = request.head();
    return checked ? std::optional<ErrorKind>() : checked.error().kind;
  };
  using enum ErrorKind;
  EXPECT_EQ(kind([](auto& it) { it.query = "X-Amz-Signature=00"; }), unauthorized);
  EXPECT_EQ(kind([](auto& it) { it.headers.add("X-Amz-Target", "unsigned"); }), invalid_input);
  EXPECT_EQ(kind([](auto& it) { it.headers.remove("Host"), it.sign(); }), invalid_input);
  EXPECT_EQ(kind([](auto& it) { it.headers.add("X-Amz-Date", "20150830T123600Z"); }), unauthorized);
  EXPECT_EQ(kind([](auto& it) { it.headers.add("X-Amz-Security-Token", "t"), it.sign(); }),
            unauthorized);
  EXPECT_EQ(
      kind([](auto& it) { it.authorization.replace(it.authorization.find("/ses/"), 5, "/sqs/"); }),
      unauthorized);
  EXPECT_EQ(kind([](auto& it) {
              it.authorization.replace(it.authorization.find("/20150830/"), 10, "/20150829/");
            }),
            timeout);
}

TEST(AwsVerifier, TakesFiveMinutesOnBothSides) {
  const SignedRequest request;
  const Instant at = from_epoch_ms(kSuiteTime);
  EXPECT_TRUE(request.head(at + kAwsClockSkewMax));
  EXPECT_TRUE(request.head(at - kAwsClockSkewMax));
  EXPECT_FALSE(request.head(at + kAwsClockSkewMax + std::chrono::seconds(1)));
  EXPECT_FALSE(request.head(at - kAwsClockSkewMax - std::chrono::seconds(1)));
}

TEST(AwsVerifier, WantsTheBodysOwnHash) {
  SignedRequest request;
  request.headers.add("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
  request.sign();
  EXPECT_FALSE(request.fits());
}

TEST(AwsVerifier, ReadsNoOtherAuthorization) {
  const std::string good = SignedRequest().authorization;
  ASSERT_TRUE(parse_aws_authorization(good));
  for (const std::string& wrong :
       {std::string(), std::string("Bearer x"), good + ", Signature=00",
        good.substr(0, good.size() - 1), std::string("AWS4-HMAC-SHA256 Signature=00")}) {
    EXPECT_FALSE(parse_aws_authorization(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace todoku::http
