/** PostgreSQL counts time in microseconds from 2000-01-01 UTC. */
const postgresEpochMs = 946_684_800_000;

/** Now, as PostgreSQL counts it. */
export function nowMicros(): bigint {
  return BigInt(Date.now() - postgresEpochMs) * 1000n;
}
