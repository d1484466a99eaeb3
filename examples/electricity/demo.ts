import { rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatTable } from '../../bin/terminal/formatTable.ts';
import { untilAborted } from '../../bin/terminal/interruption.ts';
import { withLastLogLines } from '../../bin/terminal/lastLogLines.ts';
import { startProgress } from '../../bin/terminal/progress.ts';
import { prepareDataFolder } from '../../infra/local/loop/dataFolder.ts';
import { requireNoLoop } from '../../infra/local/loop/loopRecord.ts';
import { startLoop } from '../../infra/local/loop/startLoop.ts';
import { startChildProcess } from '../../infra/local/processes/childProcess.ts';
import { claimPorts, type LocalStackPorts } from '../../infra/local/processes/localStackPorts.ts';
import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { UserError } from '../../services/shared/userError.ts';
import { loopNews } from './loopNews.ts';
import { accuracyOf, makeReport, type Report } from './report.ts';
import type { QuarterScore, ScorerLine } from './scorerLine.ts';
import { type StoryEntry, storyText } from './story.ts';

export interface DemoOptions {
  /** Folder for data, models and logs. The demo first removes the files of an earlier run. */
  dir: string;
  ports: LocalStackPorts;
  /** Whether to stop at the end of the story instead of leaving everything running. */
  headless: boolean;
  /** File for the report. */
  report?: string;
  /** Ends the demo. */
  interrupted: AbortSignal;
}

const model = 'nsw-price-direction';
/**
 * Flush interval of the services. It is short, so that a step of the replay does not wait a second
 * in each service.
 */
const flushMs = '50';

/**
 * Starts everything, prints what happens, and stops everything.
 * @returns true if every part of the story happened
 * @throws UserError if something cannot start or ends too early, or the reason of `interrupted`
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const undoSteps: (() => Promise<unknown>)[] = [];
  const failure = new AbortController();
  const demo: Demo = {
    ...options,
    dir: resolve(options.dir),
    startedAtMs: Date.now(),
    story: [],
    progress: startProgress(process.stdout),
    undo: step => undoSteps.unshift(step),
    fail: line => failure.abort(new UserError(withLastLogLines(line))),
    signal: AbortSignal.any([options.interrupted, failure.signal]),
  };
  try {
    return await tellStory(demo);
  } finally {
    if (undoSteps.length > 0) demo.progress.step('stopping every process ...');
    for (const step of undoSteps) {
      await step().catch(error =>
        demo.progress.step(`stopping: ${error instanceof Error ? error.message : error}`),
      );
    }
    if (undoSteps.length > 0)
      demo.progress.step(
        `stopped; logs, models and data stay in ${options.dir} until the next start`,
      );
  }
}

interface Demo extends DemoOptions {
  startedAtMs: number;
  story: StoryEntry[];
  progress: ReturnType<typeof startProgress>;
  undo: (step: () => Promise<unknown>) => void;
  fail: (line: string) => void;
  signal: AbortSignal;
}

async function tellStory(demo: Demo): Promise<boolean> {
  const { dir, ports, undo, fail, signal } = demo;
  const note = (text: string) => tell(demo, { kind: 'note', text });
  requireNoLoop(dir);
  await claimPorts(ports);
  await prepareDataFolder({ dir, marker: 'made-by-the-electricity-demo', empty: true });
  const { variables, stop } = await startLoop({
    dir,
    ports,
    variables: {
      DRIFTLOOP_CONFIG: join(import.meta.dirname, 'driftloop.yaml'),
      DRIFTLOOP_FLUSH_MS: flushMs,
      // The demo leaves nothing in an MLflow server of yours.
      MLFLOW_TRACKING_URI: '',
    },
    onProgress: note,
    onEnd: fail,
    signal,
  });
  undo(stop);
  const environment = readEnvironment(variables);
  const clickhouse = connectClickhouse(environment, { retry: false });
  undo(() => clickhouse.close());
  note(
    'the market is replayed week by week; after each week the clock waits until all of it has been processed, trainings too',
  );
  const scores = await Promise.race([runScorer(demo, variables, clickhouse), untilAborted(signal)]);

  const { CLICKHOUSE_URL: clickhouseUrl, CLICKHOUSE_DATABASE: database } = environment;
  const { startedAtMs, story } = demo;
  const report = await makeReport({
    clickhouse,
    clickhouseUrl,
    database,
    model,
    startedAtMs,
    story,
    scores,
  });
  demo.progress.step(summaryText(report));
  if (demo.report !== undefined)
    await writeWhole(demo.report, `${JSON.stringify(report, null, 2)}\n`);
  if (demo.headless) return report.complete;

  demo.progress.step(invitationText(report, demo.dir));
  await untilAborted(signal).catch(error => {
    // A finished demo ends with Ctrl-C. A server that dies is an error.
    if (!demo.interrupted.aborted) throw error;
  });
  return report.complete;
}

function tell(demo: Demo, entry: StoryEntry): void {
  demo.story.push(entry);
  demo.progress.step(storyText(entry));
}

/**
 * Runs the scorer to the end of its data. Each line of its output makes the demo print what the
 * scorer and Driftloop have done.
 */
