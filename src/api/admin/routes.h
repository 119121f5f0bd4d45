// SPDX-License-Identifier: Apache-2.0
// The operations as HTTP with JSON, for the admin socket. Who may open the socket may do all this.
//
//   GET    /accounts?after=&limit=                {"accounts": [{name, weight, ...}], "next"?}
//   POST   /accounts                              {name, weight?, with_key?}
//   PATCH  /accounts/{account}                    {weight?, suspended?, text_from_html?,
//   open_tracking?, preflight?}
//                                                 -> with deliveries and recipients to go
//   GET    /accounts/{account}/keys               {"keys": [{id, label, created, revoked?}]}
//   POST   /accounts/{account}/keys               {label?} -> with api_key and bearer_token
//   DELETE /accounts/{account}/keys/{id}          -> {"keys": n} that are left
//   GET    /dkim?account=&after=&limit=           {"keys": [...], "next"?}
//   POST   /dkim                                  {account, domain, selector?, algorithm?, ...}
//   GET    /dkim/{account}/{domain}/{selector}
//   DELETE /dkim/{account}/{domain}/{selector}    -> deliveries and recipients of the account to go
//   GET    /domains?account=&after=&limit=        {"domains": [...], "next"?}
//   POST   /domains                               {account, domain, proven?}
//   POST   /domains/{account}/{domain}/verify     -> with record_found, trouble?, needs_consent?
//   POST   /domains/{account}/{domain}/consent    {to, withdrawn?}
//   DELETE /domains/{account}/{domain}
//   GET    /explain?address=&account=&lang=&limit=&utc_offset_minutes=
//   GET    /explain?delivery_id=&domain=&site=&since=&until=&...   many mails (causes_json.h)
//   GET    /stuck?limit=&utc_offset_minutes=      {"mails": [{since, account, ...}], "more"}
//   POST   /stuck/{account}/{email_id}/release
//   POST   /stuck/release                         all of them -> {"released": n}
//   GET    /suppressions?account=&after=&limit=   {"suppressions": [...], "next"?}
//   GET    /suppressions/export?account=&after=   {"header", "csv", "next"?}
//   GET    /suppressions/look?account=&address=   {"email", "suppressions": [...], "removed":
//   [...]} POST   /suppressions         {account?, address, reason?, scope?, list_id?, note?,
//   days?} POST   /suppressions/remove  {account?, address, reason?, list_id?, why?} -> {"removed":
//   n} POST   /suppressions/import  {account?, csv} -> {"added": n, "changed": n, "failed": n, ...}
//   GET    /probes/plan                           {every_minutes, "from": [...], "mailboxes":
//   [...]} GET    /probes?mailbox=&limit=                {"probes": [...]} POST   /probes
//   {mailbox?, from?} -> {"probes": [...]} GET    /nodes?utc_offset_minutes=             {"nodes":
//   [{key, node, roles, host, ...}]} GET    /cluster                               {cluster,
//   database, queue, "hold": [...]} GET    /cluster/waiting                       {"deliveries": n,
//   "recipients": n} POST   /cluster/cancel     {from}             -> the same, and "next": from,
//   or 0 at the end POST   /cluster/adopt      {send_waiting} GET    /status POST   /drain
//
// A list with "next" goes on: ask again with `after` = next.
//
// Failures: {"error": "<sentence>"} with 400, 404, 409, 503 or 500.
#pragma once

#include <string>

#include "http/message.h"
#include "http/router.h"
#include "operate/calls/given.h"
#include "operate/operations.h"

namespace todoku::api::admin {

// `operations` must outlive the router. `held`: why only looking, adopting and ending are offered;
// empty: everything is.
void add_routes(http::Router& router, operate::Operations& operations, std::string held = {});

// One of them, asked for elsewhere.
[[nodiscard]] Task<http::Response> carry_out(operate::Operations& operations,
                                             const operate::Call& call, operate::Given given);

// The same of kExplain for who may not see contents: subjects are as they were written, without
// what the recipient's insert codes make of them.
[[nodiscard]] Task<http::Response> carry_out_without_content(operate::Operations& operations,
                                                             const operate::Call& call,
                                                             operate::Given given);

// The same of one of those that make an account, a key or a domain, for a request that has a name.
[[nodiscard]] Task<http::Response> carry_out_named(operate::Operations& operations,
                                                   const operate::Call& call, operate::Given given,
                                                   operate::Named named);

// {"error": reason}: the shape of every failure at the admin socket.
[[nodiscard]] http::Response failure_response(const http::Failure& failure,
                                              const http::Request& request);

}  // namespace todoku::api::admin
