/**
 * Why PostgreSQL won't take a name for a replication slot, or `undefined` if it will.
 *
 * @see https://www.postgresql.org/docs/current/warm-standby.html#STREAMING-REPLICATION-SLOTS-MANIPULATION
 */
export function slotNameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (!/^[a-z0-9_]*$/.test(name)) return 'it may hold only lower-case letters, digits and underscores';
  if (name.length > 63) return 'it is longer than 63 characters';
  return undefined;
}
