// Runs a worker in a process of its own, so that tests can kill it and measure its memory.
import { createWorker } from '../dist/create-worker.js';

const { drain, ...options } = JSON.parse(process.argv[2]);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
const tell = (level) => (fields, message) =>
  process.stdout.write(`${JSON.stringify({ level, message, ...fields })}\n`);
const logger = { debug: () => undefined, info: tell('info'), warn: tell('warn'), error: tell('error') };
await createWorker({ ...options, logger }).run({ signal: stop.signal, drain });
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
tell('info')({ peakRssBytes: maxRSS * 1024, cpuMs: (userCPUTime + systemCPUTime) / 1000 }, 'Ended');
process.exit(0);
