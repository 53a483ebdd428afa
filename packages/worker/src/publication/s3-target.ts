import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { exchange, type HttpAnswer, isLoopback } from './http-exchange.ts';
import { publicationError } from './publication-problem.ts';
import type { PublicationTarget } from './publication-target.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
}

export interface S3TargetOptions {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly region: string;
  /** Of a service that isn't Amazon's: objects are at `<endpoint>/<bucket>/<key>`. */
  readonly endpoint: URL | undefined;
  /** S3 Object Lock: what is retained can't be deleted for so long. */
  readonly lock: { readonly mode: 'governance' | 'compliance'; readonly retainDays: number } | undefined;
  readonly minIntervalMs: number | undefined;
  readonly hasRecords: boolean;
  readonly credentials: S3Credentials;
}

const dayMs = 86_400_000;

/**
 * A bucket of Amazon S3 or of a compatible service. Under lock, full tiles and old checkpoints are retained; `checkpoint`
 * and partial tiles are replaced and outgrown all the time, and are kept as versions by the bucket.
 */
export function s3Target(options: S3TargetOptions): PublicationTarget {
  const { bucket, prefix, endpoint, lock } = options;
  const base = objectBase(options);
  const name = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}${endpoint ? ` at ${endpoint.host}` : ''}`;
  // AWS' documentation of Signature Version 4; the derived key of a day is used again.
  const cache = new Map<string, ArrayBuffer>();

  const send = async (
    method: 'GET' | 'PUT',
    path: string,
    headers: Record<string, string>,
    body: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> => {
    if (cache.size > 1) cache.clear(); // yesterday's
    const { accessKeyId, secretAccessKey, sessionToken } = options.credentials;
    const signer = new AwsV4Signer({
      method,
      url: `${base}/${prefix === '' ? '' : `${prefix}/`}${path}`,
      headers: {
        ...headers,
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
      },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region: options.region,
      cache,
    });
    const signed = await signer.sign();
    return exchange(name, { url: signed.url.href, method, headers: signed.headers, body }, signal);
  };

  return {
    kind: 'files',
    name,
    isOffHost: endpoint === undefined || !isLoopback(endpoint.hostname),
    minIntervalMs: options.minIntervalMs,
    hasRecords: options.hasRecords,
    async read(path, signal) {
      const answer = await send('GET', path, {}, undefined, signal);
      if (answer.status === 200) return answer.body;
      if (answer.status === 404 && errorCode(answer) !== 'NoSuchBucket') return undefined;
      throw refused(name, 'GET', answer);
    },
    async write(path, bytes, { contentType, isImmutable, isRetained, signal }) {
      const answer = await send(
        'PUT',
        path,
        {
          'content-type': contentType,
          'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
          // Asked for where an object is retained, also by the bucket's default; MD5 is what every service knows.
          'content-md5': createHash('md5').update(bytes).digest('base64'),
          ...(lock && isRetained ? lockHeaders(lock) : {}),
        },
        bytes,
        signal,
      );
      if (answer.status !== 200) throw refused(name, 'PUT', answer);
      return 'written';
    },
  };
}

function objectBase({ bucket, region, endpoint }: S3TargetOptions): string {
  if (endpoint) return `${endpoint.href.replace(/\/+$/, '')}/${bucket}`;
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  // A name with dots isn't covered by the wildcard of the service's certificate.
  return bucket.includes('.')
    ? `https://s3.${region}.${domain}/${bucket}`
    : `https://${bucket}.s3.${region}.${domain}`;
}

function lockHeaders(lock: NonNullable<S3TargetOptions['lock']>): Record<string, string> {
  return {
    'x-amz-object-lock-mode': lock.mode.toUpperCase(),
    'x-amz-object-lock-retain-until-date': new Date(Date.now() + lock.retainDays * dayMs).toISOString(),
  };
}

/** The code of an error answer. Nothing else of it is shown: some services repeat the request in it. */
function errorCode({ body }: HttpAnswer): string | undefined {
  return /<Code>([A-Za-z0-9.]{1,60})<\/Code>/.exec(Buffer.from(body).toString('utf8'))?.[1];
}

function refused(name: string, method: string, answer: HttpAnswer): Error {
  const code = errorCode(answer);
  const message = `${name} answers ${method} with ${answer.status}${code === undefined ? '' : ` ${code}`}.`;
  const fix = fixes[code ?? ''];
  if (fix === undefined && (answer.status >= 500 || answer.status === 429))
    return publicationError(
      'publication-unreachable',
      message,
      'It is tried again; see the status of the service.',
    );
  return publicationError('publication-refused', message, fix ?? otherFix(answer.status));
}

const keyFix =
  'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary ones) to a valid key of the bucket’s owner.';
const fixes: Record<string, string> = {
  InvalidAccessKeyId: keyFix,
  SignatureDoesNotMatch: keyFix,
  InvalidToken: keyFix,
  ExpiredToken:
    'The temporary credentials have expired: set AWS_SESSION_TOKEN and its key anew and restart, or use a key that lasts.',
  RequestTimeTooSkewed: 'Set the clock of this machine right (NTP).',
  NoSuchBucket: 'Make the bucket, or name the right one in BEMI_CHECKPOINT_URL.',
  PermanentRedirect: 'The bucket is in another region: name it by ?region=… in BEMI_CHECKPOINT_URL.',
  AuthorizationHeaderMalformed:
    'The bucket is in another region: name it by ?region=… in BEMI_CHECKPOINT_URL.',
  AccessDenied:
    'Allow the key s3:PutObject, s3:GetObject and s3:ListBucket (without the last, S3 hides whether an object is there), and s3:PutObjectRetention with ?lock=….',
  InvalidRequest:
    'With ?lock=… the bucket must have been made with Object Lock: make another one, or leave lock away.',
  ObjectLockConfigurationNotFoundError:
    'With ?lock=… the bucket must have been made with Object Lock: make another one, or leave lock away.',
};

function otherFix(status: number): string {
  if (status === 401 || status === 403) return keyFix;
  return 'Check bucket, region and endpoint in BEMI_CHECKPOINT_URL.';
}
