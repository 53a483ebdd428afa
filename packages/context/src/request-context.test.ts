import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { currentBemiContext, openRequestScope, runWithBemiContext } from './context.ts';
import { withJobContext } from './job.ts';
import { contextMessage } from './message.ts';
import { addContext, withRequestContext } from './request-context.ts';

const stored = (): unknown => JSON.parse(contextMessage(currentBemiContext() ?? {}));

it('adds to the context that is there, and leaves none behind', async () => {
  await runWithBemiContext({ service: 'clinic', userId: 'nobody' }, async () => {
    const seen = withRequestContext(() => ({ userId: 'u1' }), currentBemiContext);
    expect(seen).toEqual({ service: 'clinic', userId: 'u1' });
    expect(currentBemiContext()).toEqual({ service: 'clinic', userId: 'nobody' });
  });
});

it('goes on at once, unless the context comes later', async () => {
  expect(withRequestContext(() => undefined, currentBemiContext)).toBeUndefined();
  const later = withRequestContext(async () => {
    await setImmediate();
    return { userId: 'u1' };
  }, currentBemiContext);
  expect(await later).toEqual({ userId: 'u1' });
});

it('says in the stored context that the function failed, and warns once, without what the error says', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockReturnValue(undefined);
  const failures = [
    () => {
      throw new TypeError('the session of Ada Lovelace');
    },
    () => Promise.reject(new Error('the session of Ada Lovelace')),
    () => Promise.reject(null),
  ];
  for (const failure of failures) {
    const seen = await runWithBemiContext({ service: 'clinic' }, () => withRequestContext(failure, stored));
    expect(seen).toEqual({ service: 'clinic', _bemi_dropped: { '/contextOf': 'it threw' } });
  }
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]?.[1]).toMatchObject({ code: 'BEMI_CONTEXT_NOT_MADE' });
  const said = JSON.stringify(warned.mock.calls);
  expect(said).toContain('TypeError');
  expect(said).toContain('request-context.test.ts');
  expect(said).not.toContain('Ada Lovelace');
  warned.mockRestore();
});

it('can still be given to JSON when the function failed', () => {
  openRequestScope(undefined, () => {
    void addContext(() => {
      throw new Error('no session');
    });
    expect(JSON.stringify(currentBemiContext())).toBe('{"contextOf":{}}');
  });
});

it('returns what the handler returns, and throws what it throws', async () => {
  const half = withJobContext(
    (whole: number) => ({ whole }),
    (whole: number) => {
      if (whole % 2 !== 0) throw new RangeError('odd');
      return { half: whole / 2, context: currentBemiContext() };
    },
  );
  expect(await half(4)).toEqual({ half: 2, context: { whole: 4 } });
  await expect(half(3)).rejects.toThrow(RangeError);
});
