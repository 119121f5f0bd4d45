// SPDX-License-Identifier: Apache-2.0
#include "inbound/addressee.h"

#include <algorithm>

#include "base/bytes.h"

namespace todoku::inbound {
namespace {

bool is_ours(std::string_view domain, const InboundOptions& options) {
  return std::ranges::find(options.domains, domain) != options.domains.end();
}

bool is_report_address(const Address& address, const InboundOptions& options) {
  return std::ranges::any_of(options.report_addresses, [&](const std::string& each) {
    return equals_ignoring_case(each, address.to_string());
  });
}

}  // namespace

std::optional<Addressee> addressee_of(const Address& address, const InboundOptions& options,
                                      std::string_view secret) {
  if (is_report_address(address, options)) {
    return Addressee{.kind = Addressee::Kind::reports, .token = {}};
  }
  // RFC 5321 section 4.5.1: "RCPT TO:<Postmaster>" has no domain.
  const bool is_postmaster = equals_ignoring_case(address.local, "postmaster");
  const bool is_here =
      is_ours(address.domain, options) || (address.domain.empty() && is_postmaster);
  if (!is_here) return std::nullopt;
  if (is_postmaster || equals_ignoring_case(address.local, "abuse")) {
    if (options.forward_to.empty()) return std::nullopt;
    return Addressee{.kind = Addressee::Kind::people, .token = {}};
  }
  if (equals_ignoring_case(address.local, kUnsubscribeLocalPart)) {
    return Addressee{.kind = Addressee::Kind::unsubscribe, .token = {}};
  }
  const auto token = decode_recipient_token(address.local, secret);
  if (!token) return std::nullopt;
  return Addressee{.kind = Addressee::Kind::return_path, .token = *token};
}

std::optional<RecipientToken> return_path_in(std::string_view text, const InboundOptions& options,
                                             std::string_view secret) {
  text = trim(text);
  if (text.starts_with('<')) text.remove_prefix(1);
  text = text.substr(0, text.find('>'));
  const auto address = parse_address(text);
  if (!address || !is_ours(address->domain, options)) return std::nullopt;
  return decode_recipient_token(address->local, secret);
}

}  // namespace todoku::inbound
