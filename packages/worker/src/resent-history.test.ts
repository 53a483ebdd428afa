import { parseLsn } from '@bemi-db/replication/lsn';
import { expect, test } from 'vitest';
import { ResentHistory } from './resent-history.ts';

const at = parseLsn;
const changed = expect.objectContaining({ code: 'history-changed' });
const history = () => new ResentHistory({ lastFinalLsn: at('0/500'), confirmedLsn: at('0/700') });

test('nothing is sent again: what comes is new', () => {
  const resent = history();
  resent.expect(0);
  resent.isNew(at('0/700')); // a commit may begin where a keepalive's position was
  resent.reached(at('0/800'));
});

test('all that is recorded has to come before anything new', () => {
  const resent = history();
  resent.expect(2);
  resent.saw();
  resent.reached(at('0/500'));
  expect(() => resent.reached(at('0/501'))).toThrow(changed);
  resent.saw();
  resent.reached(at('0/501'));
});

test('what was committed in a stretch that was read without it is of another history', () => {
  expect(() => history().isNew(at('0/6FF'))).toThrow(changed);
});
