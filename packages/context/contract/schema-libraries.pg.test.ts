import { runWithBemiContext } from '@bemi-db/context';
import { wrapPostgres } from '@bemi-db/context/postgres';
import { createBemiContext, type StandardSchema } from '@bemi-db/context/schema';
import { createDatabase } from '@bemi-db/test-kit/database';
import { type } from 'arktype';
import postgres from 'postgres';
import * as v from 'valibot';
import { expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { decodeWal } from '../test/decoded-wal.ts';

interface Given {
  readonly userId: string;
  readonly role?: string | undefined;
  readonly visit?: { readonly reason: string } | undefined;
}

/** The same of each: two characters at least, a role unless one is given, nothing else than what is named. */
const schemas: readonly (readonly [library: string, schema: StandardSchema<Given, object>])[] = [
  [
    'zod',
    z.object({
      userId: z.string().min(2),
      role: z.string().default('NURSE'),
      visit: z.object({ reason: z.string().min(3) }).optional(),
    }),
  ],
  [
    'valibot',
    v.object({
      userId: v.pipe(v.string(), v.minLength(2)),
      role: v.optional(v.string(), 'NURSE'),
      visit: v.optional(v.object({ reason: v.pipe(v.string(), v.minLength(3)) })),
    }),
  ],
  [
    'arktype',
    type({
      userId: 'string >= 2',
      role: 'string = "NURSE"',
      'visit?': { reason: 'string >= 3' },
      '+': 'delete',
    }),
  ],
];

it.each(schemas)(
  '%s: what is stored is what the schema makes of a context, or says against it',
  async (_, schema) => {
    const database = await createDatabase();
    const admin = await database.connect();
    await admin.query('CREATE TABLE t (id int PRIMARY KEY)');
    const wal = await decodeWal(database);
    const sql = wrapPostgres(postgres)(database.url, { max: 1 });
    onTestFinished(() => sql.end());
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const context = createBemiContext({ schema });

    await context.run({ userId: 'u1', other: 1 } as Given, () => sql`INSERT INTO t VALUES (1)`);
    await runWithBemiContext({}, async () => {
      context.set({ userId: 'u1', visit: { reason: 'x' } });
      await sql`INSERT INTO t VALUES (2)`;
      context.merge({ visit: { reason: 'check-up' } });
      await sql`INSERT INTO t VALUES (3)`;
    });
    await context.run({ userId: 7, role: [] } as unknown as Given, () => sql`INSERT INTO t VALUES (4)`);

    const message = expect.any(String) as string;
    expect(await wal.take()).toEqual([
      [{ userId: 'u1', role: 'NURSE' }, 'INSERT 1'],
      [{ userId: 'u1', visit: { reason: 'x' }, _bemi_invalid: { '/visit/reason': message } }, 'INSERT 2'],
      [{ userId: 'u1', role: 'NURSE', visit: { reason: 'check-up' } }, 'INSERT 3'],
      [{ userId: 7, role: [], _bemi_invalid: { '/userId': message, '/role': message } }, 'INSERT 4'],
    ]);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  },
);

/** The types of what a context takes are those of its schema: for the compiler, never run. */
export function typed(): void {
  const byZod = createBemiContext({
    schema: z.object({ userId: z.string(), role: z.string().default('NURSE') }),
  });
  const byValibot = createBemiContext({
    schema: v.object({ userId: v.string(), role: v.optional(v.string(), 'NURSE') }),
  });
  const byArktype = createBemiContext({ schema: type({ userId: 'string', role: 'string = "NURSE"' }) });
  for (const context of [byZod, byValibot, byArktype]) {
    context.set({ userId: 'u1' });
    context.merge({ role: 'DOCTOR' });
    // @ts-expect-error: no text
    context.set({ userId: 1 });
    // @ts-expect-error: not there
    context.set({ role: 'DOCTOR' });
  }
}
