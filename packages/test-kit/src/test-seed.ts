import { newSeed } from './random-workload/seeded-random.ts';

/** The seed of a test that chooses at random: another one each time, or the one in `TEST_SEED`, to repeat a failure. */
export function testSeed(): number {
  const given = process.env['TEST_SEED'];
  return given === undefined ? newSeed() : Number(given);
}
