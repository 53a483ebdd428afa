/** What has to be undone at the end, in the reverse of the order in which it was done. */
export interface Teardown {
  add(undo: () => Promise<void> | void): void;
  readonly isEmpty: boolean;
  /** Undoes everything, whatever fails on the way, and then throws the first failure. */
  run(): Promise<void>;
}

export function createTeardown(): Teardown {
  const steps: (() => Promise<void> | void)[] = [];
  return {
    add: (undo) => {
      steps.push(undo);
    },
    get isEmpty() {
      return steps.length === 0;
    },
    async run() {
      const failures: unknown[] = [];
      for (let undo = steps.pop(); undo; undo = steps.pop()) {
        try {
          await undo();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
