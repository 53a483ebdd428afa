import { encodeBase64 } from '../src/base64.ts';
import { signCheckpoint } from '../src/checkpoint.ts';
import {
  changeFields,
  commitActorFields,
  commitmentOf,
  contextFields,
  eventFields,
  type Field,
} from '../src/commitment.ts';
import type { Disclosed, PartToProve } from '../src/entry-proof.ts';
import { formatLsn } from '../src/lsn.ts';
import { leafHash } from '../src/merkle-tree.ts';
import { ed25519PrivateKey, rawPublicKey, sha256Into, signerOf } from '../src/node-crypto.ts';
import { formatOrigin } from '../src/origin.ts';
import { type ChangeHeader, type CommitHeader, type ContextHeader, decodeRecord } from '../src/record.ts';
import {
  recordOf,
  writeChangeRecord,
  writeCommitRecord,
  writeContextRecord,
  writeEventRecord,
} from '../src/record-writer.ts';
import type { TileReader } from '../src/tile-reader.ts';
import { type FullTile, TileTree } from '../src/tile-tree.ts';
import { verifierKey } from '../src/verifier-key.ts';

export const LOG_ID = '5f0c3a4e9b7d4c0f8a51d2c6e3b9a870';

export interface StoredEntry {
  record: Uint8Array;
  /** Of an event. */
  payload?: string | null;
  erased?: boolean;
  fields: readonly Field[] | null;
}

export const keyOfSeed = (seed: number) => ed25519PrivateKey(new Uint8Array(32).fill(seed));

/** A log in memory: entries, tiles and checkpoints as an audit database holds them. */
export class SmallLog {
  entries: StoredEntry[] = [];
  tiles: FullTile[] = [];
  checkpoints: { size: number; text: string }[] = [];
  tree = new TileTree(sha256Into);
  privateKey = keyOfSeed(1);
  generation = 1;
  relation = 2;
  #lsn = 0x1000n;
  #end = 0x1000n;
  #salt = 0;

  static start(privateKey = keyOfSeed(1)): SmallLog {
    const log = new SmallLog();
    log.privateKey = privateKey;
    log.event('lifecycle', {
      event: 'created',
      logId: LOG_ID,
      name: 'main',
      systemIdentifier: '7',
      database: 'clinic',
      slot: 's',
      publication: 'p',
      timeline: 1,
      generation: 1,
      completeFromLsn: formatLsn(0x1000n),
    });
    log.event('key', { event: 'created', publicKey: encodeBase64(rawPublicKey(log.privateKey)) });
    log.event('relation', {
      oid: 16_384,
      schema: 'public',
      table: 'patients',
      rootSchema: 'public',
      rootTable: 'patients',
      columns: [],
    });
    log.sign();
    return log;
  }

  get size(): number {
    return this.entries.length;
  }

  get key() {
    const origin = formatOrigin({ logId: LOG_ID, generation: this.generation });
    return verifierKey(sha256Into, origin, rawPublicKey(this.privateKey));
  }

  salt(): Uint8Array {
    return new Uint8Array(16).fill(++this.#salt & 0xff);
  }

  push(entry: StoredEntry): number {
    this.entries.push(entry);
    this.tiles.push(...this.tree.append(leafHash(sha256Into, entry.record), 1));
    return this.size - 1;
  }

  event(eventKind: string, payload: unknown): number {
    const text = JSON.stringify(payload);
    const fields = eventFields({ eventKind, salt: this.salt(), actor: 'test', payload: text });
    const header = { sequence: this.size, at: 1_000_000n, eventKind };
    return this.push({
      record: recordOf(writeEventRecord, header, commitmentOf(sha256Into, fields)),
      payload: text,
      fields,
    });
  }

  /** A transaction with one context unless `contexts` says otherwise. Returns the sequence of its first change. */
  transaction(
    changes: number,
    {
      contexts = 1,
      commit = {},
      change = {},
      context = {},
    }: {
      contexts?: number;
      commit?: Partial<CommitHeader>;
      change?: Partial<ChangeHeader>;
      context?: Partial<ContextHeader>;
    } = {},
  ): number {
    const transaction = this.size;
    for (let contextNumber = 0; contextNumber < contexts; contextNumber++) {
      const fields = contextFields({
        authenticity: 'unsigned',
        salt: this.salt(),
        context: `{"userId":"u${contextNumber}"}`,
      });
      const header = {
        sequence: this.size,
        transaction,
        contextNumber,
        authenticity: 'unsigned',
        quarantined: false,
        ...context,
      } as const;
      this.push({ record: recordOf(writeContextRecord, header, commitmentOf(sha256Into, fields)), fields });
    }
    const first = this.size;
    for (let i = 0; i < changes; i++) {
      const fields = changeFields({
        operation: 'INSERT',
        salt: this.salt(),
        primaryKey: `${this.size}`,
        before: null,
        after: `{"id":${this.size}}`,
      });
      const header: ChangeHeader = {
        sequence: this.size,
        transaction,
        relation: this.relation,
        lsn: this.#lsn++,
        contextNumber: 0,
        operation: 'INSERT',
        beforeKind: 'none',
        quarantined: false,
        ...change,
      };
      this.push({ record: recordOf(writeChangeRecord, header, commitmentOf(sha256Into, fields)), fields });
    }
    const header: CommitHeader = {
      sequence: this.size,
      transaction,
      generation: this.generation,
      commitLsn: this.#lsn,
      endLsn: this.#lsn + 8n,
      coveredFromLsn: this.#end,
      xid: 700n + BigInt(transaction),
      committedAt: 5_000_000n,
      recordedAt: 6_000_000n,
      changeCount: changes,
      contextCount: contexts,
      hasActor: false,
      ...commit,
    };
    const fields = header.hasActor ? commitActorFields(this.salt(), '{"name":"import"}') : null;
    const commitment = fields === null ? undefined : commitmentOf(sha256Into, fields);
    this.push({ record: recordOf(writeCommitRecord, header, commitment), fields });
    this.#end = header.endLsn;
    this.#lsn = header.endLsn;
    return first;
  }

  /** Continues from another LSN, as after a gap. */
  continueFrom(lsn: bigint): void {
    this.#end = lsn;
    this.#lsn = lsn;
  }

  sign(): string {
    const origin = formatOrigin({ logId: LOG_ID, generation: this.generation });
    const text = signCheckpoint(
      { origin, size: this.size, root: this.tree.root() },
      this.key,
      signerOf(this.privateKey),
    );
    this.checkpoints.push({ size: this.size, text });
    return text;
  }

  get reader(): TileReader {
    return async (level, index, width) => {
      const tile = this.tiles.find((full) => full.level === level && full.index === index)?.hashes;
      return (tile ?? this.tree.state().partialTiles[level]!).slice(0, width * 32);
    };
  }
}

function disclosedOf({ record, fields, erased }: StoredEntry): Disclosed | null {
  if (fields === null || erased) return null;
  const [, salt, ...texts] = fields as [string, Uint8Array, ...(string | null)[]];
  const names = {
    change: ['primaryKey', 'before', 'after'],
    context: ['context'],
    commit: ['actor'],
    event: ['actor', 'payload'],
    opaque: [],
  }[decodeRecord(record).kind];
  return { salt, ...Object.fromEntries(names.map((name, i) => [name, texts[i]])) };
}

/** An entry as a proof holds it. */
export const partOf = (log: SmallLog, sequence: number): PartToProve => {
  const entry = log.entries[sequence]!;
  return { record: entry.record, disclosed: disclosedOf(entry) };
};
