import pg from 'pg';
import { generate } from 'selfsigned';
import { reloadSettings } from './reload.ts';

/** A certificate and its key, as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

const algorithm = { keyType: 'ec', algorithm: 'sha256' } as const;

/** A certificate authority of the test's own. */
export async function makeAuthority(name = 'Test authority'): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...algorithm,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { certificate: cert, key };
}

/**
 * A certificate of a server or a client, signed by an authority.
 *
 * @param commonName - of a client: the role that it logs in as.
 * @param hosts - DNS names and addresses of a server.
 */
export async function issueCertificate(
  authority: Certificate,
  commonName: string,
  hosts: readonly string[] = [],
): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: commonName }], {
    ...algorithm,
    ca: { key: authority.key, cert: authority.certificate },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      ...(hosts.length === 0
        ? []
        : [
            {
              name: 'subjectAltName' as const,
              altNames: hosts.map((host) =>
                /^[\d.]+$/.test(host)
                  ? ({ type: 7, ip: host } as const)
                  : ({ type: 2, value: host } as const),
              ),
            },
          ]),
    ],
  });
  return { certificate: cert, key };
}

/**
 * Turns TLS on in a server, with the files where the server itself writes them: it is another user's than ours.
 *
 * @param hbaLines - of pg_hba.conf, all there are afterwards.
 */
export async function turnTlsOn(
  url: string,
  server: Certificate,
  authority: Certificate,
  hbaLines: readonly string[],
): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const write = async (file: string, text: string): Promise<void> => {
    const bytes = Buffer.from(text).toString('base64');
    await client.query(
      `COPY (SELECT ${pg.escapeLiteral(bytes)}) TO PROGRAM ${pg.escapeLiteral(`base64 -d > ${file}.new && chmod 600 ${file}.new && mv ${file}.new ${file}`)}`,
    );
  };
  try {
    await write('server.crt', server.certificate);
    await write('server.key', server.key);
    await write('root.crt', authority.certificate);
    await write('pg_hba.conf', `${hbaLines.join('\n')}\n`);
    await client.query(`ALTER SYSTEM SET ssl_ca_file = 'root.crt'`);
    await client.query('ALTER SYSTEM SET ssl = on');
    await reloadSettings(url);
  } finally {
    await client.end();
  }
}
