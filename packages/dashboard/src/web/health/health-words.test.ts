import { alertRules } from '@bemi-db/worker/health/alerts/alert-rules';
import { expect, test } from 'vitest';
import { type LogHealth, logHealthStates } from '../../api/health.ts';
import { alertTitle, durationText, evidenceText, healthSentence } from './health-words.ts';

const log: LogHealth = {
  ...{ name: 'clinic', isRecorded: true, state: 'recording', since: '2026-01-01T00:00:00Z', problem: null },
  ...{ now: null, lastMinute: null, workers: [], alerts: [] },
};

test('each state is a sentence, and what is not good says what to do', () => {
  for (const state of logHealthStates) {
    const { tone, text, fix } = healthSentence({ ...log, state });
    expect(text, state).toMatch(/^[A-Z].*[a-z]$/);
    if (tone === 'bad') expect(fix, state).toMatch(/bemi /);
  }
  const behind = (lagSeconds: number) => ({
    ...{ at: '', lagBytes: '3000000', lagSeconds, retainedBytes: null, safeBytes: null, databaseBytes: null },
  });
  expect(healthSentence({ ...log, now: behind(2) }).tone).toBe('good');
  expect(healthSentence({ ...log, now: behind(90) }).text).toBe('Recording, 2.9 MB behind');
  expect(healthSentence({ ...log, now: { ...behind(2), lagBytes: null } }).text).toBe(
    'Recording. How far behind is not known',
  );
  const problem = { code: 'slot-missing', message: 'The slot is gone', fix: 'bemi gap accept' };
  expect(healthSentence({ ...log, state: 'refused', problem })).toEqual({
    ...{ tone: 'bad', text: 'The worker refused to go on: The slot is gone', fix: 'bemi gap accept' },
  });
  // Who may not read all tables is told its code alone.
  const hidden = { code: 'slot-missing', message: null, fix: null };
  expect(healthSentence({ ...log, state: 'waiting', problem: hidden }).text).toBe(
    'Not recording: slot-missing',
  );
});

test('every alert has a name for people', () => {
  expect(alertRules.filter(({ id }) => alertTitle(id) === id)).toEqual([]);
  expect(alertTitle('of-tomorrow')).toBe('of-tomorrow');
});

test('sizes in evidence', () => {
  expect(evidenceText('the source keeps 12884901888 bytes of WAL, growing by 17 bytes a second')).toBe(
    'the source keeps 12.0 GB of WAL, growing by 17 bytes a second',
  );
});

test('durations have two units at most', () => {
  expect([0, 59, 60, 3_700, 90_061, 172_800].map(durationText)).toEqual([
    ...['0 s', '59 s', '1 min', '1 h 1 min', '1 d 1 h', '2 d'],
  ]);
});
