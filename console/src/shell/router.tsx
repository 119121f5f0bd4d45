// Addresses and pages: a link is a link (new tab, copy, back), and going somewhere moves the focus to the page.
import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from 'react';

const moved = new EventTarget();
const subscribe = (told: () => void) => {
  addEventListener('popstate', told);
  moved.addEventListener('moved', told);
  return () => {
    removeEventListener('popstate', told);
    moved.removeEventListener('moved', told);
  };
};

export function go(to: string, how: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  const page = to.split('?')[0] !== location.pathname;
  history[how.replace ? 'replaceState' : 'pushState'](null, '', to);
  moved.dispatchEvent(new Event('moved'));
  if (page) scrollTo(0, 0);
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** The query's values, and a way to change some of them: what a page shows is in its address. */
export function useQuery(): [URLSearchParams, (changes: Record<string, string | null>) => void] {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return [
    new URLSearchParams(search),
    (changes) => {
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      const text = next.toString();
      go(location.pathname + (text ? `?${text}` : ''));
    },
  ];
}

export function Link({ href = '', onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    go(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}
