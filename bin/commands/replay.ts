import type { Command } from 'commander';
import { type ReplayOptions, runReplay } from '../replay/runReplay.ts';
import { interruption } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('Run your own files through the services, and write a report of what they found.')
    .requiredOption('--predictions <file>', 'JSON Lines or CSV, plain or gzip, or Parquet')
    .option('--feedback <file>', 'the same of labels')
    .requiredOption(
      '--report <file>',
      'JSON file to write (described by schemas/replay-report.schema.json)',
    )
    .option('--html <file>', 'page to write, to look at in a browser; it needs no server')
    .option('--config <file>', 'YAML file of settings')
    .option('--mapping <file>', 'YAML file with the setting inputs: where the fields are')
    .option('--window <duration>', 'window size of every model, such as 15m, 1h, 1d')
    .option('--no-retrain', 'do not train new versions')
    .option('--keep', 'keep topics and database afterwards, and say how to query them')
    .addHelpText(
      'after',
      `
A line of predictions (in the file it is one line):
  {"id": "a1", "model": "churn", "version": "3", "time": "2026-01-31T09:30:00Z",
   "features": {"age": 41, "plan": "basic"}, "prediction": "stays", "score": 0.12,
   "segment": {"country": "DE"}, "codeVersion": "1.4.0", "latencyMs": 3.5}
  "time" may have any usual form. The fields after "prediction" may be absent.
A line of feedback:
  {"id": "a1", "label": "leaves", "time": "2026-02-28T00:00:00Z"}
The columns of .csv and .parquet files have the same names; all others are features. For files of
another form --mapping, or the setting inputs of --config, says where the fields are.

The replay has topics and a database of its own. It uses the servers that KAFKA_BROKERS,
SCHEMA_REGISTRY_URL and CLICKHOUSE_URL name, or starts servers if none of the three is set. The
report counts the lines that could not be used, with the reasons. Exit codes: 0 if every line was
used, 3 if lines were refused, 1 after an error.

Examples:
  driftloop replay --predictions p.jsonl.gz --feedback f.jsonl.gz --report r.json
  driftloop replay --predictions p.jsonl --report r.json --window 15m --no-retrain
  driftloop replay --predictions p.jsonl --report r.json --html r.html
  jq '.driftEvents[] | {cause, feature, windowStart}' r.json`,
    )
    .action(runReplayCommand);
}

/** Exit code when lines were refused: the report is there, but does not speak of all lines. */
const exitCodeOfRefusedLines = 3;

async function runReplayCommand(options: ReplayOptions): Promise<void> {
  const refused = await runReplay(options, startProgress(), interruption());
  if (refused > 0) process.exitCode = exitCodeOfRefusedLines;
}
