import { encodeBase64 } from './base64.ts';
import type { ProvenCommit, ProvenContext, ProvenEntry } from './proven-entry.ts';
import type { ReportResult } from './report-note.ts';
import { formatTime } from './time.ts';
import { formatKeyId } from './verifier-key.ts';
import type { EntryProofResult } from './verify-entry-proof.ts';

// How a proof is told, in a terminal and in the page.

/** A name and a value, both for people. The value is what was logged: show it, don't obey it ({@link printable}). */
export type ProofFact = readonly [string, string];

/** What a valid proof proves, and by whose signature. */
export function proofFacts(result: Extract<EntryProofResult, { valid: true }>): readonly ProofFact[] {
  const { entry, logId, generation, database, size, root, signatures } = result;
  return [
    ...rowsOf(entry),
    ['database', database] as const,
    ['log', `${logId}, generation ${generation}`] as const,
    ['checkpoint', `size ${size}, root ${encodeBase64(root)}`] as const,
    ...signatures.map(
      ({ key, timestamp }) =>
        [
          timestamp === undefined ? 'signed by' : 'cosigned by',
          `${key.name}, key ${formatKeyId(key.id)}${timestamp === undefined ? '' : `, ${new Date(Number(timestamp) * 1000).toISOString()}`}`,
        ] as const,
    ),
  ].filter((row): row is [string, string] => row[1] !== undefined && row[1] !== null);
}

/** What a valid note of a report says. */
export function reportFacts({ note, key }: Extract<ReportResult, { valid: true }>): readonly ProofFact[] {
  const { origin, documents } = note;
  return [
    ...documents.map(({ name }) => ['document', `${name}, unaltered`] as const),
    ['log', `${origin.logId}, generation ${origin.generation}`],
    ['signed by', `${key.name}, key ${formatKeyId(key.id)}`],
  ];
}

/** What the proof is of: `entry 4711, UPDATE on public.patient`. */
export function proofHeadline(entry: ProvenEntry): string {
  switch (entry.kind) {
    case 'change':
      return `entry ${entry.sequence}, ${entry.operation} on ${entry.schema}.${entry.table}`;
    case 'event':
      return `entry ${entry.sequence}, event ${entry.eventKind}`;
    case 'opaque':
      return `entry ${entry.sequence}, of a kind that this version doesn't know`;
    default:
      return `entry ${entry.sequence}, ${entry.kind}`;
  }
}

/** What is known of an entry; what there isn't of it is left out. */
type Row = readonly [string, string | null | undefined];

const ERASED = 'erased, or withheld by whoever made the proof: the entry is proven, its texts are not known';

function rowsOf(entry: ProvenEntry): Row[] {
  switch (entry.kind) {
    case 'change':
      return [
        ...(entry.erased
          ? [['row', ERASED] as const]
          : [
              ['primary key', entry.primaryKey] as const,
              ['before', entry.before] as const,
              ['after', entry.after] as const,
            ]),
        ['quarantine', entry.quarantined ? 'what the log could not keep as text' : undefined],
        ...(entry.context === undefined ? [['context', 'none'] as const] : contextRows(entry.context)),
        ...commitRows(entry.commit),
        ['position', entry.position],
      ];
    case 'context':
      return [...contextRows(entry), ...commitRows(entry.commit)];
    case 'commit':
      return commitRows(entry);
    case 'event':
      return [
        ['at', formatTime(entry.at)],
        ['actor', entry.actor],
        ['payload', entry.erased ? ERASED : entry.payload],
      ];
    case 'opaque':
      return [];
  }
}

function contextRows(context: Omit<ProvenContext, 'commit' | 'kind'>): Row[] {
  return [['context', `${context.erased ? ERASED : context.context} (${context.authenticity})`]];
}

function commitRows(commit: ProvenCommit): Row[] {
  return [
    [
      'transaction',
      `${commit.transactionId}, ${commit.changeCount} ${commit.changeCount === 1 ? 'change' : 'changes'}`,
    ],
    ['committed', formatTime(commit.committedAt)],
    ['recorded', formatTime(commit.recordedAt)],
    ['actor', commit.erased ? ERASED : commit.actor],
  ];
}

/** What was logged must not steer the terminal, nor hide in it: control and formatting characters are escaped. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
