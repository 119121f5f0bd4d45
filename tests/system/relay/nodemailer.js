// SPDX-License-Identifier: Apache-2.0
// usage: node nodemailer.js PORT_STARTTLS PORT_TLS PASSWORD
'use strict';
const nodemailer = require('nodemailer');

async function main() {
  const [starttls, tls, pass] = process.argv.slice(2);
  const auth = { user: 'shop', pass };
  const common = { host: '127.0.0.1', auth, tls: { rejectUnauthorized: false } };
  const one = nodemailer.createTransport({ ...common, port: Number(starttls), requireTLS: true });
  const other = nodemailer.createTransport({ ...common, port: Number(tls), secure: true, pool: true });
  await one.verify();
  const mail = {
    from: 'お知らせ <news@sender.example>',
    to: 'a@receiver.example',
    bcc: 'hidden@receiver.example',
    subject: 'ご注文ありがとうございます',
    text: 'こんにちは。\n.dot\n',
    html: '<p>こんにちは。<img src="cid:logo"></p>',
    attachments: [{ filename: '請求書.txt', content: 'x'.repeat(100000) },
                  { filename: 'logo.png', content: Buffer.from('png'), cid: 'logo' }],
  };
  const info = await one.sendMail(mail);
  if (!/kept as delivery \d+/.test(info.response)) throw new Error(info.response);
  await other.sendMail({ ...mail, bcc: undefined, messageId: '<own@sender.example>' });
  let refused = null;
  try {
    await one.sendMail({ ...mail, from: ['a@sender.example', 'b@sender.example'].join(', ') });
  } catch (error) {
    refused = error.responseCode;
  }
  if (refused !== 550) throw new Error(`two From addresses: ${refused}`);
  other.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
