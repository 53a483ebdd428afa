/**
 * Column lists of the COPY statements, in the order in which the fields are the batch writes them. The fields of a commitment
 * (docs/spec/record.md) follow one another, so that it is one hash over the row as it is sent.
 */
export const copyColumns = {
  change_log:
    'log, relation, context_no, sequence, transaction, lsn, before_kind, operation, salt, primary_key, before, after',
  context_log: 'log, context_no, sequence, transaction, authenticity, salt, context',
  transaction_log:
    'log, generation, sequence, transaction, commit_lsn, end_lsn, covered_from_lsn, xid, committed_at, recorded_at, change_count, context_count, salt, actor',
  event_log: 'log, sequence, at, kind, salt, actor, payload',
  tiles: 'log, level, index, hashes',
} as const;
