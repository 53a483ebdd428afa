import { expect, test } from 'vitest';
import { Looks } from './looks.ts';

function openEnded() {
  let end: () => void = () => undefined;
  const look = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { look: () => look, end: () => end() };
}

test('one look at a time for each asker, who waits a moment for the last one, and few at once', async () => {
  const looks = new Looks();
  const [first, others] = [openEnded(), openEnded()];
  const running = looks.by('ada', first.look);
  const next = looks.by('ada', async () => 'looked');
  first.end();
  expect(await next).toBe('looked');
  await running;

  const all = ['ada', 'bob', 'cyd', 'dan'].map((asker) => looks.by(asker, others.look));
  const refused = { status: 429, code: 'check-running' };
  await expect(looks.by('eve', others.look)).rejects.toMatchObject(refused);
  await expect(looks.by('ada', others.look)).rejects.toMatchObject(refused);
  others.end();
  await Promise.all(all);
  await looks.by('eve', async () => undefined);
});
