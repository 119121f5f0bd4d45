// SPDX-License-Identifier: Apache-2.0
// Keys about the queue between scheduler and couriers.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection queue() {
  using S = Config::Queue;
  SectionBuilder<S> s("queue", &Config::queue,
                      {"How the scheduler tells the couriers what to send.",
                       "scheduler が courier に送信を知らせるキュー。"});
  s.add("kind", &S::kind, "embedded",
        {"`embedded`: in the memory of this process. `store`: in the database, for several "
         "processes that share one (`store.kind` `postgres`). `sqs`: on Amazon SQS, see "
         "`[queue.sqs]`. None loses mail: a queue carries only hints, the store decides.",
         "`embedded` はこのプロセスのメモリー。`store` はデータベースの中（`store.kind` が "
         "`postgres` で、複数のプロセスが 1 つを共有するとき）。`sqs` は Amazon SQS"
         "（`[queue.sqs]` を参照）。キューに載るのは合図だけで、どれでもメールは失われない。"})
      .choices({"embedded", "store", "sqs"})
      .required();
  return std::move(s).build();
}

ConfigSection sqs() {
  using S = Config::Sqs;
  SectionBuilder<S> s(
      "queue.sqs", &Config::sqs,
      {"Amazon SQS, where `queue.kind` is `sqs`: one standard queue for each `[[egress]]` and "
       "class, named `<prefix>-<egress>-bulk` and `<prefix>-<egress>-transactional`.",
       "`queue.kind` が `sqs` のときの Amazon SQS。`[[egress]]` と種類ごとに標準キュー 1 "
       "本、名前は "
       "`<prefix>-<egress>-bulk` と `<prefix>-<egress>-transactional`。"});
  s.add("region", &S::region, "",
        {"Region of the queues, such as `ap-northeast-1`. The variable is `AWS_REGION`.",
         "キューのリージョン（例 `ap-northeast-1`）。環境変数は `AWS_REGION`。"})
      .form(TextForm::label)
      .variable("AWS_REGION");
  s.add("prefix", &S::prefix, "todoku",
        {"What the queues' names begin with. Installations that share an account of AWS each need "
         "their own.",
         "キュー名の先頭。同じ AWS アカウントを使う環境ごとに変えること。"})
      .form(TextForm::label)
      .required();
  s.add("create", &S::create, true,
        {"Whether a queue that is not there is made. Needs `sqs:CreateQueue`.",
         "ないキューを作るかどうか。`sqs:CreateQueue` の権限が要る。"});
  s.add("visibility_seconds", &S::visibility_seconds, 30,
        {"How long a received hint is hidden from other couriers, unless it is answered.",
         "受け取った合図に応答するまで、ほかの courier から隠しておく時間。"})
      .unit("seconds")
      .range(2, 3600);
  s.add("endpoint", &S::endpoint, "",
        {"URL of SQS instead of the region's own: a VPC endpoint, or a test. The variable "
         "is `AWS_ENDPOINT_URL_SQS`.",
         "リージョン標準の代わりに使う SQS の URL（VPC エンドポイント、試験用）。環境変数は "
         "`AWS_ENDPOINT_URL_SQS`。"})
      .form(TextForm::url)
      .variable("AWS_ENDPOINT_URL_SQS");
  return std::move(s).build();
}

ConfigSection aws() {
  using S = Config::Aws;
  SectionBuilder<S> s(
      "aws", &Config::aws,
      {"Credentials for SQS, by the variables that AWS's own tools know. Without any of them the "
       "role of the EC2 instance is used.",
       "SQS の認証情報。AWS のツールと同じ環境変数で渡す。どれもなければ EC2 インスタンスのロールを"
       "使う。"});
  s.add("access_key_id", &S::access_key_id, "", {"An access key.", "アクセスキー。"})
      .secret("AWS_ACCESS_KEY_ID");
  s.add("secret_access_key", &S::secret_access_key, "",
        {"The secret that belongs to it.", "シークレットアクセスキー。"})
      .secret("AWS_SECRET_ACCESS_KEY");
  s.add("session_token", &S::session_token, "",
        {"The token of temporary credentials.", "一時的な認証情報のトークン。"})
      .secret("AWS_SESSION_TOKEN");
  s.add("container_credentials_relative_uri", &S::container_credentials_relative_uri, "",
        {"Set by Amazon ECS: where the task's credentials are.",
         "Amazon ECS が設定する、タスクの認証情報の場所。"})
      .secret("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  s.add("container_credentials_full_uri", &S::container_credentials_full_uri, "",
        {"Set by EKS Pod Identity: https, this machine or an address of AWS.",
         "EKS Pod Identity が設定する。https、自ホスト、AWS のアドレスのいずれか。"})
      .secret("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  s.add("container_authorization_token", &S::container_authorization_token, "",
        {"What is shown there.", "そこで提示するトークン。"})
      .secret("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  s.add(
       "container_authorization_token_file", &S::container_authorization_token_file, "",
       {"The same from a file, which is read each time.", "同じものをファイルから。毎回読み直す。"})
      .secret("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  s.add("ec2_metadata_service_endpoint", &S::ec2_metadata_service_endpoint,
        "http://169.254.169.254",
        {"Where the instance's metadata is asked, with IMDSv2. The variable is "
         "`AWS_EC2_METADATA_SERVICE_ENDPOINT`.",
         "インスタンスメタデータ（IMDSv2）の場所。環境変数は "
         "`AWS_EC2_METADATA_SERVICE_ENDPOINT`。"})
      .form(TextForm::url)
      .variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> queue_sections() {
  return {queue(), sqs(), aws()};
}

}  // namespace todoku::config
