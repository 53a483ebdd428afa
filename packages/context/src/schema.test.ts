import { driver } from '@bemi-db/test-kit/drivers';
import { describe, expect, it, vi } from 'vitest';
import { currentBemiContext, runWithBemiContext } from './context.ts';
import { contextMessage } from './message.ts';
import { createBemiContext, type StandardSchema } from './schema.ts';

interface Who {
  readonly userId: string;
  readonly role?: string | undefined;
}
interface Zod {
  string(): { min(length: number): unknown; default(value: string): unknown };
  object(shape: object): StandardSchema<Who, Who>;
}
const { z } = driver<{ z: Zod }>('zod');

const byZod = z.object({ userId: z.string().min(2), role: z.string().default('NURSE') });
const byHand: StandardSchema<Who, Who> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { userId, role } = value as { userId?: unknown; role?: string };
      return typeof userId === 'string' && userId.length >= 2
        ? { value: { userId, role: role ?? 'NURSE' } }
        : { issues: [{ message: 'Too small', path: [{ key: 'userId' }] }] };
    },
  },
};

describe.each([
  ['zod', byZod],
  ['a schema by hand', byHand],
])('a context checked by %s', (_, schema) => {
  const context = createBemiContext({ schema });

  it('is what the schema makes of it', async () => {
    await runWithBemiContext({}, () => {
      context.set({ userId: 'u1', other: 1 } as Who);
      expect(currentBemiContext()).toEqual({ userId: 'u1', role: 'NURSE' });
      context.merge({ role: 'DOCTOR' });
      expect(context.current()).toEqual({ userId: 'u1', role: 'DOCTOR' });
    });
  });

  it('is stored as it was given if the schema refuses it, and says why, until it is right', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await context.run({ userId: 'x', other: 1 } as Who, () => {
      const stored = JSON.parse(contextMessage(currentBemiContext()!));
      expect(stored).toEqual({
        userId: 'x',
        other: 1,
        _bemi_invalid: { '/userId': expect.stringContaining('Too small') },
      });
      context.merge({ userId: 'u2' });
      expect(currentBemiContext()).not.toHaveProperty('_bemi_invalid');
    });
    await context.run({ userId: 'y' }, () => undefined);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});

it.each([
  [
    'throws',
    () => {
      throw new Error('no');
    },
    'the schema threw an error',
  ],
  ['answers later', async () => ({ issues: [] }), 'the schema is asynchronous'],
])('a schema that %s fails nothing', async (_, validate, reason) => {
  const context = createBemiContext<Who, Who>({
    schema: { '~standard': { version: 1, vendor: 'test', validate } },
  });
  await context.run({ userId: 'u1' }, () => {
    expect(currentBemiContext()).toEqual({ userId: 'u1', _bemi_invalid: { '': reason } });
  });
});
