/**
 * npm run quality:estimates: compares how near the estimates of Driftloop and NannyML come to the
 * realised quality, on the data sets in NannyML's package.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { formatTable } from '../../bin/terminal/formatTable.ts';
import { installedPeer } from '../../infra/peers/peerEnvironments.ts';
import { runCommand } from '../../infra/python/runCommand.ts';
import { compareEstimates, type MetricComparison, readDataSet } from './compare.ts';

const { chunks, labels } = new Command('quality:estimates')
  .description(
    'Prints the mean absolute error of estimated quality per chunk, by Driftloop and by NannyML ' +
      '(CBPE, DLE), on the data sets in its package.',
  )
  .option('--chunks <number>', 'number of chunks of the analysis period', '10')
  .option(
    '--labels <number>',
    'number of first rows of the reference from which both are calibrated (default: all)',
  )
  .parse()
  .opts<{ chunks: string; labels?: string }>();

const folder = await mkdtemp(join(tmpdir(), 'driftloop-estimates-'));
try {
  const { python, version } = await installedPeer('nannyml');
  await runCommand(python, [
    join(import.meta.dirname, 'nannyml.py'),
    folder,
    chunks,
    ...(labels ? [labels] : []),
  ]);
  const rows: (MetricComparison & { dataSet: string })[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const compared = await compareEstimates(readDataSet(join(folder, file)));
    rows.push(...compared.map(row => ({ dataSet: basename(file, '.json'), ...row })));
  }
  console.log(
    `Mean absolute error of estimated quality in ${chunks} chunks, and share of realised values ` +
      'in the interval',
  );
  console.log(
    formatTable(
      rows.map(
        ({ dataSet, metric, chunks: compared, error, errorOfPeer, coverage, coverageOfPeer }) => ({
          'data set': dataSet,
          metric,
          chunks: compared,
          error: error.toFixed(5),
          [`NannyML ${version}`]: errorOfPeer.toFixed(5),
          ratio: (error / errorOfPeer).toFixed(2),
          'in interval': coverage.toFixed(2),
          'in its interval': coverageOfPeer.toFixed(2),
        }),
      ),
    ),
  );
  const lower = rows.filter(({ error, errorOfPeer }) => error < errorOfPeer).length;
  const logRatios = rows.map(({ error, errorOfPeer }) => Math.log(error / errorOfPeer));
  const ratio = Math.exp(logRatios.reduce((sum, value) => sum + value, 0) / rows.length);
  console.log(
    `Lower error in ${lower} of ${rows.length} rows; geometric mean of the ratios ${ratio.toFixed(3)}`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
