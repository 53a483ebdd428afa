/**
 * Which of the values a line goes through, a list of indexes for each piece of it. A single value that is missing between two
 * others is passed over: who looks once a minute misses one now and then.
 */
export function knownRuns(values: readonly (number | null)[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const run = runs.at(-1);
    if (run && index - run.at(-1)! <= 2) run.push(index);
    else runs.push([index]);
  }
  return runs;
}