function runScorer(
  demo: Demo,
  variables: Record<string, string>,
  clickhouse: Clickhouse,
): Promise<QuarterScore[]> {
  const scores: QuarterScore[] = [];
  const told = new Set<string>();
  const finished = Promise.withResolvers<QuarterScore[]>();
  const handle = async (line: ScorerLine) => {
    if (line.event === 'trained') tell(demo, { kind: 'trained', ...withoutEvent(line) });
    else if (line.event === 'switched') tell(demo, { kind: 'switched', ...withoutEvent(line) });
    else if (line.event === 'quarter') {
      scores.push(withoutEvent(line));
      tell(demo, { kind: 'quarter', ...accuracyOf(line) });
    } else {
      for (const entry of await loopNews(clickhouse, model, told)) tell(demo, entry);
      if (process.stdout.isTTY) demo.progress.update(statusText(line));
      if (line.event === 'finished') finished.resolve(scores);
    }
  };
  let handled = Promise.resolve();
  const scorer = startChildProcess({
    name: 'the scorer',
    command: process.execPath,
    args: [join(import.meta.dirname, 'scorer.ts')],
    env: variables,
    logFile: join(demo.dir, 'logs', 'scorer.log'),
    onLine: text => {
      // The first failure ends the story.
      handled = handled.then(() => handle(JSON.parse(text)));
      handled.catch(finished.reject);
    },
  });
  demo.undo(() => scorer.stop());
  scorer.exited.then(how => {
    if (how !== 'ended with exit code 0') demo.fail(`the scorer ${how} (log: ${scorer.logFile})`);
  });
  return finished.promise;
}

function withoutEvent<Line extends ScorerLine>({
  event: _,
  ...content
}: Line): Omit<Line, 'event'> {
  return content;
}

function statusText(line: ScorerLine): string {
  if (line.event === 'waiting')
    return `the clock waits for the ${line.service}, which has ${line.records} records to go`;
  if (line.event === 'stepped') return `${line.until.slice(0, 10)}: version ${line.version} serves`;
  return '';
}

/** Writes a file that is complete or does not exist. */
async function writeWhole(file: string, text: string): Promise<void> {
  const unfinished = `${file}.unfinished`;
  await writeFile(unfinished, text);
  await rename(unfinished, file);
}

function summaryText({ quarters, overall, counts, missing, durationSeconds }: Report): string {
  const row = (
    name: string,
    { predictions, accuracyWithLoop, accuracyAlone }: Report['overall'],
  ) => ({
    quarter: name,
    predictions,
    'version 1 alone': (accuracyAlone * 100).toFixed(1),
    'with the loop': (accuracyWithLoop * 100).toFixed(1),
    difference: ((accuracyWithLoop - accuracyAlone) * 100).toFixed(1),
  });
  const { approved, rejected, skipped, failed } = counts.trainingRuns;
  return [
    '',
    'ACCURACY, in percent',
    formatTable([...quarters.map(quarter => row(quarter.quarter, quarter)), row('all', overall)]),
    '',
    `${counts.predictions} predictions and ${counts.outcomes} labels in ${counts.windows} windows, ${counts.evaluatedWindows} of them judged`,
    `${counts.driftEvents} drift events; trainings: ${approved} approved, ${rejected} rejected, ${failed} failed, ${skipped} skipped`,
    missing.length === 0
      ? `every part of the story happened, in ${durationSeconds} s`
      : `THE STORY IS NOT COMPLETE:\n${missing.map(line => `  ${line}`).join('\n')}`,
  ].join('\n');
}

function invitationText({ statements }: Report, dir: string): string {
  return [
    '',
    'Everything is still up. Try:',
    ...statements.flatMap(({ question, command }) => ['', `# ${question}`, command]),
    '',
    '# What runs, how far it is, and what has drifted',
    'npx driftloop status',
    '',
    `Ctrl-C stops everything, and so does: npx driftloop down --dir ${dir}`,
    `Data, models and logs: ${dir}`,
  ].join('\n');
}
