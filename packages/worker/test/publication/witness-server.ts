import { decodeBase64 } from '@bemi-db/proof/base64';
import { parseCheckpoint, verifySignatures } from '@bemi-db/proof/checkpoint';
import { verifyConsistency } from '@bemi-db/proof/consistency-proof';
import { cosign } from '@bemi-db/proof/cosignature';
import { sameBytes } from '@bemi-db/proof/hash';
import {
  ed25519PrivateKey,
  rawPublicKey,
  sha256Into,
  signerOf,
  verifyEd25519,
} from '@bemi-db/proof/node-crypto';
import { formatSignatureLine } from '@bemi-db/proof/signed-note';
import { COSIGNATURE_V1, type VerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import { type LocalAnswer, type LocalServer, startLocalServer } from './local-server.ts';

export interface WitnessServer extends LocalServer {
  readonly key: VerifierKey;
  /** What it cosigned last, by origin. A test may make it forget. */
  readonly state: Map<string, { readonly size: number; readonly root: Uint8Array }>;
}

/** A witness by c2sp.org/tlog-witness, which believes nothing but its own state and the keys of the logs it knows. */
export async function startWitnessServer(
  name: string,
  logKeys: readonly VerifierKey[],
): Promise<WitnessServer> {
  const privateKey = ed25519PrivateKey(new Uint8Array(32).fill(name.length));
  const key = verifierKey(sha256Into, name, rawPublicKey(privateKey), COSIGNATURE_V1);
  const state: WitnessServer['state'] = new Map();

  const server = await startLocalServer(async ({ method, path, body }): Promise<LocalAnswer> => {
    if (method !== 'POST' || path !== '/submit/add-checkpoint') return { status: 405 };
    const text = body.toString('utf8');
    const blank = text.indexOf('\n\n');
    const [oldLine = '', ...proofLines] = text.slice(0, blank).split('\n');
    const old = /^old (0|[1-9]\d*)$/.exec(oldLine);
    const proof = proofLines.map(decodeBase64);
    if (!old || proof.length > 63 || proof.includes(undefined)) return { status: 400 };
    const oldSize = Number(old[1]);
    const note = text.slice(blank + 2);
    const checkpoint = parseCheckpoint(note);
    const known = logKeys.filter((logKey) => logKey.name === checkpoint.origin);
    if (known.length === 0) return { status: 404 };
    if (!(await verifySignatures(checkpoint.note, known, verifyEd25519)).valid) return { status: 403 };
    if (oldSize > checkpoint.size) return { status: 400 };
    const last = state.get(checkpoint.origin);
    const sizeOf = (size: number): LocalAnswer => ({
      status: 409,
      headers: { 'content-type': 'text/x.tlog.size' },
      body: `${size}\n`,
    });
    if (oldSize !== (last?.size ?? 0)) return sizeOf(last?.size ?? 0);
    if (last) {
      if (oldSize === checkpoint.size && !sameBytes(last.root, checkpoint.root)) return sizeOf(last.size);
      const isConsistent = verifyConsistency(
        sha256Into,
        oldSize,
        checkpoint.size,
        proof as Uint8Array[],
        last.root,
        checkpoint.root,
      );
      if (!isConsistent) return { status: 422 };
    } else if (proof.length > 0) {
      return { status: 422 };
    }
    state.set(checkpoint.origin, { size: checkpoint.size, root: checkpoint.root });
    const time = BigInt(Math.floor(Date.now() / 1_000));
    return { status: 200, body: formatSignatureLine(cosign(note, time, key, signerOf(privateKey))) };
  });
  return Object.assign(server, { key, state });
}
