// A subject as it is stored: what is filled in for each recipient is seen to be that.
import { useMessages } from '../messages';
import { nameOfCode, piecesOf } from './codes';

export function Subject({ of }: { of: string }) {
  const m = useMessages();
  if (!of) return m.common.noSubject;
  return piecesOf(of).map((piece, i) => (i % 2 ? <code key={i} className="code" title={m.common.filledIn}>{nameOfCode(piece)}</code> : piece));
}
