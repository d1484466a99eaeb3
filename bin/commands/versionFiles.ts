import { type Command, InvalidArgumentError } from 'commander';
import { safeName } from '../../services/retrainer/artifacts/modelFolder.ts';
import { modelCardFile } from '../../services/retrainer/artifacts/runResult.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import { parseDurationMs } from '../../services/shared/duration.ts';
import { UserError } from '../../services/shared/userError.ts';
import { withClickhouse } from '../servers/withServers.ts';
import { formatTable } from '../terminal/formatTable.ts';
import { wholeNumber } from '../terminal/wholeNumber.ts';
import { withArtifactMistakes } from '../versions/artifactMistakes.ts';
import { selectKeptArtifacts, selectMadeVersion } from '../versions/artifactQueries.ts';
import { exportToDvc } from '../versions/exportToDvc.ts';
import { readFileOfVersion } from '../versions/fileOfVersion.ts';
import { pruneArtifacts } from '../versions/pruneArtifacts.ts';
import { type PruneDecision, type PrunePlan, prunePlan } from '../versions/prunePlan.ts';
import { type MadeVersion, reproduceVersion } from '../versions/reproduceVersion.ts';

const differentExitCode = 2;

interface PruneOptions {
  all?: boolean;
  keep: number;
  olderThan?: number;
  dryRun?: boolean;
  timeout: number;
}

/** Adds the commands that are about the files of versions. */
export function addVersionFileCommands(command: Command): void {
  command
    .command('prune')
    .argument('[model]', 'name of the model')
    .description('Remove the files of versions and datasets that nothing needs any more.')
    .option('--all', 'of all models')
    .option('--keep <number>', 'keep as many that have served, and as many others', wholeNumber, 10)
    .option('--older-than <duration>', 'keep what came to its state within this time', duration)
    .option('--dry-run', 'say what would be removed, and remove nothing')
    .option('--timeout <seconds>', 'wait at most this long for each answer', wholeNumber, 60)
    .addHelpText(
      'after',
      `
A version that an alias names, or that waits for anything, is kept, and so is the dataset of every
version that is kept. A former champion is retired before its files are removed, so that nobody goes
back to it. The rows of tables stay; removed_artifacts says what was removed, by whom and why.

Examples:
  driftloop versions prune churn --dry-run
  driftloop versions prune --all --keep 5 --older-than 90d`,
    )
    .action(runPrune);
  command
    .command('reproduce')
    .argument('<model>', 'name of the model')
    .argument('<version>', 'version')
    .description('Train a version again, and say whether the same files come out.')
    .addHelpText(
      'after',
      `
It takes the frozen rows, the task and the seed of the version, and needs the same trainer: the
settings in DRIFTLOOP_CONFIG and the programs have to be those of the retrainer. Nothing is
published. The exit code is 0 if the files are equal, 2 if they differ, and 1 if they could not be
made.`,
    )
    .action(runReproduce);
  command
    .command('card')
    .argument('<model>', 'name of the model')
    .argument('<version>', 'version')
    .description('Print the model card of a version, in Markdown.')
    .action(runCard);
  command
    .command('dvc')
    .argument('<model>', 'name of the model')
    .argument('<version>', 'version')
    .description('Put the dataset of a version into a remote of DVC, and write its .dvc file.')
    .requiredOption('--remote <location>', 'the remote: a folder, or s3://bucket/prefix')
    .option('--out <file>', 'the .dvc file to write; without it, MODEL-VERSION.parquet.dvc')
    .addHelpText(
      'after',
      `
Example, in a repository with DVC:
  driftloop versions dvc churn 3 --remote /data/dvc --out churn-3.parquet.dvc
  dvc remote add --default data /data/dvc && dvc pull churn-3.parquet.dvc`,
    )
    .action(runDvc);
}

function duration(text: string): number {
  const milliseconds = parseDurationMs(text);
  if (milliseconds === null) throw new InvalidArgumentError('expected a duration such as 90d');
  return milliseconds;
}

async function runPrune(
  model: string | undefined,
  { all, keep, olderThan, dryRun, timeout }: PruneOptions,
): Promise<void> {
  if ((model === undefined) === (all === undefined))
    throw new UserError('expected either the name of a model or --all');
  const environment = readEnvironment();
  await withClickhouse(environment, async clickhouse => {
    const kept = await selectKeptArtifacts(clickhouse, model);
    const plan = prunePlan(kept, { keep, olderThanMs: olderThan ?? null }, Date.now());
    console.log(planText(plan, dryRun === true));
    if (dryRun) return;
    await pruneArtifacts(plan, clickhouse, environment, timeout * 1000, (what, reason) => {
      console.log(`kept after all: ${what}: ${reason}`);
      process.exitCode = 1;
    });
  });
}

/** @throws UserError if no files of such a version are known */
async function madeVersion(model: string, version: string): Promise<MadeVersion> {
  const row = await withClickhouse(readEnvironment(), clickhouse =>
    selectMadeVersion(clickhouse, model, version),
  );
  if (row === null)
    throw new UserError(
      `no files of a version ${JSON.stringify(version)} of model ${JSON.stringify(model)} are known; "driftloop versions list" shows all versions`,
    );
  if (row.removedAt !== null)
    throw new UserError(`the files of version ${version} were removed at ${row.removedAt}`);
  return row;
}

async function runReproduce(model: string, version: string): Promise<void> {
  const settings = readSettings(readEnvironment().DRIFTLOOP_CONFIG).of(model);
  const made = await madeVersion(model, version);
  const { checksum, differences } = await withArtifactMistakes(() =>
    reproduceVersion(made, settings),
  );
  if (differences.length === 0) console.log(`equal: the files have checksum ${checksum}`);
  else {
    console.log(['different:', ...differences].join('\n'));
    process.exitCode = differentExitCode;
  }
}

async function runCard(model: string, version: string): Promise<void> {
  const made = await madeVersion(model, version);
  process.stdout.write(await withArtifactMistakes(() => readFileOfVersion(made, modelCardFile)));
}

async function runDvc(
  model: string,
  version: string,
  { remote, out }: { remote: string; out?: string },
): Promise<void> {
  const made = await madeVersion(model, version);
  const file = out ?? `${safeName(model)}-${safeName(version)}.parquet.dvc`;
  if (!file.endsWith('.dvc')) throw new UserError(`--out: expected a name with .dvc, got ${file}`);
  await withArtifactMistakes(() => exportToDvc(made, remote, file));
  console.log(`${file} names dataset ${made.datasetId}`);
}

function planText({ versions, datasets }: PrunePlan, isDryRun: boolean): string {
  const removed = isDryRun ? 'would be removed' : 'removed';
  const row = ({ remove, reason }: PruneDecision<unknown>, model: string, what: string) => ({
    model,
    what,
    decision: remove ? removed : 'kept',
    why: reason,
  });
  const rows = [
    ...versions.map(one => row(one, one.of.model, `version ${one.of.version}`)),
    ...datasets.map(one => row(one, one.of.model, `dataset ${one.of.id.slice(0, 12)}`)),
  ];
  return rows.length === 0 ? 'nothing is kept' : formatTable(rows);
}
