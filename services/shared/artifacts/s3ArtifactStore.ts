import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path/posix';
import type { Readable } from 'node:stream';
import type * as S3Module from '@aws-sdk/client-s3';
import { type ArtifactStore, ArtifactStoreError, type RepeatRequest } from './artifactStore.ts';
import { fileArtifactStore } from './fileArtifactStore.ts';

type S3 = typeof S3Module;

/** S3 deletes at most so many objects by one request. */
const maxDeletedKeys = 1_000;

/** Errors of connections that did not get as far as an answer. */
const connectionErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
  'RequestTimeout',
]);

/**
 * Keeps artifacts in a bucket of Amazon S3 or of a server with its interface. `create` and
 * `keepFolder` need a server that honours `If-None-Match: *`.
 *
 * The client reads its address, region and credentials from the environment variables and files of
 * AWS. Where the address is given, it puts the bucket into the path, because other servers mostly
 * have no name per bucket.
 * @param prefix begins all keys, without `/` at its ends; '' is the whole bucket
 */
export function s3ArtifactStore(
  bucket: string,
  prefix: string,
  repeat: RepeatRequest,
): ArtifactStore {
  const key = (path: string) => join(prefix, path).replace(/^\.$|\/$/, '');
  const uri = (path: string) => `s3://${join(bucket, key(path))}`;
  const send = <T>(path: string, request: (s3: S3, client: S3Module.S3Client) => Promise<T>) =>
    repeat(async () => {
      try {
        const { s3, client } = await connectS3();
        return await request(s3, client);
      } catch (error) {
        throw isTransientS3Error(error) ? error : storeError(uri(path), error);
      }
    });

  const stream = (path: string) =>
    send(path, async (s3, client) => {
      const get = new s3.GetObjectCommand({ Bucket: bucket, Key: key(path) });
      return (await client.send(get)).Body as Readable;
    });
  const listed = (path: string) =>
    send(path, async (s3, client) => {
      const Prefix = key(path) === '' ? '' : `${key(path)}/`;
      const names: string[] = [];
      const pages = s3.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix });
      for await (const { Contents = [] } of pages)
        names.push(...Contents.map(object => object.Key!.slice(Prefix.length)));
      return names.sort();
    });
  const putFile = (path: string, file: string) =>
    send(path, async (s3, client) => {
      const put = { Bucket: bucket, Key: key(path), ContentLength: (await stat(file)).size };
      await client.send(new s3.PutObjectCommand({ ...put, Body: createReadStream(file) }));
    });
  const create = (path: string, content: string) =>
    send(path, async (s3, client) => {
      const put = { Bucket: bucket, Key: key(path), Body: content, IfNoneMatch: '*' };
      try {
        await client.send(new s3.PutObjectCommand(put));
        return true;
      } catch (error) {
        if ((error as Error).name === 'PreconditionFailed') return false;
        throw error;
      }
    });

  return {
    uri,
    below: path => s3ArtifactStore(bucket, key(path), repeat),
    stream,
    create,
    putFile,
    read: path =>
      send(path, async (s3, client) => {
        try {
          const get = new s3.GetObjectCommand({ Bucket: bucket, Key: key(path) });
          const { Body } = await client.send(get);
          return Buffer.from(await Body!.transformToByteArray());
        } catch (error) {
          if ((error as Error).name === 'NoSuchKey') return null;
          throw error;
        }
      }),
    async keepFolder(path, folder, commitFile) {
      const local = fileArtifactStore(folder);
      for (const name of await local.list(''))
        if (name !== commitFile) await putFile(join(path, name), join(folder, name));
      await create(join(path, commitFile), String(await local.read(commitFile)));
    },
    list: listed,
    async remove(path) {
      const names = [path, ...(await listed(path)).map(name => join(path, name))];
      for (let start = 0; start < names.length; start += maxDeletedKeys) {
        const Objects = names.slice(start, start + maxDeletedKeys).map(one => ({ Key: key(one) }));
        await send(path, async (s3, client) => {
          const wanted = { Bucket: bucket, Delete: { Objects, Quiet: true } };
          const { Errors = [] } = await client.send(new s3.DeleteObjectsCommand(wanted));
          const [first] = Errors;
          if (first) throw new Error(`${first.Key}: ${first.Code}: ${first.Message}`);
        });
      }
    },
  };
}

let connected: Promise<{ s3: S3; client: S3Module.S3Client }> | undefined;

/** Loads the client when it is first needed, because most installations do not need it. */
function connectS3(): Promise<{ s3: S3; client: S3Module.S3Client }> {
  connected ??= import('@aws-sdk/client-s3').then(s3 => ({ s3, client: createClient(s3) }));
  return connected;
}

function createClient(s3: S3): S3Module.S3Client {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION } = process.env;
  const hasAddress = Boolean(AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL);
  return new s3.S3Client({
    ...(hasAddress && { forcePathStyle: true, region: AWS_REGION || 'us-east-1' }),
    // Other servers do not know the newer checksums of AWS. Every file has a SHA-256 of our own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 60_000 },
  });
}

/**
 * Returns whether a request that failed may succeed when it is repeated as it is: the server did
 * not answer, said that it cannot answer now, or was asked for the same at the same moment.
 */
export function isTransientS3Error(error: unknown): boolean {
  const { name, code, $metadata } = error as Error & {
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  if (connectionErrors.has(name) || connectionErrors.has(code ?? '')) return true;
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 500 || status === 429 || name === 'ConditionalRequestConflict';
}

function storeError(uri: string, error: unknown): ArtifactStoreError {
  const { name, message } = error as Error;
  return new ArtifactStoreError(`${uri}: ${name}: ${message}`, { cause: error });
}
