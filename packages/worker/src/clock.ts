/** PostgreSQL counts time in microseconds from 2000-01-01 UTC. */
const postgresEpochMs = 946_684_800_000;

/** Now, as PostgreSQL counts it. */
export function nowMicros(): bigint {
  return BigInt(Date.now() - postgresEpochMs) * 1000n;
}

/** A time as PostgreSQL counts it, in RFC 3339 with milliseconds. */
export function timeText(micros: bigint): string {
  return new Date(Number(micros / 1000n) + postgresEpochMs).toISOString();
}

/** A time in milliseconds since 1970, as PostgreSQL counts it. */
export function postgresMicros(ms: number): bigint {
  return BigInt(ms - postgresEpochMs) * 1000n;
}
