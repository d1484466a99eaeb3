/**
 * npm run chaos [-- --minutes N --seed S]
 *
 * Runs the services while they and their servers are disturbed, and compares the tables with one
 * offline pass over the topics.
 */
import { Command, InvalidArgumentError } from 'commander';
import { formatTable } from '../../bin/terminal/formatTable.ts';
import { runChaos } from './runChaos.ts';

const chunksPerMinute = 20;
const shownDifferences = 20;

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new InvalidArgumentError('expected a number above 0');
  return number;
}

const { minutes, seed } = new Command('chaos')
  .option('--minutes <number>', 'approximate duration of the disturbances', positive, 2)
  .option('--seed <number>', 'repeat the stream and the disturbances of an earlier run', positive)
  .parse()
  .opts<{ minutes: number; seed?: number }>();
const chosenSeed = seed ?? Math.floor(Math.random() * 2 ** 31) + 1;
console.log(`npm run chaos -- --minutes ${minutes} --seed ${chosenSeed}`);

const result = await runChaos({
  seed: chosenSeed,
  chunks: Math.ceil(minutes * chunksPerMinute),
  onProgress: line => console.log(line),
});
const table = (counts: Map<string, number>, name: string, number: string) =>
  console.log(
    formatTable([...counts].sort().map(([key, count]) => ({ [name]: key, [number]: count }))),
  );
table(result.survived, 'disturbance', 'count');
table(result.rows, 'compared table', 'rows');
table(result.trainings, 'cause and result of a training', 'runs');
console.log(formatTable(result.memory.map(service => ({ ...service }))));
if (result.obstacle !== null)
  console.log(
    `The artifacts disk was never full, because its file system could not be mounted: ${result.obstacle}`,
  );
console.log(
  `seed ${chosenSeed}: ${result.records} records, ${result.restarts} restarts, ${result.deadLetters} dead letters sent, ${result.differences.length} differences`,
);
for (const line of result.differences.slice(0, shownDifferences)) console.log(line);
process.exit(result.differences.length > 0 ? 1 : 0);
