// SPDX-License-Identifier: Apache-2.0
// fauxqs on a loopback port of its choice, which it prints. Ends with its standard input. Its own
// command line would listen on every interface.
import { buildApp } from "fauxqs";

const app = buildApp({ logger: false, host: "127.0.0.1", defaultRegion: "ap-northeast-1" });
await app.listen({ port: 0, host: "127.0.0.1" });
console.log(app.server.address().port);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
