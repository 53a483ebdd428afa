import { type LocalServer, startLocalServer } from './local-server.ts';

export interface FileServer extends LocalServer {
  readonly files: Map<string, Buffer>;
}

/** Takes files by PUT, only with the token, and never replaces one that is sent with `If-None-Match: *`. */
export async function startFileServer(token: string): Promise<FileServer> {
  const files = new Map<string, Buffer>();
  const server = await startLocalServer(({ method, path, headers, body }) => {
    if (headers.authorization !== `Bearer ${token}`) return { status: 401 };
    const file = files.get(path);
    if (method === 'GET') return file ? { status: 200, body: file } : { status: 404 };
    if (method !== 'PUT') return { status: 405 };
    if (file && headers['if-none-match'] === '*') return { status: 412 };
    files.set(path, body);
    return { status: 201 };
  });
  return Object.assign(server, { files });
}
