import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program of `pnpm`, which is installed beside this file. */
export const pnpmProgram = fileURLToPath(new URL('node_modules/pnpm/bin/pnpm.cjs', import.meta.url));

/** Runs a command to its end, whatever that is. */
export async function finished(
  command: string,
  args: readonly string[],
  { cwd, env = {} }: CommandOptions,
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd,
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code: code as number | null, stdout, stderr };
}

/** Runs a command that shall succeed. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<Finished> {
  const result = await finished(command, args, options);
  if (result.code === 0) return result;
  throw new Error(
    `${command} ${args.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`,
  );
}

/** pnpm, in a folder that has a package.json. */
export function pnpm(args: readonly string[], options: CommandOptions): Promise<Finished> {
  return run(process.execPath, [pnpmProgram, ...args], options);
}

/**
 * This process's environment, without what speaks of another project: what the tests set, and what npm tells the
 * scripts that it runs.
 */
export function ownEnvironment(): NodeJS.ProcessEnv {
  const others =
    /^(BEMI_|PG|DATABASE_URL|ENABLE_|NODE_ENV|NODE_OPTIONS|VITEST|TEST|INIT_CWD|npm_(package|lifecycle|execpath|command|config_(local_)?prefix))/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !others.test(name)));
}
