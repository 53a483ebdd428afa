import { unwatchFile, watchFile } from 'node:fs';
import type { ConfiguredRules } from '@bemi-db/worker/rules/judge-rules';
import type { Logger } from 'pino';
import type { ConfigFile } from '../configuration/config-file.ts';
import { type Flags, loadConfiguration } from '../configuration/configuration.ts';
import { explainError } from '../output/explain-error.ts';
import type { Pipeline } from './pipeline.ts';

export interface WatchedConfiguration {
  readonly file: ConfigFile;
  readonly flags: Flags;
  /** Of the sources that the configuration names. */
  readonly pipelines: readonly Pipeline[];
  readonly logger: Logger;
}

export interface ConfigurationWatch {
  /** Resolves when the file has changed, or SIGHUP came. */
  next(): Promise<void>;
  close(): void;
}

/** Polled, not asked to be told: files that are mounted into containers, or edited over a network, tell nothing. */
const pollMs = 2_000;

/**
 * Takes other rules from the configuration file when it changes, and at SIGHUP. A file that can't be used changes nothing;
 * what else is in it counts from the next start on.
 */
export function watchConfiguration({
  file,
  flags,
  pipelines,
  logger,
}: WatchedConfiguration): ConfigurationWatch {
  let last = file;
  let resolve: () => void = () => undefined;
  let changed = Promise.resolve();
  const expectChange = (): void => {
    changed = new Promise((done) => {
      resolve = done;
    });
  };
  expectChange();
  const read = (): void => {
    try {
      const { file: now } = loadConfiguration({ flags });
      if (!now) return;
      for (const { name, worker } of pipelines) {
        const [only] = now.sources.length === 1 && pipelines.length === 1 ? now.sources : [];
        const rules = (only ?? now.sources.find((source) => source.name === name))?.rules;
        worker.setRules(rules && ({ rules, file: now.name } satisfies ConfiguredRules));
      }
      if (settingsText(now) !== settingsText(last)) {
        const fix = 'Start the worker again for what is not rules.';
        logger.warn(
          { file: now.name, fix },
          'The configuration file has changed: only its rules are taken up now',
        );
      }
      last = now;
    } catch (error) {
      const { code, message, fix } = explainError(error);
      logger.error({ code, fix }, `The configuration file is not taken up: ${message}`);
    }
    resolve();
    expectChange();
  };
  watchFile(file.path, { interval: pollMs, persistent: false }, read);
  // A terminal that is closed ends what runs in it, by the same signal.
  if (!process.stdout.isTTY) process.on('SIGHUP', read);
  return {
    next: () => changed,
    close() {
      unwatchFile(file.path, read);
      process.off('SIGHUP', read);
    },
  };
}

/** What of a file counts at a start only, without where it stands in it. */
function settingsText({ common, sources }: ConfigFile): string {
  const texts = (settings: ConfigFile['common']) => [...settings].map(([name, { text }]) => [name, text]);
  return JSON.stringify([texts(common), sources.map(({ name, settings }) => [name, texts(settings)])]);
}
