import type { Notice } from '@bemi-db/proof/finding';
import type { StoredFinding } from '@bemi-db/trail/verify/stored-finding';
import { countedText, countText } from '../presentation/quantity-text.ts';

export type FindingCode = StoredFinding['code'];

/** A finding for people: what is wrong, in a sentence; what that means; what to do. Never a row, a key or a context. */
export interface FindingSentences {
  readonly title: string;
  readonly meaning: string;
  readonly advice: string;
}

const preserve =
  'Keep the audit database as it is, it is evidence: copy it, and note who can write to it. Restore the log from a backup that verifies.';
const compare =
  'Find out who had the key and who could write to the audit database since the last checkpoint that agrees, and go on from a backup that verifies.';
const reportDefect =
  'No attack is needed for this: it may be a defect of Bemi. Keep the database as it is, and report the code and the entry.';

/** What is wrong with a log, for somebody who need not know how it is built. */
export function findingSentences(finding: StoredFinding): FindingSentences {
  switch (finding.code) {
    case 'altered':
      return {
        title:
          finding.count === 1
            ? `Entry ${n(finding.sequence)} was altered`
            : `At least one of the ${countText(finding.count)} entries ${range(finding)} was altered`,
        meaning: 'What is stored is not what was recorded: its hash is not the one that the signed log has.',
        advice: preserve,
      };
    case 'missing':
      return {
        title: `${finding.count === 1 ? `Entry ${n(finding.sequence)} is` : `The ${countText(finding.count)} entries ${range(finding)} are`} missing`,
        meaning: `${finding.count === 1 ? 'It was' : 'They were'} recorded and signed, and somebody has deleted ${finding.count === 1 ? 'it' : 'them'} from the audit database.`,
        advice: preserve,
      };
    case 'inserted':
      return {
        title:
          finding.count === 1
            ? `Entry ${n(finding.sequence)} was inserted`
            : `The ${countText(finding.count)} entries from ${n(finding.sequence)} on were inserted`,
        meaning: 'Nobody recorded this here: it was not in the log when it was signed.',
        advice: preserve,
      };
    case 'moved':
      return {
        title: `Entry ${n(finding.sequence)} was moved`,
        meaning: `What stands there was recorded as entry ${n(finding.from)}: the order of events was changed.`,
        advice: preserve,
      };
    case 'duplicated':
      return {
        title: `Entry ${n(finding.sequence)} is there twice`,
        meaning: 'Two rows claim the same place in the log. One was not recorded.',
        advice: preserve,
      };
    case 'rolled-back':
      return {
        title: `The end of the log was cut off: ${countedText(finding.size - finding.entries, 'entry').replace(/entrys$/, 'entries')} ${finding.size - finding.entries === 1 ? 'is' : 'are'} gone`,
        meaning: `A checkpoint ${place(finding.outside)} was signed at ${countText(finding.size)} entries, and the log has ${countText(finding.entries)}: the newest were deleted, or an older copy was restored.`,
        advice: `${preserve} If somebody restored a backup on purpose, restore a newer one.`,
      };
    case 'forked':
      return {
        title: `The log is not the one that was signed: its first ${countText(finding.size)} entries are others`,
        meaning: `A checkpoint ${place(finding.outside)} says what the log was at ${countText(finding.size)} entries, and it was another. The log agrees with itself, so it was rewritten by somebody who has its key.`,
        advice: compare,
      };
    case 'unsigned':
      return {
        title: `The last ${finding.count === 1 ? 'entry is' : `${countText(finding.count)} entries are`} not signed`,
        meaning: `No checkpoint covers what follows entry ${n(finding.sequence - 1)}. The worker signs in the same transaction in which it stores.`,
        advice: `Somebody else has written to the log, or set its checkpoint back. ${preserve}`,
      };
    case 'wrong-key':
      return {
        title: `The checkpoint at ${countText(finding.size)} entries is not signed by the log's key`,
        meaning:
          finding.reason === 'invalid'
            ? `The signature on a checkpoint ${place(finding.outside)} is wrong.`
            : `A checkpoint ${place(finding.outside)} is signed by a key that the log does not name, and that was not given.`,
        advice:
          'Who put it there? Take it away if it belongs to another log; else treat it as an attempt to forge this one.',
      };
    case 'untrusted-key':
      return {
        title: 'The log is signed by another key than the one that you know',
        meaning:
          'None of the keys that were given is one of the log. Either the wrong key was given, or the whole log was replaced by another one.',
        advice:
          'Compare the key with "bemi keys signing show" where the worker runs. If that is the one given: ' +
          compare,
      };
    case 'bad-rotation':
      return {
        title: `The change of key at entry ${n(finding.sequence)} is forged`,
        meaning: 'It lacks the signature of the key before it, or names another one as that.',
        advice: compare,
      };
    case 'malformed-checkpoint':
      return {
        title: `A checkpoint ${place(finding.outside)} can't be read`,
        meaning: finding.message,
        advice: finding.outside ? 'Give the file as it was published.' : preserve,
      };
    case 'tile-altered':
      return {
        title: `Tile ${finding.level}/${n(finding.index)} of the hash tree was altered`,
        meaning: 'The stored hashes are not those of the entries below, which are whole.',
        advice: `No entry is affected. ${preserve}`,
      };
    case 'events-missing':
      return {
        title: `${n(finding.count)} of the events before entry ${n(finding.before)} are missing`,
        meaning: `Entry ${n(finding.sequence)} dropped what had expired there, and says how many events stayed. Somebody has deleted some of them since.`,
        advice: preserve,
      };
    case 'dropped-early':
      return {
        title: `Entry ${n(finding.sequence)} dropped what had not expired`,
        meaning: `The log said that it keeps everything for ${countedText(finding.days, 'day')}, and younger entries were dropped.`,
        advice: preserve,
      };
    case 'tile-missing':
      return {
        title: `Tile ${finding.level}/${n(finding.index)} of the hash tree is missing`,
        meaning:
          'Somebody has deleted stored hashes. The entries are judged by the signed checkpoints all the same.',
        advice: preserve,
      };
    case 'frontier-altered':
      return {
        title: 'The stored end of the hash tree was altered',
        meaning: `It is not that of the log's ${countText(finding.size)} entries.`,
        advice: preserve,
      };
    case 'erased-without-event':
      return {
        title: `${finding.count === 1 ? `The texts of entry ${n(finding.sequence)} were` : `The texts of the ${countText(finding.count)} entries ${range(finding)} were`} erased, and nobody answers for it`,
        meaning:
          'A legitimate erasure leaves an event in the log that says who, when and why. There is none.',
        advice: preserve,
      };
    case 'coverage-gap':
      return {
        title: `Changes may be missing before entry ${n(finding.sequence)}`,
        meaning: `The source's WAL from ${finding.fromLsn} to ${finding.toLsn} is not accounted for, and no event says that somebody accepted it.`,
        advice: `The worker never does this: somebody has taken transactions out. ${preserve}`,
      };
    case 'other-log':
      return {
        title: 'A checkpoint is of another log',
        meaning: `It is of ${finding.logId}; this is ${finding.expected}. Another log stands in the place of the one that was signed, or the wrong checkpoint was given.`,
        advice: 'Check that the checkpoint, the state directory and the audit database belong together.',
      };
    case 'wrong-generation':
      return {
        title: `Entry ${n(finding.sequence)} is of generation ${finding.generation}, where ${finding.expected} is in force`,
        meaning: 'A generation begins with an event that says which changes are missing and who accepted it.',
        advice: preserve,
      };
    case 'broken-start':
      return {
        title: 'The log does not begin as a log begins',
        meaning: `Entry ${n(finding.sequence)} should say ${finding.sequence === 0 ? 'which log this is' : 'which key signs it'}, and does not.`,
        advice: preserve,
      };
    case 'broken-transaction':
      return {
        title: `The transaction at entry ${n(finding.sequence)} is not whole`,
        meaning: `Its ${rules[finding.rule]}: entries were taken out of it or put into it before it was signed.`,
        advice: reportDefect,
      };
    case 'unknown-relation':
      return {
        title: `Entry ${n(finding.sequence)} names a table that nothing describes`,
        meaning: `Entry ${n(finding.relation)} should describe its table, and does not.`,
        advice: reportDefect,
      };
    case 'malformed-record':
    case 'malformed-event':
      return {
        title: `Entry ${n(finding.sequence)} can't be understood`,
        meaning:
          finding.code === 'malformed-event'
            ? `It is an event of kind ${finding.eventKind} without what such an event must say.`
            : 'It is none that a worker writes.',
        advice: reportDefect,
      };
    case 'relation-altered':
      return {
        title: `The names of a table were altered (entry ${n(finding.sequence)})`,
        meaning: `The entries are whole, but what people query shows them under ${relationReasons[finding.reason]}.`,
        advice: `Correct bemi.relations by what the event says. ${preserve}`,
      };
    case 'hold-altered':
      return {
        title: `The hold ${finding.id} is not what entry ${n(finding.sequence)} says`,
        meaning:
          'Somebody has changed, removed or made up a row of bemi.holds: what was to be kept could be erased, or the other way round.',
        advice: preserve,
      };
    case 'source-altered':
      return {
        title: `The log's account of its source was altered (column ${finding.column})`,
        meaning: 'The entries are whole, but bemi.sources says something else than the log.',
        advice: preserve,
      };
    case 'index-altered':
      return {
        title: `The index of changes was altered (entry ${n(finding.sequence)})`,
        meaning:
          'The entries are whole, but the index that searches use has something else: bemi log may leave out changes that are there.',
        advice: `TRUNCATE bemi.change_index, bemi.change_blocks: the worker makes it again. ${preserve}`,
      };
    case 'view-altered':
      return {
        title: 'The view bemi.changes was replaced',
        meaning: 'The entries are whole, but what people query is not what is stored.',
        advice: 'Who can replace views there? Define it again as the migrations do, then verify again.',
      };
  }
}

