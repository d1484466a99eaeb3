import type { Readable } from 'node:stream';

/**
 * A place for datasets and models: a folder, or a part of an S3 bucket. Paths are relative to it,
 * with `/` between their parts.
 *
 * Whoever reads finds a file or a kept folder whole or not at all.
 */
export interface ArtifactStore {
  /** Returns the address of a file or a folder. */
  uri(path: string): string;
  /** Returns the part of the store below a path. */
  below(path: string): ArtifactStore;
  /** Returns the content of a file, or null if there is none. */
  read(path: string): Promise<Buffer | null>;
  /** Opens a file for reading. */
  stream(path: string): Promise<Readable>;
  /** Creates a small file. @returns false if there is one already, which stays as it is */
  create(path: string, content: string): Promise<boolean>;
  /** Puts a file of this machine there, instead of one that may be there. */
  putFile(path: string, file: string): Promise<void>;
  /**
   * Puts a folder of this machine there, unless one is there already. The folder may be moved. The
   * first one of several processes wins.
   * @param commitFile the file of the folder that is there last, and says that all others are
   */
  keepFolder(path: string, folder: string, commitFile: string): Promise<void>;
  /** Returns the paths of all files below a path, relative to it, in ascending order. */
  list(path: string): Promise<string[]>;
  /** Removes a file, or everything below a path. What is not there is no error. */
  remove(path: string): Promise<void>;
}

/**
 * The store has refused a request, or has something else than expected. It is no outage: a repeated
 * request would fail again.
 */
export class ArtifactStoreError extends Error {}

/** Repeats a request to a store while the store is away. */
export type RepeatRequest = <T>(request: () => Promise<T>) => Promise<T>;
