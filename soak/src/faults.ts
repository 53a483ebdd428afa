import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '@bemi-db/test-kit/random-workload/seeded-random';
import type { SoakScene, SoakSide } from './soak-scene.ts';

/** Something that goes wrong, and comes right again before `strike` resolves. */
export interface Fault {
  readonly name: string;
  /** How often, in proportion. */
  readonly weight: number;
  strike(scene: SoakScene, random: SeededRandom): Promise<void>;
}

const shortly = (random: SeededRandom): Promise<void> => delay(random.between(0, 800));
const aWhile = (random: SeededRandom): Promise<void> => delay(random.between(300, 2_000));

const workerFaults: readonly Fault[] = [
  {
    name: 'worker killed',
    weight: 8,
    async strike(scene, random) {
      await scene.worker.end('SIGKILL');
      await shortly(random);
      scene.startWorker();
    },
  },
  {
    name: 'worker stopped',
    weight: 2,
    async strike(scene, random) {
      await scene.worker.end('SIGTERM');
      await shortly(random);
      scene.startWorker();
    },
  },
  {
    name: 'worker frozen',
    weight: 2,
    async strike({ worker }, random) {
      worker.signal('SIGSTOP');
      await aWhile(random);
      worker.signal('SIGCONT');
    },
  },
  {
    name: 'worker gone, its connections half open',
    weight: 2,
    async strike(scene) {
      scene.source.network.stall();
      scene.audit.network.stall();
      await scene.worker.end('SIGKILL');
      scene.startWorker();
    },
  },
  {
    name: 'second worker, first one killed',
    weight: 2,
    async strike(scene, random) {
      const first = scene.worker;
      scene.startWorker();
      await aWhile(random);
      await first.end('SIGKILL');
    },
  },
];

function serverFaults(name: 'source' | 'audit'): readonly Fault[] {
  const restart = (mode: 'fast' | 'immediate' | 'kill') => async (scene: SoakScene, random: SeededRandom) => {
    const { server } = scene[name];
    await server.stop(mode);
    await shortly(random);
    await server.start();
  };
  return [
    { name: `${name} restarted`, weight: 2, strike: restart('fast') },
    { name: `${name} crashed`, weight: 2, strike: restart('immediate') },
    { name: `${name} killed`, weight: 2, strike: restart('kill') },
    {
      name: `${name} ends the worker's connections`,
      weight: 3,
      async strike(scene) {
        await endWorkersConnections(scene[name]);
      },
    },
    {
      name: `network to the ${name} cut`,
      weight: 3,
      async strike(scene) {
        scene[name].network.cut();
      },
    },
    {
      name: `network to the ${name} half open`,
      weight: 2,
      async strike(scene) {
        scene[name].network.stall();
      },
    },
    {
      name: `network to the ${name} away`,
      weight: 2,
      async strike(scene, random) {
        scene[name].network.refuse();
        await aWhile(random);
        scene[name].network.heal();
      },
    },
    {
      name: `network to the ${name} slow`,
      weight: 1,
      async strike(scene, random) {
        scene[name].network.slowDown(random.between(5, 50));
        await aWhile(random);
        scene[name].network.heal();
      },
    },
  ];
}

const auditFaults: readonly Fault[] = [
  {
    name: 'audit locked',
    weight: 2,
    async strike({ audit }, random) {
      const client = await audit.connect();
      try {
        await client.query('BEGIN; LOCK TABLE bemi.logs, bemi.change_log IN ACCESS EXCLUSIVE MODE');
        await aWhile(random);
      } finally {
        await client.end();
      }
    },
  },
  {
    name: 'audit read-only',
    weight: 1,
    async strike({ audit }, random) {
      await audit.query(`ALTER DATABASE ${audit.database} SET default_transaction_read_only = on`);
      await endWorkersConnections(audit);
      await aWhile(random);
      await audit.query(
        `BEGIN READ WRITE; ALTER DATABASE ${audit.database} RESET default_transaction_read_only; COMMIT`,
      );
      await endWorkersConnections(audit);
    },
  },
];

export const faults: readonly Fault[] = [
  ...workerFaults,
  ...serverFaults('source'),
  ...serverFaults('audit'),
  ...auditFaults,
];

async function endWorkersConnections(side: SoakSide): Promise<void> {
  await side.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'bemi%' AND pid <> pg_backend_pid()`,
  );
}
