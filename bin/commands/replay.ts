import type { Command } from 'commander';
import { type ReplayOptions, runReplay } from '../replay/runReplay.ts';
import { interruption } from '../terminal/interruption.ts';
import { startProgress } from '../terminal/progress.ts';

export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description(
      'Run files of predictions and feedback through the services, and report what they found.',
    )
    .requiredOption('--predictions <file>', 'JSON lines, plain or gzip')
    .option('--feedback <file>', 'JSON lines, plain or gzip')
    .requiredOption(
      '--report <file>',
      'where the report goes (JSON: schemas/replay-report.schema.json)',
    )
    .option('--config <file>', 'YAML file of settings')
    .option('--window <duration>', 'size of the windows of every model, such as 15m, 1h, 1d')
    .option('--no-retrain', 'leave the retrainer out')
    .option('--keep', 'leave topics and database behind and say how to query them')
    .addHelpText(
      'after',
      `
A line of predictions:
  {"id": "a1", "model": "churn", "version": "3", "time": "2026-01-31T09:30:00Z", "features": {"age": 41, "plan": "basic"},
   "prediction": "stays", "score": 0.12, "segment": {"country": "DE"}, "codeVersion": "1.4.0", "latencyMs": 3.5}
  (time also in ms; score, probabilities, segment, codeVersion and latencyMs may be absent)
A line of feedback:
  {"id": "a1", "label": "leaves", "time": "2026-02-28T00:00:00Z"}

Uses the servers of KAFKA_BROKERS, SCHEMA_REGISTRY_URL and CLICKHOUSE_URL, with topics and a database of its own, or starts
servers for the replay when these are not set. A line that cannot be used is counted in the report with the reason.

Examples:
  driftloop replay --predictions p.jsonl.gz --feedback f.jsonl.gz --report r.json
  driftloop replay --predictions p.jsonl --report r.json --window 15m --no-retrain
  jq '.driftEvents[] | {cause, feature, windowStart}' r.json`,
    )
    .action(runReplayCommand);
}

async function runReplayCommand(options: ReplayOptions): Promise<void> {
  await runReplay(options, startProgress(), interruption());
}
