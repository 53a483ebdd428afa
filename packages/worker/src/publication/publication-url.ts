import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { COSIGNATURE_V1, parseVerifierKey } from '@bemi-db/proof/verifier-key';
import { directoryTarget } from './directory-target.ts';
import { isLoopback } from './http-exchange.ts';
import { httpTarget } from './http-target.ts';
import { publicationError } from './publication-problem.ts';
import type { PublicationTarget } from './publication-target.ts';
import { type S3TargetOptions, s3Target } from './s3-target.ts';
import { type Witness, witness } from './witness.ts';

/** Where tokens and keys come from: never from a URL, which ends up in logs and lists of processes. */
export type PublicationEnvironment = Readonly<
  Partial<
    Record<
      | 'BEMI_CHECKPOINT_TOKEN'
      | 'AWS_ACCESS_KEY_ID'
      | 'AWS_SECRET_ACCESS_KEY'
      | 'AWS_SESSION_TOKEN'
      | 'AWS_REGION',
      string
    >
  >
>;

const forms =
  'BEMI_CHECKPOINT_URL takes, with spaces between several: a directory (/var/lib/bemi or file:///var/lib/bemi?records=yes), ' +
  's3://bucket/prefix?region=eu-central-1 (&endpoint=https://…, &lock=governance|compliance&retainDays=2192, &interval=seconds&records=yes), ' +
  'https://host/path (?interval=seconds&records=yes; http:// for this machine only), or ' +
  'witness+https://host/prefix#name+hash+key.';

/**
 * The targets that BEMI_CHECKPOINT_URL names.
 *
 * @param text - one URL or more, with white space between
 * @throws ProblemError of kind `configuration`
 */
export function publicationTargets(
  text: string,
  environment: PublicationEnvironment,
): (PublicationTarget | Witness)[] {
  return text
    .split(/\s+/)
    .filter((url) => url !== '')
    .map((url) => publicationTarget(url, environment));
}

/**
 * The target that a URL names.
 *
 * @throws ProblemError of kind `configuration`, whose message never repeats the URL
 */
export function publicationTarget(
  text: string,
  environment: PublicationEnvironment,
): PublicationTarget | Witness {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    // A URL that lost its colon is no directory: it may have a password in it.
    if (!/^(\.{0,2}\/(?!\/)|[\w.-]+(\/[\w.-]+)*\/?$)/.test(text))
      throw urlError('There is neither a path nor a URL');
    return directoryTarget(resolve(text));
  }
  const url = parseUrl(text, scheme);
  switch (scheme) {
    case 'file':
      if (url.host !== '') throw urlError('A file URL has three slashes: file:///path');
      return directoryTarget(fileURLToPath(url), isYes(query(url, ['records'])));
    case 's3':
      return s3Target(s3Options(url, environment));
    case 'https':
    case 'http': {
      if (url.hash !== '') throw urlError(`The URL of ${url.host} has a fragment`);
      const given = query(url, ['interval', 'records']);
      const base = new URL(url);
      base.search = '';
      expectEncrypted(base);
      return httpTarget({
        url: base,
        token: environment.BEMI_CHECKPOINT_TOKEN || undefined,
        minIntervalMs: intervalMs(given.interval),
        hasRecords: isYes(given),
      });
    }
    case 'witness+https':
    case 'witness+http': {
      const { interval } = query(url, ['interval']);
      const base = new URL(text.replace(/^witness\+/i, '').replace(/[?#].*$/s, ''));
      expectEncrypted(base);
      const key = parseVerifierKey(sha256Into, decodeFragment(url.hash));
      if (key?.type !== COSIGNATURE_V1)
        throw urlError(
          `The URL of the witness at ${base.host} must end with # and its verifier key of signature type 4 (name+hash+base64), as its operator publishes it`,
        );
      return witness({ url: base, key, minIntervalMs: intervalMs(interval) });
    }
    default:
      throw urlError(`Nothing can be published to ${scheme}:`);
  }
}

function parseUrl(text: string, scheme: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw urlError(`What begins with ${scheme}: is not a URL`);
  }
  if (url.username !== '' || url.password !== '')
    throw publicationError(
      'publication-url',
      `BEMI_CHECKPOINT_URL: there are credentials in the ${scheme} URL, where logs and lists of processes would show them.`,
      'Take them out; set BEMI_CHECKPOINT_TOKEN for an HTTP endpoint, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for a bucket. Consider them known, and draw new ones.',
    );
  return url;
}

function s3Options(url: URL, environment: PublicationEnvironment): S3TargetOptions {
  const bucket = url.hostname;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) || url.port !== '')
    throw urlError(
      'After s3:// stands the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
    );
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  // Other characters are signed in ways that services don't agree on.
  if (!/^[A-Za-z0-9._/-]*$/.test(prefix) || /(^|\/)\.{1,2}(\/|$)|\/\//.test(prefix))
    throw urlError('The prefix in a bucket has letters, digits and ._/- only');
  const given = query(url, ['region', 'endpoint', 'lock', 'retainDays', 'interval', 'records']);
  const endpoint = given.endpoint === undefined ? undefined : s3Endpoint(given.endpoint);
  const region = given.region ?? environment.AWS_REGION ?? (endpoint ? 'us-east-1' : undefined);
  if (region === undefined || !/^[a-z0-9-]+$/.test(region))
    throw urlError(`The region of the bucket ${bucket} must be named: s3://${bucket}?region=eu-central-1`);
  const accessKeyId = environment.AWS_ACCESS_KEY_ID;
  const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY;
  if (!accessKeyId || !secretAccessKey)
    throw publicationError(
      'publication-credentials',
      `There is no key for the bucket ${bucket}.`,
      'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary ones) in the worker’s environment.',
    );
  return {
    bucket,
    prefix,
    region,
    endpoint,
    lock: s3Lock(given.lock, given.retainDays),
    minIntervalMs: intervalMs(given.interval),
    hasRecords: isYes(given),
    credentials: { accessKeyId, secretAccessKey, sessionToken: environment.AWS_SESSION_TOKEN || undefined },
  };
}

