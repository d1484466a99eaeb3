import { join } from 'node:path';

export interface UpOptions {
  /** Folder of data, models and logs. */
  dir: string;
  /** YAML file of settings. */
  config?: string;
  /** Start with empty data. */
  empty?: boolean;
  /** Return the prompt when everything is up. */
  detach?: boolean;
}

/** Returns the log of a detached `up`. It stands beside its folder, which may not exist yet. */
export const logFileOf = (dir: string) => `${dir}.log`;

/** The folder where `up` keeps its data and `down` looks for what runs. */
export const defaultDir = join(import.meta.dirname, '..', '..', '.driftloop', 'up');
