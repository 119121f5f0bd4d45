// SPDX-License-Identifier: Apache-2.0
// The signer and the verifier as a program, for the tests against other implementations. Messages
// pass through standard input and output with CRLF line ends, as they are.
//
//   dkim_tool generate rsa|ed25519 PEM_FILE NAME     writes the key, prints the record's text and
//                                                    its entry in a zone file under that name
//   dkim_tool sign DOMAIN UNIX_SECONDS SELECTOR=PEM_FILE...
//   dkim_tool verify UNIX_SECONDS RECORDS_FILE       one line a signature: verdict, selector,
//   reason
//
// RECORDS_FILE has one record a line: look-up name, a tab, the text.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include "mailauth/dkim/signer.h"
#include "mailauth/dkim/verifier.h"

namespace todoku::mailauth::dkim {
namespace {

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "dkim_tool: {}\n", why);
  std::exit(2);
}

template <class T>
T value_or_give_up(Result<T> result) {
  if (!result) give_up(result.error().detail);
  return std::move(*result);
}

std::string read_all(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

Instant instant(std::string_view unix_seconds) {
  return from_epoch_ms(std::stoll(std::string(unix_seconds)) * 1000);
}

int generate(std::string_view kind, const std::string& path, std::string_view name) {
  const auto algorithm = kind == "rsa" ? KeyAlgorithm::rsa : KeyAlgorithm::ed25519;
  const SigningKey key = value_or_give_up(SigningKey::generate(algorithm));
  std::ofstream(path, std::ios::binary) << key.to_pem().view();
  const std::string record = key_record_text(key);
  fmt::print("{}\n{}", record, zone_file_entry(name, record));
  return 0;
}

int sign(const std::string& domain, std::string_view seconds,
         std::span<const std::string_view> keys) {
  std::vector<SigningIdentity> identities;
  for (const std::string_view key : keys) {
    const std::size_t equals = key.find('=');
    std::ifstream file(std::string(key.substr(equals + 1)), std::ios::binary);
    identities.push_back({.name = value_or_give_up(KeyName::parse(domain, key.substr(0, equals))),
                          .key = value_or_give_up(SigningKey::from_pem(read_all(file)))});
  }
  const Signer signer = value_or_give_up(Signer::create(std::move(identities)));
  const std::string text = read_all(std::cin);
  const MessageView message = split_message(text);
  SigningContext context;
  std::string out;
  const auto done = signer.sign(context,
                                {.headers = message.fields,
                                 .body_hash = context.body_hash({&message.body, 1}),
                                 .signed_at = instant(seconds)},
                                out);
  if (!done) give_up(done.error().detail);
  std::cout << out << text;
  return std::cout.flush() ? 0 : 2;
}

int verify_all(std::string_view seconds, const std::string& records_path) {
  std::unordered_map<std::string, std::vector<std::string>> records;
  std::ifstream file(records_path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) records[line.substr(0, tab)].push_back(line.substr(tab + 1));
  }
  const std::string text = read_all(std::cin);
  const MessageView message = split_message(text);
  for (const Signature& signature : parse_signatures(message)) {
    const auto found = records.find(signature.lookup_name());
    const KeyAnswer key =
        found == records.end() ? KeyAnswer::absent() : KeyAnswer::from_texts(found->second);
    const SignatureResult result = verify(message, signature, key, {.now = instant(seconds)});
    fmt::print("{}\t{}\t{}\n", to_string(result.verdict), result.selector, result.reason);
  }
  return 0;
}

int run(std::span<const std::string_view> arguments) {
  if (arguments.size() == 4 && arguments[0] == "generate") {
    return generate(arguments[1], std::string(arguments[2]), arguments[3]);
  }
  if (arguments.size() >= 4 && arguments[0] == "sign") {
    return sign(std::string(arguments[1]), arguments[2], arguments.subspan(3));
  }
  if (arguments.size() == 3 && arguments[0] == "verify") {
    return verify_all(arguments[1], std::string(arguments[2]));
  }
  give_up("wrong arguments; they are explained at the top of dkim_tool.cc");
}

}  // namespace
}  // namespace todoku::mailauth::dkim

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return todoku::mailauth::dkim::run(arguments);
}
