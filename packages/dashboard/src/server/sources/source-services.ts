import type { SecretConnection } from '@bemi-db/source/connection-string';

/** How the recording of a source is going in this process. */
export interface RecordedState {
  /** `waiting`: it tries again by itself. `refused`: somebody has to do something first. */
  readonly state: 'recording' | 'waiting' | 'refused';
  readonly problem: { readonly code: string; readonly message: string; readonly fix: string } | undefined;
  /** After a refusal, where that is known. */
  readonly triedAgainAt?: Date | undefined;
}

/** A source that the configuration of this process names: shown, and not to be changed here. */
export interface NamedSource {
  readonly name: string;
  readonly connection: string | SecretConnection;
  /** What configures it: `bemi.config.yaml`, `BEMI_DATABASE_URL`. */
  readonly configuredWith: string;
  /** What its URL was set with, for messages. */
  readonly urlSetWith: string;
  readonly slot: string;
  readonly publication: string;
  readonly bufferSize: number;
  readonly retentionDays: number;
}

/** What the pages need of the process that serves them, for data sources. */
export interface SourceServices {
  readonly configured: readonly NamedSource[];
  /** That connections of added sources are sealed with; a text where none can be added, which says why and what to do. */
  readonly key: (() => Promise<Uint8Array>) | string;
  /** What this process records; `undefined` where it records nothing. */
  readonly recorded?: () => ReadonlyMap<string, RecordedState>;
}

export const noSourceServices: SourceServices = {
  configured: [],
  key: 'This server keeps no sources. Add them where the worker runs: bemi start',
};
