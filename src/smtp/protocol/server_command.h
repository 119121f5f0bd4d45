// SPDX-License-Identifier: Apache-2.0
// The syntax of SMTP command lines as a receiver reads them (RFC 5321 section 4.1.1, RFC 1870,
// RFC 3030, RFC 3461, RFC 6152, RFC 6531). What a command means in its place is server_session.h's
// matter.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "mail/address.h"
#include "mail/dsn.h"
#include "mail/reply.h"

namespace todoku::smtp {

enum class Verb : std::uint8_t {
  ehlo,
  helo,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  quit,
  vrfy,
  expn,
  help,
  starttls,
  auth,
  http,  // GET, POST or CONNECT: a browser that was tricked into talking to us
  unknown,
};

struct CommandLine {
  Verb verb = Verb::unknown;
  std::string_view argument;  // without the blanks around it
};

// Splits a line without its CRLF. The verb is read without regard to case.
[[nodiscard]] CommandLine parse_command_line(std::string_view line);

// Which parameters of MAIL may be used: those whose extension was announced to this client.
struct MailParameters {
  bool size = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool auth = false;
  bool dsn = false;
  bool unqualified = false;  // the path may lack its domain, see parse_mail()
};

enum class BodyType : std::uint8_t { seven_bit, eight_bit_mime };

struct MailCommand {
  std::optional<Address> sender;  // nullopt: the null path <>
  std::uint64_t size = 0;         // announced octets; 0: not announced
  BodyType body = BodyType::seven_bit;
  bool smtputf8 = false;
  DsnReturn ret = DsnReturn::unspecified;
  std::string envid;  // without xtext; empty: none
};

// Reads "FROM:<path> [parameters]". The refusal is a reply with an enhanced status code.
//
// An address that may be `unqualified` has an empty domain if it is: <root>, or <root@host> of a
// host without a dot. Its local part is sound.
[[nodiscard]] std::expected<MailCommand, Reply> parse_mail(std::string_view argument,
                                                           const MailParameters& allowed);

struct RcptParameters {
  bool smtputf8 = false;  // the mail is one of SMTPUTF8
  bool dsn = false;       // NOTIFY and ORCPT may be used
  bool unqualified = false;
};

struct RecipientOptions {
  DsnNotify notify;
  std::optional<OriginalRecipient> original;
};

struct RcptCommand {
  Address recipient;
  RecipientOptions options;
};

// Reads "TO:<path> [parameters]". A bare <postmaster> (RFC 5321 section 4.5.1) becomes an address
// at `hostname`, unless any address may be unqualified.
[[nodiscard]] std::expected<RcptCommand, Reply> parse_rcpt(std::string_view argument,
                                                           const RcptParameters& allowed,
                                                           std::string_view hostname);

struct BdatCommand {
  std::uint64_t octets = 0;
  bool last = false;
};

// Reads "chunk-size [LAST]" (RFC 3030 section 2). nullopt: bad syntax, so where the chunk ends and
// the next command begins cannot be known.
[[nodiscard]] std::optional<BdatCommand> parse_bdat(std::string_view argument);

}  // namespace todoku::smtp
