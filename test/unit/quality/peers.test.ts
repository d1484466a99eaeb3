import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { installedMoa } from '../../../quality/peers/moaDetectors.ts';
import { noteErrors } from '../../../quality/peers/noteErrors.ts';
import { randomOf } from '../../../quality/streams/random.ts';
import { tracks } from '../../../quality/streams/tracks.ts';

const program = new URL('../../../quality/peers/main.ts', import.meta.url).pathname;
const onset = 3000;

/** Returns errors at one rate before the onset, and at another one after it. */
function errorsOf(rate: number, rateFromOnset: number): number[] {
  const random = randomOf('peers', rate, rateFromOnset);
  return Array.from({ length: 2 * onset }, (_, row) =>
    Number(random.uniform() < (row < onset ? rate : rateFromOnset)),
  );
}

describe('npm run quality:peers', { timeout: 300_000 }, () => {
  it('runs the detectors of MOA on each stream by itself, with a rise, a fall and no change', async () => {
    const { signals } = await installedMoa();
    const [rise, fall, ...rest] = await signals([
      errorsOf(0.1, 0.5),
      errorsOf(0.5, 0.1),
      [0, 0, 0],
      errorsOf(0.1, 0.5),
    ]);
    for (const { 'ADWIN (rises)': rises, ...both } of [rise!, fall!]) {
      expect(Object.keys(both)).toEqual(['ADWIN', 'SEED']);
      for (const rows of Object.values(both)) {
        const first = rows.find(row => row >= onset)!;
        expect(first).toBeLessThan(onset + 200);
      }
      expect(both.ADWIN).toEqual(expect.arrayContaining(rises!));
    }
    expect(rise!['ADWIN (rises)']).not.toEqual([]);
    expect(fall!['ADWIN (rises)']).toEqual([]);
    expect(rest).toEqual([{ ADWIN: [], 'ADWIN (rises)': [], SEED: [] }, rise]);
  });

  it('writes the errors of the rows that the detector receives', () => {
    const original = tracks.find(({ name }) => name === 'concepts-error-only')!;
    const { track, noted } = noteErrors(original);
    const [stream] = track.streams(1);
    const rows = [...stream!.rows()];
    expect(noted).toHaveLength(1);
    const [{ errors, positions }] = noted as [(typeof noted)[number]];
    expect(errors).toEqual(rows.map(({ prediction, label }) => (prediction === label ? 0 : 1)));
    const { monitoredFrom, rows: end } = stream!.truth;
    expect([positions[0], positions.at(-1), positions.length]).toEqual([
      monitoredFrom,
      end - 1,
      end - monitoredFrom,
    ]);
  });

  it('scores the detectors of MOA in addition to the detector', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, '--repeats', '1']);
    const [title, cells, means, conclusion] = stdout.split(/\n(?=mode)|\n\n/);
    expect(title).toMatch(/^concepts-error-only: 8 streams, peers of MOA 2024/);
    const [header, ...rows] = cells!.split('\n');
    const detectors = ['Driftloop', 'ADWIN', 'ADWIN (rises)', 'SEED'];
    expect(header!.split(/ {2,}/).slice(3)).toEqual(
      ['F1', 'false'].flatMap(figure => detectors.map(name => `${figure} ${name}`)),
    );
    const figures = rows.map(row => row.split(/ {2,}/));
    expect(figures.map(([mode, dataset]) => `${mode} ${dataset}`)).toEqual(
      ['ABRUPT', 'GRADUAL'].flatMap(mode =>
        ['Agrawal', 'SEA', 'STAGGER', 'Sine'].map(name => `${mode} ${name}`),
      ),
    );
    // Streams and peers do not depend on the detector.
    const sine = figures.find(([mode, dataset]) => `${mode} ${dataset}` === 'ABRUPT Sine')!;
    expect([...sine.slice(4, 7), ...sine.slice(8)]).toEqual([
      '0.420',
      '0.977',
      '0.520',
      '1.5682',
      '0.0000',
      '0.5227',
    ]);
    for (const row of figures)
      expect(row.slice(3).every(figure => /^\d\.\d+$/.test(figure))).toBe(true);
    expect(means).toBe('Means over the cells, and all alarms:');
    expect(conclusion).toMatch(/^mode +detector +F1 /);
    const ahead = detectors
      .slice(1)
      .map((_, index) => figures.filter(row => row[3]! > row[4 + index]!).length);
    expect(stdout).toContain(
      `of ADWIN in ${ahead[0]}, of ADWIN (rises) in ${ahead[1]}, of SEED in ${ahead[2]} of 8 cells`,
    );
  });

  it('refuses a track in which the detector sees more than errors', async () => {
    const refused = promisify(execFile)(process.execPath, [program, '--track', 'concepts']);
    await expect(refused).rejects.toThrow('Allowed choices are error-only, concepts-error-only');
  });
});
