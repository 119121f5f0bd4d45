// What is shown is asked for again while somebody looks at it, and at once when they look again.
import { useEffect } from 'react';

export function useLive(reload: () => void, seconds: number): void {
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') reload();
    };
    const timer = setInterval(look, seconds * 1_000);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [reload, seconds]);
}
