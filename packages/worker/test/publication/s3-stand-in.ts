import { createHash, createHmac } from 'node:crypto';
import { type LocalAnswer, type LocalRequest, type LocalServer, startLocalServer } from './local-server.ts';

export interface ObjectVersion {
  readonly bytes: Buffer;
  readonly contentType: string | undefined;
  readonly lockMode: string | undefined;
  readonly retainUntil: Date | undefined;
}

export interface S3StandIn extends LocalServer {
  /** Of each key, oldest first. */
  readonly versions: Map<string, ObjectVersion[]>;
}

export interface S3StandInOptions {
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly hasObjectLock?: boolean;
  /** Without s3:ListBucket, an object that isn't there is AccessDenied. */
  readonly mayList?: boolean;
}

const sha256Hex = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();

/**
 * The Signature Version 4 of a request by AWS' documentation ("Signature Calculations for the Authorization Header"),
 * written from it and not from the client that it checks.
 */
export function signatureV4(request: {
  readonly method: string;
  readonly path: string;
  readonly signedHeaders: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly region: string;
  readonly secretAccessKey: string;
}): string {
  const { headers, signedHeaders, region } = request;
  const at = String(headers['x-amz-date']);
  const scope = `${at.slice(0, 8)}/${region}/s3/aws4_request`;
  const canonical = [
    request.method,
    request.path
      .split('/')
      .map((element) => encodeURIComponent(decodeURIComponent(element)))
      .join('/'),
    '',
    ...signedHeaders.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    String(headers['x-amz-content-sha256']),
  ].join('\n');
  const toSign = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256Hex(canonical)}`;
  const key = ['s3', 'aws4_request'].reduce<Uint8Array>(
    hmac,
    hmac(hmac(`AWS4${request.secretAccessKey}`, at.slice(0, 8)), region),
  );
  return hmac(key, toSign).toString('hex');
}

/** A bucket at `<url>/<bucket>/<key>` that checks signatures and knows versions and Object Lock. */
export async function startS3StandIn(options: S3StandInOptions): Promise<S3StandIn> {
  const versions = new Map<string, ObjectVersion[]>();
  const server = await startLocalServer((request) => {
    const problem = authenticate(request, options);
    if (problem) return problem;
    const [, bucket, ...key] = request.path.split('/');
    if (bucket !== options.bucket) return s3Error(404, 'NoSuchBucket');
    const ofKey = versions.get(key.join('/')) ?? [];
    if (request.method === 'GET') {
      const last = ofKey.at(-1);
      if (last) return { status: 200, body: last.bytes };
      return options.mayList === false ? s3Error(403, 'AccessDenied') : s3Error(404, 'NoSuchKey');
    }
    const version = put(request, options);
    if ('status' in version) return version;
    versions.set(key.join('/'), [...ofKey, version]);
    return { status: 200 };
  });
  return Object.assign(server, { versions });
}

function authenticate(request: LocalRequest, options: S3StandInOptions): LocalAnswer | undefined {
  const { headers, body } = request;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (!match) return s3Error(403, 'AccessDenied');
  const [, accessKeyId, , region, signedHeaders, signature] = match;
  if (accessKeyId !== options.accessKeyId) return s3Error(403, 'InvalidAccessKeyId', accessKeyId);
  if (region !== options.region) return s3Error(400, 'AuthorizationHeaderMalformed');
  const names = signedHeaders!.split(';');
  for (const name of Object.keys(headers))
    if ((name === 'host' || name.startsWith('x-amz-')) && !names.includes(name))
      return s3Error(403, 'AccessDenied');
  const expected = signatureV4({
    method: request.method,
    path: request.path,
    headers,
    signedHeaders: names,
    region: options.region,
    secretAccessKey: options.secretAccessKey,
  });
  if (signature !== expected) return s3Error(403, 'SignatureDoesNotMatch', accessKeyId);
  if (headers['x-amz-security-token'] !== options.sessionToken) return s3Error(400, 'InvalidToken');
  if (headers['x-amz-content-sha256'] !== sha256Hex(body)) return s3Error(400, 'XAmzContentSHA256Mismatch');
  return undefined;
}

function put({ headers, body }: LocalRequest, options: S3StandInOptions): ObjectVersion | LocalAnswer {
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64'))
    return s3Error(400, 'BadDigest');
  const lockMode = headers['x-amz-object-lock-mode'];
  const until = headers['x-amz-object-lock-retain-until-date'];
  if ((lockMode === undefined) !== (until === undefined)) return s3Error(400, 'InvalidArgument');
  if (lockMode !== undefined && (!options.hasObjectLock || md5 === undefined))
    return s3Error(400, 'InvalidRequest');
  return {
    bytes: body,
    contentType: headers['content-type'],
    lockMode: lockMode === undefined ? undefined : String(lockMode),
    retainUntil: until === undefined ? undefined : new Date(String(until)),
  };
}

/** As S3 does, it repeats the request's key id. */
function s3Error(status: number, code: string, keyId = ''): LocalAnswer {
  return {
    status,
    headers: { 'content-type': 'application/xml' },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><AWSAccessKeyId>${keyId}</AWSAccessKeyId></Error>`,
  };
}
