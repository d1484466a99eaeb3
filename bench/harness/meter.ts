/** A line with which a measured process reports on standard output what it has used. */
export interface MeterReading {
  /** Records that it has processed. */
  records: number;
  /** User and system time since its start. */
  cpuMs: number;
  peakRssBytes: number;
}

const mark = 'meter ';

export function printReading(records: number): void {
  const { user, system } = process.cpuUsage();
  const reading: MeterReading = {
    records,
    cpuMs: (user + system) / 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.stdout.write(`${mark}${JSON.stringify(reading)}\n`);
}

/** Reads a line of standard output. @returns null if it is not a reading */
export function parseReading(line: string): MeterReading | null {
  return line.startsWith(mark) ? JSON.parse(line.slice(mark.length)) : null;
}
