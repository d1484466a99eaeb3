/** npm run quality:loop: a scripted year of models, with the loop, without it, and with an oracle. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { formatTable } from '../../bin/terminal/formatTable.ts';
import { startProgress } from '../../bin/terminal/progress.ts';
import { prepareDataFolder } from '../../infra/local/loop/dataFolder.ts';
import { UserError } from '../../services/shared/userError.ts';
import { parseRepeats } from '../terminal/parseRepeats.ts';
import { brokenPromises, harmAtEnd, lostShare, percent, type YearOfModel } from './promises.ts';
import { runYear } from './runYear.ts';
import { daysOfYear, worlds } from './worlds.ts';

interface Options {
  json?: string;
  only: string;
  days: string;
  dir: string;
}

const { json, only, days, dir } = new Command('npm run quality:loop --')
  .description(
    'Serves models for a scripted year on a local stack: once as the loop mends them, once never ' +
      'trained again, and once by an oracle that trains at each change. Exit code 1 if a promise ' +
      'of the loop is broken.',
  )
  .option('--json <file>', 'write the figures as JSON')
  .option('--only <text>', 'only worlds whose names contain this', '')
  .option('--days <number>', 'days of the year to serve', String(daysOfYear))
  .option('--dir <folder>', 'folder for data, models and logs', '.driftloop/quality-loop')
  .parse()
  .opts<Options>();

const progress = startProgress();
try {
  const chosen = worlds.filter(({ name }) => name.includes(only));
  if (chosen.length === 0)
    throw new UserError(
      `--only ${only}: expected a part of ${worlds.map(({ name }) => name).join(', ')}`,
    );
  const dayCount = parseRepeats(days);
  await prepareDataFolder({ dir: resolve(dir), marker: 'made-by-quality-loop', empty: true });
  const years = await runYear({
    worlds: chosen,
    days: dayCount,
    dir: resolve(dir),
    ports: { kafka: 0, registry: 0, clickhouse: 0 },
    onProgress: progress.step,
    onDay: (day, line) => progress.update(`day ${day + 1}: ${line}`, (day + 1) / dayCount),
  });
  const broken = years.flatMap(brokenPromises);
  console.log(formatTable(years.map(rowOf)));
  console.log(['', ...(broken.length > 0 ? broken : ['Every promise was kept.'])].join('\n'));
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ years, broken }, null, 2)}\n`);
  process.exitCode = broken.length > 0 ? 1 : 0;
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exitCode = 1;
}

function rowOf(year: YearOfModel) {
  const { world, lossNever, lossLoop, lossOracle, trainings, promotions, openEvents } = year;
  return {
    world,
    never: lossNever.toFixed(4),
    loop: lossLoop.toFixed(4),
    oracle: lossOracle.toFixed(4),
    lost: year.isMended ? percent(lostShare(year)) : '-',
    trainings,
    promoted: promotions.length,
    'open events': openEvents.length,
    'harm at the end': percent(harmAtEnd(year)),
  };
}
