import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FrameworkUnderTest, RunningApplication } from '../framework-under-test.ts';
import { headersOf, post } from '../http-server.ts';

const folder = fileURLToPath(new URL('../../next-application/', import.meta.url));
const next = `${folder}node_modules/next/dist/bin/next`;
let built: Promise<unknown> | undefined;

export const nextRoutesApplication = application((url) => ({
  endpoint: (route, id) => `POST /routes/${route}/${id}`,
  send: async (route, id, sender) => void (await post(`${url}/routes/${route}/${id}`, { id }, sender)),
}));

export const nextApiApplication = application((url) => ({
  endpoint: (route, id) => `POST /api/${route}/${id}`,
  send: async (route, id, sender) => void (await post(`${url}/api/${route}/${id}`, { id }, sender)),
}));

export const nextActionsApplication = application((url) => ({
  endpoint: () => 'visit',
  async send(route, id, sender) {
    const page = `${url}/actions/${route}/${id}`;
    const html = await (await fetch(page)).text();
    // The form's own hidden field names the action: it works in a browser without JavaScript.
    const action = /name="(\$ACTION_ID_[0-9a-f]+)"/.exec(html)?.[1];
    if (action === undefined) throw new Error(html);
    const body = new FormData();
    for (const [name, value] of Object.entries({ [action]: '', route, id: String(id) })) {
      body.append(name, value);
    }
    const { 'content-type': _, ...headers } = headersOf(sender);
    const response = await fetch(page, { method: 'POST', headers: { ...headers, origin: url }, body });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    await response.arrayBuffer();
  },
}));

/** `next build`, once in a run, and `next start`. */
function application(clientOf: (url: string) => Omit<RunningApplication, 'close'>): FrameworkUnderTest {
  return {
    async start(_visits, databaseUrl) {
      const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' };
      built ??= promisify(execFile)(process.execPath, [next, 'build'], { cwd: folder, env });
      await built;
      const server = spawn(process.execPath, [next, 'start', '-H', '127.0.0.1', '-p', '0'], {
        cwd: folder,
        env: { ...env, DATABASE_URL: databaseUrl },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const url = await urlOf(server);
      return {
        ...clientOf(url),
        async close() {
          server.kill();
          if (server.exitCode === null) await once(server, 'exit');
        },
      };
    },
  };
}

async function urlOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface(server.stdout!)) {
    const url = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(line)?.[0];
    if (url === undefined) continue;
    server.stdout!.resume();
    return url;
  }
  throw new Error('Next.js does not start.');
}
