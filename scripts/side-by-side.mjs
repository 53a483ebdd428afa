// Runs scripts of package.json, each argument a list of them that run one after the other, the lists side by side:
// what installs waits for the network while what compiles works. Prints each one's output when it has ended.
import { spawn } from 'node:child_process';

const running = new Set();

const run = (name) =>
  new Promise((resolve, reject) => {
    const startedAt = Date.now();
    const child = spawn('npm', ['run', name], { stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(child);
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      running.delete(child);
      process.stdout.write(Buffer.concat(output));
      process.stdout.write(`${name}: ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
      if (code === 0) resolve();
      else reject(new Error(`npm run ${name} ended with ${code}`));
    });
  });

const lists = process.argv.slice(2).map((list) => list.split(' '));
try {
  await Promise.all(
    lists.map(async (names) => {
      for (const name of names) await run(name);
    }),
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
  for (const child of running) child.kill();
}
