// SPDX-License-Identifier: Apache-2.0
// The specification's own package. A line in: {"key", "headers", "body"}; a line out: ok, or why not.
const { Webhook } = require("standardwebhooks");
const readline = require("node:readline");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const call = JSON.parse(line);
  try {
    const event = new Webhook(call.key).verify(call.body, call.headers);
    console.log(event.type ? "ok" : "no event");
  } catch (error) {
    console.log("refused: " + error.message);
  }
});
