/** Where a server of the local stack keeps its data, and where it listens. */
export interface StartOptions {
  /** Folder of the data, which stay when the server stops. */
  dir: string;
  /** 0 means a free port. */
  port: number;
  /** Folder of the log file. */
  logDir: string;
}
