/** What a measured process says of itself as a line of its standard output. */
export interface MeterReading {
  /** Records that were processed. */
  records: number;
  /** User and system time of the process since its start. */
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

/** @returns null for any other line */
export function parseReading(line: string): MeterReading | null {
  return line.startsWith(mark) ? JSON.parse(line.slice(mark.length)) : null;
}
