/** Where a server of the local stack keeps what it has, and where it listens. */
export interface StartOptions {
  /** Folder of its data, which persist. */
  dir: string;
  /** 0: a free one. */
  port: number;
  /** Folder of its log file. */
  logDir: string;
}
