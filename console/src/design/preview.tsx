// A mail as a reader sees it. What is stored is a response of its own, which brings its policy along: the frame has no
// right at all. What is just being typed has no address: its HTML is written into a frame whose sandbox lets no script run,
// no form go and nothing open; our content security policy holds there, too, and one of the frame's own besides, since ours
// lets pictures be asked for here, by the reader's cookie. Ours forbids inline styles: they are set by the object model,
// which it allows.
import { useEffect, useMemo, useRef, useState } from 'react';
import type { components } from '../api/schema';
import { useMessages } from '../messages';
import { Button, Check, Facts, Form, Input, Tabs } from './parts';

type Mail = components['schemas']['Preview'];
const TAKEN_OUT = 'script,link,meta,base,iframe,frame,frameset,object,embed,applet,template,noscript,audio,video,source,track,portal';

/** Of the mail: not even here is anything asked for, whatever its styles say. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";

/** The document without what loads or runs, and the styles that are to be put back. */
export function harmless(html: string): { html: string; sheets: string[] } {
  const mail = new DOMParser().parseFromString(html, 'text/html');
  for (const element of mail.querySelectorAll(TAKEN_OUT)) element.remove();
  const sheets = [...mail.querySelectorAll('style')].map((style) => {
    style.remove();
    const text = style.textContent ?? '';
    return style.media ? `@media ${style.media}{${text}}` : text;
  });
  for (const element of mail.querySelectorAll('*'))
    for (const { name, value } of [...element.attributes]) {
      const isHandler = name.startsWith('on');
      const isLoaded = ['src', 'srcset', 'background', 'poster', 'href', 'xlink:href', 'action', 'formaction', 'ping'].includes(name) && !/^\s*data:image\/(png|gif|jpe?g|webp)[;,]/i.test(value);
      if (name === 'style') {
        element.setAttribute('data-todoku-style', value);
        element.removeAttribute('style');
      } else if (isHandler || (isLoaded && name !== 'href')) element.removeAttribute(name);
      else if (name === 'href') {
        element.setAttribute('title', value);
        element.removeAttribute('href');
        element.setAttribute('data-todoku-link', '');
      }
    }
  const policy = mail.createElement('meta');
  policy.httpEquiv = 'Content-Security-Policy';
  policy.content = POLICY;
  mail.head.prepend(policy);
  return { html: `<!doctype html>${mail.documentElement.outerHTML}`, sheets };
}

/** What a mail says for dark and light readers, decided by what is looked at instead of by this browser. */
function seenBy(night: boolean, text: string): string {
  const [holds, fails] = ['(min-width:0px)', '(max-width:0px)'];
  return text.replace(/\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)/gi, (_, scheme: string) => ((scheme.toLowerCase() === 'dark') === night ? holds : fails));
}

function dress(frame: HTMLIFrameElement, sheets: string[], night: boolean): void {
  const inside = frame.contentDocument;
  const view = frame.contentWindow as (Window & typeof globalThis) | null;
  if (!inside || !view) return;
  for (const element of inside.querySelectorAll<HTMLElement>('[data-todoku-style]')) element.style.cssText = element.dataset.todokuStyle ?? '';
  const own = '[data-todoku-link]{color:#0645ad;text-decoration:underline;cursor:help} img{max-width:100%}';
  const dark = night ? [':root{color-scheme:dark;background:Canvas;color:CanvasText}'] : [];
  inside.adoptedStyleSheets = [...dark, ...sheets, own].map((text) => {
    const sheet = new view.CSSStyleSheet();
    sheet.replaceSync(seenBy(night, text.replace(/@import[^;]*;?/gi, '')));
    return sheet;
  });
}

/** `night`: as a reader whose mail program is dark sees it. */
export function HtmlFrame({ html, title, phone, night = false }: { html: string; title: string; phone?: boolean; night?: boolean }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const made = useMemo(() => harmless(html), [html]);
  return (
    <iframe key={String(night)} ref={frame} className={['preview', phone && 'phone', night && 'night'].filter(Boolean).join(' ')} title={title} sandbox="allow-same-origin" referrerPolicy="no-referrer"
      srcDoc={made.html} onLoad={() => frame.current && dress(frame.current, made.sheets, night)} />
  );
}

/** What is stored, from its own address. */
function StoredFrame({ address, title, phone }: { address: string; title: string; phone?: boolean }) {
  return <iframe key={address} className={phone ? 'preview phone' : 'preview'} title={title} sandbox="" referrerPolicy="no-referrer" src={address} />;
}

/** `address`: of its HTML, where it is stored. */
export function Preview({ mail, address, chooseEmail }: { mail: Mail; address?: string; chooseEmail?: (email: string) => void }) {
  const m = useMessages();
  const [now, setNow] = useState(mail.html_part !== null ? 'html' : 'text');
  const [phone, setPhone] = useState(false);
  const [email, setEmail] = useState(mail.email);
  useEffect(() => setEmail(mail.email), [mail.email]);
  const tabs = [
    { id: 'html', title: m.deliveries.html, body: () => mail.html_part !== null
      ? <div className="stack"><Check label={m.deliveries.phone} checked={phone} onChange={(e) => setPhone(e.target.checked)} />{address ? <StoredFrame address={address} title={mail.subject} phone={phone} /> : <HtmlFrame html={mail.html_part} title={mail.subject} phone={phone} />}</div>
      : <p className="muted">{m.deliveries.noHtml}</p> },
    { id: 'text', title: m.deliveries.text_, body: () => mail.text_part !== null ? <pre className="answer">{mail.text_part}</pre> : <p className="muted">{m.deliveries.noText}</p> },
    { id: 'headers', title: m.deliveries.headers, body: () => <pre className="answer">{mail.headers.map(({ name, value }) => `${name}: ${value}`).join('\n')}</pre> },
  ];
  return (
    <div className="card stack">
      {chooseEmail && (
        <Form className="row" send={() => chooseEmail(email.trim())}>
          <div className="grow"><Input label={m.deliveries.asRecipient} type="email" value={email} onChange={(e) => setEmail(e.target.value)} /></div>
          <Button type="submit" className="bottom">{m.deliveries.preview}</Button>
        </Form>
      )}
      <Facts rows={[
        [m.common.subject, <strong>{mail.subject || m.common.noSubject}</strong>],
        [m.common.to, mail.email],
        mail.files.length > 0 && [m.deliveries.files, mail.files.map((file) => file.file_name).join(', ')],
        mail.missing_codes.length > 0 && [m.templates.missing, mail.missing_codes.join(', ')],
      ]} />
      {mail.not_read_because && <div className="note warn">{mail.not_read_because}</div>}
      <Tabs label={m.deliveries.preview} tabs={tabs} now={now} choose={setNow} />
    </div>
  );
}
