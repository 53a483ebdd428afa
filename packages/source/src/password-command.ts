import { execFile } from 'node:child_process';

/** Where a password should have come from it does not come, now. Its message holds nothing secret. */
export class PasswordError extends Error {
  override readonly name = 'PasswordError';
  readonly fix: string;

  constructor(setting: string, problem: string, fix: string) {
    super(`The password for ${setting} ${problem}`);
    this.fix = fix;
  }
}

const patienceMs = 30_000;
/** A worker makes several connections at once; tokens live for minutes at least. */
const keptMs = 2_000;

interface Answer {
  readonly password: Promise<string>;
  readonly askedAtMs: number;
}

const answers = new Map<string, Answer>();

/**
 * Runs a command of the shell that prints a password, and nothing else; a newline at its end is left out. What it
 * printed is good for some seconds.
 *
 * @param setting - what is connected to, for messages: `BEMI_DATABASE_URL`.
 * @throws PasswordError when it fails, takes longer than 30 s, or prints nothing.
 */
export function passwordOfCommand(command: string, setting: string): Promise<string> {
  const nowMs = performance.now();
  const known = answers.get(command);
  if (known && nowMs - known.askedAtMs < keptMs) return known.password;
  const password = run(command, setting);
  answers.set(command, { password, askedAtMs: nowMs });
  password.catch(() => answers.delete(command));
  return password;
}

function run(command: string, setting: string): Promise<string> {
  const fix = 'Run it by hand, as the user that runs Bemi: it must print the password alone, and end with 0.';
  return new Promise((resolve, reject) => {
    // What it prints to stderr may be secret too, and is not shown.
    execFile('/bin/sh', ['-c', command], { timeout: patienceMs }, (error, stdout) => {
      const password = stdout.replace(/\r?\n$/, '');
      if (error) {
        const { code, killed } = error;
        const how = killed ? `after ${patienceMs / 1000} s without an end` : `with exit code ${code}`;
        reject(new PasswordError(setting, `is not to be had: its command ended ${how}`, fix));
      } else if (password === '') {
        reject(new PasswordError(setting, 'is not to be had: its command prints nothing', fix));
      } else resolve(password);
    });
  });
}
