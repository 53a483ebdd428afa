import { EventEmitter } from 'node:events';
import { withJobContext } from '@bemi-db/context/job';
import type { FrameworkUnderTest, Sender } from '../framework-under-test.ts';
import { contextFor, type Route } from '../visits.ts';

interface Job {
  readonly route: Route;
  readonly id: number;
  /** Whoever has put the job into the queue. */
  readonly sender: Sender;
  done(error?: unknown): void;
}

/** A queue in the process. One listener takes each job, and many are under way at a time. */
export const jobApplication: FrameworkUnderTest = {
  start(visits) {
    const queue = new EventEmitter<{ job: [Job] }>();
    const work = withJobContext(
      ({ route, sender }: Job) => contextFor({ ...sender, endpoint: route }),
      async ({ route, id }: Job) => {
        await visits[route](id);
        return id;
      },
    );
    const waiting: Job[] = [];
    queue.on('job', (job) => {
      work(job).then((id) => job.done(id === job.id ? undefined : new Error('another result')), job.done);
    });
    // All jobs are handed out by one timer, in its scope.
    const timer = setInterval(() => {
      for (const job of waiting.splice(0)) queue.emit('job', job);
    }, 2);
    return Promise.resolve({
      endpoint: (route) => route,
      send: (route, id, sender) =>
        new Promise((resolve, reject) => {
          waiting.push({ route, id, sender, done: (error) => (error ? reject(error) : resolve()) });
        }),
      particular: {
        'between the jobs there is no context': {
          run: () => visits.one(100_000),
          recorded: { 100000: null },
        },
      },
      close: () => Promise.resolve(clearInterval(timer)),
    });
  },
};
