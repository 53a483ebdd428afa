import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { testSeed } from '@bemi-db/test-kit/test-seed';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  currentBemiContext,
  inThisScope,
  mergeBemiContext,
  openRequestScope,
  runWithBemiContext,
  setBemiContext,
} from './context.ts';

describe('setBemiContext', () => {
  it('holds for what follows, without an enclosing scope', async () => {
    setBemiContext({ userId: 'u1' });
    expect(currentBemiContext()).toEqual({ userId: 'u1' });
    await setImmediate();
    expect(currentBemiContext()).toEqual({ userId: 'u1' });
  });

  it('keeps branches apart that run at the same time', async () => {
    const seen = await Promise.all(
      [1, 2, 3].map(async (userId) => {
        setBemiContext({ userId });
        await setTimeout(4 - userId);
        return currentBemiContext();
      }),
    );
    expect(seen).toEqual([{ userId: 1 }, { userId: 2 }, { userId: 3 }]);
  });

  it('changes nothing outside of the scope that it is called in', async () => {
    setBemiContext({ at: 'outside' });
    await runWithBemiContext({ at: 'inside' }, async () => {
      await setImmediate();
      setBemiContext({ at: 'further inside' });
      await setImmediate();
      expect(currentBemiContext()).toEqual({ at: 'further inside' });
    });
    expect(currentBemiContext()).toEqual({ at: 'outside' });
  });

  it('takes a copy', () => {
    const context = { userId: 'u1' };
    setBemiContext(context);
    context.userId = 'u2';
    expect(currentBemiContext()).toEqual({ userId: 'u1' });
  });

  it('does not fail for a getter that does', () => {
    setBemiContext({
      get userId(): never {
        throw new Error('no user');
      },
    });
  });
});

describe('mergeBemiContext', () => {
  it('replaces the members that it is given', async () => {
    await runWithBemiContext({ userId: 'u1', reason: 'a' }, () => {
      mergeBemiContext({ reason: 'b', ip: '::1' });
      expect(currentBemiContext()).toEqual({ userId: 'u1', reason: 'b', ip: '::1' });
    });
  });
});

describe('runWithBemiContext', () => {
  it('awaits a lazy result inside', async () => {
    const lazy = {
      // biome-ignore lint/suspicious/noThenProperty: a query that begins when it is awaited.
      then: (resolve: (context: unknown) => void) => resolve(currentBemiContext()),
    };
    expect(await runWithBemiContext({ userId: 'u1' }, () => lazy as PromiseLike<unknown>)).toEqual({
      userId: 'u1',
    });
  });

  it('throws what the work throws', async () => {
    const failure = new Error('work');
    await expect(
      runWithBemiContext({}, () => {
        throw failure;
      }),
    ).rejects.toBe(failure);
  });
});

describe('a thousand requests at a time', () => {
  it('never see each other, whatever they do and await', async () => {
    const pause = [
      () => setImmediate(),
      () => setTimeout(1),
      () => Promise.resolve(),
      () => new Promise(process.nextTick),
    ];
    const shared: (() => void)[] = [];
    const steps = fc.array(fc.tuple(fc.nat(4), fc.nat(3)), { minLength: 1, maxLength: 6 });
    const requests = fc.array(steps, { minLength: 1_000, maxLength: 1_000 });

    async function request(id: number, script: readonly (readonly [number, number])[]): Promise<void> {
      let expected: object = { id };
      for (const [number, [action, wait]] of script.entries()) {
        if (action === 0) {
          expected = { id, number };
          setBemiContext({ id, number });
        } else if (action === 1) {
          mergeBemiContext({ [`m${number}`]: id });
          expected = { ...expected, [`m${number}`]: id };
        } else if (action === 2) {
          await runWithBemiContext({ id, inner: number }, async () => {
            await pause[wait]!();
            mergeBemiContext({ more: 1 });
            expect(currentBemiContext()).toEqual({ id, inner: number, more: 1 });
          });
        } else if (action === 3)
          shared.push(inThisScope(() => expect(currentBemiContext()).toMatchObject({ id })));
        else shared.pop()?.();
        await pause[wait]!();
        expect(currentBemiContext()).toEqual(expected);
      }
    }

    const seed = testSeed();
    const [scripts = []] = fc.sample(requests, { numRuns: 1, seed });
    await Promise.all(
      scripts.map((script, id) =>
        id % 2 === 0
          ? runWithBemiContext({ id }, () => request(id, script))
          : openRequestScope(undefined, () => {
              setBemiContext({ id });
              return request(
                id,
                script.filter(([action]) => action < 3),
              );
            }),
      ),
    );
  });
});

describe('a request scope', () => {
  it('is changed for all of the request by a function that is only awaited', async () => {
    async function authenticate(): Promise<void> {
      await setImmediate();
      mergeBemiContext({ userId: 'u1' });
    }
    await openRequestScope(undefined, async () => {
      setBemiContext({ ip: '::1' });
      await authenticate();
      expect(currentBemiContext()).toEqual({ ip: '::1', userId: 'u1' });
    });
  });

  it('is opened for each request of an HTTP server, also on a connection that is kept alive', async () => {
    const server = await runWithBemiContext({ service: 'test' }, async () => {
      const listening = createServer(async (request, response) => {
        const before = currentBemiContext();
        if (request.url === '/set') {
          await setImmediate();
          setBemiContext({ userId: 'u1' });
        }
        await setImmediate();
        response.end(JSON.stringify([before, currentBemiContext()]));
      }).listen(0, '127.0.0.1');
      await once(listening, 'listening');
      return listening;
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => {
      agent.destroy();
      server.close();
    });
    const ask = (path: string): Promise<{ body: unknown; reused: boolean }> =>
      new Promise((resolve, reject) => {
        const { port } = server.address() as AddressInfo;
        const request = get({ host: '127.0.0.1', port, path, agent }, async (response) => {
          let body = '';
          for await (const chunk of response) body += String(chunk);
          resolve({ body: JSON.parse(body), reused: request.reusedSocket });
        }).on('error', reject);
      });

    const service = { service: 'test' };
    expect(await ask('/set')).toEqual({ body: [service, { userId: 'u1' }], reused: false });
    expect(await ask('/get')).toEqual({ body: [service, service], reused: true });
    expect(await ask('/set')).toEqual({ body: [service, { userId: 'u1' }], reused: true });
  });
});

describe('inThisScope', () => {
  it('runs in the scope that it was made in', async () => {
    const read = await runWithBemiContext({ userId: 'u1' }, () => inThisScope(currentBemiContext));
    expect(await runWithBemiContext({ userId: 'u2' }, read)).toEqual({ userId: 'u1' });
  });
});

describe('the module', () => {
  it('shares its scopes with another copy of itself', async () => {
    const copy = new URL('./context.ts?copy', import.meta.url).href;
    const other = (await import(/* @vite-ignore */ copy)) as {
      currentBemiContext: typeof currentBemiContext;
    };
    expect(other.currentBemiContext).not.toBe(currentBemiContext);
    await runWithBemiContext({ userId: 'u1' }, () => {
      expect(other.currentBemiContext()).toEqual({ userId: 'u1' });
    });
  });
});
