// Setting up a second factor: the key as a picture and as text, the first code, the recovery codes.
import { useEffect, useState } from 'react';
import { door } from '../api/client';
import { own, type Session } from '../api/door';
import { useMessages } from '../messages';
import { Button, Copy, Form, Input, Trouble, useAction, Waiting } from './parts';

/** As one SVG path; the library comes when it is needed. */
function Qr({ text, label }: { text: string; label: string }) {
  const [drawn, setDrawn] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    void import('uqr').then(({ encode }) => {
      const { data, size } = encode(text, { border: 2 });
      const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
      setDrawn({ size, path });
    });
  }, [text]);
  return (
    <svg className="qr" role="img" aria-label={label} viewBox={`0 0 ${drawn?.size ?? 1} ${drawn?.size ?? 1}`} shapeRendering="crispEdges">
      {drawn && <path d={drawn.path} />}
    </svg>
  );
}

export function Codes({ codes, kept }: { codes: string[]; kept: () => void }) {
  const m = useMessages();
  const text = `${codes.join('\n')}\n`;
  return (
    <div className="stack">
      <h2>{m.me.codesTitle}</h2>
      <p className="muted">{m.me.codesText}</p>
      <div className="codes card">{codes.map((code) => <span key={code}>{code}</span>)}</div>
      <div className="row">
        <Copy text={text} tiny={false} />
        <a className="button" download="todoku-recovery-codes.txt" href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}>{m.me.download}</a>
        <Button first onClick={kept}>{m.me.codesKept}</Button>
      </div>
    </div>
  );
}

/** `cancel`: until it is on. From then on the recovery codes have to be kept first. */
export function SetUpFactor({ done, cancel }: { done: (session: Session) => void; cancel?: () => void }) {
  const m = useMessages();
  const [offer, setOffer] = useState<{ secret: string; uri: string } | null>(null);
  const [trouble, setTrouble] = useState<unknown>(null);
  const [code, setCode] = useState('');
  const [made, setMade] = useState<{ codes: string[]; session: Session } | null>(null);
  const action = useAction();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let here = true;
    setTrouble(null);
    own.beginTotp().then((found) => here && setOffer(found), (found) => here && setTrouble(found));
    return () => { here = false; };
  }, [turn]);

  if (made) return <Codes codes={made.codes} kept={() => done(made.session)} />;
  const giveUp = cancel && <Button plain onClick={cancel}>{m.common.cancel}</Button>;
  if (trouble) return <><Trouble of={trouble} again={() => setTurn(turn + 1)} />{giveUp}</>;
  if (!offer) return <><Waiting />{giveUp}</>;
  const confirm = () =>
    void action.run(async () => {
      const answer = await own.confirmTotp(code.replace(/\D/g, ''));
      const session = answer.session ?? (await own.session());
      door.token = session.token ?? '';
      setMade({ codes: answer.recovery_codes, session });
    });
  return (
    <Form send={confirm}>
      <p>{m.me.scan}</p>
      <Qr text={offer.uri} label={m.me.scan} />
      <div className="stack tight">
        <span className="muted small">{m.me.orType}</span>
        <div className="row"><code>{offer.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code><Copy text={offer.secret} /></div>
      </div>
      <Input label={m.me.typeCode} className="input mono" inputMode="numeric" autoComplete="one-time-code" required maxLength={7} value={code} onChange={(e) => setCode(e.target.value)} />
      <Trouble of={action.trouble} />
      <div className="row">
        <Button type="submit" first busy={action.busy}>{m.me.confirm}</Button>
        {giveUp}
      </div>
    </Form>
  );
}