function s3Endpoint(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw urlError('The endpoint of a bucket is a URL: endpoint=https://s3.example.com');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw urlError('The endpoint of a bucket has neither credentials nor a query');
  expectEncrypted(url);
  return url;
}

function s3Lock(mode: string | undefined, days: string | undefined): S3TargetOptions['lock'] {
  if (mode === undefined) {
    if (days !== undefined) throw urlError('retainDays needs lock=governance or lock=compliance');
    return undefined;
  }
  if (mode !== 'governance' && mode !== 'compliance') throw urlError('lock is governance or compliance');
  const retainDays = Number(days);
  if (days === undefined || !Number.isInteger(retainDays) || retainDays < 1 || retainDays > 36_500)
    throw urlError('With lock, retainDays says for how many days: 1 to 36500');
  return { mode, retainDays };
}

/** http is for what doesn't leave this machine: who listens could cut the tail off for an auditor. */
function expectEncrypted(url: URL): void {
  if (url.protocol === 'https:') return;
  if (url.protocol !== 'http:') throw urlError('An endpoint begins with https://');
  if (!isLoopback(url.hostname)) throw urlError(`http:// is for this machine only: use https://${url.host}`);
}

function query<K extends string>(url: URL, known: readonly K[]): Partial<Record<K, string>> {
  const given: Partial<Record<K, string>> = {};
  for (const [name, value] of url.searchParams) {
    const key = known.find((k) => k === name);
    // The name alone: what somebody put there may be a signature.
    if (key === undefined) throw urlError(`The ${url.protocol} URL has an unknown parameter`);
    given[key] = value;
  }
  return given;
}

function isYes({ records = 'no' }: { readonly records?: string }): boolean {
  if (records === 'yes' || records === 'no') return records === 'yes';
  throw urlError('records is yes or no');
}

function intervalMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (!(seconds >= 1 && seconds <= 3_600)) throw urlError('interval is in seconds: 1 to 3600');
  return seconds * 1_000;
}

function decodeFragment(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return '';
  }
}

function urlError(what: string): Error {
  return publicationError('publication-url', `BEMI_CHECKPOINT_URL: ${what}.`, forms);
}