const rules = {
  number: 'entries are not those of one transaction',
  'context-numbers': 'contexts are not numbered one after the other',
  'change-count': 'number of changes is not what its commit says',
  'context-count': 'number of contexts is not what its commit says',
  'no-such-context': 'changes name a context that it has not',
  'no-commit': 'commit is not there',
} as const;

const relationReasons = {
  'other-document': 'other columns or types',
  'other-names': 'another name',
  'no-event': 'a description that was never recorded',
  'no-row': 'no name at all',
} as const;

/** What the log itself says that somebody accepted: nothing is wrong, and whoever relies on it must know. */
export function noticeSentence(notice: Notice): string {
  switch (notice.code) {
    case 'key-replaced':
      return `The key was lost and replaced at entry ${n(notice.sequence)}, without the signature of the one before.`;
    case 'gap-accepted':
      // Of the log of accesses, which has no source: nothing but its own entries can be missing.
      if (notice.fromLsn === '0/0' && notice.toLsn === '0/0')
        return `Entries were lost with a part of the audit database, and somebody accepted that (entry ${n(notice.sequence)}).`;
      return `Changes between ${notice.fromLsn} and ${notice.toLsn} are missing, and somebody accepted that (entry ${n(notice.sequence)}).`;
    case 'wal-skipped':
      return `WAL from ${notice.fromLsn} to ${notice.toLsn} could not be read and was skipped (entry ${n(notice.sequence)}).`;
    case 'checkpoint-given-up':
      return `A checkpoint of ${countText(notice.size)} entries was given up at entry ${n(notice.sequence)}: what it covered was lost.`;
    case 'entries-dropped':
      return `Retention has dropped what is older than entry ${n(notice.before)}; its hashes stay.`;
    case 'opaque-entries':
      return `${countText(notice.count)} ${notice.count === 1 ? 'entry is' : 'entries are'} of a kind that this version does not know: hashed, not interpreted. A newer bemi may know more.`;
  }
}

function n(sequence: number): string {
  return countText(sequence);
}

function range({ sequence, count }: { readonly sequence: number; readonly count: number }): string {
  return `${n(sequence)} to ${n(sequence + count - 1)}`;
}

function place(outside: boolean): string {
  return outside ? 'from outside of the audit database' : 'in the audit database';
}
