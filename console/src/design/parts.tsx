// The parts that pages are made of. Accessible behaviour of dialogs and menus is Ariakit's.
import { Dialog as AriaDialog, DialogDismiss, DialogHeading, Menu as AriaMenu, MenuButton, MenuItem, MenuProvider, MenuItemRadio, Tab, TabList, TabPanel, TabProvider } from '@ariakit/react';
import { type ButtonHTMLAttributes, type FormEvent, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes, useEffect, useId, useRef, useState } from 'react';
import { Refused } from '../api/client';
import { type Messages } from '../messages/en';
import { useMessages, useSpoken } from '../messages';
import { Link } from '../shell/router';
import { unicodeOf } from './domain';
import { exact, exactIn, instantOf, near } from './format';

type Tone = 'good' | 'warn' | 'bad' | 'info' | 'calm';

export function Button({ first, danger, plain, tiny, full, busy, className = '', children, ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { first?: boolean; danger?: boolean; plain?: boolean; tiny?: boolean; full?: boolean; busy?: boolean }) {
  const name = ['button', first && 'first', danger && 'danger', plain && 'plain', tiny && 'tiny', full && 'full', className].filter(Boolean).join(' ');
  return (
    <button type="button" className={name} {...rest} aria-disabled={busy || rest['aria-disabled']} onClick={busy ? (event) => event.preventDefault() : rest.onClick}>
      {busy && <span className="spin" aria-hidden="true" />}
      {children}
    </button>
  );
}

export function ButtonLink({ href, first, children }: { href: string; first?: boolean; children: ReactNode }) {
  return <Link href={href} className={first ? 'button first' : 'button'}>{children}</Link>;
}

interface Labelled { label: string; hint?: ReactNode; wrong?: string | null; hideLabel?: boolean }

function Field({ label, hint, wrong, hideLabel, children }: Labelled & { children: (ids: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? 'sr' : undefined}>{label}</label>
      {children({ id, 'aria-describedby': described || undefined, 'aria-invalid': wrong ? true : undefined })}
      {wrong && <span className="wrong" id={`${id}-wrong`}>{wrong}</span>}
      {hint && <span className="hint" id={`${id}-hint`}>{hint}</span>}
    </div>
  );
}

export function Input({ label, hint, wrong, hideLabel, big, ...rest }: Labelled & { big?: boolean } & InputHTMLAttributes<HTMLInputElement>) {
  return <Field {...{ label, hint, wrong, hideLabel }}>{(ids) => <input className={big ? 'input big' : 'input'} data-autofocus={rest.autoFocus || undefined} {...ids} {...rest} />}</Field>;
}

export function Area({ label, hint, wrong, hideLabel, ...rest }: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <Field {...{ label, hint, wrong, hideLabel }}>{(ids) => <textarea className="input" {...ids} {...rest} />}</Field>;
}

export function Select({ label, hint, wrong, hideLabel, options, ...rest }: Labelled & { options: readonly (readonly [string, string])[] } & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Field {...{ label, hint, wrong, hideLabel }}>
      {(ids) => (
        <select className="input" {...ids} {...rest}>
          {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
        </select>
      )}
    </Field>
  );
}

export function Check({ label, hint, ...rest }: { label: string; hint?: string } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className="check">
      <input type="checkbox" id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
      <div><label htmlFor={id}>{label}</label>{hint && <div className="muted small" id={`${id}-hint`}>{hint}</div>}</div>
    </div>
  );
}

const TONES: Record<string, Tone> = {
  approval: 'warn',
  SENT: 'good', sent: 'good', delivered: 'good', proven: 'good', active: 'good', pass: 'good',
  SENDING: 'info', sending: 'info', IMPORTING: 'info', importing: 'info', RESERVE: 'info', reserve: 'info', WAIT: 'info', wait: 'info',
  RETRY: 'warn', deferred: 'warn', paused: 'warn', stopping: 'warn', unknown: 'warn', lapsed: 'warn', failing: 'warn', warning: 'warn', expired: 'warn', unproven: 'warn', SOFTERROR: 'warn',
  FAILED: 'bad', failed: 'bad', HARDERROR: 'bad', bounced: 'bad', fail: 'bad',
};
export const toneOf = (state: string): Tone => TONES[state] ?? 'calm';

