// SPDX-License-Identifier: Apache-2.0
// `todoku sendmail`, and whatever is linked to the program as sendmail: mail on standard input goes
// to the relay on this machine, as who calls it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/host.h"

namespace todoku::cli {

// Runs it with the words behind the name. The exit status is one of sysexits(3):
//   EX_OK 0            every recipient was taken by the relay, which has committed it
//   EX_USAGE 64        wrong words, or no recipients
//   EX_DATAERR 65      the message breaks a rule, or is too large
//   EX_NOUSER 67       a recipient is none
//   EX_UNAVAILABLE 69  refused for another reason
//   EX_IOERR 74        standard input, or the temporary file
//   EX_TEMPFAIL 75     the relay did not answer or would not take it now, for half a minute
//   EX_NOPERM 77       the user may not send, or not as this
//   EX_CONFIG 78       the socket's path is none, or the credential has no address
// Of several refusals the first that lasts counts.
int sendmail(const std::vector<std::string>& words, Host& host, std::ostream& out,
             std::ostream& err);

}  // namespace todoku::cli
