// SPDX-License-Identifier: Apache-2.0
// todoku profile set|list
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "cli/api_client.h"
#include "cli/api_session.h"
#include "cli/profile.h"
#include "cli/sender_commands.h"
#include "cli/user_files.h"

namespace todoku::cli {
namespace {

// The file of the user; nullopt after a sentence.
std::optional<Profiles> load_profiles(ApiSession& api, const std::string& path) {
  Session& session = api.session();
  if (path.empty()) {
    api.fail_with(kWrongWords, session.words({"there is no home folder for profiles: "
                                              "TODOKU_PROFILE_FILE",
                                              "ホームフォルダーがありません: "
                                              "TODOKU_PROFILE_FILE"}));
    return std::nullopt;
  }
  auto profiles = read_profiles(path, session.language());
  if (!profiles) {
    api.fail_with(kWrongWords, profiles.error().detail);
    return std::nullopt;
  }
  return std::move(*profiles);
}

// What is given of it; true if it can be kept.
bool take_wish(ApiSession& api, Profile& profile) {
  Session& session = api.session();
  const ConnectionWish& wish = session.common().connection;
  if (!wish.url.empty()) {
    auto url = api_url(wish.url);
    if (!url) {
      api.fail_with(kWrongWords, url.error().detail);
      return false;
    }
    // A key is for the API that it was given for.
    if (*url != profile.url) profile.key.clear();
    profile.url = std::move(*url);
  }
  if (!wish.account.empty()) {
    if (wish.account != profile.account) profile.key.clear();
    profile.account = wish.account;
  }
  if (!wish.ca_file.empty()) profile.ca = wish.ca_file;
  // Not the key of TODOKU_API_KEY: that may be for another API, and nobody asked to keep it.
  if (!wish.key_file.empty()) {
    const auto read = read_secret(wish.key_file, session);
    if (!read) {
      api.fail_with(kWrongWords, read.error().detail);
      return false;
    }
    profile.key = std::string(trim(*read));
  }
  return true;
}

}  // namespace

int profile_set(Session& session, const std::string& given) {
  ApiSession api(session);
  const std::string& wished = session.common().connection.profile;
  if (!given.empty() && !wished.empty() && given != wished) {
    return api.fail_with(kWrongWords,
                         session.words({"which of the two is set: {}, or {} of --profile?",
                                        "どちらを保存しますか: {}、または --profile の {}"},
                                       given, wished));
  }
  const std::string named = given.empty() ? wished : given;
  const std::string name = named.empty() ? std::string(kDefaultProfile) : named;
  if (!is_profile_name(name)) {
    return api.fail_with(kWrongWords, session.words({"a name has letters, digits, - and _: {}",
                                                     "名前に使えるのは英数字、-、_ です: {}"},
                                                    name));
  }
  const std::string path = session.host().profile_file();
  auto profiles = load_profiles(api, path);
  if (!profiles) return api.status();
  Profile& profile = (*profiles)[name];
  if (!take_wish(api, profile)) return api.status();
  if (profiles->size() > kProfilesMax) {
    return api.fail_with(kWrongWords, session.words({"there are {} profiles: that is all there may "
                                                     "be",
                                                     "プロファイルは {} 個までです"},
                                                    kProfilesMax));
  }
  if (const auto written = write_profiles(path, *profiles); !written) {
    return api.fail_with(kWrongWords, written.error().detail);
  }
  session.say({"Profile {0} is kept in {1}.", "プロファイル {0} を {1} に保存しました。"}, name,
              path);
  if (profile.key.empty()) {
    session.say(
        {"It has no key yet: todoku profile set {0} --key-file FILE, or - for standard input",
         "キーはまだありません: todoku profile set {0} --key-file ファイル"
         "（標準入力は -）"},
        name);
  }
  return kDone;
}

int profile_list(Session& session) {
  ApiSession api(session);
  const auto profiles = load_profiles(api, session.host().profile_file());
  if (!profiles) return api.status();
  if (api.json()) {
    http::JsonWriter json;
    json.begin_object();
    json.key("profiles");
    json.begin_array();
    for (const auto& [name, profile] : *profiles) {
      json.begin_object();
      json.member("name", name);
      json.member("url", profile.url);
      json.member("account", profile.account);
      json.member("has_key", !profile.key.empty());
      json.end_object();
    }
    json.end_array();
    json.end_object();
    session.out() << json.take() << '\n';
    return kDone;
  }
  std::vector<std::vector<std::string>> rows = {{session.words({"NAME", "名前"}), "URL",
                                                 session.words({"ACCOUNT", "アカウント"}),
                                                 session.words({"KEY", "キー"})}};
  for (const auto& [name, profile] : *profiles) {
    rows.push_back(
        {name, profile.url, profile.account,
         profile.key.empty() ? session.words({"none", "なし"}) : session.words({"kept", "あり"})});
  }
  print_table(session.out(), std::move(rows));
  return kDone;
}

}  // namespace todoku::cli
