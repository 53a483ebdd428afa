import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Finished, finished, pnpm, pnpmProgram } from '../command.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
export const guideText = (file: string): string => readFileSync(here(`${file}.txt`), 'utf8');

export interface WebApplicationKind {
  /** The folder here with its locked packages. */
  readonly packages: 'prisma-6' | 'prisma-7' | 'next';
  /** The `type` of its package.json: none in one that Next.js makes. */
  readonly modules?: 'commonjs' | 'module';
}

/** The guide's `apps/web`. */
export interface WebApplication {
  readonly folder: string;
  /** Runs `pnpm` there. */
  pnpm(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>;
  /** The same, for what may fail. */
  attempt(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>;
  write(path: string, text: string): void;
}

/**
 * Makes the guide's `apps/web` with pnpm: its packages as they are locked, ours added as a user adds them, and the
 * files as the guide has them.
 *
 * @param npmrc - where our packages are taken from.
 */
export async function makeWebApplication(
  parent: string,
  kind: WebApplicationKind,
  npmrc: string,
): Promise<WebApplication> {
  const cwd = `${parent}/${kind.packages}-${kind.modules ?? 'untyped'}/apps/web`;
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(`${cwd}/${path}`), { recursive: true });
    writeFileSync(`${cwd}/${path}`, text);
  };
  const inside = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    pnpm(args, { cwd, env });

  cpSync(here(kind.packages), cwd, { recursive: true, filter: (path) => !path.includes('node_modules') });
  const manifest = JSON.parse(readFileSync(`${cwd}/package.json`, 'utf8')) as object;
  write('package.json', JSON.stringify({ ...manifest, type: kind.modules }));
  write('.npmrc', npmrc);
  await inside(['install', '--frozen-lockfile']);
  await inside(['add', ...ours(kind)]);

  write('.env', guideText('env'));
  write('src/lib/prisma.ts', guideText('prisma.ts'));
  write('src/lib/audit/bemi-context.ts', "export { setBemiContext } from '@bemi-db/prisma';\n");
  write('test-bemi.ts', guideText('test-bemi.ts'));
  write('prisma/schema.prisma', schemaFor(kind));
  await inside(['prisma', 'generate'], noEngines);
  return {
    folder: cwd,
    pnpm: inside,
    attempt: (args, env = {}) => finished(process.execPath, [pnpmProgram, ...args], { cwd, env }),
    write,
  };
}

function ours({ packages }: WebApplicationKind): readonly string[] {
  return packages === 'next' ? ['@bemi-db/prisma', '@bemi-db/context'] : ['@bemi-db/prisma'];
}

/**
 * Prisma's command line fetches programs from Prisma's server before it does anything, which `prisma generate` then
 * never runs. Any file will do: so the test needs npm's registry alone.
 */
const noEngines = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  PRISMA_QUERY_ENGINE_LIBRARY: process.execPath,
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
};

/** Prisma 6 has its URL in the schema, and runs on npm's packages alone by `engineType = "client"`. */
function schemaFor({ packages }: WebApplicationKind): string {
  const schema = guideText('schema.prisma');
  if (packages !== 'prisma-6') return schema;
  return schema
    .replace('provider = "prisma-client-js"', '$&\n  engineType = "client"')
    .replace('provider = "postgresql"', '$&\n  url      = env("DATABASE_URL")');
}
