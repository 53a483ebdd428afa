import { useSearch } from '@tanstack/react-router';
import type { Log } from '../../api/log.ts';
import { useLogs } from './use-logs.ts';

/** The log that the page is about: the one that the address names, else the first. */
export interface ChosenLog {
  /** `undefined` while the logs are not known, and where there is none. */
  readonly name: string | undefined;
  readonly log: Log | undefined;
  readonly logs: readonly Log[] | undefined;
  /** Why the logs are not known. */
  readonly error: Error | null;
  retry(): void;
}

/** A name in the address that no log has stays the page's: the server then says that there is none. */
export function useLog(): ChosenLog {
  const { data: logs, error, refetch } = useLogs();
  const { log: asked } = useSearch({ from: '__root__' });
  const name = asked ?? logs?.[0]?.name;
  return {
    name,
    log: logs?.find((each) => each.name === name),
    logs,
    // What failed to be read again is still known.
    error: logs ? null : error,
    retry: () => void refetch(),
  };
}
