// SPDX-License-Identifier: Apache-2.0
// Uses the package as its readme does: a transaction with an attachment, a bulk with 3 recipients,
// one with 60 (which goes by CSV import), and the searches. Prints JSON for npm_client_test.py.
const { BlastEngine, Transaction, Bulk, Mail, Log, Usage } = require("blastengine");

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

(process.argv[4] === "look" ? look() : main()).catch((error) => {
  console.error(error);
  process.exit(1);
});