export function Badge({ tone = 'calm', children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

/** `is`: where one word means two things: a finished delivery, a taken mail. */
export function State({ of, is }: { of: string; is?: string }) {
  const m = useMessages();
  return <Badge tone={toneOf(of)}>{m.states[is ?? of] ?? of}</Badge>;
}

/** In its script, with what the wire has beside it. */
export function DomainName({ of }: { of: string }) {
  const read = unicodeOf(of);
  return read === of ? of : <>{read} <span className="muted small mono">{of}</span></>;
}

/** In the reader's zone; the exact instant, with its zone, on hovering and for screen readers' details. */
export function Time({ at, style = 'near' }: { at: string | null | undefined; style?: 'near' | 'exact' }) {
  const { language } = useSpoken();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  const instant = instantOf(at);
  if (!instant) return <span className="muted">–</span>;
  return (
    <time className="nowrap" dateTime={instant.toISOString()} title={exactIn(instant, language)}>
      {style === 'near' ? near(instant, now, language) : exact(instant)}
    </time>
  );
}

export function Copy({ text, label, tiny = true }: { text: string; label?: string; tiny?: boolean }) {
  const m = useMessages();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(setDone, 2_000, false);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <Button tiny={tiny} onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}>
      <span aria-live="polite">{done ? m.common.copied : (label ?? m.common.copy)}</span>
    </Button>
  );
}

export function PageHead({ title, text, children }: { title: ReactNode; text?: ReactNode; children?: ReactNode }) {
  return (
    <div className="head">
      <div className="grow"><h1 tabIndex={-1}>{title}</h1>{text && <p>{text}</p>}</div>
      {children && <div className="row">{children}</div>}
    </div>
  );
}

export function Empty({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return <div className="empty"><h2>{title}</h2><p>{text}</p>{children}</div>;
}

/** What a role does not open: which scope it lacks, and who can change that. */
export function Lacks({ scope }: { scope?: string }) {
  const m = useMessages();
  return <div className="card"><Empty title={m.trouble.lacks} text={scope ? m.trouble.lacksScope(scope) : m.trouble.lacksRole}><ButtonLink href="/" first>{m.trouble.home}</ButtonLink></Empty></div>;
}

export function Waiting({ rows = 4 }: { rows?: number }) {
  const m = useMessages();
  return (
    <div className="skeletons late" role="status" aria-label={m.common.loading}>
      {Array.from({ length: rows }, (_, i) => <span key={i} className="skeleton" style={{ width: `${90 - ((i * 17) % 40)}%` }} />)}
    </div>
  );
}

export function troubleText(m: Messages, trouble: unknown): string[] {
  if (!(trouble instanceof Refused)) return [m.trouble.page];
  if (trouble.status === 0) return [m.trouble.offline];
  if (trouble.status === 429 && !trouble.sentences.length) return [trouble.retryAfter ? m.trouble.tooMany(trouble.retryAfter) : m.trouble.tooManyUnknown];
  if (trouble.status === 404) return [m.trouble.missing];
  if (trouble.sentences.length) return trouble.sentences.map((sentence) => sentence.replace(/^([a-z_]+)(?=: )/, (name) => m.fields[name] ?? name));
  if (trouble.status === 403) return [m.trouble.forbidden];
  return [m.trouble.broken];
}

export function Trouble({ of, again }: { of: unknown; again?: () => void }) {
  const m = useMessages();
  if (!of) return null;
  const sentences = troubleText(m, of);
  return (
    <div className="note bad" role="alert">
      {sentences.map((sentence, i) => <p key={i}>{sentence}</p>)}
      {again && <p><button type="button" className="linklike" onClick={again}>{m.trouble.again}</button></p>}
    </div>
  );
}

export function Modal({ open, close, title, wide, children, fixed }: { open: boolean; close: () => void; title: string; wide?: boolean; fixed?: boolean; children: ReactNode }) {
  const m = useMessages();
  return (
    <AriaDialog open={open} onClose={close} backdrop={<div className="shade" />} className={wide ? 'dialog wide' : 'dialog'} portal unmountOnHide
      hideOnEscape={!fixed} hideOnInteractOutside={!fixed}>
      <div className="stack">
        <DialogHeading>{title}</DialogHeading>
        {!fixed && <DialogDismiss className="sr" tabIndex={-1}>{m.common.close}</DialogDismiss>}
        {children}
      </div>
    </AriaDialog>
  );
}

/** A form in a dialog: what is typed stays when the engine refuses, and a double click sends once. */
export function ModalForm({ open, close, title, text, button, danger, send, children, wide }: { open: boolean; close: () => void; title: string; text?: ReactNode; button: string; danger?: boolean; wide?: boolean; send: () => Promise<void>; children?: ReactNode }) {
  const m = useMessages();
  const { busy, trouble, run } = useAction();
  return (
    <Modal {...{ open, close, title, wide }}>
      <Form send={() => run(send)}>
        {text && <p className="muted">{text}</p>}
        {children}
        <Trouble of={trouble} />
        <div className="row end">
          <Button onClick={close}>{m.common.cancel}</Button>
          <Button type="submit" first={!danger} danger={danger} busy={busy}>{button}</Button>
        </div>
      </Form>
    </Modal>
  );
}

export function Form({ send, children, className = 'stack' }: { send: () => void; children: ReactNode; className?: string }) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  return <form className={className} onSubmit={submit} noValidate={false}>{children}</form>;
}

