import { bytesText } from '@bemi-db/source/bytes-text';
import type { LogHealth } from '../../api/health.ts';

/** How a source's recording is doing, in a sentence, and what to do next. */
export interface HealthSentence {
  readonly tone: 'good' | 'attention' | 'bad';
  /** Where it ends with a time, `at` is that. */
  readonly text: string;
  readonly at?: string;
  readonly fix?: string;
}

/** As the alert `lag` has it, unless somebody configured another. What comes and goes between two looks is no lag. */
const healthyLagBytes = 100 * 1024;
const healthyLagSeconds = 60;

const start = 'Start one: bemi start. Changes wait in the slot meanwhile, and the source keeps its WAL.';

export function healthSentence({ state, since, problem, now }: LogHealth): HealthSentence {
  const at = since === null ? {} : { at: since };
  const fix = problem?.fix ?? 'bemi status says more, and what to do.';
  const why = problem?.message ?? problem?.code ?? 'nobody has said why';
  switch (state) {
    case 'recording': {
      if (now && now.lagBytes === null)
        return {
          tone: 'attention',
          text: 'Recording. How far behind is not known',
          fix: 'Nobody could look at the slot: may the worker’s role read it? bemi doctor says why.',
        };
      const lag = Number(now?.lagBytes ?? 0);
      if (lag < healthyLagBytes || (now?.lagSeconds ?? 0) < healthyLagSeconds)
        return { tone: 'good', text: 'Recording, and up to date' };
      return {
        tone: 'attention',
        text: `Recording, ${bytesText(lag)} behind`,
        fix: 'A burst of writes passes by itself. If it does not, is the audit database slow?',
      };
    }
    case 'starting':
      return { tone: 'attention', text: 'A worker is starting' };
    case 'waiting':
      return { tone: 'bad', text: `Not recording: ${why}`, fix };
    case 'refused':
      return { tone: 'bad', text: `The worker refused to go on: ${why}`, fix };
    case 'standby':
      return {
        tone: 'attention',
        text: 'A standby waits behind a worker that does not say how it is doing',
        fix: 'The standby takes over when the other ends. An older worker says nothing here; bemi status looks at its slot.',
      };
    case 'stopping':
      return { tone: 'attention', text: 'The worker is stopping', fix: start };
    case 'stopped':
      return { tone: 'bad', text: 'No worker runs. The last one was stopped', ...at, fix: start };
    case 'silent':
      return {
        tone: 'bad',
        text: 'No worker has been seen since',
        ...at,
        fix: `Is its machine up, and does it reach the audit database? ${start}`,
      };
    case 'unseen':
      return {
        tone: 'attention',
        text: 'No worker has said how it is doing',
        fix: 'One of this version does within a minute: bemi start. An older one does not.',
      };
  }
}

const alertTitles: Readonly<Record<string, string>> = {
  refused: 'The worker refused to go on',
  'not-recording': 'Nothing is recorded',
  'slot-lost': 'The replication slot is lost',
  lag: 'Recording lags behind',
  'retained-wal': 'The source keeps much WAL',
  'slot-limit-near': 'The limit of retained WAL is near',
  'checkpoint-old': 'Nothing was signed for long',
  quarantine: 'Something went into quarantine',
  'coverage-lost': 'Something is no longer recorded',
};

/** An alert's name for people; its id where a newer worker told of one that is not known here. */
export function alertTitle(id: string): string {
  return alertTitles[id] ?? id;
}

/** Evidence as people read it: sizes in the units that they are in elsewhere. */
export function evidenceText(evidence: string): string {
  return evidence.replaceAll(/\b(\d{4,15}) bytes\b/g, (_, bytes: string) => bytesText(Number(bytes)));
}

/** `3 h 20 min`: two units at most. */
export function durationText(seconds: number): string {
  const whole = Math.max(Math.round(seconds), 0);
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
