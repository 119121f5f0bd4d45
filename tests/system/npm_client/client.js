// SPDX-License-Identifier: Apache-2.0
// Uses the package as its readme does: a transaction with an attachment, a bulk with 3 recipients,
// one with 60 (which goes by CSV import), and the searches. Prints JSON for npm_client_test.py.
const { BlastEngine, Transaction, Bulk, Mail, Log, Usage, ErrorReport } = require("blastengine");

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// The list of stopped addresses: before there are any, and once two mails to one have failed.
async function errors() {
  const [loginId, apiKey, , address] = process.argv.slice(2);
  new BlastEngine(loginId, apiKey);
  // finished() of this version cannot read the refusal that it looks for.
  const nothing = await new ErrorReport().create().catch(String);
  for (let i = 0; i < 2; i += 1) {
    const mail = new Transaction();
    mail.setFrom("shop@sender.example").setSubject("s").setText("t").setTo(address);
    await mail.send();
    do {
      await pause(100);
      await mail.get();
    } while (mail.status !== "SENT");
  }
  const report = new ErrorReport().setEmail(address).setResponseCode([550]);
  while (!(await report.finished())) await pause(100);
  const rows = await report.download();
  console.log(JSON.stringify({
    nothing, rows, status: report.status, total: report.total_count, url: report.errorFileUrl,
  }));
}

// What became of everything, once all of it has arrived.
async function look() {
  const [loginId, apiKey, , deliveryId] = process.argv.slice(2);
  new BlastEngine(loginId, apiKey);
  const months = await Usage.get(3);
  await months[1].get();
  const latest = await Usage.getLatest();
  const logs = await Log.find({ count: 1000 });
  const own = await Log.find({
    delivery_id: Number(deliveryId), status: ["SENT", "HARDERROR"],
    delivery_start: new Date(Date.now() - 3600 * 1000), delivery_end: new Date(),
  });
  console.log(JSON.stringify({ months, latest, logs, own }));
}

async function main() {
  const [loginId, apiKey, attachment] = process.argv.slice(2);
  new BlastEngine(loginId, apiKey);
  const result = {};

  const transaction = new Transaction();
  transaction
    .setFrom("shop@sender.example", "ショップ")
    .setSubject("ご注文の確認 __customer__ 様")
    .setText("__customer__ 様、ありがとうございます。")
    .setHtml("<p>__customer__ 様、<b>ありがとうございます。</b></p>")
    .setTo("buyer@one.example", { customer: "山田" })
    .addAttachment(attachment);
  await transaction.send();
  result.transaction = transaction.deliveryId;

  for (const count of [3, 60]) {
    const bulk = new Bulk();
    bulk
      .setFrom("news@sender.example", "お知らせ")
      .setSubject("お知らせ __customer__ 様")
      .setText("__customer__ 様へ");
    await bulk.register();
    for (let i = 0; i < count; i += 1) {
      bulk.addTo(`reader${count}-${i}@one.example`, { customer: `読者${i}` });
    }
    await bulk.update();
    await bulk.send();
    result[`bulk${count}`] = bulk.deliveryId;
  }

  await transaction.get();
  result.subject = transaction.subject;
  const found = await Mail.find({ "delivery_type": ["BULK"] });
  result.found = found.length;
  console.log(JSON.stringify(result));
}

const steps = { look, errors };
(steps[process.argv[4]] ?? main)().catch((error) => {
  console.error(error);
  process.exit(1);
});