export function useAction() {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<unknown>(null);
  const running = useRef(false);
  const run = async (action: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setTrouble(null);
    try {
      await action();
    } catch (found) {
      setTrouble(found);
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { busy, trouble, run };
}

export function Menu({ label, button, children, className = 'button plain' }: { label: string; button: ReactNode; children: ReactNode; className?: string }) {
  return (
    <MenuProvider>
      <MenuButton className={className}>{button}<span className="sr">{label}</span></MenuButton>
      <AriaMenu className="menu" gutter={6} portal aria-label={label}>{children}</AriaMenu>
    </MenuProvider>
  );
}
export { MenuItem };

export function Choice({ name, label, options, value, choose, plain = true }: { name: string; label: string; plain?: boolean; options: readonly (readonly [string, string])[]; value: string; choose: (value: string) => void }) {
  return (
    <MenuProvider values={{ [name]: value }} setValues={(values) => choose(String(values[name]))}>
      <MenuButton className={plain ? 'button plain' : 'button'}><span className="sr">{label}: </span>{options.find(([key]) => key === value)?.[1] ?? label} <span aria-hidden="true">▾</span></MenuButton>
      <AriaMenu className="menu" gutter={6} portal aria-label={label}>
        {options.map(([key, text]) => (
          <MenuItemRadio key={key} name={name} value={key} hideOnClick>
            <span className="tick" aria-hidden="true">{key === value ? '✓' : ''}</span>{text}
          </MenuItemRadio>
        ))}
      </AriaMenu>
    </MenuProvider>
  );
}

export function Tabs({ label, tabs, now, choose }: { label: string; tabs: readonly { id: string; title: string; body: () => ReactNode }[]; now: string; choose: (id: string) => void }) {
  return (
    <TabProvider selectedId={now} setSelectedId={(id) => id && choose(id)} selectOnMove={false}>
      <TabList className="tabs" aria-label={label}>{tabs.map(({ id, title }) => <Tab key={id} id={id}>{title}</Tab>)}</TabList>
      {tabs.map(({ id, body }) => <TabPanel key={id} tabId={id}>{id === now && body()}</TabPanel>)}
    </TabProvider>
  );
}

interface Toast { id: number; text: string; undo?: () => void }
let counter = 0;
let show: (toast: Toast) => void = () => undefined;
let takeBack: () => void = () => undefined;
/** What could be undone no longer can: something else was done since, or another account is looked at. */
export function noMoreUndo(): void {
  takeBack();
}
export function toast(text: string, undo?: () => void): void {
  show({ id: ++counter, text, undo });
}
export function Toasts() {
  const m = useMessages();
  const [list, setList] = useState<Toast[]>([]);
  useEffect(() => {
    takeBack = () => setList((was) => was.filter(({ undo }) => !undo));
    show = (next) => {
      setList((was) => [...was.slice(-2), next]);
      setTimeout(() => setList((was) => was.filter(({ id }) => id !== next.id)), next.undo ? 10_000 : 5_000);
    };
  }, []);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map(({ id, text, undo }) => (
        <div className="toast" key={id}>
          <span>{text}</span>
          {undo && <button type="button" className="linklike" onClick={() => { undo(); setList((was) => was.filter((each) => each.id !== id)); }}>{m.common.undo}</button>}
        </div>
      ))}
    </div>
  );
}

/** A table of figures alone that may be wider than the window: it is scrolled by keys, too. */
export function Scroll({ label, children }: { label: string; children: ReactNode }) {
  return <div className="scroll" role="region" aria-label={label} tabIndex={0}>{children}</div>;
}

export function Facts({ rows }: { rows: readonly (readonly [string, ReactNode] | false | '' | 0 | null | undefined)[] }) {
  return <dl className="facts">{rows.map((row) => row && <div key={row[0]} className="contents"><dt>{row[0]}</dt><dd>{row[1]}</dd></div>)}</dl>;
}
