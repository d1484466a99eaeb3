/** npm run chaos [-- --minutes N --seed S]: the services under fire, compared with an offline pass over the topics. */
import { Command, InvalidArgumentError } from 'commander';
import { formatTable } from '../../bin/formatTable.ts';
import { runChaos } from './runChaos.ts';

const chunksPerMinute = 20;
const shownDifferences = 20;

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('expected a number above 0');
  return number;
}

const { minutes, seed } = new Command('chaos')
  .option('--minutes <number>', 'about how long to disturb', positive, 2)
  .option('--seed <number>', 'repeats the disturbances and the stream of an earlier run', positive)
  .parse()
  .opts<{ minutes: number; seed?: number }>();
const chosenSeed = seed ?? Math.floor(Math.random() * 2 ** 31) + 1;
console.log(`npm run chaos -- --minutes ${minutes} --seed ${chosenSeed}`);

const result = await runChaos({
  seed: chosenSeed,
  chunks: Math.ceil(minutes * chunksPerMinute),
  onProgress: line => console.log(line),
});
console.log(formatTable([...result.survived].map(([disturbance, times]) => ({ disturbance, times }))));
console.log(formatTable([...result.rows].map(([table, rows]) => ({ table, rows }))));
console.log(`${result.records} records, ${result.restarts} restarts, ${result.differences.length} differences`);
for (const line of result.differences.slice(0, shownDifferences)) console.log(line);
process.exit(result.differences.length > 0 ? 1 : 0);
