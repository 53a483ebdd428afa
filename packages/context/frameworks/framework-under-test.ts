import type { BemiContext } from '@bemi-db/context';
import type { Route, Visits } from './visits.ts';

/** Who sends a request: `ipAddress` is what a trusted proxy says. */
export interface Sender {
  readonly userId: string;
  readonly ipAddress: string;
  readonly requestId: string;
}

export interface RunningApplication {
  /** Sends a request, and waits for the response. */
  send(route: Route, id: number, sender: Sender): Promise<void>;
  /** What the context says of the route. */
  endpoint(route: Route, id: number): string;
  /** What is particular to the framework. */
  readonly particular?: Readonly<Record<string, ParticularCase>>;
  close(): Promise<void>;
}

export interface ParticularCase {
  run(): Promise<unknown>;
  /** The ids that are written, each with its context. They start at 100,000. */
  readonly recorded: Readonly<Record<number, BemiContext | null>>;
}

/** A small application, with Bemi as docs/context/ says to set it up. */
export interface FrameworkUnderTest {
  /** @param databaseUrl - for an application in a process of its own. */
  start(visits: Visits, databaseUrl: string): Promise<RunningApplication>;
}
