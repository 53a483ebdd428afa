import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

const tarballs = fileURLToPath(new URL('../tarballs/', import.meta.url));

/** What `npm run pack` says of each tarball. */
interface Packed {
  readonly filename: string;
  readonly integrity: string;
  readonly shasum: string;
  readonly manifest: { readonly name: string; readonly version: string };
}

export interface TarballRegistry {
  /** The line of an `.npmrc` that has our packages taken from here, and all others from where they are taken always. */
  readonly npmrc: string;
  close(): Promise<void>;
}

/** Offers what `npm run pack` has packed to npm and pnpm, as a registry does once the packages are published. */
export async function serveTarballs(): Promise<TarballRegistry> {
  const packed = readPacked();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const tarball = packed.find(({ filename }) => path.endsWith(`/-/${filename}`));
    const document = packed.find(({ manifest }) => manifest.name === path);
    if (tarball !== undefined) {
      response.end(readFileSync(`${tarballs}${tarball.filename}`));
    } else if (document !== undefined) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(packageDocument(document, `http://${request.headers.host}`)));
    } else {
      response.writeHead(404).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    npmrc: `@bemi-db:registry=http://127.0.0.1:${(server.address() as AddressInfo).port}/\n`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function readPacked(): readonly Packed[] {
  const index = `${tarballs}packed.json`;
  if (!existsSync(index)) throw new Error('Nothing is packed: npm run pack');
  return JSON.parse(readFileSync(index, 'utf8')) as readonly Packed[];
}

/** @see https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md */
function packageDocument({ filename, integrity, shasum, manifest }: Packed, url: string): object {
  const { name, version } = manifest;
  const dist = { tarball: `${url}/${name}/-/${filename}`, integrity, shasum };
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, dist } },
    time: { [version]: '2025-01-01T00:00:00.000Z' },
  };
}
